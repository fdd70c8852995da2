"""Stated strength = proven strength, SQL mode: for every enforced term one allow and one deny.

Each case runs through the whole space: negotiated, signed by both, filed, asked over the wire,
decided, answered by the real engine, receipted by both. No room is replaced.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from huiqi.contracts.errors import InvalidTerms
from huiqi.kernel.clock import SHANGHAI, iso
from huiqi.kernel.registry import capabilities
from huiqi.policy.library import OPERANDS
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Decision, Rule, Strength
from tests.journey_rooms.space import (
    Space,
    allowed,
    budget,
    codes,
    forbidden,
    refused,
    rule,
    terms_of,
)

BY_CITY = "SELECT city, count(*) AS n FROM visits GROUP BY city ORDER BY city"
ALL_CITIES = (("hefei", 30), ("huangshan", 4), ("wuhu", 30))
HOW_MANY = "SELECT count(*) AS n FROM visits"
SECRETS = "SELECT count(DISTINCT secret) AS n FROM visits"
THREE_ROWS = "SELECT city, person FROM visits WHERE city = 'hefei' LIMIT 3"
JOINT = (
    "SELECT v.city, count(*) AS n, avg(w.temp) AS t FROM visits v JOIN weather w"
    " ON v.city = w.city GROUP BY v.city ORDER BY v.city"
)
BOTH = ("compute", "read")


def count(space: Space) -> None:
    contract = space.contract(rule(Constraint("count", "lteq", 2)))
    assert allowed(space.ask(BY_CITY, visits=contract)) == ALL_CITIES
    allowed(space.ask(HOW_MANY, visits=contract))
    refused(space.ask(HOW_MANY, visits=contract), "policy.count")
    assert budget(space, contract)["count"] == 2


def count_below(space: Space) -> None:
    contract = space.contract(rule(Constraint("count", "lt", 2)))
    allowed(space.ask(HOW_MANY, visits=contract))
    refused(space.ask(HOW_MANY, visits=contract), "policy.count")


def count_in_a_window(space: Space) -> None:
    hourly = (Constraint("timeWindow", "eq", "PT2H"), Constraint("count", "lteq", 1))
    contract = space.contract(rule(*hourly))
    allowed(space.ask(HOW_MANY, visits=contract))
    refused(space.ask(HOW_MANY, visits=contract), "policy.count")
    space.pass_time(hours=2)
    allowed(space.ask(HOW_MANY, visits=contract))


def frequency(space: Space) -> None:
    minutely = (Constraint("timeWindow", "eq", "PT1M"), Constraint("frequency", "lteq", 1))
    contract = space.contract(rule(*minutely, Constraint("count", "lteq", 2)))
    allowed(space.ask(HOW_MANY, visits=contract))
    refused(space.ask(HOW_MANY, visits=contract), "policy.frequency")
    space.pass_time(minutes=1)
    allowed(space.ask(HOW_MANY, visits=contract))
    space.pass_time(minutes=1)
    refused(space.ask(HOW_MANY, visits=contract), "policy.count")


def frequency_without_a_unit_is_per_day(space: Space) -> None:
    contract = space.contract(rule(Constraint("frequency", "lteq", 1)))
    allowed(space.ask(HOW_MANY, visits=contract))
    space.pass_time(hours=23)
    refused(space.ask(HOW_MANY, visits=contract), "policy.frequency")
    space.pass_time(hours=1)
    allowed(space.ask(HOW_MANY, visits=contract))


def time_until(space: Space) -> None:
    end = iso(space.clock.now() + timedelta(hours=1))
    contract = space.contract(rule(Constraint("time", "lt", end)))
    allowed(space.ask(HOW_MANY, visits=contract))
    space.pass_time(hours=1)
    refused(space.ask(HOW_MANY, visits=contract), "policy.time")


def time_from(space: Space) -> None:
    begin = iso(space.clock.now() + timedelta(hours=1))
    contract = space.contract(rule(Constraint("time", "gteq", begin)))
    refused(space.ask(HOW_MANY, visits=contract), "policy.time")
    space.pass_time(hours=1)
    allowed(space.ask(HOW_MANY, visits=contract))


def span_since_activation(space: Space) -> None:
    contract = space.contract(rule(Constraint("timeWindow", "lteq", "PT2H")))
    space.pass_time(hours=2)
    allowed(space.ask(HOW_MANY, visits=contract))
    space.pass_time(seconds=1)
    refused(space.ask(HOW_MANY, visits=contract), "policy.time_window")


def daily_slot(space: Space) -> None:
    hour = space.clock.now().astimezone(SHANGHAI).hour
    slot = f"{hour:02d}:00/{(hour + 1) % 24:02d}:00"
    contract = space.contract(rule(Constraint("timeWindow", "isPartOf", slot)))
    allowed(space.ask(HOW_MANY, visits=contract))
    space.pass_time(hours=1)
    refused(space.ask(HOW_MANY, visits=contract), "policy.time_window")
    space.pass_time(hours=23)
    allowed(space.ask(HOW_MANY, visits=contract))


def data_field(space: Space) -> None:
    contract = space.contract(rule(Constraint("dataField", "isPartOf", ["city", "delay"])))
    assert allowed(space.ask(BY_CITY, visits=contract)) == ALL_CITIES
    refused(space.ask(SECRETS, visits=contract), "policy.data_field")
    filtered = "SELECT count(*) AS n FROM visits WHERE secret = 's-1'"
    refused(space.ask(filtered, visits=contract), "policy.data_field")
    assert columns_on_disk(space, contract.id) == {"city", "delay"}


def data_field_left_out(space: Space) -> None:
    contract = space.contract(rule(Constraint("dataField", "isNoneOf", ["secret"])))
    allowed(space.ask(BY_CITY, visits=contract))
    refused(space.ask(SECRETS, visits=contract), "policy.data_field")
    assert "secret" not in columns_on_disk(space, contract.id)


def data_field_forbidden(space: Space) -> None:
    contract = space.contract(rule(), forbidden(Constraint("dataField", "isAnyOf", ["secret"])))
    allowed(space.ask(BY_CITY, visits=contract))
    refused(space.ask(SECRETS, visits=contract), "policy.prohibited")
    assert "secret" not in columns_on_disk(space, contract.id)


def value_expression(space: Space) -> None:
    only = Constraint("valueExpression", "eq", "city = 'hefei' AND delay < 10")
    contract = space.contract(rule(only, Constraint("dataField", "isPartOf", ["city"])))
    assert allowed(space.ask(BY_CITY, visits=contract)) == (("hefei", 10),)
    outside = "SELECT count(*) AS n FROM visits WHERE city = 'wuhu'"
    assert allowed(space.ask(outside, visits=contract)) == ((0,),), "no such row is there to count"
    assert rows_on_disk(space, contract.id) == 10


def date_record(space: Space) -> None:
    contract = space.contract(rule(Constraint("dateRecord", "lteq", 4), actions=BOTH))
    assert len(allowed(space.ask(BY_CITY, visits=contract))) == 3
    refused(space.ask(BY_CITY, visits=contract), "usage.too_many_rows")
    assert budget(space, contract)["rows"] == 3
    assert len(allowed(space.ask(THREE_ROWS, visits=contract))) == 1, "one row was left"
    refused(space.ask(THREE_ROWS, visits=contract), "policy.date_record")


def execution_env(space: Space) -> None:
    contract = space.contract(rule(Constraint("executionEnv", "eq", "01")))
    allowed(space.ask(HOW_MANY, visits=contract))
    kept_out = forbidden(Constraint("executionEnv", "eq", "01"))
    refused(space.ask(HOW_MANY, visits=space.contract(rule(), kept_out)), "policy.prohibited")
    with pytest.raises(InvalidTerms):
        space.contracts("c1").request(
            space.visits, terms_of(rule(Constraint("executionEnv", "eq", "02")))
        )


def purpose(space: Space) -> None:
    contract = space.contract(rule(Constraint("hq:purpose", "isA", "research")))
    allowed(space.ask(HOW_MANY, visits=contract, purpose="research"))
    refused(space.ask(HOW_MANY, visits=contract, purpose="marketing"), "policy.purpose")
    refused(space.ask(HOW_MANY, visits=contract, purpose="nonsense"), "policy.purpose")


def purpose_left_out(space: Space) -> None:
    contract = space.contract(rule(Constraint("hq:purpose", "isNoneOf", ["marketing"])))
    allowed(space.ask(HOW_MANY, visits=contract, purpose="research"))
    refused(space.ask(HOW_MANY, visits=contract, purpose="marketing"), "policy.purpose")
    refused(space.ask(HOW_MANY, visits=contract, purpose="nonsense"), "policy.purpose")


def consumer_connector(space: Space) -> None:
    mine = Constraint("hq:consumerConnector", "eq", space.node("c1"))
    allowed(space.ask(HOW_MANY, visits=space.contract(rule(mine))))
    other = Constraint("hq:consumerConnector", "isAnyOf", [space.node("p2")])
    outcome = space.ask(HOW_MANY, visits=space.contract(rule(other)))
    refused(outcome, "policy.consumer_connector")


def min_group_size(space: Space) -> None:
    contract = space.contract(rule(Constraint("hq:minGroupSize", "gteq", 10)))
    large = "SELECT city, avg(delay) AS d FROM visits WHERE city IN ('hefei', 'wuhu') GROUP BY city"
    assert len(allowed(space.ask(large, visits=contract))) == 2
    refused(space.ask(BY_CITY, visits=contract), "usage.group_too_small")
    single = "SELECT max(delay) AS d FROM visits"
    refused(space.ask(single, visits=contract), "query.single_value")
    empty = "SELECT count(*) AS n FROM visits WHERE city = 'nowhere'"
    refused(space.ask(empty, visits=contract), "usage.group_too_small")


def privacy_unit(space: Space) -> None:
    by_person = (
        Constraint("hq:minGroupSize", "gteq", 10),
        Constraint("hq:privacyUnit", "eq", "person"),
        Constraint("dataField", "isPartOf", ["city", "delay"]),
    )
    contract = space.contract(rule(*by_person))
    of = "SELECT avg(delay) AS d FROM visits WHERE city = '{}'"
    allowed(space.ask(of.format("hefei"), visits=contract))
    # Thirty rows, but of three people only.
    refused(space.ask(of.format("wuhu"), visits=contract), "usage.group_too_small")
    refused(
        space.ask("SELECT count(DISTINCT person) AS n FROM visits", visits=contract),
        "policy.data_field",
    )


def output_kind(space: Space) -> None:
    only = Constraint("hq:outputKind", "isAnyOf", ["aggregate"])
    contract = space.contract(rule(only, actions=BOTH))
    allowed(space.ask(BY_CITY, visits=contract))
    refused(space.ask(THREE_ROWS, visits=contract), "policy.output_kind")


def executor(space: Space) -> None:
    mine = space.contract(rule())
    lent = Constraint("hq:executor", "isAnyOf", [space.node("p1")])
    willing = space.contract(rule(lent), product=space.weather)
    rows = allowed(space.ask(JOINT, visits=mine, weather=willing))
    assert rows == (("hefei", 30, 21.0), ("huangshan", 4, 15.0), ("wuhu", 30, 23.0))
    assert budget(space, mine)["count"] == budget(space, willing, "p2")["count"] == 1
    unwilling = space.contract(rule(), product=space.weather)
    outcome = space.ask(JOINT, visits=mine, weather=unwilling)
    assert outcome.decision is not Decision.ALLOWED
    assert "policy.executor" in codes(outcome)
    assert budget(space, mine)["count"] == 1
    assert budget(space, unwilling, "p2")["count"] == 0


def compute_only(space: Space) -> None:
    contract = space.contract(rule(actions=("compute",)))
    allowed(space.ask(BY_CITY, visits=contract))
    refused(space.ask(THREE_ROWS, visits=contract), "policy.nothing_permits")


def read_only(space: Space) -> None:
    contract = space.contract(rule(actions=("read",)))
    assert len(allowed(space.ask(THREE_ROWS, visits=contract))) == 3
    refused(space.ask(BY_CITY, visits=contract), "policy.nothing_permits")


def read_forbidden(space: Space) -> None:
    contract = space.contract(
        rule(actions=BOTH), forbidden(Constraint("hq:purpose", "isA", "marketing"), actions=BOTH)
    )
    allowed(space.ask(THREE_ROWS, visits=contract, purpose="research"))
    refused(space.ask(THREE_ROWS, visits=contract, purpose="marketing"), "policy.prohibited")
    refused(space.ask(THREE_ROWS, visits=contract, purpose="nonsense"), "policy.prohibited")


Case = Callable[[Space], None]
OF_ACTIONS: tuple[Case, ...] = (compute_only, read_only, read_forbidden)
OF_OPERANDS: dict[str, tuple[Case, ...]] = {
    "count": (count, count_below),
    "dataField": (data_field, data_field_left_out, data_field_forbidden),
    "dateRecord": (date_record,),
    "executionEnv": (execution_env,),
    "frequency": (frequency, frequency_without_a_unit_is_per_day),
    "hq:consumerConnector": (consumer_connector,),
    "hq:executor": (executor,),
    "hq:minGroupSize": (min_group_size,),
    "hq:outputKind": (output_kind,),
    "hq:privacyUnit": (privacy_unit,),
    "hq:purpose": (purpose, purpose_left_out),
    "time": (time_until, time_from),
    "timeWindow": (count_in_a_window, span_since_activation, daily_slot),
    "valueExpression": (value_expression,),
}
CASES = [case for cases in OF_OPERANDS.values() for case in cases] + list(OF_ACTIONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_is_stated_as_enforced_allows_and_denies(space: Space, case: Case) -> None:
    case(space)


def test_no_operand_is_without_its_proof() -> None:
    capable = {held.operand for held in capabilities("huiqi.policy.operands").values()}
    assert set(OF_OPERANDS) == capable


def test_every_other_constraint_of_the_standard_is_known_and_cannot_be_signed() -> None:
    policies = Policies()
    others = [operand for name, operand in OPERANDS.items() if name not in OF_OPERANDS]
    assert len(others) + len(OF_OPERANDS) >= 19
    for operand in others:
        for operator in operand.operators:
            terms = terms_of(rule(Constraint(operand.operand, operator, "1")))
            report = policies.report(terms)
            (line,) = (each for each in report.terms if "constraints" in each.where)
            assert line.strength is None, operand.operand
            assert not report.signable, operand.operand


def test_both_enforced_actions_are_proven_and_no_other_can_be_signed() -> None:
    policies = Policies()
    enforced = set()
    for action in (code for code, _ in policies.vocabulary()):
        report = policies.report(terms_of(Rule(rule().kind, (action,))))
        held = {line.strength for line in report.terms}
        if held == {Strength.ENFORCED}:
            enforced.add(action)
        else:
            assert not report.signable, action
    assert enforced == {"compute", "read"}


def columns_on_disk(space: Space, contract: str) -> set[str]:
    """The columns of the projection that the provider built for a contract."""
    return set(_built(space, contract)["columns"])


def rows_on_disk(space: Space, contract: str) -> int:
    """The rows of the projection that the provider built for a contract."""
    return _built(space, contract)["rows"]


def _built(space: Space, contract: str) -> dict:
    log = space.parts["p1"].system.evidence
    (sealed,) = log.entries(subject=contract, kind="ProjectionBuilt")
    return dict(sealed.entry.details)
