"""Terms and the fields of the form become each other without loss."""

import pytest

from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.web.forms import Form, WrongField
from huiqi.web.i18n import Tongue
from huiqi.web.terms_form import faults_of, form_from, terms_of

FULL = {
    "purpose": ["research", "statistics"],
    "columns": ["origin", "dep_delay"],
    "rows": ["origin = 'JFK'"],
    "count": ["20"],
    "frequency": ["5"],
    "most_rows": ["1,000"],
    "days": ["90"],
    "min_group": ["10"],
    "privacy_unit": ["tailnum"],
    "output": ["rows"],
    "executor": ["5A, 5B"],
    "use_yuan": ["2.50"],
    "row_yuan": ["0.01"],
    "fee_percent": ["2.5"],
    "weight": ["3"],
}


def form(**changes: str) -> Form:
    return Form({**FULL, **{name: [value] for name, value in changes.items()}}, {})


def test_money_is_whole_fen_and_percent_is_basis_points() -> None:
    price = terms_of(form()).price
    assert price.parameters == {"per_use_fen": 250, "per_row_fen": 1}
    assert price.platform_fee_bp == 250
    assert price.joint_weight == 3


def test_a_full_form_survives_the_round_trip() -> None:
    terms = terms_of(form())
    shown = form_from(terms)
    assert shown.editable
    again = Form(
        {
            **{
                name: [getattr(shown, name)]
                for name in FULL
                if isinstance(getattr(shown, name), str)
            },
            **{
                name: list(getattr(shown, name))
                for name in FULL
                if isinstance(getattr(shown, name), tuple)
            },
        },
        {},
    )
    assert terms_of(again) == terms


def test_the_policy_room_knows_every_term_the_form_makes() -> None:
    terms = Policies().normalised(terms_of(form(executor="", privacy_unit="", output="aggregate")))
    report = Policies().report(terms, columns=["origin", "dep_delay", "tailnum"])
    assert report.signable, report.findings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days", ""),
        ("days", "0"),
        ("days", "neunzig"),
        ("count", "-1"),
        ("count", "1.5"),
        ("use_yuan", "0.001"),
        ("use_yuan", "-2"),
        ("use_yuan", "NaN"),
        ("row_yuan", "1e9999"),
        ("fee_percent", "x"),
    ],
)
def test_what_is_not_a_number_is_named_by_its_field(name: str, value: str) -> None:
    with pytest.raises(WrongField) as caught:
        terms_of(form(**{name: value}))
    assert caught.value.field == name


FREE = {"per_use_fen": 0, "per_row_fen": 0}


def rule(*constraints: Constraint, kind: RuleKind = RuleKind.PERMISSION) -> Terms:
    policy = Policy((Rule(kind, ("compute",), constraints),))
    return Terms(policy=policy, mode=Mode.SQL, days=30, price=Price(parameters=FREE))


@pytest.mark.parametrize(
    "terms",
    [
        rule(Constraint("count", "lteq", 5), Constraint("count", "lteq", 3)),
        rule(kind=RuleKind.PROHIBITION),
    ],
)
def test_terms_of_another_shape_are_not_editable_rather_than_shortened(terms: Terms) -> None:
    assert not form_from(terms).editable


def test_what_has_no_field_travels_along_unchanged() -> None:
    extra = Constraint("executionEnv", "isAnyOf", ["01"])
    ban = Rule(RuleKind.PROHIBITION, ("read",))
    listed = rule(Constraint("count", "lteq", 5), extra)
    terms = Terms(Policy((*listed.policy.rules, ban)), Mode.SQL, 30, Price(parameters=FREE))
    shown = form_from(terms)
    assert shown.kept_count == 2
    sent = terms_of(Form({"days": ["30"], "count": ["4"], "kept": [shown.kept]}, {}))
    assert extra in sent.policy.rules[0].constraints
    assert Constraint("count", "lteq", 4) in sent.policy.rules[0].constraints
    assert sent.policy.rules[1] == ban


def test_only_the_edited_clause_counts_as_a_difference() -> None:
    listed = rule(
        Constraint("executionEnv", "isAnyOf", ["01"]),
        Constraint("hq:outputKind", "isAnyOf", ["aggregate"]),
        Constraint("count", "lteq", 5),
    )
    shown = form_from(listed)
    fields = {"days": ["30"], "count": ["4"], "kept": [shown.kept], "weight": ["1"]}
    changed = Policies().differences(listed, terms_of(Form(fields, {})))
    assert len(changed) == 1


def test_a_forged_rest_is_refused() -> None:
    with pytest.raises(WrongField):
        terms_of(form(kept="{]"))


def test_findings_stand_beside_their_field() -> None:
    terms = terms_of(form(rows="((", privacy_unit="", executor=""))
    findings = Policies().check(terms, columns=["origin", "dep_delay"])
    faults = faults_of(terms, findings, read=Tongue("zh").read)
    assert faults["rows"]
