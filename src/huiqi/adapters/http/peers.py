"""One hardened client for calls between systems: signed out, signature checked on the way back.

Requests go to ``{address}/wire/{msgcode}``. No redirects, no proxies, bounded time and size.
"""

import time
from collections.abc import Mapping
from typing import Protocol

import httpx

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Member, Stamp
from huiqi.wire.errors import (
    MessageTooLarge,
    MessageUnreadable,
    PeerNonsense,
    PeerRefused,
    PeerUnavailable,
)
from huiqi.wire.huiqi.bodies import LARGEST_BODY, decode
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from huiqi.wire.huiqi.errors_body import Refused

# Loopback answers in milliseconds, another province in a second; a dead host must not hold a
# worker for long. Controlled queries may run for their full time-out (30 s) before they answer.
CONNECT_S = 3.0
READ_S = 40.0
# A body that drips in byte by byte never meets the read time-out; this bounds the whole answer.
WHOLE_S = 60.0
# A refusal is one sentence in two languages; what is longer is cut before it is kept or shown.
LONGEST_REASON, LONGEST_CODE = 500, 80
# Many verbs wait for a peer at once; more than this is queueing for its own sake.
MOST_CONNECTIONS = 64
_TYPED_REFUSALS = frozenset({400, 401, 403, 409, 413, 422})


class Stamper(Protocol):
    """What a call needs of the trust room."""

    def stamp(self, code: str, receiver: str, body: bytes) -> Stamp:
        """Authenticate an outgoing request."""
        ...

    def check_reply(self, stamp: Stamp, body: bytes, request: Stamp) -> None:
        """Accept the reply to ``request`` or raise."""
        ...


class Peers:
    """Signed calls to other systems."""

    def __init__(
        self,
        trust: Stamper,
        *,
        transport: httpx.BaseTransport | None = None,
        whole_s: float = WHOLE_S,
    ) -> None:
        self._trust, self._whole_s = trust, whole_s
        limits = httpx.Limits(
            max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS
        )
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            # A few compressed bytes can unfold to gigabytes before their size is counted.
            headers={"accept-encoding": "identity"},
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def call(self, to: Member, code: str, body: bytes, *, most: int = LARGEST_BODY) -> bytes:
        """Send ``body`` to the interface ``code`` of ``to``; the body of its genuine answer.

        Raises:
            PeerUnavailable: no connection, time-out, a redirect, or a 404, 429 or 5xx answer.
            PeerRefused: the peer refused with a typed reason.
            PeerNonsense: the answer is too large, unsigned, wrongly signed or not ours.
        """
        request = self._trust.stamp(code, to.id, body)
        url = f"{to.address}/wire/{code}"
        headers = {**headers_of(request), "content-type": "application/json"}
        try:
            status, answer_headers, answer = self._post(url, headers, body, most, to.name)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PeerUnavailable(peer=to.name, why=type(error).__name__) from error
        if status != httpx.codes.OK and status not in _TYPED_REFUSALS:
            raise PeerUnavailable(peer=to.name, why=f"HTTP {status}")
        self._check(to, answer_headers, answer, request)
        if status != httpx.codes.OK:
            raise refusal_by(to.name, answer)
        return answer

    def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, most: int, name: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        until = time.monotonic() + self._whole_s
        with self._client.stream("POST", url, headers=headers, content=body) as response:
            parts: list[bytes] = []
            size = 0
            for part in response.iter_raw():
                size += len(part)
                if size > most:
                    raise PeerNonsense(peer=name, why=f"over {most} bytes")
                if time.monotonic() > until:
                    raise PeerUnavailable(peer=name, why=f"over {self._whole_s:.0f} s")
                parts.append(part)
            plain = {key.lower(): value for key, value in response.headers.items()}
            return response.status_code, plain, b"".join(parts)

    def _check(self, to: Member, headers: Mapping[str, str], answer: bytes, request: Stamp) -> None:
        try:
            self._trust.check_reply(stamp_of(headers), answer, request)
        except HuiqiError as error:
            raise PeerNonsense(peer=to.name, why=error.code) from error


def refusal_by(peer: str, answer: bytes) -> PeerRefused | PeerNonsense:
    """The refusal in the body ``answer`` of ``peer``; that it is none when it cannot be read."""
    try:
        refused = decode("refusal", answer, Refused)
    except (MessageTooLarge, MessageUnreadable) as error:
        return PeerNonsense(peer=peer, why=error.code)
    return PeerRefused(
        peer=peer,
        zh=refused.zh[:LONGEST_REASON],
        en=refused.en[:LONGEST_REASON],
        reason=refused.code[:LONGEST_CODE],
    )
