"""A use is decided, reserved and recorded at once, or refused with a receipt."""

from datetime import timedelta

import msgspec
import pytest

from huiqi.contracts.types import ContractStatus
from huiqi.kernel.errors import MissingError, UnavailableError
from huiqi.kernel.text import Text
from huiqi.policy.types import Constraint, Decision, Duty, Reason
from huiqi.trust.errors import ForgedSignature, UnknownMember
from huiqi.trust.types import MemberCredential, Signature
from huiqi.usage.errors import DemandMisfit, ForgedOrder, StaleOrder, UseIdTaken, WrongParty
from huiqi.usage.types import Closing, Grant, GrantState, Refusal, SignedOrder, UseOrder
from tests.unit.usage.world import (
    COLUMNS,
    World,
    body_of,
    completed,
    count,
    demand,
    granted,
)

REASON = Reason("compute.small_group", Text("分组过小", "A group is too small"))


def test_a_grant_carries_bounds_and_a_short_lease(world: World) -> None:
    contract = world.contract(
        count(3),
        Constraint("dataField", "isPartOf", list(COLUMNS)),
        Constraint("hq:minGroupSize", "gteq", 5),
    )
    grant = granted(world, contract)
    assert (grant.contract, grant.product, grant.state) == (
        contract.id, contract.product, GrantState.OPEN,
    )  # fmt: skip
    assert grant.leased_until == world.clock.now() + timedelta(seconds=1.8)
    assert grant.bounds.fields == COLUMNS
    assert grant.bounds.min_group == 5
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 1}
    assert world.kinds(world.provider) == ["UseGranted"]


def test_the_log_holds_the_context_of_the_decision_and_no_sql(world: World) -> None:
    contract = world.contract(count(3))
    granted(world, contract)
    (entry,) = world.facts(world.provider)
    assert entry.subject == contract.id
    assert entry.sm3
    assert b"select" not in entry.leaf()


def test_a_repeat_gets_the_first_grant(world: World) -> None:
    contract = world.contract(count(1))
    order = world.order(contract)
    first = granted(world, contract, order)
    world.clock.advance(timedelta(hours=2))
    assert granted(world, contract, order) == first
    assert world.provider.usage.counters(contract.id)["reserved"] == 1


def test_a_repeat_of_a_closed_use_says_that_it_is_closed(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    world.provider.usage.close(granted(world, contract, order).id, completed())
    assert granted(world, contract, order).state is GrantState.COMPLETED


def test_a_repeat_may_be_signed_at_another_time(world: World) -> None:
    contract = world.contract()
    first = world.order(contract, use_id="u-1")
    grant = granted(world, contract, first)
    world.clock.advance(timedelta(seconds=30))
    again = world.order(contract, use_id="u-1")
    assert again.body != first.body
    assert granted(world, contract, again).id == grant.id


def test_a_use_id_cannot_stand_for_another_order(world: World) -> None:
    contract = world.contract()
    first = world.order(contract, use_id="u-1")
    granted(world, contract, first)
    other = msgspec.structs.replace(
        msgspec.json.decode(first.body, type=UseOrder), sql="select count(*) from t0"
    )
    with pytest.raises(UseIdTaken):
        world.provider.usage.open(world.sign(other), demand(contract))


def test_the_limit_refuses_with_the_reason_and_a_signed_receipt(world: World) -> None:
    contract = world.contract(count(1))
    world.provider.usage.close(granted(world, contract).id, completed())
    order = world.order(contract)
    refusal = world.provider.usage.open(order, demand(contract))
    assert isinstance(refusal, Refusal)
    assert refusal.decision is Decision.DENIED
    assert [reason.code for reason in refusal.reasons] == ["policy.count"]
    receipt = world.provider.usage.refuse(order, demand(contract), (REASON,))
    world.consumer.trust.verify(world.provider.trust.me(), receipt.body, receipt.provider_signature)
    body = body_of(receipt)
    assert (body["outcome"], body["decision"], body["rows"]) == ("refused", "denied", 0)
    assert body["reasons"] == ["policy.count"]
    assert body["counters"] == {"count": 1, "rows": 2}
    assert world.kinds(world.provider)[-1] == "UseRefused"


def test_a_refusal_consumes_nothing_and_is_repeated(world: World) -> None:
    contract = world.contract(count(5))
    wrong = demand(contract, action="download")
    order = world.order(contract)
    first = world.provider.usage.open(order, wrong)
    assert isinstance(first, Refusal)
    assert first.decision is Decision.DEFAULT_DENIED
    assert world.provider.usage.open(order, wrong) == first
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}
    assert world.kinds(world.provider) == ["UseDecided", "UseRefused"]


