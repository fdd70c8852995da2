"""Signatures, as the room makes them and as anybody with a key could."""

import msgspec

from huiqi.contracts.agreements import signed_bytes
from huiqi.contracts.types import (
    Contract,
    PartyRole,
    PartySignature,
    SignatureNotice,
)
from tests.unit.contracts.world import World


def notice_from(world: World, name: str) -> SignatureNotice:
    message = next(m for m in world.systems[name].queued() if m.code == "ContractSignature")
    return msgspec.json.decode(message.body, type=SignatureNotice)


def made(world: World, name: str, body: bytes, contract: Contract, at: str) -> PartySignature:
    """A genuine signature of one system over any bytes."""
    system = world.systems[name]
    role = PartyRole.PROVIDER if name == "p" else PartyRole.CONSUMER
    data = signed_bytes(body, contract.id, at)
    return PartySignature(
        subject=system.me.subject,
        node=system.me.id,
        role=role,
        sign_time=at,
        signature=system.trust.sign(data, contract.suite),
    )
