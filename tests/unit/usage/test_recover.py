"""Nothing that nobody ended is counted wrongly, whatever died and when."""

from datetime import timedelta

import pytest

from huiqi.contracts.types import Contract
from huiqi.kernel.errors import UnavailableError
from huiqi.policy.types import Constraint
from huiqi.usage.errors import GrantEnded
from huiqi.usage.types import Grant, GrantState
from tests.unit.usage.world import World, body_of, completed, count, demand, granted


def lent(world: World, contract: Contract) -> Grant:
    """A grant for a use that the third connector executes."""
    found = world.provider.usage.open(world.order(contract, executor=world.third), demand(contract))
    assert isinstance(found, Grant)
    return found


def lendable(world: World) -> Contract:
    """A contract under which the third connector may execute."""
    third = world.third.trust.me().id
    return world.contract(
        count(2), Constraint("dateRecord", "lteq", 7), Constraint("hq:executor", "isAnyOf", [third])
    )


def test_an_own_use_that_died_open_failed_and_gives_back(world: World) -> None:
    contract = world.contract(count(1), Constraint("dateRecord", "lteq", 7))
    granted(world, contract)
    assert world.provider.usage.recover() == 1
    (receipt,) = world.provider.usage.receipts()
    body = body_of(receipt)
    assert (body["outcome"], body["reasons"]) == ("failed", ["usage.interrupted"])
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}
    assert granted(world, contract).rows_left == 7


def test_a_lent_use_that_died_open_expires_and_stays_consumed(world: World) -> None:
    contract = lendable(world)
    grant = lent(world, contract)
    world.provider.usage.recover()
    assert body_of(world.provider.usage.receipts()[0])["outcome"] == "expired"
    assert world.provider.usage.counters(contract.id) == {"count": 1, "rows": 7, "reserved": 0}
    with pytest.raises(GrantEnded):
        world.provider.usage.close(grant.id, completed())
    with pytest.raises(GrantEnded):
        world.provider.usage.renew(grant.id)


def test_recovering_twice_changes_nothing(world: World) -> None:
    contract = world.contract(count(1))
    granted(world, contract)
    world.provider.usage.recover()
    facts = world.kinds(world.provider)
    assert world.provider.usage.recover() == 0
    assert world.kinds(world.provider) == facts == ["UseGranted", "UseClosed"]


def test_a_completed_use_stays_completed_and_gets_its_signature(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    world.provider.keys.broken = True
    with pytest.raises(UnavailableError):
        world.provider.usage.close(grant.id, completed())
    world.provider.keys.broken = False
    assert world.provider.usage.recover() == 1
    (receipt,) = world.provider.usage.receipts()
    assert body_of(receipt)["outcome"] == "completed"
    assert world.provider.usage.result(grant.use_id, contract.id) is not None


def test_the_beat_ends_uses_whose_lease_is_long_over(world: World) -> None:
    own, other = world.contract(count(1)), lendable(world)
    granted(world, own)
    lent(world, other)
    world.clock.advance(timedelta(seconds=31))
    assert world.provider.usage.expire_due() == 0
    world.clock.advance(timedelta(seconds=2))
    assert world.provider.usage.expire_due() == 2
    assert world.provider.usage.expire_due() == 0
    assert {line.state for line in world.provider.usage.uses()} == {GrantState.EXPIRED}
    assert world.provider.usage.counters(own.id)["count"] == 0
    assert world.provider.usage.counters(other.id)["count"] == 1
    assert len(world.provider.usage.receipts()) == 2


def test_a_renewed_use_does_not_expire(world: World) -> None:
    grant = granted(world, world.contract())
    for _ in range(4):
        world.clock.advance(timedelta(seconds=20))
        world.provider.usage.renew(grant.id)
        assert world.provider.usage.expire_due() == 0
