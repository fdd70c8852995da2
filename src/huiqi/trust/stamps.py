"""Which bytes authenticate a message between systems, and is its stamp in form and in time?"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from huiqi.kernel.digests import sm3_hex
from huiqi.trust.errors import MalformedStamp, StaleMessage
from huiqi.trust.types import Signature, Stamp

# The version that N03 section 8.2.3 asks for in ``msgversion``.
STAMP_VERSION = "1.0"
# Both directions; N03 names no number, spec/ndi-identity section 3 decides 300 s.
WINDOW_S = 300
# Visible ASCII without blanks, so that a line of the signed text is one field.
_FIELD = re.compile(r"[\x21-\x7e]{1,80}")
_MILLISECONDS = re.compile(r"[0-9]{13}")


def stamp_text(stamp: Stamp, body: bytes) -> bytes:
    """The signed text: see ``Stamp``. The signature in ``stamp`` plays no part in it."""
    lines = [stamp.code, stamp.version, stamp.timestamp, stamp.sequence]
    lines += [stamp.sender, stamp.receiver, sm3_hex(body)]
    if stamp.in_reply_to:
        lines.append(stamp.in_reply_to)
    return "\n".join(lines).encode()


def stamped(draft: Stamp, body: bytes, sign: Callable[[bytes], Signature]) -> Stamp:
    """``draft`` with the signature that ``sign`` makes over it and ``body``."""
    return Stamp(
        code=draft.code,
        version=draft.version,
        timestamp=draft.timestamp,
        sequence=draft.sequence,
        sender=draft.sender,
        receiver=draft.receiver,
        in_reply_to=draft.in_reply_to,
        signature=sign(stamp_text(draft, body)),
    )


def milliseconds(instant: datetime) -> str:
    """The ``timestamp`` of N03 table 16: 13 digits, milliseconds since 1970.

    >>> milliseconds(datetime(2025, 11, 23, 2, 0, tzinfo=UTC))
    '1763863200000'
    """
    return f"{int(instant.timestamp() * 1000):013d}"


def check_form(stamp: Stamp) -> None:
    """Accept a stamp whose parts are in form.

    Raises:
        MalformedStamp: a part is missing, too long or holds blanks or other than ASCII.
    """
    parts = {
        "msgcode": stamp.code,
        "msgversion": stamp.version,
        "sequenceNum": stamp.sequence,
        "sender": stamp.sender,
        "receiver": stamp.receiver,
    }
    if stamp.in_reply_to:
        parts["inReplyTo"] = stamp.in_reply_to
    for part, value in parts.items():
        if not _FIELD.fullmatch(value):
            raise MalformedStamp(part=part)
    if not _MILLISECONDS.fullmatch(stamp.timestamp):
        raise MalformedStamp(part="timestamp")


def acceptable_until(stamp: Stamp, now: datetime) -> datetime:
    """The last instant at which this stamp is accepted.

    Raises:
        StaleMessage: its time is more than 300 s before or after ``now``.
    """
    window = timedelta(seconds=WINDOW_S)
    sent_at = datetime.fromtimestamp(int(stamp.timestamp) / 1000, UTC)
    if abs(now - sent_at) > window:
        raise StaleMessage(window=WINDOW_S)
    return sent_at + window
