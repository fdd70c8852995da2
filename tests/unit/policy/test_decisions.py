"""A use is decided by the algorithm of the standard's reading, with every reason in plain words."""

import msgspec
import pytest

from huiqi.policy.errors import NothingAllowed
from huiqi.policy.service import Policies
from huiqi.policy.types import Bounds, Context, Decision, Terms, Verdict
from tests.unit.policy.samples import (
    OTHER_NODE,
    PROVIDER_NODE,
    after,
    flight_terms,
    forbid,
    oblige,
    permit,
    term,
    terms_of,
    use,
)

MARKETING = term("hq:purpose", "isA", "marketing")
ROWS = term("hq:outputKind", "isAnyOf", ["aggregate", "rows"])
JOINT = {"executor": OTHER_NODE, "provider_node": PROVIDER_NODE}


def decided(terms: Terms, context: Context) -> Verdict:
    policies = Policies()
    return policies.decide(policies.compiled("k", terms), context)


def bounds(terms: Terms, context: Context) -> Bounds:
    policies = Policies()
    return policies.bounds(policies.compiled("k", terms), context)


def test_a_use_within_the_terms_is_allowed_here_and_on_the_named_connector() -> None:
    assert decided(flight_terms(), use()) == Verdict(Decision.ALLOWED, ())
    assert decided(flight_terms(), use(more=JOINT)).decision is Decision.ALLOWED


def test_every_reason_is_given_in_both_languages_with_the_asked_value_and_the_limit() -> None:
    context = use(
        used_count=500, purpose="marketing", requested_fields=("tailnum",), connector="elsewhere"
    )
    verdict = decided(flight_terms(), context)
    assert verdict.decision is Decision.DENIED
    said = {reason.code: reason.text for reason in verdict.reasons}
    assert set(said) == {
        "policy.count",
        "policy.purpose",
        "policy.data_field",
        "policy.consumer_connector",
    }
    assert said["policy.count"].zh == "该合约最多可用 500 次，已用 500 次"
    assert said["policy.count"].en == "The contract allows 500 uses at most; 500 are used"
    assert "tailnum" in said["policy.data_field"].zh
    assert "市场营销" in said["policy.purpose"].zh
    assert "elsewhere" in said["policy.consumer_connector"].en


def test_reasons_say_where_in_the_terms() -> None:
    verdict = decided(flight_terms(), use(used_count=500))
    assert [reason.where for reason in verdict.reasons] == ["rules[0].constraints[2]"]


def test_an_action_that_nothing_permits_is_denied_by_default() -> None:
    verdict = decided(flight_terms(), use(action="read"))
    assert verdict.decision is Decision.DEFAULT_DENIED
    assert [reason.code for reason in verdict.reasons] == ["policy.nothing_permits"]
    assert decided(terms_of(), use()).decision is Decision.DEFAULT_DENIED


def test_an_unknown_action_is_never_permitted_even_when_the_terms_name_it() -> None:
    terms = terms_of(permit(actions=("fly",)))
    assert decided(terms, use(action="fly")).decision is Decision.DEFAULT_DENIED


def test_a_prohibition_beats_a_permission_in_any_order() -> None:
    for rules in ([permit(), forbid(MARKETING)], [forbid(MARKETING), permit()]):
        verdict = decided(terms_of(*rules), use(purpose="direct-marketing"))
        assert verdict.decision is Decision.DENIED
        assert [reason.code for reason in verdict.reasons] == ["policy.prohibited"]
        assert "市场营销" in verdict.reasons[0].text.zh
        assert decided(terms_of(*rules), use()).decision is Decision.ALLOWED


def test_an_unknown_term_refuses_in_a_permission_and_forbids_in_a_prohibition() -> None:
    unknown = term("height", "lteq", 1)
    assert decided(terms_of(permit(unknown)), use()).decision is Decision.DENIED
    assert decided(terms_of(permit(), forbid(unknown)), use()).decision is Decision.DENIED


def test_an_unconditional_prohibition_says_so() -> None:
    verdict = decided(terms_of(permit(), forbid()), use())
    assert verdict.reasons[0].text.zh == "合约禁止操作“计算”"


def test_open_pre_duties_make_it_conditional_until_they_are_met() -> None:
    terms = terms_of(after(permit(), "compensate", "alert"))
    verdict = decided(terms, use())
    assert verdict.decision is Decision.CONDITIONAL
    assert [duty.action for duty in verdict.duties] == ["compensate", "alert"]
    half = decided(terms, use(fulfilled_duties=("alert",)))
    assert [duty.action for duty in half.duties] == ["compensate"]
    met = use(fulfilled_duties=("alert", "compensate"))
    assert decided(terms, met).decision is Decision.ALLOWED


def test_failing_constraints_deny_before_duties_are_asked_for() -> None:
    terms = terms_of(after(permit(term("count", "lteq", 1)), "compensate"))
    assert decided(terms, use()).decision is Decision.DENIED


def test_one_of_several_permissions_is_enough() -> None:
    terms = terms_of(
        permit(MARKETING), after(permit(), "compensate"), permit(term("count", "lteq", 9))
    )
    assert decided(terms, use()).decision is Decision.ALLOWED


