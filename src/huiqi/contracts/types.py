"""Which documents does a contract consist of?"""

from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.policy.types import Terms
from huiqi.trust.types import Signature


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


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract in one participant's books, from the first request to its end.

    ``mine`` is the owner's role in it. ``agreement`` appears at the first signature.
    ``waiting_for`` names the party whose move it is, empty when none is.
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
    suite: str = "sm2-sm3-sm4"

    @property
    def terms(self) -> Terms:
        """The terms on the table: those of the newest proposal."""
        return self.proposals[-1].terms
