"""What does one more signature make of a contract?"""

from huiqi.contracts.agreements import with_signature
from huiqi.contracts.errors import ConflictingSignature
from huiqi.contracts.negotiation import replaced
from huiqi.contracts.states import TABLE, Message, Sender, sender_of
from huiqi.contracts.types import (
    Contract,
    Filing,
    PartyRole,
    PartySignature,
    SignatureNotice,
    other_side,
)
from huiqi.kernel.clock import parse_instant


def signing_message(contract: Contract, role: PartyRole) -> Message:
    """What a signature of ``role`` is in the life cycle: ``complete`` when the other is there."""
    missing = contract.signature_of(other_side(role)) is None
    return Message.SIGN if missing else Message.COMPLETE


def check_may_sign(contract: Contract, role: PartyRole) -> None:
    """Accept that ``role`` signs now.

    Raises:
        IllegalStep: the life cycle has no such step now.
    """
    TABLE.step(contract.status, signing_message(contract, role), sender_of(role))


def signed_by(contract: Contract, body: bytes, signature: PartySignature) -> Contract:
    """The contract with a party's signature over ``body``.

    Raises:
        IllegalStep: the life cycle has no such step now.
        ConflictingSignature: the party has signed already.
    """
    role = signature.role
    if contract.signature_of(role) is not None:
        raise ConflictingSignature(contract=contract.id)
    status = TABLE.step(contract.status, signing_message(contract, role), sender_of(role))
    agreement = with_signature(contract, body, signature)
    intent = "" if role is contract.mine else contract.intent_at
    return replaced(contract, status=status, agreement=agreement, intent_at=intent)


def filed_by(contract: Contract, body: bytes, signature: PartySignature) -> Contract:
    """The contract in force: filed by the platform with its ``signature``.

    Raises:
        IllegalStep: the life cycle has no such step now.
    """
    filed_at = parse_instant(signature.sign_time)
    return replaced(
        contract,
        status=TABLE.step(contract.status, Message.FILE, Sender.PLATFORM),
        agreement=with_signature(contract, body, signature),
        filed_at=filed_at,
        starts_at=filed_at,
        intent_at="",
    )


def failed_for(contract: Contract, reason: str) -> Contract:
    """The contract that the platform refused to file, with its reason.

    Raises:
        IllegalStep: the life cycle has no such step now.
    """
    status = TABLE.step(contract.status, Message.REFUSE, Sender.PLATFORM)
    return replaced(contract, status=status, end_reason=reason, intent_at="")


def notice_of(contract: Contract, signature: PartySignature) -> SignatureNotice:
    """The message that carries ``signature`` to the other party.

    Raises:
        ValueError: the contract holds no agreement; ``signed_by`` makes one first.
    """
    if contract.agreement is None:
        raise ValueError(contract.id)
    return SignatureNotice(contract_id=contract.id, sm3=contract.agreement.sm3, signature=signature)


def filing_of(contract: Contract) -> Filing:
    """The message that carries the signed agreement to the platform.

    Raises:
        ValueError: the contract holds no agreement; ``signed_by`` makes one first.
    """
    if contract.agreement is None:
        raise ValueError(contract.id)
    return Filing(
        contract_id=contract.id,
        body=contract.agreement.body,
        signatures=contract.agreement.signatures,
    )
