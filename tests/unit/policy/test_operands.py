"""Every operand with every operator: holds, does not hold, and a missing value always denies."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from huiqi.policy.compilation import compiled_terms
from huiqi.policy.decisions import decide
from huiqi.policy.library import OPERANDS
from huiqi.policy.service import Policies
from huiqi.policy.types import Context, Decision, Value
from huiqi.policy.vocabulary import CONSTRAINTS, OPERATORS
from tests.unit.policy.samples import (
    AT,
    CONSUMER_NODE,
    OTHER_NODE,
    PRODUCT,
    PROVIDER_NODE,
    forbid,
    permit,
    term,
    terms_of,
    use,
)

Changes = dict[str, object]
# (operand, operator): value, a use that it allows, a use that it denies (None: it bounds the
# answer and refuses no request).
Row = tuple[Value, Changes, Changes | None]
NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
ASKS_ID = {"requested_fields": ("city", "id_no")}
ASKS_CITY = {"requested_fields": ("city", "sum")}
ELSEWHERE = {"more": {"executor": OTHER_NODE, "provider_node": PROVIDER_NODE}}
STRANGER = {"more": {"executor": CONSUMER_NODE, "provider_node": PROVIDER_NODE}}
TABLE: dict[tuple[str, str], Row] = {
    ("time", "gteq"): ("20261124101500", {"at": AT}, {"at": AT - timedelta(microseconds=1)}),
    ("time", "gt"): ("20261124101500", {"at": AT + timedelta(seconds=1)}, {"at": AT}),
    ("time", "lteq"): ("20261231235959", {"at": AT}, {"at": NEXT_YEAR}),
    ("time", "lt"): ("2026-11-24T10:15:00+08:00", {"at": AT - timedelta(seconds=1)}, {"at": AT}),
    ("timeWindow", "eq"): ("P1D", {"used_in_unit": {"P1D": 2}}, {"used_in_unit": {"P1D": 3}}),
    ("timeWindow", "lteq"): (
        "P7D",
        {"activation_time": AT - timedelta(days=7)},
        {"activation_time": AT - timedelta(days=7, seconds=1)},
    ),
    ("timeWindow", "lt"): (
        "P7D",
        {"activation_time": AT - timedelta(days=6)},
        {"activation_time": AT - timedelta(days=7)},
    ),
    ("timeWindow", "isPartOf"): ("09:00/18:00", {}, {"at": AT.replace(hour=14, minute=30)}),
    ("count", "lteq"): (3, {"used_count": 2}, {"used_count": 3}),
    ("count", "lt"): (3, {"used_count": 1}, {"used_count": 2}),
    ("frequency", "lteq"): (60, {"used_in_unit": {"P1D": 59}}, {"used_in_unit": {"P1D": 60}}),
    ("frequency", "lt"): (60, {"used_in_unit": {"P1D": 58}}, {"used_in_unit": {"P1D": 59}}),
    ("dateRecord", "lteq"): (1000, {"request_rows": 100}, {"request_rows": 101}),
    ("dateRecord", "lt"): (1000, {"request_rows": 99}, {"request_rows": 100}),
    ("dataField", "isA"): (["city", "sum"], ASKS_CITY, ASKS_ID),
    ("dataField", "isAnyOf"): (["city", "sum"], ASKS_CITY, ASKS_ID),
    ("dataField", "isAllOf"): (["city", "sum"], ASKS_CITY, ASKS_ID),
    ("dataField", "isPartOf"): (["city", "sum"], ASKS_CITY, ASKS_ID),
    ("dataField", "isNoneOf"): (["ID_NO"], ASKS_CITY, ASKS_ID),
    ("valueExpression", "eq"): ("city = '3401'", {}, None),
    ("valueExpression", "isA"): ("city = '3401'", {}, None),
    ("executionEnv", "eq"): ("01", {}, {"environment": "02"}),
    ("executionEnv", "isA"): ("01", {}, {"environment": "05"}),
    ("executionEnv", "isAnyOf"): (["01", "02"], {}, {"environment": "03"}),
    ("executionEnv", "isNoneOf"): (["07"], {}, {"environment": "07"}),
    ("hq:purpose", "isA"): ("research", {}, {"purpose": "marketing"}),
    ("hq:purpose", "isAnyOf"): (["statistics", "research"], {}, {"purpose": "marketing"}),
    ("hq:purpose", "isNoneOf"): (["marketing"], {}, {"purpose": "targeted-advertising"}),
    ("hq:purpose", "eq"): ("research", {"purpose": "dpv:ResearchAndDevelopment"}, {}),
    ("hq:consumerConnector", "eq"): (CONSUMER_NODE, {}, {"connector": OTHER_NODE}),
    ("hq:consumerConnector", "isAnyOf"): ([CONSUMER_NODE], {}, {"connector": OTHER_NODE}),
    ("hq:minGroupSize", "gteq"): (10, {}, {"output_kind": "rows"}),
    ("hq:privacyUnit", "eq"): ("tailnum", {}, None),
    ("hq:outputKind", "isAnyOf"): (["aggregate"], {}, {"output_kind": "rows"}),
    ("hq:executor", "isAnyOf"): ([OTHER_NODE], ELSEWHERE, STRANGER),
}
ENFORCED = sorted({operand for operand, _ in TABLE})
KNOWN_ONLY = sorted(set(OPERANDS) - set(ENFORCED))
PAIRS = [(operand, operator) for operand in OPERANDS for operator in OPERATORS]
# Needs are alternatives here: the operator or its setting decides which one is read.
MISSING: dict[str, tuple[Changes, ...]] = {
    "count": ({"used_count": None},),
    "frequency": ({"used_in_unit": None}, {"used_in_unit": {"PT1M": 0}}),
    "dateRecord": ({"used_rows": None}, {"request_rows": None}),
    "dataField": ({"requested_fields": None},),
    "executionEnv": ({"environment": None}, {"environment": ""}, {"environment": "99"}),
    "hq:purpose": ({"purpose": None}, {"purpose": ""}, {"purpose": "anything"}),
    "hq:consumerConnector": ({"connector": ""},),
    "hq:minGroupSize": ({"output_kind": None},),
    "hq:outputKind": ({"output_kind": None}, {"output_kind": "model"}),
    "hq:executor": ({"more": {}}, {"more": {"executor": ""}}, {"more": {"executor": 7}}),
}


def decided(operand: str, operator: str, value: Value, context: Context) -> Decision:
    constraints = [term(operand, operator, value)]
    if (operand, operator) == ("timeWindow", "eq"):
        constraints.append(term("count", "lteq", 3))
    return decide(compiled_terms(terms_of(permit(*constraints))), context).decision


def test_every_operand_of_the_standard_is_in_the_library() -> None:
    assert set(CONSTRAINTS) <= set(OPERANDS)


def test_the_table_has_a_row_for_every_allowed_operator() -> None:
    allowed = {(name, op) for name in ENFORCED for op in OPERANDS[name].operators}
    assert allowed == set(TABLE)


def test_no_operand_was_forgotten_in_the_table() -> None:
    assert [name for name in OPERANDS if not OPERANDS[name].name.endswith("@0")] == sorted(
        ENFORCED, key=list(OPERANDS).index
    )


@pytest.mark.parametrize(("operand", "operator"), TABLE)
def test_allows_what_it_should(operand: str, operator: str) -> None:
    value, allows, _ = TABLE[operand, operator]
    assert decided(operand, operator, value, use(**allows)) is Decision.ALLOWED


@pytest.mark.parametrize(("operand", "operator"), [key for key, row in TABLE.items() if row[2]])
def test_denies_what_it_should_and_says_why(operand: str, operator: str) -> None:
    value, _, denies = TABLE[operand, operator]
    assert denies is not None
    context = use(**denies)
    assert decided(operand, operator, value, context) is Decision.DENIED
    constraints = [term(operand, operator, value), term("count", "lteq", 3)]
    reasons = decide(compiled_terms(terms_of(permit(*constraints))), context).reasons
    assert reasons
    assert all(reason.text.zh and reason.text.en and reason.where for reason in reasons)


@pytest.mark.parametrize(("operand", "operator"), PAIRS)
def test_an_operator_that_is_not_allowed_denies_and_is_found(operand: str, operator: str) -> None:
    if operator in OPERANDS[operand].operators:
        return
    constraint = term(operand, operator, "P1D")
    assert decided(operand, operator, "P1D", use()) is Decision.DENIED
    found = Policies().check(terms_of(permit(constraint)))
    assert "policy.operator_not_allowed" in {finding.code for finding in found}


@pytest.mark.parametrize(
    ("operand", "operator", "changes"),
    [
        (operand, operator, changes)
        for operand, operator in TABLE
        for changes in MISSING.get(operand, ())
    ],
)
def test_a_missing_or_unknown_value_denies(operand: str, operator: str, changes: Changes) -> None:
    value = TABLE[operand, operator][0]
    assert decided(operand, operator, value, use(**changes)) is Decision.DENIED


@pytest.mark.parametrize(
    ("operand", "operator", "changes"),
    [
        (operand, operator, changes)
        for operand, operator in TABLE
        for changes in MISSING.get(operand, ())
        if OPERANDS[operand].forbids
    ],
)
def test_a_missing_value_makes_a_prohibition_apply(
    operand: str, operator: str, changes: Changes
) -> None:
    rule = forbid(term(operand, operator, TABLE[operand, operator][0]))
    verdict = decide(compiled_terms(terms_of(permit(), rule)), use(**changes))
    assert verdict.decision is Decision.DENIED


def test_missing_activation_denies_a_span() -> None:
    context = use(activation_time=None)
    assert decided("timeWindow", "lteq", "P7D", context) is Decision.DENIED


def test_a_use_before_activation_is_outside_the_span() -> None:
    context = use(activation_time=AT + timedelta(seconds=1))
    assert decided("timeWindow", "lteq", "P7D", context) is Decision.DENIED


def test_every_need_of_an_operand_is_a_field_of_the_context() -> None:
    fields = {field.name for field in msgspec.structs.fields(Context)}
    needs = {need.partition(".")[0] for operand in OPERANDS.values() for need in operand.needs}
    assert needs <= fields


@pytest.mark.parametrize("operand", KNOWN_ONLY)
def test_a_known_operand_without_enforcement_denies_and_cannot_be_signed(operand: str) -> None:
    for operator in OPERANDS[operand].operators:
        terms = terms_of(permit(term(operand, operator, "x")))
        assert decide(compiled_terms(terms), use()).decision is Decision.DENIED
        report = Policies().report(terms)
        assert not report.signable
        assert [line.strength for line in report.terms if "constraints" in line.where] == [None]


@pytest.mark.parametrize("operand", ENFORCED)
def test_an_enforced_operand_is_signable_in_sql_and_in_no_other_mode_yet(operand: str) -> None:
    for operator in OPERANDS[operand].operators:
        constraint = term(operand, operator, TABLE[operand, operator][0])
        rule = permit(constraint, term("count", "lteq", 3))
        if operand == "count":
            rule = permit(constraint)
        terms = terms_of(rule)
        assert Policies().report(terms).signable, Policies().check(terms)
        other = msgspec.structs.replace(terms, mode="api")
        assert (
            not Policies().report(msgspec.convert(msgspec.to_builtins(other), type(terms))).signable
        )


@pytest.mark.parametrize(
    ("operand", "operator", "value"),
    [
        ("time", "gteq", "yesterday"),
        ("time", "gteq", "20261340000000"),
        ("timeWindow", "lteq", "P1M"),
        ("timeWindow", "lteq", "P0D"),
        ("timeWindow", "isPartOf", "09:00/09:00"),
        ("timeWindow", "isPartOf", "25:00/26:00"),
        ("count", "lteq", "three"),
        ("count", "lteq", -1),
        ("count", "lteq", 2**53),
        ("count", "lteq", True),
        ("dataField", "isPartOf", []),
        ("dataField", "isPartOf", ["a", " b"]),
        ("dataField", "isPartOf", 7),
        ("executionEnv", "eq", "99"),
        ("executionEnv", "eq", ["01", "02"]),
        ("hq:purpose", "isA", "anything"),
        ("hq:purpose", "isA", ["research", "marketing"]),
        ("hq:consumerConnector", "eq", ["a", "b"]),
        ("hq:minGroupSize", "gteq", 0),
        ("hq:outputKind", "isAnyOf", ["model"]),
        ("hq:privacyUnit", "eq", ""),
    ],
)
def test_a_wrong_value_is_found_and_denies(operand: str, operator: str, value: Value) -> None:
    terms = terms_of(permit(term(operand, operator, value)))
    found = Policies().check(terms)
    assert ("policy.wrong_value", "rules[0].constraints[0]") in {(f.code, f.where) for f in found}
    assert decide(compiled_terms(terms), use()).decision is Decision.DENIED


def test_a_slot_may_pass_midnight() -> None:
    night = AT.replace(hour=15)  # 23:15 in Shanghai
    assert decided("timeWindow", "isPartOf", "22:00/06:00", use(at=night)) is Decision.ALLOWED
    assert decided("timeWindow", "isPartOf", "22:00/06:00", use()) is Decision.DENIED


def test_the_end_of_a_slot_is_outside() -> None:
    end = AT.replace(hour=10, minute=0)  # 18:00 in Shanghai
    assert decided("timeWindow", "isPartOf", "09:00/18:00", use(at=end)) is Decision.DENIED


def test_a_forbidden_column_cannot_hide_among_others() -> None:
    rule = forbid(term("dataField", "isPartOf", ["id_no"]))
    verdict = decide(compiled_terms(terms_of(permit(), rule)), use(**ASKS_ID))
    assert verdict.decision is Decision.DENIED


def test_frequency_takes_its_unit_from_the_rule_and_count_then_means_the_contract() -> None:
    rule = permit(
        term("count", "lteq", 5), term("frequency", "lteq", 2), term("timeWindow", "eq", "PT1M")
    )
    compiled = compiled_terms(terms_of(rule))
    assert compiled.units == ("PT1M",)
    minute = {"PT1M": 1}
    assert decide(compiled, use(used_count=4, used_in_unit=minute)).decision is Decision.ALLOWED
    assert decide(compiled, use(used_count=5, used_in_unit=minute)).decision is Decision.DENIED
    full = use(used_count=4, used_in_unit={"PT1M": 2})
    assert decide(compiled, full).decision is Decision.DENIED


def test_the_own_node_may_still_run_when_others_are_named() -> None:
    assert decided("hq:executor", "isAnyOf", [OTHER_NODE], use()) is Decision.ALLOWED


def test_without_an_executor_term_only_the_own_node_may_run() -> None:
    compiled = compiled_terms(terms_of(permit()))
    assert decide(compiled, use()).decision is Decision.ALLOWED
    assert decide(compiled, use(**ELSEWHERE)).decision is Decision.DENIED
    assert decide(compiled, use(more={})).decision is Decision.DENIED


def test_without_a_named_own_node_the_subject_code_decides() -> None:
    compiled = compiled_terms(terms_of(permit()))
    assert decide(compiled, use(more={"executor": PROVIDER_NODE})).decision is Decision.ALLOWED
    assert decide(compiled, use(more={"executor": OTHER_NODE})).decision is Decision.DENIED
    nameless = use(more={"executor": "x"}, product="x")
    assert decide(compiled, nameless).decision is Decision.DENIED
    assert PRODUCT[1:19] == PROVIDER_NODE[1:19]


def test_operand_names_are_versioned() -> None:
    assert all("@" in operand.name for operand in OPERANDS.values())
