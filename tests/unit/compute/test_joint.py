"""Two providers: both decide, one lends, both sign, and either can end the use."""

import threading
import time

import msgspec
import pytest

from huiqi.compute.errors import AnswerWithheld, NotForThisExecutor, UnknownLoan
from huiqi.compute.types import LendRequest, UseRequest
from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.ids import RandomIds
from huiqi.policy.types import Constraint, Decision
from huiqi.usage.types import SignedOrder, UseOrder
from tests.unit.compute.test_compute import endless, groups_of, request_for
from tests.unit.compute.world import ComputeWorld, codes, outcomes
from tests.unit.usage.world import count

RAIN = (
    "SELECT date_trunc('month', f.time_hour) AS m, avg(f.dep_delay) AS d, avg(w.precip) AS p,"
    " count(*) AS n FROM flights f JOIN weather w ON f.origin = w.origin"
    " AND f.time_hour = w.time_hour WHERE w.precip > 0 GROUP BY 1 ORDER BY 1"
)


def executor(world: ComputeWorld) -> Constraint:
    return Constraint("hq:executor", "isAnyOf", [world.provider.trust.me().id])


def both(world: ComputeWorld, *weather: Constraint) -> tuple[Contract, Contract]:
    return (
        world.flights_contract(groups_of(10), count(5)),
        world.weather_contract(executor(world), groups_of(10), *weather),
    )


def test_a_joint_use_is_answered_and_receipted_by_both(world: ComputeWorld) -> None:
    flights, weather = both(world)
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.decision is Decision.ALLOWED, outcome
    assert len(outcome.rows) == 12
    assert outcomes(outcome) == ["completed", "completed"]
    assert all(receipt.consumer_signature for receipt in outcome.receipts)
    assert world.third.usage.counters(weather.id)["count"] == 1
    assert not world.weather.engine.pids(), "the lender computes nothing"
    assert all(p.contract == flights.id for p in world.flights.projections.all(
        world.provider.scope)), "a loan never lies on the executor's disk"  # fmt: skip
    assert not world.flights.engine.pids(), "the process that held the loan is gone"


def test_the_lender_hands_out_only_the_columns_of_this_order(world: ComputeWorld) -> None:
    flights, weather = both(world)
    lent = []
    lend = world.flights.wires.lend
    world.flights.wires.lend = lambda *args: lent.append(lend(*args)) or lent[-1]  # type: ignore[method-assign,func-returns-value]
    world.ask(RAIN, flights, weather)
    assert [column.name for column in lent[0].columns] == ["origin", "precip", "time_hour"]
    assert b"wind_dir" not in lent[0].projection


def test_without_consent_to_the_executor_nothing_is_lent_or_counted(world: ComputeWorld) -> None:
    flights = world.flights_contract(count(5))
    weather = world.weather_contract()
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.decision is not Decision.ALLOWED
    assert outcomes(outcome) == ["refused", "refused"]
    assert world.provider.usage.counters(flights.id)["count"] == 0
    assert world.provider.usage.counters(flights.id)["reserved"] == 0


def test_a_refusal_of_the_executors_own_contract_asks_no_lender(world: ComputeWorld) -> None:
    flights = world.flights_contract(Constraint("dataField", "isPartOf", ["origin"]))
    weather = world.weather_contract(executor(world))
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.decision is not Decision.ALLOWED
    assert "lend" not in world.flights.wires.calls


def test_the_lenders_group_size_holds_in_the_joint_answer(world: ComputeWorld) -> None:
    flights = world.flights_contract()
    weather = world.weather_contract(executor(world), groups_of(1_000))
    outcome = world.ask(RAIN, flights, weather)
    assert codes(outcome) == ["usage.group_too_small"]
    assert outcomes(outcome) == ["refused", "refused"]
    flights = world.flights_contract(groups_of(200_000))
    weather = world.weather_contract(executor(world))
    assert codes(world.ask(RAIN, flights, weather)) == ["usage.group_too_small"]


def test_the_lenders_own_guard_reads_the_text(world: ComputeWorld) -> None:
    flights, weather = both(world)
    sql = RAIN.replace("avg(w.precip)", "max(w.precip)")
    assert codes(world.ask(sql, flights, weather)) == ["query.single_value"]
    request = request_for(world, weather.id, "SELECT * FROM flights")
    loan = world.weather.compute.lend(
        world.provider.trust.me(),
        LendRequest(order=SignedOrder(request.body, request.signature), contract=weather.id),
    )
    assert loan.grant is None
    assert loan.refusal is not None
    assert loan.refusal.reasons[0].code == "query.star"
    assert not loan.projection


