"""Two at once, and the end in the middle: what was read before a transaction may be old in it."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.errors import UnavailableError
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Context, Decision
from huiqi.trust.types import Signature
from huiqi.usage.errors import GrantEnded, UseIdTaken
from huiqi.usage.service import decided_again
from huiqi.usage.types import Grant, Refusal, SignedOrder, UseOrder, UseOutcome
from tests.unit.usage.world import (
    World,
    completed,
    count,
    demand,
    granted,
    used,
)


def between(world: World, act: Callable[[], object]) -> None:
    """Let ``act`` happen once, after the next verb has read and before it writes."""
    trust = world.provider.trust
    standing, waiting = trust.standing_now, [act]

    def interrupted(member: str, **ages: float) -> str:
        if waiting:
            waiting.pop()()
        return standing(member, **ages)

    trust.standing_now = interrupted  # type: ignore[method-assign]


def other_text(world: World, order: SignedOrder) -> SignedOrder:
    """The consumer's order of the same use id for something else."""
    asked = msgspec.json.decode(order.body, type=UseOrder)
    return world.sign(msgspec.structs.replace(asked, sql="select max(delay) from t0"))


def test_of_two_orders_with_one_use_id_at_once_the_second_gets_no_grant(world: World) -> None:
    contract = world.contract(count(5))
    first = world.order(contract)
    second = other_text(world, first)
    between(world, lambda: granted(world, contract, first))
    with pytest.raises(UseIdTaken):
        world.provider.usage.open(second, demand(contract))
    assert world.provider.usage.counters(contract.id)["reserved"] == 1


def test_a_refusal_does_not_answer_for_another_order_that_came_first(world: World) -> None:
    contract = world.contract(count(5))
    first = world.order(contract)
    second = other_text(world, first)
    calls: list[str] = []

    def suspended_meanwhile(member: str, **_: float) -> str:
        calls.append(member)
        if len(calls) == 1:
            world.provider.usage.open(first, demand(contract))
        return "suspended"

    world.provider.trust.standing_now = suspended_meanwhile  # type: ignore[method-assign]
    with pytest.raises(UseIdTaken):
        world.provider.usage.open(second, demand(contract))


def test_a_contract_without_an_end_grants_nothing(world: World) -> None:
    contract = world.contract(count(5))
    world.shelf.held[contract.id] = msgspec.structs.replace(contract, ends_at=None)
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert [reason.code for reason in refusal.reasons] == ["usage.contract_over"]


@pytest.mark.parametrize(
    "limit",
    [
        Constraint("time", "lt", "2026-11-24T09:02:04+08:00"),
        Constraint("timeWindow", "isPartOf", "09:00/09:03"),
        Constraint("timeWindow", "lteq", "P1D"),
    ],
    ids=["time", "slot", "span"],
)
def test_an_answer_that_comes_after_the_agreed_time_does_not_leave(
    world: World, limit: Constraint
) -> None:
    contract = world.contract(limit)
    grant = granted(world, contract)
    world.clock.advance(timedelta(minutes=1))
    with pytest.raises(GrantEnded):
        world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}


def test_every_decision_can_be_made_again_from_the_log_alone(world: World) -> None:
    contract = world.contract(count(1), Constraint("dateRecord", "lteq", 2))
    assert contract.agreement is not None
    usage = world.provider.usage
    usage.close(granted(world, contract).id, completed())
    assert isinstance(usage.open(world.order(contract), demand(contract)), Refusal)
    other = demand(contract, environment="07", fields=("secret",))
    assert isinstance(usage.open(world.order(contract), other), Refusal)
    text = "SELECT kind, leaf, document FROM evidence_entry WHERE subject=? ORDER BY seq"
    rows = world.database.read(lambda db: db.raw.execute(text, (contract.id,)).fetchall())
    decisions = [row for row in rows if row[0] in {"UseGranted", "UseDecided"}]
    assert [kind for kind, _, _ in decisions] == ["UseGranted", "UseDecided", "UseDecided"]
    for _, leaf, context in decisions:
        said = msgspec.json.decode(leaf)["details"]
        again = decided_again(contract.agreement.body, bytes(context), Policies())
        assert again.decision.value == said["decision"]
        assert [reason.code for reason in again.reasons] == said["reasons"]
        assert canonical_bytes(msgspec.json.decode(context, type=Context)) == bytes(context)


