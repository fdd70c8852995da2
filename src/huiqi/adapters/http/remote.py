"""What do other systems answer? The rooms' questions to them, as signed calls."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from huiqi.catalog.types import AllotRequest, Hit, Resolution, SignedRecord
from huiqi.compute.types import LendRequest, Loan, Release, UseRequest
from huiqi.contracts.types import CreateRequest
from huiqi.kernel.ids import ContractId
from huiqi.trust.ports import Post
from huiqi.trust.types import Member, MemberCredential
from huiqi.usage.types import Receipt, UseOutcome
from huiqi.wire.errors import MessageTooLarge, MessageUnreadable, PeerNonsense
from huiqi.wire.huiqi.bodies import LARGEST_BODY, LARGEST_PROJECTION, decode, encode
from huiqi.wire.huiqi.messages import (
    Address,
    AllottedContract,
    AllottedIdentifier,
    Nothing,
    OfMember,
    OfUse,
    Search,
    Wanted,
)

Document = TypeVar("Document")

# An answer holds at most 10,000 rows and 8 MB of cells; the envelope and receipts add little.
LARGEST_OUTCOME = 16 * 1_048_576


class Calls:
    """Typed questions to other systems."""

    def __init__(self, post: Post, issuer: Callable[[], Member]) -> None:
        self._post = post
        self._issuer = issuer

    def ask(
        self,
        to: Member,
        code: str,
        document: object,
        kind: type[Document],
        most: int = LARGEST_BODY,
    ) -> Document:
        """The answer of ``to`` to one question, of type ``kind``.

        Raises:
            PeerUnavailable, PeerRefused, PeerNonsense: as ``Post.call``; an answer that is not of
            this type is nonsense too.
        """
        answer = self._post.call(to, code, encode(document), most=most)
        try:
            return decode(code, answer, kind, most=most)
        except (MessageTooLarge, MessageUnreadable) as error:
            raise PeerNonsense(peer=to.name, why=error.code) from error

    def ask_issuer(self, code: str, document: object, kind: type[Document]) -> Document:
        """The answer of the system that admitted this one."""
        return self.ask(self._issuer(), code, document, kind)


class RemoteDirectory:
    """``trust.ports.Directory`` at the issuer."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
        """The issuer's credential for ``id``."""
        return self._calls.ask_issuer("MemberLookup", OfMember(id=id), MemberCredential)

    def report(self, address: str) -> None:
        """Tell the issuer where this system is reached now (N05 接入连接器地址上报)."""
        self._calls.ask_issuer("AddressReport", Address(address=address), Nothing)


class RemotePlatform:
    """The issuer as the rooms catalog and contracts see it: their ports, over signed calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def allot(self, request: AllotRequest) -> str:
        """A fresh identifier from the node."""
        return self._calls.ask_issuer("IdentifierAllot", request, AllottedIdentifier).identifier

    def resolve(self, identifier: str) -> Resolution:
        """What an identifier stands for."""
        asked = Wanted(id=identifier)
        return self._calls.ask_issuer("IdentifierResolve", asked, Resolution)

    def search(self, text: str, limit: int) -> Sequence[Hit]:
        """The platform's listed products that match."""
        asked = Search(text=text, limit=limit)
        return self._calls.ask_issuer("CatalogSearch", asked, tuple[Hit, ...])

    def fetch(self, id: str) -> SignedRecord:  # noqa: A002 - the port's name
        """One listed product's record with its provider's signature."""
        return self._calls.ask_issuer("CatalogFetch", Wanted(id=id), SignedRecord)

    def create(self, request: CreateRequest) -> ContractId:
        """An identifier for a new contract."""
        return self._calls.ask_issuer("ContractCreate", request, AllottedContract).contract_id


class RemoteConnectors:
    """``compute.ports.ComputePeers``: other connectors, during a use."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def query(self, to: Member, request: UseRequest) -> UseOutcome:
        """Have an order executed."""
        return self._calls.ask(to, "UseQuery", request, UseOutcome, most=LARGEST_OUTCOME)

    def lend(self, to: Member, request: LendRequest) -> Loan:
        """Ask a provider to decide, and for its projection."""
        return self._calls.ask(to, "UseLend", request, Loan, most=LARGEST_PROJECTION)

    def renew(self, to: Member, use_id: str, contract: str) -> None:
        """Ask whether a loan still holds."""
        asked = OfUse(use_id=use_id, contract=contract)
        self._calls.ask(to, "UseRenew", asked, Nothing)

    def release(self, to: Member, release: Release) -> Receipt:
        """Give a loan back; the lender's receipt."""
        return self._calls.ask(to, "UseRelease", release, Receipt)
