"""How is a peer reached that is no longer where it was?"""

from huiqi.adapters.http.peers import Peers
from huiqi.kernel.errors import HuiqiError
from huiqi.trust.service import Trust
from huiqi.trust.types import Member
from huiqi.wire.errors import PeerUnavailable
from huiqi.wire.huiqi.bodies import LARGEST_BODY


class Reaching:
    """``trust.ports.Post``: asks the issuer for a peer's present address when the old one fails.

    Peers need trust and trust's directory needs peers, so both are set after they are made.
    """

    trust: Trust
    peers: Peers

    def call(self, to: Member, code: str, body: bytes, *, most: int = LARGEST_BODY) -> bytes:
        """The peer's genuine answer; see ``Peers.call`` for what is raised."""
        try:
            return self.peers.call(to, code, body, most=most)
        except PeerUnavailable as away:
            now = self._present(to, away)
        return self.peers.call(now, code, body, most=most)

    def _present(self, to: Member, away: PeerUnavailable) -> Member:
        """The peer at its present address.

        Raises:
            PeerUnavailable: it has no other, or the issuer gives none; ``away``, so that nobody
                takes the issuer's refusal for the peer's.
        """
        if to.id == self.trust.issuer().id:
            raise away
        try:
            now = self.trust.reconfirmed(to.id)
        except HuiqiError as error:
            raise away from error
        if now.address == to.address:
            raise away
        return now

    def issuer(self) -> Member:
        """The system that admitted this one."""
        return self.trust.issuer()
