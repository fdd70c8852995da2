"""Rounds on their way to the provider: genuine, edited, and forged by somebody inside."""

import msgspec
from msgspec.structs import replace

from huiqi.contracts.negotiation import proposal_bytes
from huiqi.contracts.types import (
    Negotiation,
    Proposal,
)
from tests.unit.contracts.world import (
    System,
    World,
)


def negotiation(system: System) -> Negotiation:
    """The newest round that waits in the outbox of ``system``."""
    message = system.queued()[-1]
    assert message.code == "ContractNegotiate"
    return msgspec.json.decode(message.body, type=Negotiation)


def resigned(system: System, message: Negotiation, **changes: object) -> Negotiation:
    """``message`` with an edited proposal, signed anew by ``system``: a forger inside."""
    edited = replace(message.proposal, **changes)
    data = proposal_bytes(message.contract_id, edited.round, edited.kind, edited.digest)
    signature = system.trust.sign(data, message.suite)
    return replace(message, proposal=replace(edited, signature=signature))


def edited(message: Negotiation, **changes: object) -> Negotiation:
    return replace(message, proposal=replace(message.proposal, **changes))


def take(world: World, message: Negotiation, *, sender: str = "c") -> None:
    world.provider.receive(world.p.trust.member(world.systems[sender].me.id), message)


def negotiation_of(world: World, id_: str) -> Negotiation:
    contract = world.consumer.contract(id_)
    proposal: Proposal = contract.proposals[-1]
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
