"""A connector that calls and a platform that answers, in whatever way a test wants."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import msgspec

from huiqi.adapters.http.peers import Peers
from huiqi.trust.service import Trust
from huiqi.trust.types import Member, Stamp
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from tests.unit.trust.systems import House

Answer = Callable[[Stamp, bytes], httpx.Response]


@dataclass
class Pair:
    """The caller's and the answerer's trust rooms."""

    house: House
    platform: Trust
    connector: Trust

    def peers(self, answer: Answer) -> Peers:
        """The connector's way out, with ``answer`` in the place of the platform's server."""

        def handle(request: httpx.Request) -> httpx.Response:
            assert "cookie" not in request.headers
            made = answer(stamp_of(request.headers), request.read())
            # As bytes that are still to come, like those of a real connection.
            stream = httpx.ByteStream(made.content) if made.is_stream_consumed else made.stream
            return httpx.Response(made.status_code, headers=made.headers, stream=stream)

        return Peers(self.connector, transport=httpx.MockTransport(handle))

    def call(self, answer: Answer, body: bytes = b"{}", **limits: int) -> bytes:
        """What the connector gets when the platform answers like this."""
        peers = self.peers(answer)
        try:
            return peers.call(self.target(), "CatalogSearch", body, **limits)
        finally:
            peers.close()

    def target(self, address: str = "") -> Member:
        """The platform as the connector knows it, at another address when one is given."""
        me = self.platform.me()
        return msgspec.structs.replace(me, address=address) if address else me

    def signed(self, request: Stamp, status: int, body: bytes) -> httpx.Response:
        """A genuine answer of the platform."""
        headers = headers_of(self.platform.stamp_reply(request, body))
        return httpx.Response(status, headers=headers, content=body)
