"""Whatever the terms and the use are: the compiled decision is right and safe."""

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqi.kernel.canonical import canonical_bytes
from huiqi.policy.compilation import compiled_terms
from huiqi.policy.decisions import decide
from huiqi.policy.reference import reference_decision
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Context, Decision, Duty, Policy, Rule, RuleKind, Terms
from huiqi.policy.vocabulary import OPERATORS
from tests.unit.policy.samples import (
    AT,
    CONSUMER_NODE,
    OTHER_NODE,
    PROVIDER_NODE,
    terms_of,
    use,
)
from tests.unit.policy.test_operands import TABLE

bounded = settings(max_examples=150, deadline=None)
operands = sorted({operand for operand, _ in TABLE} | {"region", "height"})
sampled = st.sampled_from([Constraint(*key, row[0]) for key, row in TABLE.items()])
odd = st.builds(
    Constraint,
    st.sampled_from(operands),
    st.sampled_from([*OPERATORS, "roughly"]),
    st.one_of(
        st.integers(-1, 5),
        st.sampled_from(
            ["P1D", "PT1M", "09:00/18:00", "01", "research", "20261124101500", "", "a=1"]
        ),
        st.lists(
            st.sampled_from(["carrier", "01", "research", "aggregate", OTHER_NODE]), max_size=2
        ),
    ),
)
constraints = st.one_of(sampled, sampled, odd)
rules = st.builds(
    Rule,
    st.sampled_from([RuleKind.PERMISSION, RuleKind.PERMISSION, RuleKind.PROHIBITION]),
    st.lists(st.sampled_from(["compute", "compute", "read", "access", "fly"]), max_size=2).map(
        tuple
    ),
    st.lists(constraints, max_size=3).map(tuple),
    st.lists(st.sampled_from([Duty("alert"), Duty("compensate")]), max_size=1).map(tuple),
)
obligations = st.just(Rule(RuleKind.OBLIGATION, ("delete",)))
policies = st.lists(st.one_of(rules, rules, rules, obligations), max_size=4)


def mostly(usual: object, *odd: object) -> st.SearchStrategy[object]:
    """The usual value twice as often as all odd ones, so that many uses are allowed."""
    return st.sampled_from([usual] * 2 * len(odd) + list(odd))


HOME = {"executor": PROVIDER_NODE, "provider_node": PROVIDER_NODE, "overdue_duties": ()}
contexts = st.builds(
    use,
    at=mostly(AT, AT - timedelta(hours=15), AT + timedelta(seconds=1), AT + timedelta(days=60)),
    action=mostly("compute", "read", "access", "fly"),
    connector=mostly(CONSUMER_NODE, OTHER_NODE, ""),
    environment=mostly("01", "02", "99", None),
    purpose=mostly("academic-research", "marketing", "统计分析", "fun", None),
    requested_fields=mostly(("city", "sum"), (), ("id_no",), ("carrier",), None),
    output_kind=mostly("aggregate", "rows", "model", None),
    activation_time=mostly(AT - timedelta(days=1), AT - timedelta(days=7), AT + timedelta(1), None),
    used_count=mostly(0, 1, 2, 3, None),
    used_in_unit=mostly({"PT1M": 0, "P1D": 1}, {"P1D": 2}, {"P1D": 60}, {"PT1M": 4}, None),
    used_rows=mostly(0, 900, 1000, None),
    request_rows=mostly(1, 100, 101, None),
    fulfilled_duties=mostly((), ("alert",), ("alert", "compensate")),
    more=mostly(HOME, {"executor": PROVIDER_NODE}, {"executor": OTHER_NODE}, {}),
)


def verdict(policy: list[Rule], context: Context) -> Decision:
    return decide(compiled_terms(terms_of(*policy)), context).decision


@bounded
@given(policies, contexts)
def test_compiled_and_reference_agree(policy: list[Rule], context: Context) -> None:
    assert verdict(policy, context) is reference_decision(Policy(tuple(policy)), context)


@bounded
@given(sampled, sampled, contexts)
def test_they_agree_on_sound_constraints(
    one: Constraint, other: Constraint, context: Context
) -> None:
    for kind in (RuleKind.PERMISSION, RuleKind.PROHIBITION):
        policy = [Rule(RuleKind.PERMISSION, ("compute",)), Rule(kind, ("compute",), (one, other))]
        for rules_ in (policy, policy[1:]):
            expected = reference_decision(Policy(tuple(rules_)), context)
            assert verdict(rules_, context) is expected


@bounded
@given(policies, rules, contexts)
def test_a_further_prohibition_never_turns_a_refusal_into_leave(
    policy: list[Rule], rule: Rule, context: Context
) -> None:
    prohibition = msgspec.structs.replace(rule, kind=RuleKind.PROHIBITION)
    if verdict(policy, context) is not Decision.ALLOWED:
        assert verdict([*policy, prohibition], context) is not Decision.ALLOWED


@bounded
@given(policies, rules, constraints, contexts)
def test_a_further_constraint_never_widens_a_permission(
    policy: list[Rule], rule: Rule, constraint: Constraint, context: Context
) -> None:
    operand = constraint.operand
    if operand in ("timeWindow", "frequency", "hq:executor", "hq:outputKind"):
        return  # they replace a default of the rule: a window, the own node, aggregates
    wide = msgspec.structs.replace(rule, kind=RuleKind.PERMISSION)
    narrow = msgspec.structs.replace(wide, constraints=(*wide.constraints, constraint))
    if verdict([*policy, wide], context) is not Decision.ALLOWED:
        assert verdict([*policy, narrow], context) is not Decision.ALLOWED


@bounded
@given(policies.flatmap(lambda p: st.tuples(st.just(p), st.permutations(p))), contexts)
def test_the_order_of_rules_does_not_matter(
    both: tuple[list[Rule], list[Rule]], context: Context
) -> None:
    assert verdict(both[0], context) is verdict(both[1], context)


@bounded
@given(policies)
def test_terms_survive_their_canonical_bytes(policy: list[Rule]) -> None:
    terms = terms_of(*policy)
    data = canonical_bytes(terms)
    again = msgspec.json.decode(data, type=Terms)
    assert again == terms
    assert canonical_bytes(again) == data


@bounded
@given(policies)
def test_normalising_twice_is_normalising_once(policy: list[Rule]) -> None:
    once = Policies().normalised(terms_of(*policy))
    assert Policies().normalised(once) == once


@bounded
@given(policies, contexts)
def test_what_can_be_signed_holds_nothing_that_is_not_understood(
    policy: list[Rule], context: Context
) -> None:
    terms = terms_of(*policy)
    report = Policies().report(terms)
    Policies().explain(terms)
    assert Policies().differences(terms, terms) == ()
    if report.signable:
        assert all(line.strength is not None for line in report.terms)
    refused = decide(compiled_terms(terms), context)
    if refused.decision is not Decision.ALLOWED:
        assert refused.reasons
