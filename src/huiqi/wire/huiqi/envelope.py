"""How does the authentication of a message stand in HTTP headers?

Header names are those of N03 section 8.2.3 (msgcode, msgversion, timestamp, sequenceNum,
signValue); sender, receiver, suite and key are ours, marked ``x-hq-``.
"""

from collections.abc import Mapping

from huiqi.trust.types import Signature, Stamp
from huiqi.wire.errors import MessageUnreadable

VERSION = "1.0"
_FIELDS = {
    "code": "msgcode",
    "version": "msgversion",
    "timestamp": "timestamp",
    "sequence": "sequencenum",
    "sender": "x-hq-sender",
    "receiver": "x-hq-receiver",
}
_VALUE, _SUITE, _KEY, _REPLY = "signvalue", "x-hq-suite", "x-hq-key", "x-hq-reply-to"


def headers_of(stamp: Stamp) -> dict[str, str]:
    """The headers that carry ``stamp``; all values are ASCII."""
    headers = {header: getattr(stamp, field) for field, header in _FIELDS.items()}
    headers[_VALUE] = stamp.signature.value
    headers[_SUITE] = stamp.signature.suite
    headers[_KEY] = stamp.signature.key_id
    if stamp.in_reply_to:
        headers[_REPLY] = stamp.in_reply_to
    return headers


def stamp_of(headers: Mapping[str, str]) -> Stamp:
    """The stamp in ``headers`` (names are looked up in lower case).

    Raises:
        MessageUnreadable: a header is missing or longer than 300 characters.
    """
    code = headers.get("msgcode", "?")
    found: dict[str, str] = {}
    for name in (*_FIELDS.values(), _VALUE, _SUITE, _KEY):
        value = headers.get(name, "")
        if not value or len(value) > 300:  # noqa: PLR2004 - longer than any signature or identifier
            raise MessageUnreadable(message=code[:64], what=name)
        found[name] = value
    return Stamp(
        **{field: found[header] for field, header in _FIELDS.items()},
        signature=Signature(suite=found[_SUITE], key_id=found[_KEY], value=found[_VALUE]),
        in_reply_to=headers.get(_REPLY, ""),
    )
