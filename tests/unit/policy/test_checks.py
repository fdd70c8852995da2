"""Every kind of mistake in terms is found where it is, and sound terms pass."""

import msgspec
import pytest

from huiqi.catalog.types import Column
from huiqi.compute.errors import RowFilterUnreadable
from huiqi.compute.shaping import shape_of
from huiqi.policy.predicates import parse
from huiqi.policy.service import Policies
from huiqi.policy.types import Bounds, Duty, Finding, Mode, Price, Rule, RuleKind, Strength, Terms
from tests.unit.policy.samples import (
    COLUMNS,
    OTHER_NODE,
    PROVIDER_NODE,
    after,
    flight_terms,
    forbid,
    oblige,
    permit,
    term,
    terms_of,
)

MARKETING = term("hq:purpose", "isA", "marketing")
RESEARCH = term("hq:purpose", "isA", "research")


def found(terms: Terms, **more: object) -> set[tuple[str, str, str]]:
    findings = Policies().check(terms, **more)  # type: ignore[arg-type] - columns or ceiling
    assert all(f.text.zh and f.text.en for f in findings)
    return {(f.severity, f.code, f.where) for f in findings}


def codes(terms: Terms, **more: object) -> set[str]:
    return {code for severity, code, _ in found(terms, **more) if severity == "error"}


def test_flight_terms_are_sound_and_signable() -> None:
    report = Policies().report(flight_terms(), columns=COLUMNS)
    assert report.findings == ()
    assert report.signable
    assert {line.strength for line in report.terms} == {Strength.ENFORCED, Strength.DETECTED}


def test_only_the_executor_is_merely_detected() -> None:
    report = Policies().report(flight_terms(), columns=COLUMNS)
    weaker = [line.where for line in report.terms if line.strength is Strength.DETECTED]
    assert weaker == ["rules[0].constraints[14]"]


def test_the_own_node_as_only_executor_is_enforced() -> None:
    terms = terms_of(permit(term("hq:executor", "isAnyOf", [PROVIDER_NODE])))
    report = Policies().report(terms, node=PROVIDER_NODE)  # type: ignore[arg-type] - an id as text
    assert [line.strength for line in report.terms] == [Strength.ENFORCED, Strength.ENFORCED]


@pytest.mark.parametrize(
    ("terms", "code", "where"),
    [
        (terms_of(permit(actions=("fly",))), "policy.unknown_action", "rules[0].actions[0]"),
        (
            terms_of(permit(term("height", "lteq", 1))),
            "policy.unknown_operand",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(term("count", "11", 1))),
            "policy.unknown_operator",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(term("count", "eq", 1))),
            "policy.operator_not_allowed",
            "rules[0].constraints[0]",
        ),
        (terms_of(permit(actions=())), "policy.no_actions", "rules[0]"),
        (terms_of(), "policy.nothing_permitted", "rules"),
        (terms_of(permit(), days=0), "policy.days", "days"),
        (terms_of(permit(), days=3651), "policy.days", "days"),
        (
            terms_of(permit(actions=("distribute",))),
            "policy.not_enforceable",
            "rules[0].actions[0]",
        ),
        (
            terms_of(permit(term("executionEnv", "eq", "02"))),
            "policy.not_enforceable",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(), oblige("delete")),
            "policy.not_enforceable",
            "rules[1].actions[0]",
        ),
        (
            terms_of(after(permit(), "compensate")),
            "policy.not_enforceable",
            "rules[0].duties[0]",
        ),
        (terms_of(after(permit(), "fly")), "policy.unknown_action", "rules[0].duties[0]"),
        (terms_of(permit(), mode=Mode.SANDBOX), "policy.not_enforceable", "rules[0].actions[0]"),
        (
            terms_of(permit(term("timeWindow", "eq", "P1D"))),
            "policy.window_without_count",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(term("count", "lteq", 0))),
            "policy.never_holds",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(term("frequency", "lt", 1))),
            "policy.never_holds",
            "rules[0].constraints[0]",
        ),
        (
            terms_of(permit(term("valueExpression", "eq", "a = 1 AND a = 2"))),
            "policy.never_holds",
            "rules[0].constraints[0]",
        ),
    ],
)
def test_mistakes(terms: Terms, code: str, where: str) -> None:
    assert ("error", code, where) in found(terms)
    assert not Policies().report(terms).signable


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (term("time", "gteq", "20270101000000"), term("time", "lteq", "20260101000000")),
        (term("executionEnv", "eq", "01"), term("executionEnv", "eq", "02")),
        (term("executionEnv", "eq", "01"), term("executionEnv", "isNoneOf", ["01"])),
        (term("dataField", "isPartOf", ["a"]), term("dataField", "isPartOf", ["b"])),
        (term("dataField", "isPartOf", ["a"]), term("dataField", "isNoneOf", ["a"])),
        (RESEARCH, MARKETING),
        (RESEARCH, term("hq:purpose", "isNoneOf", ["research"])),
        (term("hq:privacyUnit", "eq", "a"), term("hq:privacyUnit", "eq", "b")),
        (term("hq:consumerConnector", "eq", "a"), term("hq:consumerConnector", "eq", "b")),
        (term("valueExpression", "eq", "a = 1"), term("valueExpression", "eq", "a = 2")),
        (
            term("timeWindow", "isPartOf", "09:00/12:00"),
            term("timeWindow", "isPartOf", "13:00/18:00"),
        ),
    ],
)
def test_conditions_that_exclude_each_other(one: object, other: object) -> None:
    rule = permit(one, other)  # type: ignore[arg-type] - constraints, typed loosely by the table
    assert ("error", "policy.contradiction", "rules[0].constraints[1]") in found(terms_of(rule))


