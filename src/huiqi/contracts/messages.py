"""Which messages leave this room, to whom, and in which order?

Messages to the other party and to the platform have different keys, so that a party that is away
does not hold up the platform, nor the other way round.
"""

import msgspec

from huiqi.contracts.types import Contract, Filed, Filing, Negotiation, Proposal, SignatureNotice
from huiqi.contracts.types import TerminationNotice as Notice
from huiqi.kernel.work import Outgoing

NEGOTIATE = "ContractNegotiate"
SIGNATURE = "ContractSignature"
FILING = "ContractRegistrate"
FILED = "ContractFiled"
TERMINATE = "ContractTerminate"
# T14 table B.5 R1.
STATUS_FILED, STATUS_REFUSED = "0", "1"


def round_of(contract: Contract, proposal: Proposal) -> Negotiation:
    """The message that carries ``proposal`` to the other party."""
    return Negotiation(
        contract_id=contract.id,
        space=contract.space,
        suite=contract.suite,
        provider=contract.provider,
        consumer=contract.consumer,
        product=contract.product,
        product_name=contract.product_name,
        product_digest=contract.product_digest,
        table=contract.table,
        proposal=proposal,
    )


def to_peer(contract: Contract, code: str, document: SignatureNotice | Notice) -> Outgoing:
    """``document`` on its way to the other party."""
    return Outgoing(
        key=contract.id, to=contract.peer.node, code=code, body=msgspec.json.encode(document)
    )


def round_to_peer(contract: Contract, proposal: Proposal) -> Outgoing:
    """A round on its way to the other party."""
    body = msgspec.json.encode(round_of(contract, proposal))
    return Outgoing(key=contract.id, to=contract.peer.node, code=NEGOTIATE, body=body)


def to_platform(contract_id: str, platform: str, code: str, document: Filing | Notice) -> Outgoing:
    """``document`` on its way to the platform."""
    return Outgoing(
        key=f"{contract_id}/platform", to=platform, code=code, body=msgspec.json.encode(document)
    )


def to_provider(filed: Filed, node: str) -> Outgoing:
    """The platform's answer to a filing, on its way to the provider."""
    return Outgoing(key=filed.contract_id, to=node, code=FILED, body=msgspec.json.encode(filed))
