"""Which documents does a contract consist of?"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.policy.types import Terms
from huiqi.trust.types import NATIONAL_SUITE, Signature


class ContractStatus(StrEnum):
    """T14 table C.1 row 4; 04 is not assigned there, filing is a property (``filed_at``)."""

    INITIATED = "01"
    NEGOTIATING = "02"
    SIGNING = "03"
    SIGNED = "0301"
    SIGNING_FAILED = "0302"
    PERFORMING = "05"
    TERMINATED = "06"


class PartyRole(StrEnum):
    """T14 table C.1 row 9 (``vocab/party_type``); 04 is used for the platform that files."""

    PROVIDER = "01"
    CONSUMER = "02"
    SERVICE = "03"
    OTHER = "04"


class Party(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One side of a contract and the system that executes for it."""

    role: PartyRole
    subject: SubjectCode
    name: str
    node: SystemId


def other_side(role: PartyRole) -> PartyRole:
    """The opposite party of a contract between a provider and a consumer."""
    return PartyRole.CONSUMER if role is PartyRole.PROVIDER else PartyRole.PROVIDER


class ProposalKind(StrEnum):
    """What a round of negotiation does."""

    REQUEST = "request"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"


class Proposal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One round: who proposed which terms, when, with which note, signed by the proposer.

    ``digest`` is the SM3 hex of the canonical bytes of the terms; ``signature`` covers
    ``contract id | round | kind | digest``.
    """

    round: int
    kind: ProposalKind
    by: PartyRole
    terms: Terms
    note: str
    at: datetime
    digest: str
    signature: Signature


class AgreementBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The document that all sign: T14 table C.1 rows 1-6, 12, 13, parties and policies.

    Its canonical bytes are the contract; nothing that is not in them is agreed. ``suite`` names
    the crypto suite of all signatures. Times are ISO 8601 text in UTC. ``product_digest`` is the
    SM3 of the signed product record that was offered.
    """

    v: int
    contract_id: ContractId
    contract_name: str
    contract_abstract: str
    space: str
    create_time: str
    sign_mode: str
    indate: str
    parties: tuple[Party, ...]
    product: ProductId
    product_name: str
    product_digest: str
    table: str
    terms: Terms
    rounds: int
    suite: str


class PartySignature(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A signature over ``canonical bytes | contract id | sign time`` (T14 table 1 row 9)."""

    subject: SubjectCode
    node: SystemId
    role: PartyRole
    sign_time: str
    signature: Signature


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """A signed contract: the exact bytes, their SM3 and SHA-256, and every signature."""

    body: bytes
    sm3: str
    sha256: str
    signatures: tuple[PartySignature, ...]


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a consumer asks of the platform: an identifier for a contract (T14 table B.3).

    ``key`` is a UUID chosen by the consumer: repeating it returns the first identifier.
    """

    key: str
    product: ProductId
    provider: SubjectCode
    provider_node: SystemId
    issuer_id: SystemId
    issuer_entity_id: SubjectCode
    issue_time: str
    sign_mode: str = "01"


class Negotiation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One round on its way to the other party: what the contract is about, and the proposal.

    Everything but ``proposal`` is the same in every round of one contract.
    """

    contract_id: ContractId
    space: str
    suite: str
    provider: Party
    consumer: Party
    product: ProductId
    product_name: str
    product_digest: str
    table: str
    proposal: Proposal


class SignatureNotice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One party's signature on its way to the other; ``sm3`` is that of the agreement's bytes."""

    contract_id: ContractId
    sm3: str
    signature: PartySignature


class Filing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A signed agreement on its way to the platform (T14 table B.5): exact bytes, signatures."""

    contract_id: ContractId
    body: bytes
    signatures: tuple[PartySignature, ...]


class Filed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The platform's answer to a filing.

    ``status`` is ``0`` filed or ``1`` refused (T14 table B.5 R1), ``reason`` says why it was
    refused. ``sm3`` is ``contractHash``. ``signatures`` are all three, so that a party whose
    peer's notice is still under way can check the whole agreement.
    """

    contract_id: ContractId
    status: str
    sm3: str
    signatures: tuple[PartySignature, ...] = ()
    filed_at: str = ""
    reason: str = ""


class TerminationNotice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The signed voucher that ends a contract (T14 table B.7 and A.2 f).

    ``signature`` covers the canonical bytes of all other fields. Times are ISO text in UTC;
    ``scheduled_end_time`` is empty when no end had been agreed yet.
    """

    contract_id: ContractId
    terminate_type: str
    reason: str
    issue_time: str
    scheduled_end_time: str
    issuer_id: SystemId
    issuer_entity_id: SubjectCode
    signature: Signature


class Allotment(msgspec.Struct, frozen=True, kw_only=True):
    """A contract identifier that the platform gave out, before and after its filing.

    ``refused`` maps the SM3 of an agreement that was refused to the reason; such bytes are never
    taken later, the parties negotiate again. ``ended_at`` is set by a termination before filing.
    """

    id: ContractId
    request: CreateRequest
    at: datetime
    refused: Mapping[str, str] = {}
    ended_at: datetime | None = None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract in one participant's books, from the first request to its end.

    ``mine`` is the owner's role in it. ``agreement`` appears at the first signature.
    ``waiting_for`` is the PartyRole value whose move it is (``04``: the platform is to file),
    empty when none is; while both signatures are missing it is the owner's own role.
    ``end_type`` is a code of ``vocab/terminate_type``, empty after a decline. ``end_reason`` also
    says why signing failed. ``columns`` and ``listed`` are those of the listing that was asked
    for, ``types`` the DuckDB types of its columns by name (empty in documents kept before types
    were). ``agreed`` are the terms in the platform's books, which hold no proposals.
    ``intent_at`` is the sign time that was recorded before the owner's signature is made.
    """

    id: ContractId
    status: ContractStatus
    mine: PartyRole
    provider: Party
    consumer: Party
    product: ProductId
    product_name: str
    product_digest: str
    table: str
    proposals: tuple[Proposal, ...]
    agreement: Agreement | None = None
    created_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    filed_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    end_type: str = ""
    waiting_for: str = ""
    suite: str = NATIONAL_SUITE
    space: str = ""
    columns: tuple[str, ...] = ()
    types: Mapping[str, str] = {}
    listed: Terms | None = None
    agreed: Terms | None = None
    intent_at: str = ""
    termination: TerminationNotice | None = None

    @property
    def terms(self) -> Terms:
        """The terms on the table: those of the newest proposal, or those that were filed.

        Raises:
            ValueError: the document holds neither; no verb makes such a contract.
        """
        if self.proposals:
            return self.proposals[-1].terms
        if self.agreed is None:
            raise ValueError(self.id)
        return self.agreed

    def party(self, role: PartyRole) -> Party:
        """The provider or the consumer.

        Raises:
            ValueError: ``role`` is neither.
        """
        match role:
            case PartyRole.PROVIDER:
                return self.provider
            case PartyRole.CONSUMER:
                return self.consumer
            case _:
                raise ValueError(role)

    @property
    def peer(self) -> Party:
        """The other party, seen from the owner of these books."""
        return self.party(other_side(self.mine))

    def signature_of(self, role: PartyRole) -> PartySignature | None:
        """The signature given in ``role``, None while it is missing."""
        if self.agreement is None:
            return None
        return next((each for each in self.agreement.signatures if each.role is role), None)
