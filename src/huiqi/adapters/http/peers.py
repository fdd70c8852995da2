"""One hardened client for calls between systems: signed out, signature checked on the way back.

Requests go to ``{address}/wire/{msgcode}``. No redirects, no proxies, bounded time and size.
"""

from collections.abc import Mapping
from typing import Protocol

import httpx
import msgspec

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Member, Stamp
from huiqi.wire.errors import PeerNonsense, PeerRefused, PeerUnavailable
from huiqi.wire.huiqi.bodies import LARGEST_BODY
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from huiqi.wire.huiqi.errors_body import Refused

# Loopback answers in milliseconds, another province in a second; a dead host must not hold a
# worker for long. Controlled queries may run for their full time-out (30 s) before they answer.
CONNECT_S = 3.0
READ_S = 40.0
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

    def __init__(self, trust: Stamper, *, transport: httpx.BaseTransport | None = None) -> None:
        self._trust = trust
        limits = httpx.Limits(
            max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS
        )
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def call(self, to: Member, code: str, body: bytes, *, most: int = LARGEST_BODY) -> bytes:
        """Send ``body`` to the interface ``code`` of ``to``; the body of its genuine answer.

        Raises:
            PeerUnavailable: no connection, time-out, or a 404, 429 or 5xx answer.
            PeerRefused: the peer refused with a typed reason.
            PeerNonsense: the answer is too large, unsigned, wrongly signed or not ours.
        """
        request = self._trust.stamp(code, to.id, body)
        url = f"{to.address}/wire/{code}"
        headers = {**headers_of(request), "content-type": "application/json"}
        try:
            status, answer_headers, answer = self._post(url, headers, body, most, to.name)
        except httpx.HTTPError as error:
            raise PeerUnavailable(peer=to.name, why=type(error).__name__) from error
        if status != httpx.codes.OK and status not in _TYPED_REFUSALS:
            raise PeerUnavailable(peer=to.name, why=f"HTTP {status}")
        self._check(to, answer_headers, answer, request)
        if status != httpx.codes.OK:
            raise self._refused(to, answer)
        return answer

    def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, most: int, name: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        with self._client.stream("POST", url, headers=headers, content=body) as response:
            parts: list[bytes] = []
            size = 0
            for part in response.iter_bytes():
                size += len(part)
                if size > most:
                    raise PeerNonsense(peer=name, why=f"over {most} bytes")
                parts.append(part)
            plain = {key.lower(): value for key, value in response.headers.items()}
            return response.status_code, plain, b"".join(parts)

    def _check(self, to: Member, headers: Mapping[str, str], answer: bytes, request: Stamp) -> None:
        try:
            self._trust.check_reply(stamp_of(headers), answer, request)
        except HuiqiError as error:
            raise PeerNonsense(peer=to.name, why=error.code) from error

    def _refused(self, to: Member, answer: bytes) -> PeerRefused | PeerNonsense:
        try:
            refused = msgspec.json.decode(answer, type=Refused)
        except msgspec.DecodeError as error:
            return PeerNonsense(peer=to.name, why=type(error).__name__)
        return PeerRefused(peer=to.name, zh=refused.zh, en=refused.en, reason=refused.code)