def test_only_the_executor_that_the_consumer_named_is_lent_to(world: ComputeWorld) -> None:
    _, weather = both(world)
    request = request_for(world, weather.id, "SELECT count(*) AS n FROM flights")
    order = LendRequest(order=SignedOrder(request.body, request.signature), contract=weather.id)
    for sender in (world.consumer.trust.me(), world.third.trust.me()):
        with pytest.raises(NotForThisExecutor):
            world.weather.compute.lend(sender, order)
    with pytest.raises(UnknownLoan):
        world.weather.compute.renew_loan(world.provider.trust.me(), "nosuch", weather.id)


def test_the_lender_can_end_a_running_joint_query(world: ComputeWorld) -> None:
    flights, weather = both(world)
    endless(world)
    ended_at: list[float] = []

    def end() -> None:
        time.sleep(1.0)
        world.end(weather)
        ended_at.append(time.monotonic())

    threading.Thread(target=end).start()
    outcome = world.ask(RAIN, flights, weather)
    assert time.monotonic() - ended_at[0] < 2.0
    assert outcome.decision is Decision.DENIED
    assert outcomes(outcome) == ["revoked", "revoked"]
    assert not outcome.rows


def test_a_lender_that_falls_silent_ends_the_query_with_its_lease(world: ComputeWorld) -> None:
    flights, weather = both(world)
    endless(world)
    world.flights.wires.cut = {"renew", "release"}
    began = time.monotonic()
    outcome = world.ask(RAIN, flights, weather)
    assert time.monotonic() - began < 4.0
    assert codes(outcome) == ["usage.lease_over"]
    assert outcomes(outcome) == ["revoked"], "the silent lender's receipt is missing"


def test_an_answer_waits_until_the_lender_has_recorded_it(world: ComputeWorld) -> None:
    flights, weather = both(world)
    use_id = RandomIds().uuid()
    world.flights.wires.cut = {"release"}
    with pytest.raises(AnswerWithheld):
        world.ask(RAIN, flights, weather, use_id=use_id)
    world.flights.wires.cut = set()
    outcome = world.ask(RAIN, flights, weather, use_id=use_id)
    assert len(outcome.rows) == 12
    assert outcomes(outcome) == ["completed", "completed"]
    assert world.provider.usage.counters(flights.id)["count"] == 1
    assert world.third.usage.counters(weather.id)["count"] == 1


def test_a_lender_that_ended_meanwhile_withholds_the_answer_for_good(world: ComputeWorld) -> None:
    flights, weather = both(world)
    use_id = RandomIds().uuid()
    world.flights.wires.cut = {"release"}
    with pytest.raises(AnswerWithheld):
        world.ask(RAIN, flights, weather, use_id=use_id)
    world.flights.wires.cut = set()
    world.end(weather)
    outcome = world.ask(RAIN, flights, weather, use_id=use_id)
    assert outcome.decision is Decision.DENIED
    assert codes(outcome) == ["usage.grant_ended"]
    assert not outcome.rows


def test_a_lender_that_cannot_be_reached_fails_the_use(world: ComputeWorld) -> None:
    flights, weather = both(world)
    world.flights.wires.cut = {"lend"}
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.error
    assert outcomes(outcome) == ["failed"]
    assert world.provider.usage.counters(flights.id)["count"] == 0


def test_without_a_lenders_name_the_executor_refuses(world: ComputeWorld) -> None:
    flights, weather = both(world)
    del world.shelf.held[weather.id]
    outcome = world.flights.compute.run(world.consumer.trust.me(), joined(world, flights, weather))
    assert codes(outcome) == ["compute.lender_unknown"]


def test_a_refused_release_withholds_the_answer(world: ComputeWorld) -> None:
    flights, weather = both(world)
    release = world.flights.wires.release

    def late(*args: object) -> object:
        world.end(weather)
        return release(*args)  # type: ignore[arg-type]

    world.flights.wires.release = late  # type: ignore[method-assign,assignment]
    outcome = world.ask(RAIN, flights, weather)
    assert outcome.decision is Decision.DENIED
    assert not outcome.rows
    assert outcomes(outcome) == ["revoked"], "a completed receipt without an answer is not shown"


def joined(world: ComputeWorld, flights: Contract, weather: Contract) -> UseRequest:
    """An order over both tables that names no lender."""
    request = request_for(world, flights.id, RAIN)
    order = msgspec.json.decode(request.body, type=UseOrder)
    tables = {"flights": flights.id, "weather": weather.id}
    body = canonical_bytes(msgspec.structs.replace(order, tables=tables))
    return UseRequest(body=body, signature=world.consumer.trust.sign(body))