def test_a_refusal_says_in_the_log_what_its_receipt_says(world: World) -> None:
    contract = world.contract(count(1))
    usage = world.provider.usage
    usage.close(granted(world, contract).id, completed())
    usage.open(world.order(contract), demand(contract))
    assert world.kinds(world.provider)[-2:] == ["UseDecided", "UseRefused"]
    decided, refused = world.facts(world.provider)[-2:]
    assert decided.details["reasons"] == refused.details["reasons"] == ["policy.count"]


def test_a_platform_that_is_away_does_not_hold_up_messages_to_the_consumer(world: World) -> None:
    contract = world.contract(count(5))
    order, outcome = used(world, contract)
    kept = world.consumer.usage.keep(order, outcome)
    world.provider.usage.countersigned(world.consumer.trust.me(), kept.receipts[0])
    deposit = world.outbox(world.provider)[-1].message
    assert deposit.code == "ReceiptDeposit"
    # Terminations go to the consumer under the contract's own key; see contracts/messages.py.
    assert deposit.key == f"{contract.id}/platform"


def test_an_answer_without_any_receipt_is_recorded(world: World) -> None:
    contract = world.contract(count(5))
    order = world.order(contract)
    world.consumer.usage.ordered(order)
    use_id = msgspec.json.decode(order.body, type=UseOrder).use_id
    refused = UseOutcome(use_id=use_id, decision=Decision.DENIED, reasons=())
    world.consumer.usage.keep(order, refused)
    world.consumer.usage.keep(order, refused)
    assert world.kinds(world.consumer) == ["UseOrdered", "UseAnswered"]
    entry = world.facts(world.consumer)[-1]
    assert entry.details["state"] == "refused"


def test_a_lease_is_over_before_two_seconds_are(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    # The engine looks every 50 ms, and takes a moment to die.
    assert grant.leased_until - world.clock.now() <= timedelta(seconds=1.9)


def test_of_two_equal_orders_at_once_both_get_the_first_grant(world: World) -> None:
    contract = world.contract(count(1))
    order = world.order(contract)
    first: list[Grant] = []
    between(world, lambda: first.append(granted(world, contract, order)))
    assert granted(world, contract, order) == first[0]
    assert world.provider.usage.counters(contract.id)["reserved"] == 1


def test_of_two_who_keep_one_answer_both_get_the_signature_that_is_deposited(
    world: World,
) -> None:
    order, outcome = used(world, world.contract())
    trust = world.consumer.trust
    sign, found = trust.sign, list[UseOutcome]()

    def interrupted(data: bytes, suite: str | None = None) -> Signature:
        trust.sign = sign  # type: ignore[method-assign]
        found.append(world.consumer.usage.keep(order, outcome))
        return sign(data, suite)

    trust.sign = interrupted  # type: ignore[method-assign]
    mine = world.consumer.usage.keep(order, outcome)
    assert [mine] == found
    assert world.kinds(world.consumer).count("ReceiptKept") == 1


def test_a_receipt_whose_signature_failed_is_signed_on_a_beat(world: World) -> None:
    grant = granted(world, world.contract())
    world.provider.keys.broken = True
    with pytest.raises(UnavailableError):
        world.provider.usage.close(grant.id, completed())
    assert not world.provider.usage.receipts()
    world.provider.keys.broken = False
    world.provider.usage.expire_due()
    assert len(world.provider.usage.receipts()) == 1
