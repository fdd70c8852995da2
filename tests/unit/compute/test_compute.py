"""One provider: a use is answered under its contract, or refused with the reason."""
# ruff: noqa: S608 - queries under test are put together here; they are never executed as text

import threading
import time

import msgspec
import pytest

from huiqi.compute.errors import NotForThisExecutor, OrderUnreadable, UseUnderWay
from huiqi.compute.types import UseRequest
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.ids import RandomIds
from huiqi.policy.types import Constraint, Decision
from huiqi.trust.types import Signature
from huiqi.usage.types import UseOrder
from tests.contract.test_engine import ENDLESS
from tests.unit.compute.world import ComputeWorld, codes, outcomes
from tests.unit.usage.world import PURPOSE, count

BY_ORIGIN = "SELECT origin, count(*) AS n FROM flights GROUP BY origin ORDER BY origin"
FIELDS = Constraint("dataField", "isPartOf", ["origin", "month", "dep_delay", "time_hour"])
JFK = Constraint("valueExpression", "eq", "origin = 'JFK'")


def groups_of(most: int) -> Constraint:
    return Constraint("hq:minGroupSize", "gteq", most)


def test_an_aggregate_is_answered_with_a_countersigned_receipt(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS, count(3))
    outcome = world.ask(BY_ORIGIN, contract)
    assert outcome.decision is Decision.ALLOWED
    assert outcome.columns == ("origin", "n")
    assert outcome.rows == (("EWR", 120_835), ("JFK", 111_279), ("LGA", 104_662))
    assert outcomes(outcome) == ["completed"]
    assert outcome.receipts[0].consumer_signature is not None
    assert world.provider.usage.counters(contract.id)["count"] == 1