def test_uses_in_progress_are_named_when_they_alone_stand_in_the_way(world: World) -> None:
    contract = world.contract(count(1))
    granted(world, contract)
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert [reason.code for reason in refusal.reasons] == ["policy.count", "usage.reserved"]


def test_a_duty_that_this_point_cannot_fulfil_denies(world: World) -> None:
    contract = world.contract(duties=(Duty("compensate"),))
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert refusal.decision is Decision.CONDITIONAL
    assert "usage.duty_open" in [reason.code for reason in refusal.reasons]


@pytest.mark.parametrize(
    "status", [s for s in ContractStatus if s is not ContractStatus.PERFORMING]
)
def test_a_contract_that_is_not_performed_refuses(world: World, status: ContractStatus) -> None:
    contract = world.contract()
    world.shelf.held[contract.id] = msgspec.structs.replace(contract, status=status)
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert [reason.code for reason in refusal.reasons] == ["usage.contract_not_in_force"]


def test_a_contract_before_its_start_or_past_its_end_refuses(world: World) -> None:
    contract = world.contract()
    late = msgspec.structs.replace(contract, ends_at=world.clock.now())
    early = msgspec.structs.replace(contract, starts_at=world.clock.now() + timedelta(seconds=1))
    for held, code in ((late, "usage.contract_over"), (early, "usage.contract_not_started")):
        world.shelf.held[contract.id] = held
        refusal = world.provider.usage.open(world.order(contract), demand(contract))
        assert isinstance(refusal, Refusal)
        assert [reason.code for reason in refusal.reasons] == [code]


def test_a_suspended_consumer_is_refused(world: World) -> None:
    contract = world.contract()
    granted(world, contract)
    world.provider.trust.suspend(world.consumer.trust.me().id, "unpaid")
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert [reason.code for reason in refusal.reasons] == ["usage.member_not_active"]


def test_a_consumer_that_the_platform_suspended_opens_nothing_after_two_seconds(
    world: World,
) -> None:
    contract = world.contract()
    granted(world, contract)
    consumer = world.consumer.trust.me().id
    world.platform.suspend(consumer, "stolen keys")
    world.clock.advance(timedelta(seconds=2.1))
    refusal = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(refusal, Refusal)
    assert [reason.code for reason in refusal.reasons] == ["usage.member_not_active"]
    world.platform.resume(consumer)
    world.clock.advance(timedelta(seconds=2.1))
    granted(world, contract)


def test_a_platform_that_is_away_stops_no_use(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    world.provider.trust._directory = Away()
    for _ in range(3):
        world.clock.advance(timedelta(seconds=2.1))
        granted(world, contract)
        world.provider.usage.renew(grant.id)


class Away:
    """A directory that does not answer."""

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
        raise UnavailableError(what=id)


def test_frequency_counts_per_window(world: World) -> None:
    contract = world.contract(
        Constraint("timeWindow", "eq", "PT1M"), Constraint("frequency", "lteq", 2)
    )
    for _ in range(2):
        world.provider.usage.close(granted(world, contract).id, completed())
    assert isinstance(world.provider.usage.open(world.order(contract), demand(contract)), Refusal)
    world.clock.advance(timedelta(minutes=1))
    granted(world, contract)


def test_rows_are_granted_out_of_what_is_left(world: World) -> None:
    contract = world.contract(Constraint("dateRecord", "lteq", 5))
    first = granted(world, contract)
    assert first.rows_left == 5
    world.provider.usage.close(first.id, completed())
    assert granted(world, contract).rows_left == 3


def test_a_grant_holds_its_rows_until_it_ends(world: World) -> None:
    contract = world.contract(Constraint("dateRecord", "lteq", 5))
    first = granted(world, contract)
    second = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(second, Refusal)
    assert "usage.reserved" in [reason.code for reason in second.reasons]
    world.provider.usage.close(first.id, Closing(outcome=GrantState.FAILED))
    assert granted(world, contract).rows_left == 5


def test_one_use_does_not_lock_a_large_limit(world: World) -> None:
    contract = world.contract(Constraint("dateRecord", "lteq", 25_000))
    assert [granted(world, contract).rows_left for _ in range(3)] == [10_000, 10_000, 5_000]


def test_an_edited_order_is_not_believed(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    edited = SignedOrder(order.body.replace(b"avg", b"sum"), order.signature)
    with pytest.raises(ForgedSignature):
        world.provider.usage.open(edited, demand(contract))
    assert world.kinds(world.provider) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 5000])
def test_bytes_that_are_no_order_are_refused(world: World, body: bytes) -> None:
    contract = world.contract()
    order = SignedOrder(body, Signature("sm2-sm3-sm4", "0" * 16, "0" * 128))
    with pytest.raises(ForgedOrder):
        world.provider.usage.open(order, demand(contract))


