"""Filings on their way to the platform: genuine ones, and ones that both parties made up."""

import msgspec

from huiqi.contracts.agreements import signed_bytes
from huiqi.contracts.types import (
    AgreementBody,
    Filing,
    PartyRole,
    PartySignature,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from tests.unit.contracts.world import World


def filing_of(world: World) -> Filing:
    """A filing that waits in the consumer's outbox."""
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    world._pass_on(world.p)
    world.consumer.sign(id_, by="li")
    message = next(m for m in world.c.queued() if m.code == "ContractRegistrate")
    assert message.to == world.o.me.id
    return msgspec.json.decode(message.body, type=Filing)


def file(world: World, filing: Filing, *, sender: str = "c"):
    return world.desk.file(world.o.trust.member(world.systems[sender].me.id), filing)


def both_sign(world: World, body: AgreementBody, *, at: str | None = None) -> Filing:
    """A filing of any body that both parties really signed: what colluding or faulty parties do."""
    data = canonical_bytes(body)
    at = at or iso(world.clock.now())
    signatures = []
    for name, role in (("p", PartyRole.PROVIDER), ("c", PartyRole.CONSUMER)):
        system = world.systems[name]
        text = signed_bytes(data, body.contract_id, at)
        signatures.append(
            PartySignature(
                subject=system.me.subject,
                node=system.me.id,
                role=role,
                sign_time=at,
                signature=system.trust.sign(text, body.suite),
            )
        )
    return Filing(contract_id=body.contract_id, body=data, signatures=tuple(signatures))
