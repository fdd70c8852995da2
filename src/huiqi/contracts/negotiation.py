"""Which proposal may come next, and what does it make of the contract?

Rounds alternate, beginning with the consumer's request, so that two proposals never compete for
one round. A party that does not want to wait for its turn terminates.
"""

from datetime import datetime

from msgspec.structs import replace as _replace

from huiqi.contracts.agreements import CLOCK_TOLERANCE, agreed_end, terms_digest
from huiqi.contracts.errors import (
    ConflictingRound,
    EarlierMessageMissing,
    EditedTerms,
    ImplausibleTime,
    NotYourTurn,
    WrongParty,
    WrongText,
)
from huiqi.contracts.states import TABLE, message_of, sender_of
from huiqi.contracts.types import (
    Contract,
    ContractStatus,
    Negotiation,
    PartyRole,
    Proposal,
    ProposalKind,
    other_side,
)
from huiqi.kernel.clock import iso
from huiqi.kernel.text import Text
from huiqi.policy.types import Finding, Terms

# The contract's abstract has 1024 characters (T14 table C.1 row 3); a note gets as many.
LONGEST_NOTE = 1024
# T14 has no reason field; our proposed one has 256 (spec digital-contract 3.6).
LONGEST_REASON = 256
# A hundred years: longer is a typing error and leaves the calendar of Python.
MOST_DAYS = 36_500

_OWN_KIND = {PartyRole.CONSUMER: ProposalKind.REQUEST, PartyRole.PROVIDER: ProposalKind.OFFER}


def proposing(role: PartyRole) -> ProposalKind:
    """What a new proposal of ``role`` is called: the consumer requests, the provider offers."""
    return _OWN_KIND[role]


def proposal_bytes(contract_id: str, number: int, kind: ProposalKind, digest: str) -> bytes:
    """What a proposer signs: ``contract id | round | kind | digest``."""
    return f"{contract_id}|{number}|{kind.value}|{digest}".encode()


def next_at(contract: Contract, now: datetime) -> datetime:
    """The time of the next own proposal: now, never before the one it answers."""
    return max(now, contract.proposals[-1].at) if contract.proposals else now


def turn(contract: Contract) -> PartyRole:
    """Whose round comes next."""
    return other_side(contract.proposals[-1].by)


def check_move(contract: Contract, kind: ProposalKind, by: PartyRole) -> None:
    """Accept that ``by`` makes the next round and that it is a ``kind``.

    Raises:
        IllegalStep: the life cycle has no such step now.
        NotYourTurn: the other party has to answer first.
    """
    TABLE.step(contract.status, message_of(kind), sender_of(by))
    if turn(contract) is not by:
        raise NotYourTurn(contract=contract.id)


def is_repeat(contract: Contract, proposal: Proposal) -> bool:
    """Whether that very proposal is already in the books.

    Raises:
        ConflictingRound: its round holds another content.
        EarlierMessageMissing: a round before it is missing.
    """
    if proposal.round < 1:
        raise ConflictingRound(contract=contract.id, round=proposal.round)
    if proposal.round > len(contract.proposals) + 1:
        raise EarlierMessageMissing(contract=contract.id)
    if proposal.round == len(contract.proposals) + 1:
        return False
    if contract.proposals[proposal.round - 1] != proposal:
        raise ConflictingRound(contract=contract.id, round=proposal.round)
    return True


def check_arrived(contract: Contract, proposal: Proposal, now: datetime) -> None:
    """Accept a proposal of the other party as the next round, but for its signature and policy.

    Raises:
        IllegalStep, NotYourTurn: see ``check_move``.
        EditedTerms: the digest is not that of the terms, or an answer names other terms.
        ImplausibleTime: it is older than what it answers, or in the future.
        WrongText: the note is too long, or a decline has no reason.
    """
    check_move(contract, proposal.kind, proposal.by)
    before = contract.proposals[-1]
    check_content(contract.id, proposal, now)
    answers = proposal.kind in {ProposalKind.ACCEPT, ProposalKind.DECLINE}
    if answers and proposal.digest != before.digest:
        raise EditedTerms(contract=contract.id)
    if proposal.at < before.at:
        raise ImplausibleTime(contract=contract.id, at=iso(proposal.at))


