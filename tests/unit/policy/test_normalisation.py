"""Other spellings, units and ranges of T14 App. D end in one canonical form."""

import pytest

from huiqi.policy.normalisation import RESULTS_ONLY
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Rule, RuleKind, Value
from tests.unit.policy.samples import flight_terms, permit, term, terms_of


def normal(*constraints: Constraint, actions: tuple[str, ...] = ("read",)) -> tuple[Rule, ...]:
    terms = terms_of(permit(*constraints, actions=actions))
    once = Policies().normalised(terms)
    assert Policies().normalised(once) == once
    return once.policy.rules


def triples(rule: Rule) -> list[tuple[str, str, Value]]:
    return [(c.operand, c.operator, c.value) for c in rule.constraints]


def test_flight_terms_are_canonical_already() -> None:
    assert Policies().normalised(flight_terms()) == flight_terms()


def test_scenario_1_calls_per_day() -> None:
    (rule,) = normal(term("使用次数", "11", "10000 次/天"), term("timeWindow", "01", "P1D"))
    assert triples(rule) == [("count", "lteq", 10000), ("timeWindow", "eq", "P1D")]


def test_a_period_in_the_unit_becomes_a_window() -> None:
    (rule,) = normal(term("frequency", "lteq", "60 次/分钟"))
    assert triples(rule) == [("frequency", "lteq", 60), ("timeWindow", "eq", "PT1M")]


def test_scenario_2_lists_environments_duties_and_export() -> None:
    rules = normal(
        term("dataField", "isA", "[字段1, 字段2, 字段3]"),
        term("executionEnv", "isA", "02 数据沙箱"),
        term("logRecordSend", "eq", "相关方"),
        actions=("jointDevelop", "export"),
    )
    used, exported, duty = rules
    fields = ("dataField", "isA", ["字段1", "字段2", "字段3"])
    assert used.actions == ("jointDevelop",)
    assert triples(used) == [fields, ("executionEnv", "isA", "02")]
    assert exported.actions == ("download",)
    assert exported.constraints[-1] == RESULTS_ONLY
    assert (duty.kind, duty.actions) == (RuleKind.OBLIGATION, ("logRecordSend",))
    assert duty.constraints[0].value == '{"recipient":"相关方"}'


def test_scenario_4_money_and_compensation() -> None:
    used, duty = normal(
        term("payAmount", "eq", "100 元"),
        term("timeWindow", "lteq", "P365D"),
        term("compensate", "eq", "10.00 CNY"),
        actions=("sell",),
    )
    assert triples(used) == [("payAmount", "eq", "100.00 CNY"), ("timeWindow", "lteq", "P365D")]
    assert triples(duty) == [("payAmount", "eq", "10.00 CNY")]


def test_scenario_5_a_range_becomes_two_instants() -> None:
    (rule,) = normal(
        term("timeWindow", "isA", "2024-03-20 23:59:59 -- 2025-03-20 23:59:59"),
        term("count", "lteq", "1000 次"),
    )
    assert triples(rule) == [
        ("time", "gteq", "20240320235959"),
        ("time", "lteq", "20250320235959"),
        ("count", "lteq", 1000),
    ]


@pytest.mark.parametrize(
    ("operand", "operator", "given", "value"),
    [
        ("time", "lteq", "2026-12-31T15:59:59Z", "20261231235959"),
        ("timeWindow", "lteq", "P1W", "P7D"),
        ("timeWindow", "isPartOf", "09:00 / 18:00", "09:00/18:00"),
        ("count", "lteq", "1万次", 10000),
        ("count", "lteq", "1,000", 1000),
        ("dataSize", "lteq", "10G", 10 * 1024**3),
        ("dataSize", "lteq", "512 MiB", 512 * 1024**2),
        ("dataRecord", "lteq", "1000 条", 1000),
        ("dataField", "isPartOf", '["a","b"]', ["a", "b"]),
        ("dataField", "isPartOf", "a、b", ["a", "b"]),
        ("hq:purpose", "isA", "dpv:Marketing", "marketing"),
        ("hq:purpose", "isAnyOf", "统计分析, 研究开发", ["statistics", "research"]),
        ("executionEnv", "isAnyOf", ["使用控制", "02 数据沙箱"], ["01", "02"]),
        ("valueExpression", "eq", "city='3401'", "city = '3401'"),
        ("hq:executor", "isAnyOf", "p2", ["p2"]),
    ],
)
def test_values(operand: str, operator: str, given: Value, value: Value) -> None:
    (rule,) = normal(term(operand, operator, given))
    assert rule.constraints[0].value == value


@pytest.mark.parametrize(
    ("operand", "operator", "value"),
    [
        ("height", "lteq", "3 m"),
        ("count", "lteq", "many"),
        ("count", "lteq", "5 次/世纪"),
        ("timeWindow", "isPartOf", "x--y"),
        ("time", "gteq", "soon"),
        ("count", "roughly", 3),
    ],
)
def test_what_is_not_understood_stays_and_is_found(
    operand: str, operator: str, value: Value
) -> None:
    rules = normal(term(operand, operator, value))
    assert triples(rules[0]) == [(operand, operator, value)]
    assert any(f.severity == "error" for f in Policies().check(terms_of(*rules)))


def test_a_long_expression_keeps_its_written_form() -> None:
    written = " AND ".join(f"c{i}={i}" for i in range(12))
    (rule,) = normal(term("valueExpression", "eq", written))
    assert rule.constraints[0].value == written
    assert len(written) <= 128