def test_two_windows_of_one_count_exclude_each_other() -> None:
    rule = permit(
        term("count", "lteq", 1), term("timeWindow", "eq", "P1D"), term("timeWindow", "eq", "PT1H")
    )
    assert ("error", "policy.contradiction", "rules[0].constraints[2]") in found(terms_of(rule))


def test_purposes_that_meet_in_a_part_do_not_exclude_each_other() -> None:
    rule = permit(MARKETING, term("hq:purpose", "isA", "advertising"))
    assert codes(terms_of(rule)) == set()


def test_a_permission_that_is_wholly_forbidden_is_an_error() -> None:
    assert "policy.never_permitted" in codes(terms_of(permit(), forbid()))
    narrower = permit(term("hq:purpose", "isA", "advertising"))
    assert "policy.never_permitted" in codes(terms_of(narrower, forbid(MARKETING)))


def test_an_exception_from_a_permission_is_a_warning() -> None:
    terms = terms_of(permit(), forbid(MARKETING))
    assert found(terms) == {("warning", "policy.partly_prohibited", "rules[1]")}
    assert Policies().report(terms).signable


def test_a_prohibition_beside_the_permission_is_no_finding() -> None:
    assert found(terms_of(permit(RESEARCH), forbid(MARKETING))) == set()


@pytest.mark.parametrize(
    "constraint",
    [
        term("count", "lteq", 3),
        term("valueExpression", "eq", "a = 1"),
        term("hq:minGroupSize", "gteq", 5),
        term("timeWindow", "eq", "P1D"),
    ],
)
def test_a_prohibition_cannot_depend_on_a_bound(constraint: object) -> None:
    terms = terms_of(permit(), forbid(constraint))  # type: ignore[arg-type] - a constraint
    assert "policy.not_in_prohibition" in codes(terms)


def test_a_least_group_size_excludes_single_records() -> None:
    group = term("hq:minGroupSize", "gteq", 5)
    rows = term("hq:outputKind", "isAnyOf", ["aggregate", "rows"])
    assert "policy.group_size_with_rows" in codes(terms_of(permit(group, rows)))
    reading = permit(group, actions=("compute", "read"))
    assert "policy.group_size_with_rows" in codes(terms_of(reading))


def test_doubtful_terms_are_warned_of() -> None:
    rows = term("hq:outputKind", "isAnyOf", ["aggregate", "rows"])
    assert ("warning", "policy.rows_without_read", "rules[0]") in found(terms_of(permit(rows)))
    unit = terms_of(permit(term("hq:privacyUnit", "eq", "a")))
    assert ("warning", "policy.unit_without_group_size", "rules[0]") in found(unit)
    twice = terms_of(permit(RESEARCH, RESEARCH))
    assert ("warning", "policy.repeated", "rules[0].constraints[1]") in found(twice)