def check_content(contract_id: str, proposal: Proposal, now: datetime) -> None:
    """Accept what a proposal says of itself.

    Raises:
        EditedTerms: the digest is not that of the terms.
        ImplausibleTime: it has no zone or lies in the future.
        WrongText: the note is too long, or a decline has no reason.
    """
    if proposal.digest != terms_digest(proposal.terms):
        raise EditedTerms(contract=contract_id)
    if proposal.at.tzinfo is None or proposal.at > now + CLOCK_TOLERANCE:
        raise ImplausibleTime(contract=contract_id, at=proposal.at.isoformat())
    if proposal.kind is ProposalKind.DECLINE:
        check_reason(proposal.note)
    else:
        check_note(proposal.note)


def check_note(note: str) -> None:
    """Accept a note of a round.

    Raises:
        WrongText: over 1024 characters.
    """
    if len(note) > LONGEST_NOTE:
        raise WrongText(field="note", least=0, most=LONGEST_NOTE)


def check_reason(reason: str) -> None:
    """Accept a reason for ending something.

    Raises:
        WrongText: blank, or over 256 characters.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise WrongText(field="reason", least=1, most=LONGEST_REASON)


def check_frame(contract: Contract, message: Negotiation) -> None:
    """Accept a round that speaks of the same thing as the first one did.

    Raises:
        WrongParty: parties, product, suite or space differ; they cannot change.
    """
    for name in ("space", "suite", "provider", "consumer", "product", "product_digest", "table"):
        if getattr(contract, name) != getattr(message, name):
            raise WrongParty(contract=contract.id, what=name)


def day_findings(terms: Terms) -> tuple[Finding, ...]:
    """What is wrong with the length of the contract: it must be 1 to 36500 days."""
    if 1 <= terms.days <= MOST_DAYS:
        return ()
    text = Text(f"期限须为 1 至 {MOST_DAYS} 天", f"the length must be 1 to {MOST_DAYS} days")
    return (Finding("error", "contracts.days", "days", text),)


def after(contract: Contract, proposal: Proposal) -> Contract:
    """The contract with ``proposal`` as its newest round.

    Raises:
        IllegalStep: the life cycle has no such step now.
    """
    sender = sender_of(proposal.by)
    status = TABLE.step(contract.status, message_of(proposal.kind), sender)
    # A new round after a failed signing lets the old text go; it stays in the evidence log.
    changed: dict[str, object] = {
        "proposals": (*contract.proposals, proposal),
        "status": status,
        "agreement": None,
        "intent_at": "",
        "ends_at": None,
        "end_reason": "",
    }
    moved = replaced(contract, **changed)
    match proposal.kind:
        case ProposalKind.ACCEPT:
            moved = replaced(moved, ends_at=agreed_end(moved))
        case ProposalKind.DECLINE:
            moved = replaced(moved, ended_at=proposal.at, end_reason=proposal.note)
        case ProposalKind.REQUEST | ProposalKind.OFFER:
            pass
    return moved


def replaced(contract: Contract, **changes: object) -> Contract:
    """``contract`` with ``changes``, and ``waiting_for`` as it follows from them."""
    changed: Contract = _replace(contract, **changes)
    return _replace(changed, waiting_for=waiting_for(changed))


def waiting_for(contract: Contract) -> str:
    """The PartyRole value whose move it is, empty when nobody's is."""
    match contract.status:
        case ContractStatus.TERMINATED | ContractStatus.PERFORMING:
            return ""
        case ContractStatus.SIGNED:
            return PartyRole.OTHER.value
        case ContractStatus.SIGNING:
            unsigned = contract.signature_of(contract.mine) is None
            return (contract.mine if unsigned else other_side(contract.mine)).value
        case _:
            return turn(contract).value if contract.proposals else ""
