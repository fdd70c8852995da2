"""How do terms and the fields of the terms form become each other?

The form covers what this software enforces in SQL mode. What has no field in it travels along
unchanged, and terms of another shape cannot be edited with it: nothing is dropped silently.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy.types import Constraint, Finding, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.web.forms import Form, WrongField
from huiqi.web.i18n import mark

READ, COMPUTE = "read", "compute"
DEFAULT_DAYS = 90

# A field of the form for each operand (T14 table C.6 and our profile).
FIELD_OF_OPERAND: Mapping[str, str] = {
    "hq:purpose": "purpose",
    "dataField": "columns",
    "valueExpression": "rows",
    "count": "count",
    "frequency": "frequency",
    "dateRecord": "most_rows",
    "hq:minGroupSize": "min_group",
    "hq:privacyUnit": "privacy_unit",
    "hq:outputKind": "output",
    "hq:executor": "executor",
}

# Which operators the fields stand for; anything else is not sayable in the form.
_LIST_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "hq:purpose": ("isAnyOf", "eq", "isA"),
    "dataField": ("isPartOf", "isAnyOf", "isAllOf", "isA"),
    "hq:executor": ("isAnyOf", "eq"),
}
_PLAIN_OPERATOR: Mapping[str, str] = {
    "valueExpression": "eq",
    "count": "lteq",
    "frequency": "lteq",
    "dateRecord": "lteq",
    "hq:minGroupSize": "gteq",
    "hq:privacyUnit": "eq",
}


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms that the form has no field for: they go with it and come back as they were."""

    constraints: tuple[Constraint, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TermsForm:
    """The terms form as text, exactly as a person sees it. ``editable`` False: show words only."""

    purpose: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: str = ""
    count: str = ""
    frequency: str = ""
    most_rows: str = ""
    days: str = str(DEFAULT_DAYS)
    min_group: str = ""
    privacy_unit: str = ""
    output: str = "aggregate"
    executor: tuple[str, ...] = ()
    use_yuan: str = "0.00"
    row_yuan: str = "0.00"
    fee_percent: str = "0"
    weight: str = "1"
    kept: str = ""
    kept_count: int = 0
    editable: bool = True
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_terms_form(form: Form) -> TermsForm:
    """What was entered, as it was entered."""
    return TermsForm(
        purpose=_split(form.texts("purpose")),
        columns=form.texts("columns"),
        rows=form.text("rows"),
        count=form.text("count"),
        frequency=form.text("frequency"),
        most_rows=form.text("most_rows"),
        days=form.text("days"),
        min_group=form.text("min_group"),
        privacy_unit=form.text("privacy_unit"),
        output="rows" if form.text("output") == "rows" else "aggregate",
        executor=_split(form.texts("executor")),
        use_yuan=form.text("use_yuan"),
        row_yuan=form.text("row_yuan"),
        fee_percent=form.text("fee_percent"),
        weight=form.text("weight"),
        kept=form.text("kept"),
        kept_count=_count_kept(form.text("kept")),
    )


def _count_kept(given: str) -> int:
    try:
        kept = _read_kept(given)
    except WrongField:
        return 0
    return len(kept.constraints) + len(kept.rules)


def terms_of(form: Form) -> Terms:
    """The terms that the fields mean.

    Raises:
        WrongField: a number or an amount cannot be read, or the length is missing.
    """
    entered = read_terms_form(form)
    days = form.whole("days", label=mark("期限"))
    if not days:
        raise WrongField("days", label=mark("期限"), value=entered.days)
    kept = _read_kept(entered.kept)
    rule = Rule(
        kind=RuleKind.PERMISSION,
        actions=(COMPUTE, READ) if entered.output == "rows" else (COMPUTE,),
        constraints=(*_constraints(form, entered), *kept.constraints),
    )
    return Terms(
        policy=Policy(rules=(rule, *kept.rules)), mode=Mode.SQL, days=days, price=_price(form)
    )


def _constraints(form: Form, entered: TermsForm) -> Iterable[Constraint]:
    if entered.purpose:
        yield Constraint("hq:purpose", "isAnyOf", list(entered.purpose))
    if entered.columns:
        yield Constraint("dataField", "isPartOf", list(entered.columns))
    if entered.rows:
        yield Constraint("valueExpression", "eq", entered.rows)
    for name, operand, label in (
        ("count", "count", mark("使用次数")),
        ("frequency", "frequency", mark("每日次数")),
        ("most_rows", "dateRecord", mark("累计行数")),
    ):
        limit = form.whole(name, label=label)
        if limit is not None:
            yield Constraint(operand, "lteq", limit)
    least = form.whole("min_group", label=mark("最小分组"))
    if least is not None:
        yield Constraint("hq:minGroupSize", "gteq", least)
    if entered.privacy_unit:
        yield Constraint("hq:privacyUnit", "eq", entered.privacy_unit)
    kinds = ["aggregate", "rows"] if entered.output == "rows" else ["aggregate"]
    yield Constraint("hq:outputKind", "isAnyOf", kinds)
    if entered.executor:
        yield Constraint("hq:executor", "isAnyOf", list(entered.executor))


def _price(form: Form) -> Price:
    weight = form.whole("weight", label=mark("联合使用权重"))
    fee = form.fen("fee_percent", label=mark("平台服务费"))
    return Price(
        parameters={
            "per_use_fen": form.fen("use_yuan", label=mark("每次价格")) or 0,
            "per_row_fen": form.fen("row_yuan", label=mark("每行价格")) or 0,
        },
        platform_fee_bp=fee or 0,
        joint_weight=1 if weight is None else weight,
    )


def form_from(terms: Terms) -> TermsForm:
    """The form that shows ``terms``. What it has no field for travels along unchanged.

    Not editable when there is not exactly one permission, or when it has duties, other actions
    or two constraints on one operand.
    """
    price = terms.price
    shown = TermsForm(
        days=str(terms.days),
        use_yuan=_plain_yuan(price.parameters.get("per_use_fen", 0)),
        row_yuan=_plain_yuan(price.parameters.get("per_row_fen", 0)),
        fee_percent=_plain_yuan(price.platform_fee_bp).rstrip("0").rstrip(".") or "0",
        weight=str(price.joint_weight),
    )
    permissions = [r for r in terms.policy.rules if r.kind is RuleKind.PERMISSION]
    if terms.mode is not Mode.SQL or len(permissions) != 1 or not _plain(permissions[0]):
        return replace(shown, editable=False)
    rest: list[Constraint] = []
    for constraint in permissions[0].constraints:
        filled = _filled(shown, constraint)
        if filled is None:
            rest.append(constraint)
        shown = filled or shown
    if READ in permissions[0].actions and shown.output != "rows":
        return replace(shown, editable=False)
    others = tuple(r for r in terms.policy.rules if r.kind is not RuleKind.PERMISSION)
    return _with_kept(shown, Kept(constraints=tuple(rest), rules=others))


def _with_kept(shown: TermsForm, kept: Kept) -> TermsForm:
    if kept == Kept():
        return shown
    return replace(
        shown,
        kept=msgspec.json.encode(kept).decode(),
        kept_count=len(kept.constraints) + len(kept.rules),
    )


def _read_kept(given: str) -> Kept:
    try:
        return msgspec.json.decode(given, type=Kept) if given else Kept()
    except msgspec.MsgspecError as error:
        raise WrongField("kept", label=mark("其他条款"), value="…") from error


def _plain(rule: Rule) -> bool:
    operands = [constraint.operand for constraint in rule.constraints]
    return (
        not rule.duties
        and set(rule.actions) <= {READ, COMPUTE}
        and len(set(operands)) == len(operands)
    )


def _filled(shown: TermsForm, constraint: Constraint) -> TermsForm | None:
    """``shown`` with the field of one constraint; None when no field can say it."""
    value = constraint.value
    match (constraint.operand, constraint.operator):
        case ("hq:outputKind", "isAnyOf"):
            return replace(shown, output="rows" if "rows" in _texts(value) else "aggregate")
        case (operand, operator) if operator in _LIST_OPERATORS.get(operand, ()):
            texts: dict[str, Any] = {FIELD_OF_OPERAND[operand]: _texts(value)}
            return replace(shown, **texts)
        case (operand, operator) if operator == _PLAIN_OPERATOR.get(operand):
            text: dict[str, Any] = {FIELD_OF_OPERAND[operand]: str(value)}
            return replace(shown, **text)
        case _:
            return None


def faults_of(
    terms: Terms, findings: Sequence[Finding], *, read: Callable[[Text], str]
) -> dict[str, tuple[str, ...]]:
    """Findings by the field of the form they belong to; ``""`` holds those of no field."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(_field_at(terms, finding.where), []).append(read(finding.text))
    return {name: tuple(sentences) for name, sentences in found.items()}


def _field_at(terms: Terms, where: str) -> str:
    for number, rule in enumerate(terms.policy.rules):
        for place, constraint in enumerate(rule.constraints):
            if where.startswith(f"rules[{number}].constraints[{place}]"):
                return FIELD_OF_OPERAND.get(constraint.operand, "")
    if where.startswith("days"):
        return "days"
    return "use_yuan" if where.startswith("price") else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _split(given: Sequence[str]) -> tuple[str, ...]:
    parts = (p.strip() for text in given for p in text.replace("，", ",").split(","))
    return tuple(dict.fromkeys(p for p in parts if p))


def _plain_yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