def test_the_terms_decide_on_the_columns_that_the_text_touches(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    for sql in (
        "SELECT carrier, count(*) AS n FROM flights GROUP BY carrier",
        "SELECT count(*) AS n FROM flights WHERE tailnum = 'N14228'",
    ):
        outcome = world.ask(sql, contract)
        assert outcome.decision is not Decision.ALLOWED
        assert not outcome.rows
        assert outcomes(outcome) == ["refused"]
    assert world.provider.usage.counters(contract.id)["count"] == 0


def test_the_row_filter_is_in_the_data_and_not_in_the_query(world: ComputeWorld) -> None:
    outcome = world.ask(BY_ORIGIN, world.flights_contract(FIELDS, JFK))
    assert outcome.rows == (("JFK", 111_279),)


def test_what_the_guard_refuses_is_recorded_and_not_counted(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    outcome = world.ask(
        "SELECT sum(dep_delay) FILTER (WHERE month = 1) AS s FROM flights", contract
    )
    assert outcome.decision is Decision.DENIED
    assert codes(outcome) == ["query.function"]
    assert outcomes(outcome) == ["refused"]
    assert world.provider.usage.counters(contract.id)["count"] == 0
    assert "UseRefused" in world.kinds(world.provider)


def test_small_groups_refuse_the_use_and_having_helps(world: ComputeWorld) -> None:
    contract = world.flights_contract(groups_of(1000))
    sql = "SELECT dest, count(*) AS n FROM flights GROUP BY dest"
    outcome = world.ask(sql, contract)
    assert codes(outcome) == ["usage.group_too_small"]
    assert not outcome.rows
    assert outcomes(outcome) == ["refused"]
    answered = world.ask(f"{sql} HAVING COUNT(*) >= 1000", contract)
    assert answered.decision is Decision.ALLOWED
    assert 30 < len(answered.rows) < 105
    assert min(row[1] for row in answered.rows) >= 1000  # type: ignore[type-var]


def test_nobody_there_and_one_there_look_the_same(world: ComputeWorld) -> None:
    contract = world.flights_contract(groups_of(10))
    for tail in ("N14228", "NOSUCH"):
        sql = f"SELECT count(*) AS n FROM flights WHERE tailnum = '{tail}' AND day = 1 AND hour = 5"
        assert codes(world.ask(sql, contract)) == ["usage.group_too_small"]


def test_groups_are_counted_by_the_privacy_unit(world: ComputeWorld) -> None:
    unit = Constraint("hq:privacyUnit", "eq", "tailnum")
    contract = world.flights_contract(FIELDS, unit, groups_of(3000))
    sql = "SELECT origin, avg(dep_delay) AS d FROM flights GROUP BY origin"
    assert codes(world.ask(sql, contract)) == ["usage.group_too_small"], "many flights, few planes"
    contract = world.flights_contract(FIELDS, unit, groups_of(1000))
    assert len(world.ask(sql, contract).rows) == 3


def test_min_and_max_are_refused_under_a_group_size(world: ComputeWorld) -> None:
    sql = "SELECT max(dep_delay) AS m FROM flights"
    assert codes(world.ask(sql, world.flights_contract(groups_of(5)))) == ["query.single_value"]
    assert world.ask(sql, world.flights_contract()).rows == ((1301,),)


def test_rows_are_given_where_terms_allow_them_and_count(world: ComputeWorld) -> None:
    rows = Constraint("hq:outputKind", "isAnyOf", ["aggregate", "rows"])
    contract = world.flights_contract(FIELDS, rows, Constraint("dateRecord", "lteq", 12))
    sql = "SELECT origin, dep_delay FROM flights WHERE month = 1"
    assert len(world.ask(f"{sql} LIMIT 5", contract).rows) == 5
    assert len(world.ask(sql, contract).rows) == 7, "what the contract leaves"
    assert world.ask(sql, contract).decision is not Decision.ALLOWED
    assert world.provider.usage.counters(contract.id)["rows"] == 12


def test_an_aggregate_with_more_rows_than_are_left_is_refused_whole(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS, Constraint("dateRecord", "lteq", 2))
    outcome = world.ask(BY_ORIGIN, contract)
    assert codes(outcome) == ["usage.too_many_rows"]
    assert len(world.ask(f"{BY_ORIGIN} LIMIT 2", contract).rows) == 2


def test_a_repeat_of_a_use_id_returns_the_first_outcome(world: ComputeWorld) -> None:
    contract, use_id = world.flights_contract(FIELDS, count(1)), RandomIds().uuid()
    request = request_for(world, contract.id, BY_ORIGIN, use_id=use_id)
    sender = world.consumer.trust.me()
    first = world.flights.compute.run(sender, request)
    again = world.flights.compute.run(sender, request)
    assert again == first
    assert len(again.rows) == 3
    assert world.provider.usage.counters(contract.id)["count"] == 1


def test_a_repeat_after_countersigning_says_that_it_was_delivered(world: ComputeWorld) -> None:
    contract, use_id = world.flights_contract(FIELDS), RandomIds().uuid()
    outcome = world.ask(BY_ORIGIN, contract, use_id=use_id)
    world.provider.usage.countersigned(world.consumer.trust.me(), outcome.receipts[0])
    again = world.ask(BY_ORIGIN, contract, use_id=use_id)
    assert codes(again) == ["compute.already_delivered"]
    assert not again.rows
    assert again.receipts == outcome.receipts


def test_a_repeat_of_a_refused_use_stays_refused(world: ComputeWorld) -> None:
    contract, use_id = world.flights_contract(groups_of(1000)), RandomIds().uuid()
    sql = "SELECT dest, count(*) AS n FROM flights GROUP BY dest"
    first = world.ask(sql, contract, use_id=use_id)
    again = world.ask(sql, contract, use_id=use_id)
    assert codes(again) == codes(first) == ["usage.group_too_small"]
    assert again.receipts == first.receipts


def test_an_order_for_somebody_else_is_not_executed(world: ComputeWorld) -> None:
    contract = world.flights_contract()
    request = request_for(world, contract.id, BY_ORIGIN)
    with pytest.raises(NotForThisExecutor):
        world.flights.compute.run(world.third.trust.me(), request)
    with pytest.raises(NotForThisExecutor):
        world.weather.compute.run(world.consumer.trust.me(), request)
    elsewhere = request_for(world, contract.id, BY_ORIGIN, executor=world.third.trust.me().id)
    with pytest.raises(NotForThisExecutor):
        world.weather.compute.run(world.consumer.trust.me(), elsewhere)
    broken = UseRequest(body=b"{", signature=request.signature)
    with pytest.raises(OrderUnreadable):
        world.flights.compute.run(world.consumer.trust.me(), broken)


def test_one_use_id_is_executed_once_at_a_time(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    request = request_for(world, contract.id, BY_ORIGIN)
    slowed(world, 0.5)
    sender, failures = world.consumer.trust.me(), []
    thread = threading.Thread(target=lambda: world.flights.compute.run(sender, request))
    thread.start()
    time.sleep(0.2)
    try:
        world.flights.compute.run(sender, request)
    except UseUnderWay as error:
        failures.append(error)
    thread.join()
    assert failures


def test_the_end_of_the_contract_stops_a_running_query_in_time(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    endless(world)
    ended_at: list[float] = []

    def end() -> None:
        time.sleep(0.8)
        world.end(contract)
        ended_at.append(time.monotonic())

    threading.Thread(target=end).start()
    outcome = world.ask(BY_ORIGIN, contract)
    assert time.monotonic() - ended_at[0] < 2.0
    assert outcome.decision is Decision.DENIED
    assert codes(outcome) == ["usage.grant_ended"]
    assert outcomes(outcome) == ["revoked"]
    assert not world.flights.engine.pids()
    assert world.provider.usage.counters(contract.id)["count"] == 1


def test_the_sweep_ends_a_running_query_and_destroys_what_the_contract_had(
    world: ComputeWorld,
) -> None:
    contract = world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    endless(world)
    result = []
    thread = threading.Thread(target=lambda: result.append(world.ask(BY_ORIGIN, contract)))
    thread.start()
    time.sleep(0.4)
    began = time.monotonic()
    world.end(contract)
    assert world.flights.compute.sweep() == 1
    thread.join()
    assert time.monotonic() - began < 1.0
    assert outcomes(result[0]) == ["revoked"]


def test_a_destroyed_projection_leaves_proof_and_nothing_else(world: ComputeWorld) -> None:
    contract, other = world.flights_contract(FIELDS), world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    world.ask(BY_ORIGIN, other)
    assert world.flights.compute.sweep() == 0
    (held,) = [p for p in world.flights.projections.all(world.provider.scope)
               if p.contract == contract.id]  # fmt: skip
    path, key = world.flights.projections.open(world.provider.scope, held.id)
    world.end(contract)
    assert world.flights.compute.sweep() == 1
    assert world.flights.compute.sweep() == 0
    assert not path.exists()
    for file in world.flights.folder.rglob("*"):
        assert held.id not in file.name
        assert not file.is_file() or key not in file.read_bytes()
    (fact,) = [f for f in world.facts(world.provider) if f.kind == "ProjectionDestroyed"]
    assert fact.subject == contract.id
    assert fact.details["keyId"] == held.key_id
    assert fact.details["fileDigest"] == held.digest
    assert fact.sha256
    (built,) = [f for f in world.facts(world.provider)
                if f.kind == "ProjectionBuilt" and f.subject == contract.id]  # fmt: skip
    assert built.details["keyId"] == held.key_id
    assert len(world.ask(BY_ORIGIN, other).rows) == 3, "other contracts go on"


def test_a_contract_past_its_term_is_swept_before_anybody_marks_it(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    assert contract.ends_at is not None
    world.clock.advance(contract.ends_at - world.clock.now())
    assert world.flights.compute.sweep() == 1


def test_new_data_replaces_the_projection_of_the_old(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    (old,) = world.flights.projections.all(world.provider.scope)
    world.flights.stock.version = "2"
    world.ask(BY_ORIGIN, contract)
    (new,) = world.flights.projections.all(world.provider.scope)
    assert new.id != old.id
    assert world.kinds(world.provider).count("ProjectionDestroyed") == 1


def test_a_damaged_projection_fails_the_use_and_is_rebuilt_for_the_next(
    world: ComputeWorld,
) -> None:
    contract = world.flights_contract(FIELDS)
    world.ask(BY_ORIGIN, contract)
    (held,) = world.flights.projections.all(world.provider.scope)
    path, _ = world.flights.projections.open(world.provider.scope, held.id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    world.flights.engine.drop(held.id)
    outcome = world.ask(BY_ORIGIN, contract)
    assert outcome.error.startswith("compute.projection_damaged")
    assert outcomes(outcome) == ["failed"]
    assert len(world.ask(BY_ORIGIN, contract).rows) == 3


def test_a_missing_source_fails_the_use_without_counting_it(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    (world.flights.folder / "flights.parquet").unlink()
    outcome = world.ask(BY_ORIGIN, contract)
    assert outcome.decision is Decision.ALLOWED
    assert outcome.error.startswith("compute.source_unreadable")
    assert outcomes(outcome) == ["failed"]
    assert world.provider.usage.counters(contract.id)["count"] == 0


def test_an_engine_error_shows_its_class_and_id_only(
    world: ComputeWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    contract = world.flights_contract(FIELDS)
    world.flights.engine.execute = rewritten(  # type: ignore[method-assign]
        world, "SELECT CAST(origin AS INT) AS x FROM {table} LIMIT 1"
    )
    outcome = world.ask(BY_ORIGIN, contract)
    assert "JFK" not in str(outcome)
    code, _, incident = outcome.error.partition(" ")
    assert code == "compute.engine_failed"
    assert incident in capfd.readouterr().out


def request_for(
    world: ComputeWorld, contract: str, sql: str, *, use_id: str = "", executor: str = ""
) -> UseRequest:
    """A signed order of the consumer over the flights."""
    me = world.consumer.trust.me()
    order = UseOrder(
        use_id=use_id or RandomIds().uuid(),
        consumer=me.subject,
        consumer_node=me.id,
        executor=executor or world.provider.trust.me().id,  # type: ignore[arg-type]
        tables={"flights": contract},  # type: ignore[dict-item]
        purpose=PURPOSE,
        sql=sql,
        at=iso(world.clock.now()),
    )
    body = canonical_bytes(order)
    signature: Signature = world.consumer.trust.sign(body)
    return msgspec.convert({"body": body, "signature": signature}, UseRequest, from_attributes=True)


def slowed(world: ComputeWorld, seconds: float) -> None:
    """Let every query of the provider take a little longer."""
    execute = world.flights.engine.execute

    def slow(*args: object, **more: object) -> object:
        time.sleep(seconds)
        return execute(*args, **more)  # type: ignore[arg-type]

    world.flights.engine.execute = slow  # type: ignore[method-assign,assignment]


def rewritten(world: ComputeWorld, sql: str) -> object:
    """An engine that runs another text over the first table of the session."""
    execute = world.flights.engine.execute

    def run(session: object, _: str, **more: object) -> object:
        table = session.tables[0].name  # type: ignore[attr-defined]
        return execute(session, sql.format(table=f'"{table}"'), **more)  # type: ignore[arg-type]

    return run


def endless(world: ComputeWorld) -> None:
    """Let every query of the provider run for hours."""
    world.flights.engine.execute = rewritten(  # type: ignore[method-assign]
        world, ENDLESS.replace("flights AS", "{table} AS")
    )
