"""What ends while data is being made ready leaves nothing behind, and nothing leaves."""

import threading
import time

import msgspec
import pytest

from huiqi.compute.errors import SourceUnreadable, UnknownLoan
from huiqi.compute.types import BuildOrder, Built, LendRequest, Loan, Release, UseRequest
from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.work import Scope
from huiqi.policy.types import Constraint, Decision
from huiqi.usage.errors import GrantEnded
from huiqi.usage.types import GrantState, ReceiptBody, SignedOrder, UseOrder
from tests.unit.compute.test_compute import BY_ORIGIN, FIELDS, endless, request_for
from tests.unit.compute.test_joint import RAIN, both
from tests.unit.compute.world import ComputeWorld, codes
from tests.unit.usage.world import count


def lent(world: ComputeWorld, flights: Contract, weather: Contract) -> tuple[SignedOrder, Loan]:
    """The lender's answer to an order of both, asked for by the executor."""
    request = request_for(world, flights.id, RAIN)
    order = msgspec.json.decode(request.body, type=UseOrder)
    tables = {"flights": flights.id, "weather": weather.id}
    body = canonical_bytes(msgspec.structs.replace(order, tables=tables))
    signed = SignedOrder(body=body, signature=world.consumer.trust.sign(body))
    loan = world.weather.compute.lend(
        world.provider.trust.me(), LendRequest(order=signed, contract=weather.id)
    )
    return signed, loan


def test_nothing_is_lent_when_the_contract_ends_while_the_data_is_made_ready(
    world: ComputeWorld,
) -> None:
    flights, weather = both(world)
    build = world.weather.engine.build

    def ended_meanwhile(order: BuildOrder) -> Built:
        built = build(order)
        world.end(weather)
        return built

    world.weather.engine.build = ended_meanwhile  # type: ignore[method-assign]
    with pytest.raises(GrantEnded):
        lent(world, flights, weather)
    (receipt,) = world.third.usage.receipts(contract=weather.id)
    assert msgspec.json.decode(receipt.body, type=ReceiptBody).outcome == "revoked"
    assert world.third.usage.counters(weather.id) == {"count": 0, "rows": 0, "reserved": 0}


def test_the_consumer_hears_why_a_loan_did_not_come(world: ComputeWorld) -> None:
    flights, weather = both(world)
    build = world.weather.engine.build

    def ended_meanwhile(order: BuildOrder) -> Built:
        built = build(order)
        world.end(weather)
        return built

    world.weather.engine.build = ended_meanwhile  # type: ignore[method-assign]
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.decision is not Decision.ALLOWED
    assert codes(outcome) == ["usage.grant_ended"]
    assert world.provider.usage.counters(flights.id)["count"] == 0


def test_a_build_that_fails_leaves_neither_key_nor_part_of_a_file(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    (world.flights.folder / "flights.parquet").unlink()
    outcome = world.ask(BY_ORIGIN, contract)
    assert outcome.error.startswith(SourceUnreadable.code)
    left = [
        file.name
        for place in ("projections", "keys")
        for file in (world.flights.folder / place).rglob("*")
        if file.is_file()
    ]
    assert left == []


def test_nobody_but_the_executor_can_close_a_loan(world: ComputeWorld) -> None:
    flights, weather = both(world, count(5))
    signed, loan = lent(world, flights, weather)
    assert loan.grant is not None
    order = msgspec.json.decode(signed.body, type=UseOrder)
    release = Release(
        use_id=order.use_id,
        contract=weather.id,
        grant_id=loan.grant.id,
        outcome=GrantState.FAILED,
        rows=0,
        result_digest="",
        reasons=(),
        joint=(),
    )
    lender = world.weather.compute
    lender._lent.clear()  # as after a restart
    for stranger in (world.consumer.trust.me(), world.third.trust.me()):
        with pytest.raises(UnknownLoan):
            lender.release(stranger, release)
    elsewhere = msgspec.structs.replace(release, use_id="another use")
    with pytest.raises(UnknownLoan):
        lender.release(world.provider.trust.me(), elsewhere)
    assert world.third.usage.counters(weather.id)["reserved"] == 1
    first = lender.release(world.provider.trust.me(), release)
    assert lender.release(world.provider.trust.me(), release) == first
    assert world.third.usage.counters(weather.id)["reserved"] == 0


def test_a_use_of_ones_own_cannot_be_closed_from_outside(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS, Constraint("count", "lteq", 5))
    request: UseRequest = request_for(world, contract.id, BY_ORIGIN)
    plain = SignedOrder(body=request.body, signature=request.signature)
    order = msgspec.json.decode(request.body, type=UseOrder)
    _, demand = world.flights.compute._analysed(order, contract.id)
    grant = world.provider.usage.open(plain, demand)
    release = Release(
        use_id=order.use_id,
        contract=contract.id,
        grant_id=getattr(grant, "id", ""),
        outcome=GrantState.COMPLETED,
        rows=0,
        result_digest="0" * 64,
        reasons=(),
        joint=(),
    )
    with pytest.raises(UnknownLoan):
        world.flights.compute.release(world.consumer.trust.me(), release)
    assert world.provider.usage.counters(contract.id)["reserved"] == 1


def test_the_end_of_a_contract_reaches_a_query_that_waits_for_an_engine(
    world: ComputeWorld,
) -> None:
    busy, waiting = world.flights_contract(FIELDS), world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, waiting)
    world.flights.engine._most = 1
    endless(world)
    first = threading.Thread(target=lambda: world.ask(BY_ORIGIN, busy))
    first.start()
    time.sleep(1.0)
    ended_at: list[float] = []

    def end() -> None:
        time.sleep(0.8)
        world.end(waiting)
        ended_at.append(time.monotonic())

    threading.Thread(target=end).start()
    outcome = world.ask(BY_ORIGIN, waiting)
    assert ended_at, "it was answered before the contract ended"
    assert time.monotonic() - ended_at[0] < 2.0
    assert outcome.decision is Decision.DENIED
    assert codes(outcome) == ["usage.grant_ended"]
    world.end(busy)
    first.join(5)
    assert not first.is_alive()


def test_a_projection_that_cannot_be_destroyed_does_not_save_the_others(
    world: ComputeWorld,
) -> None:
    stuck, other = world.flights_contract(FIELDS), world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, stuck)
    world.ask(BY_ORIGIN, other)
    store, scope = world.flights.projections, world.provider.scope
    held = {p.contract: p.id for p in store.all(scope)}
    destroy = store.destroy

    def refusing(of: Scope, projection: str) -> None:
        if projection == held[stuck.id]:
            raise PermissionError(projection)
        destroy(of, projection)

    store.destroy = refusing  # type: ignore[method-assign]
    world.end(stuck)
    world.end(other)
    with pytest.raises(PermissionError):
        world.flights.compute.sweep()
    assert [p.contract for p in store.all(scope)] == [stuck.id]
    store.destroy = destroy  # type: ignore[method-assign]
    assert world.flights.compute.sweep() == 1