@pytest.mark.parametrize("part", ["use_id", "executor", "purpose"])
@pytest.mark.parametrize("value", ["", "x" * 129])
def test_parts_that_are_recorded_stay_short(world: World, part: str, value: str) -> None:
    contract = world.contract()
    order = msgspec.json.decode(world.order(contract).body, type=UseOrder)
    wrong = world.sign(msgspec.structs.replace(order, **{part: value}))
    with pytest.raises(ForgedOrder, match="length"):
        world.provider.usage.open(wrong, demand(contract))


def test_an_order_over_nothing_is_refused(world: World) -> None:
    contract = world.contract()
    with pytest.raises(ForgedOrder, match="tables"):
        world.provider.usage.open(world.order(), demand(contract))


def test_an_order_in_another_byte_form_is_refused(world: World) -> None:
    contract = world.contract()
    loose = world.order(contract).body.replace(b'","', b'", "', 1)
    order = SignedOrder(loose, world.consumer.trust.sign(loose))
    with pytest.raises(ForgedOrder):
        world.provider.usage.open(order, demand(contract))


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_an_order_cannot_be_held_back(world: World, late: timedelta) -> None:
    contract = world.contract()
    order = world.order(contract)
    world.clock.advance(late)
    with pytest.raises(StaleOrder):
        world.provider.usage.open(order, demand(contract))
    with pytest.raises(StaleOrder):
        world.provider.usage.refuse(order, demand(contract), (REASON,))


def test_the_demand_must_speak_of_the_order(world: World) -> None:
    contract, other = world.contract(), world.contract()
    order = world.order(contract)
    for wrong in (demand(other), demand(contract, purpose="marketing")):
        with pytest.raises(DemandMisfit):
            world.provider.usage.open(order, wrong)


def test_only_the_parties_of_the_contract_use_it(world: World) -> None:
    contract = world.contract()
    third = world.third.trust.me()
    foreign = msgspec.structs.replace(
        contract,
        consumer=msgspec.structs.replace(contract.consumer, node=third.id, subject=third.subject),
    )
    world.shelf.held[contract.id] = foreign
    with pytest.raises(WrongParty):
        world.provider.usage.open(world.order(contract), demand(contract))
    world.shelf.held[contract.id] = contract
    with pytest.raises(WrongParty):
        world.third.usage.open(world.order(contract), demand(contract))


def test_an_order_in_the_name_of_another_organisation_is_refused(world: World) -> None:
    contract = world.contract()
    order = msgspec.json.decode(world.order(contract).body, type=UseOrder)
    borrowed = msgspec.structs.replace(order, consumer=world.third.trust.me().subject)
    with pytest.raises(WrongParty):
        world.provider.usage.open(world.sign(borrowed), demand(contract))
    nobody = msgspec.structs.replace(order, consumer_node="nobody")
    with pytest.raises((UnknownMember, MissingError)):
        world.provider.usage.open(world.sign(nobody), demand(contract))


def test_another_executor_needs_the_contracts_leave(world: World) -> None:
    third = world.third.trust.me().id
    closed, opened = world.contract(), world.contract(Constraint("hq:executor", "isAnyOf", [third]))
    refused = world.provider.usage.open(world.order(closed, executor=world.third), demand(closed))
    assert isinstance(refused, Refusal)
    grant = world.provider.usage.open(world.order(opened, executor=world.third), demand(opened))
    assert isinstance(grant, Grant)
    assert grant.executor == third


def test_guard_and_engine_refuse_an_open_grant_and_give_it_back(world: World) -> None:
    contract = world.contract(count(1))
    order = world.order(contract)
    granted(world, contract, order)
    receipt = world.provider.usage.refuse(order, demand(contract), (REASON,))
    body = body_of(receipt)
    assert (body["outcome"], body["decision"]) == ("refused", "denied")
    assert body["reasons"] == ["compute.small_group"]
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}
    assert world.provider.usage.refuse(order, demand(contract), (REASON,)) == receipt
    assert world.kinds(world.provider) == ["UseGranted", "UseRefused"]


def test_guard_refuses_before_anything_was_granted(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    receipt = world.provider.usage.refuse(order, demand(contract), (REASON,))
    assert body_of(receipt)["outcome"] == "refused"
    assert isinstance(world.provider.usage.open(order, demand(contract)), Refusal)


def test_a_refusal_whose_signature_failed_is_signed_later(world: World) -> None:
    contract = world.contract(count(1))
    granted(world, contract)
    order = world.order(contract)
    world.provider.keys.broken = True
    with pytest.raises(UnavailableError):
        world.provider.usage.open(order, demand(contract))
    assert world.kinds(world.provider)[-1] == "UseRefused"
    world.provider.keys.broken = False
    assert isinstance(world.provider.usage.open(order, demand(contract)), Refusal)
    assert len(world.provider.usage.receipts()) == 1