def test_unknown_columns_are_found_in_every_term_that_names_columns() -> None:
    rule = permit(
        term("dataField", "isPartOf", ["month", "moon"]),
        term("valueExpression", "eq", "sun = 1"),
        term("hq:privacyUnit", "eq", "star"),
        term("hq:minGroupSize", "gteq", 5),
    )
    where = {w for _, code, w in found(terms_of(rule), columns=COLUMNS) if "column" in code}
    assert where == {f"rules[0].constraints[{i}]" for i in range(3)}


@pytest.mark.parametrize(
    ("price", "code"),
    [
        (Price(parameters={"per_use_fen": -1}), "policy.price"),
        (Price(parameters={"per_use_fen": 2**60}), "policy.price"),
        (Price(joint_weight=-1), "policy.price"),
        (Price(platform_fee_bp=10_001), "policy.platform_fee"),
        (Price(platform_fee_bp=-1), "policy.platform_fee"),
    ],
)
def test_prices_that_cannot_be(price: Price, code: str) -> None:
    terms = msgspec.structs.replace(terms_of(permit()), price=price)
    assert code in codes(terms)


def test_a_duty_with_a_wrong_limit_is_found() -> None:
    rule = Rule(RuleKind.PERMISSION, ("compute",), (), (Duty("compensate", (), "soon"),))
    assert ("error", "policy.wrong_value", "rules[0].duties[0]") in found(terms_of(rule))


def test_too_many_rules_are_refused_before_they_are_compared() -> None:
    assert codes(terms_of(*[permit()] * 51)) == {"policy.too_many"}


def asking(**changes: object) -> Terms:
    return msgspec.structs.replace(flight_terms(), **changes)


def with_constraint(operand: str, value: object, operator: str | None = None) -> Terms:
    (rule,) = flight_terms().policy.rules
    constraints = tuple(
        msgspec.structs.replace(c, value=value)
        if c.operand == operand and operator in (None, c.operator)
        else c
        for c in rule.constraints
    )
    return terms_of(msgspec.structs.replace(rule, constraints=constraints))


def without(operand: str) -> Terms:
    (rule,) = flight_terms().policy.rules
    kept = tuple(c for c in rule.constraints if c.operand != operand)
    return terms_of(msgspec.structs.replace(rule, constraints=kept))


WIDER = {"policy.wider_than_listing"}


def test_the_listing_itself_is_within_the_listing() -> None:
    assert codes(flight_terms(), ceiling=flight_terms()) == set()


@pytest.mark.parametrize(
    "terms",
    [
        asking(days=366),
        with_constraint("count", 501),
        with_constraint("frequency", 61),
        with_constraint("time", "20281031235959", "lteq"),
        with_constraint("dateRecord", 100001),
        with_constraint("dataField", ["month", "tailnum"]),
        with_constraint("valueExpression", "origin IN ('EWR', 'JFK')"),
        with_constraint("hq:purpose", ["research", "marketing"]),
        with_constraint("hq:minGroupSize", 9),
        with_constraint("hq:executor", [OTHER_NODE, "x"]),
        terms_of(*flight_terms().policy.rules, permit(actions=("read",))),
        *[
            without(name)
            for name in ("time", "count", "frequency", "dataField", "valueExpression", "hq:purpose",
                         "hq:minGroupSize", "hq:privacyUnit", "hq:outputKind", "executionEnv",
                         "hq:consumerConnector", "dateRecord")
        ],
    ],
)  # fmt: skip
def test_terms_wider_than_the_listing_are_refused(terms: Terms) -> None:
    assert codes(terms, ceiling=flight_terms()) >= WIDER


@pytest.mark.parametrize(
    "terms",
    [
        asking(days=30),
        with_constraint("count", 400),
        with_constraint("dataField", ["month"]),
        with_constraint("hq:purpose", ["academic-research"]),
        with_constraint("hq:minGroupSize", 20),
        without("hq:executor"),
    ],
)
def test_narrower_terms_pass(terms: Terms) -> None:
    assert codes(terms, ceiling=flight_terms()) == set()