def test_overdue_or_unknown_obligations_deny() -> None:
    terms = terms_of(permit(), oblige("delete"))
    unknown = decided(terms, use())
    assert [reason.code for reason in unknown.reasons] == ["policy.obligation_unknown"]
    home = {"executor": PROVIDER_NODE}
    overdue = decided(terms, use(more={**home, "overdue_duties": ("delete",)}))
    assert [reason.code for reason in overdue.reasons] == ["policy.obligation_overdue"]
    fine = decided(terms, use(more={**home, "overdue_duties": ()}))
    assert fine.decision is Decision.ALLOWED


def test_reading_needs_no_separate_access_and_forbidden_access_forbids_reading() -> None:
    reading = permit(actions=("read",))
    assert decided(terms_of(reading), use(action="access")).decision is Decision.ALLOWED
    blocked = terms_of(reading, forbid(actions=("access",)))
    assert decided(blocked, use(action="read")).decision is Decision.DENIED


def test_compute_never_returns_single_records_unless_granted() -> None:
    rows = use(output_kind="rows")
    verdict = decided(terms_of(permit()), rows)
    assert [reason.code for reason in verdict.reasons] == ["policy.output_kind"]
    reading = terms_of(permit(actions=("read",)))
    assert decided(reading, use(action="read", output_kind="rows")).decision is Decision.ALLOWED


def test_bounds_of_the_flight_terms() -> None:
    assert bounds(flight_terms(), use()) == Bounds(
        fields=("month", "day", "carrier", "origin", "dest", "dep_delay", "arr_delay", "distance",
                "time_hour"),
        row_filter="\"origin\" IN ('EWR', 'JFK', 'LGA') AND \"month\" BETWEEN 1 AND 12",
        row_filter_columns=("origin", "month"),
        aggregate_only=True,
        min_group=10,
        privacy_unit="tailnum",
        most_rows=100_000,
    )  # fmt: skip


def test_bounds_of_several_constraints_are_the_stricter_ones() -> None:
    rule = permit(
        term("dataField", "isPartOf", ["carrier", "dep_delay", "day"]),
        term("dataField", "isPartOf", ["dep_delay", "carrier"]),
        term("dataField", "isNoneOf", ["tailnum"]),
        term("valueExpression", "eq", "month = 1"),
        term("valueExpression", "isA", "day < 9"),
        term("hq:minGroupSize", "gteq", 5),
        term("hq:minGroupSize", "gteq", 7),
        term("dateRecord", "lteq", 5000),
        term("dateRecord", "lt", 2001),
    )
    held = bounds(terms_of(rule), use())
    assert held.fields == ("carrier", "dep_delay")
    assert held.fields_denied == ("tailnum",)
    assert held.row_filter == '"month" = 1 AND "day" < 9'
    assert (held.min_group, held.most_rows) == (7, 2000)


def test_a_prohibition_of_columns_narrows_the_bounds() -> None:
    terms = terms_of(permit(), forbid(term("dataField", "isAnyOf", ["tailnum"])))
    assert bounds(terms, use()).fields_denied == ("tailnum",)
    elsewhere = terms_of(permit(), forbid(term("dataField", "isAnyOf", ["tailnum"]), MARKETING))
    assert bounds(elsewhere, use()).fields_denied == ()


@pytest.mark.parametrize(
    ("terms", "action", "only"),
    [
        (terms_of(permit()), "compute", True),
        (terms_of(permit(ROWS)), "compute", True),
        (terms_of(permit(ROWS, actions=("compute", "read"))), "compute", False),
        (terms_of(permit(actions=("compute", "read"))), "compute", True),
        (terms_of(permit(actions=("compute", "read"))), "read", False),
        (terms_of(permit(term("hq:outputKind", "isAnyOf", ["aggregate"]), actions=("read",))),
         "read", True),
    ],
)  # fmt: skip
def test_aggregates_only_unless_rows_are_granted(terms: Terms, action: str, only: object) -> None:
    assert bounds(terms, use(action=action)).aggregate_only is only


def test_bounds_of_a_use_that_is_not_allowed_are_refused() -> None:
    with pytest.raises(NothingAllowed):
        bounds(flight_terms(), use(used_count=500))


def test_bounds_are_those_of_the_permission_without_open_duties() -> None:
    first = after(permit(), "compensate")
    second = permit(term("hq:minGroupSize", "gteq", 3))
    assert bounds(terms_of(first, second), use()).min_group == 3


def test_needs_and_units_name_what_must_be_known() -> None:
    policies = Policies()
    compiled = policies.compiled("k", flight_terms())
    assert policies.units(compiled) == ("PT1H",)
    assert {"purpose", "used_count", "more.executor"} <= compiled.needs
    weekly = terms_of(permit(term("count", "lteq", 3), term("timeWindow", "eq", "P1W")))
    assert policies.units(policies.compiled("w", weekly)) == ("P7D",)
    assert policies.window_seconds("P7D") == 604_800


def test_the_cache_keeps_by_key_until_it_is_told_to_forget() -> None:
    policies = Policies()
    first = policies.compiled("k", flight_terms())
    assert policies.compiled("k", flight_terms()) is first
    policies.forget("k")
    policies.forget("never there")
    assert policies.compiled("k", flight_terms()) is not first


def test_terms_survive_their_bytes() -> None:
    encoded = msgspec.json.encode(flight_terms())
    assert msgspec.json.decode(encoded, type=Terms) == flight_terms()