def test_an_executor_must_be_in_the_listing() -> None:
    terms = terms_of(permit(term("hq:executor", "isAnyOf", [OTHER_NODE])))
    assert codes(terms, ceiling=terms_of(permit())) == WIDER


def test_prohibitions_duties_and_modes_of_the_listing_must_stay() -> None:
    listing = terms_of(permit(), forbid(MARKETING))
    assert codes(terms_of(permit()), ceiling=listing) == WIDER
    assert codes(terms_of(permit(RESEARCH), forbid(MARKETING)), ceiling=listing) == set()
    assert codes(terms_of(permit()), ceiling=terms_of(after(permit(), "compensate"))) == WIDER
    assert codes(terms_of(permit()), ceiling=terms_of(permit(), mode=Mode.API)) == WIDER


def test_findings_are_values() -> None:
    assert Policies().check(terms_of()) == Policies().check(terms_of())
    assert all(isinstance(f, Finding) for f in Policies().check(terms_of()))


TYPES = {
    "delay": "BIGINT",
    "share": "DOUBLE",
    "fare": "DECIMAL(9,2)",
    "day": "DATE",
    "at": "TIMESTAMP",
    "here": "TIMESTAMP WITH TIME ZONE",
    "late": "BOOLEAN",
    "city": "VARCHAR",
    "hour": "TIME",
}


def compared(expression: str) -> Terms:
    return terms_of(permit(term("valueExpression", "eq", expression)))


@pytest.mark.parametrize(
    "expression",
    [
        "delay = 'abc'",
        "delay = '12'",
        "share >= 'much'",
        "fare IN (1, '2')",
        "delay BETWEEN 'a' AND 5",
        "day >= '2026-13-45'",
        "day >= 20260102",
        "day BETWEEN '2026-01-01' AND 'soon'",
        "at >= '2026-01-02 25:00:00'",
        "at >= '2026-01-02T10:00:00+08:00'",
        "at > 5",
        "here > 'now'",
        "late > 0",
        "late = 'true'",
        "city = 5",
        "city IN ('a', 2.5)",
        "hour > '12:00:00'",
    ],
)
def test_a_literal_that_the_column_does_not_take_cannot_be_signed(expression: str) -> None:
    terms = compared(expression)
    where = ("error", "policy.wrong_literal", "rules[0].constraints[0]")
    assert found(terms, columns=list(TYPES), types=TYPES) == {where}
    report = Policies().report(terms, columns=list(TYPES), types=TYPES)
    assert not report.signable
    assert [finding.code for finding in report.findings] == ["policy.wrong_literal"]
    with pytest.raises(RowFilterUnreadable):
        apply_filter(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "delay = 12 AND delay > -1.5",
        "share >= 0.5 AND share < 3",
        "fare IN (1, 2.50)",
        "day >= '2026-01-31' AND day < '2026-02-28'",
        "at BETWEEN '2026-01-02' AND '2026-01-02 10:00:00.5'",
        "here > '2026-01-02T10:00:00'",
        "city IN ('5', 'it''s') AND city <> ''",
    ],
)
def test_a_literal_that_the_column_takes_is_signable_and_can_be_applied(expression: str) -> None:
    terms = compared(expression)
    assert found(terms, columns=list(TYPES), types=TYPES) == set()
    assert Policies().report(terms, columns=list(TYPES), types=TYPES).signable
    apply_filter(expression)


def apply_filter(expression: str) -> None:
    """Shape a projection with the expression, as a node does at the first use."""
    columns = [Column(name=name, type=kind) for name, kind in TYPES.items()]
    bounds = Bounds(row_filter=parse(expression).sql())
    shape_of(bounds, contract="c", offered=columns, source=columns, data_version="v")


def test_the_finding_names_column_type_and_literal_in_both_languages() -> None:
    (finding,) = Policies().check(compared("day >= '2026-13-45'"), types=TYPES)
    for text in (finding.text.zh, finding.text.en):
        assert "day" in text
        assert "DATE" in text
        assert "2026-13-45" in text


def test_a_column_of_unknown_type_is_not_judged() -> None:
    for types in (None, {}, {"city": "VARCHAR"}):
        assert found(compared("delay = 'abc'"), types=types) == set()
