"""Slowly and without compilation: what should the verdict be?

A second reading of the same rules, straight from the terms, to compare the compiled one with. It
shares only the parsers of values, the table of purposes and the vocabulary. Not for use at run
time.
"""

from collections.abc import Sequence
from datetime import timedelta

from huiqi.kernel.clock import SHANGHAI
from huiqi.policy import predicates, values
from huiqi.policy.errors import WrongValue
from huiqi.policy.purposes import KNOWN_SPELLINGS, PURPOSES, ancestors, purpose_code
from huiqi.policy.types import Constraint, Context, Decision, Policy, Rule, RuleKind
from huiqi.policy.vocabulary import ACTIONS, ENVIRONMENTS

# The same bound as the operand has: beyond it the constraint is not understood.
LARGEST_GROUP = 1_000_000
_ORDER = {
    "gt": lambda a, b: a > b,
    "gteq": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lteq": lambda a, b: a <= b,
}


def reference_decision(policy: Policy, context: Context) -> Decision:
    """The decision by the algorithm of the use-control document, section 4, rule by rule."""
    prohibitions = [r for r in policy.rules if r.kind is RuleKind.PROHIBITION]
    if any(_covers(r, context) and _all(r, context) is not False for r in prohibitions):
        return Decision.DENIED
    if any(_overdue(r, context) for r in policy.rules if r.kind is RuleKind.OBLIGATION):
        return Decision.DENIED
    permissions = [r for r in policy.rules if r.kind is RuleKind.PERMISSION and _covers(r, context)]
    if not permissions:
        return Decision.DEFAULT_DENIED
    holding = [r for r in permissions if _all(r, context) and _implied(r, context)]
    if not holding:
        return Decision.DENIED
    met = [all(d.action in context.fulfilled_duties for d in r.duties) for r in holding]
    return Decision.ALLOWED if any(met) else Decision.CONDITIONAL


def _covers(rule: Rule, context: Context) -> bool:
    asked = context.action
    if asked not in ACTIONS:
        return False
    if asked == "access" and rule.kind is RuleKind.PERMISSION and "read" in rule.actions:
        return True
    if asked == "read" and rule.kind is RuleKind.PROHIBITION and "access" in rule.actions:
        return True
    return asked in rule.actions


def _overdue(rule: Rule, context: Context) -> bool:
    overdue = context.more.get("overdue_duties")
    return overdue is None or any(action in overdue for action in rule.actions)


def _all(rule: Rule, context: Context) -> bool | None:
    answers = [holds(constraint, rule, context) for constraint in rule.constraints]
    if False in answers:
        return False
    return None if None in answers else True


def _implied(rule: Rule, context: Context) -> bool:
    operands = {constraint.operand for constraint in rule.constraints}
    if "hq:executor" not in operands and not _own(context):
        return False
    if "hq:outputKind" in operands:
        return True
    return context.output_kind != "rows" or context.action == "read"


def _own(context: Context) -> bool | None:
    executor = context.more.get("executor")
    if not executor:
        return None
    if context.more.get("provider_node"):
        return bool(executor == context.more["provider_node"])
    owner = context.product[1:19]
    return len(owner) == len("91349900MAXXXX0P1L") and str(executor)[1:19] == owner


def holds(constraint: Constraint, rule: Rule, context: Context) -> bool | None:
    """Whether one constraint holds; None when that cannot be known."""
    readers = {
        "time": _time,
        "timeWindow": _time,
        "count": _counted,
        "frequency": _counted,
        "dateRecord": _counted,
        "dataField": _fields,
        "hq:purpose": _purpose,
        "valueExpression": _bound_only,
        "hq:privacyUnit": _bound_only,
        "hq:minGroupSize": _grouped,
        "hq:outputKind": _output,
        "executionEnv": _environment,
        "hq:consumerConnector": _connector,
        "hq:executor": _executor,
    }
    reader = readers.get(constraint.operand)
    try:
        return None if reader is None else reader(constraint, rule, context)
    except WrongValue:
        return None


def _time(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    op, value, start = constraint.operator, constraint.value, context.activation_time
    if constraint.operand == "time":
        limit = values.instant(value)
        return bool(_ORDER[op](context.at, limit)) if op in _ORDER else None
    if op == "eq":
        return values.span(value) > 0
    if op == "isPartOf":
        first, last = values.slot(value)
        local = context.at.astimezone(SHANGHAI)
        now = local.hour * 60 + local.minute
        return first <= now < last if first < last else now >= first or now < last
    if op not in ("lt", "lteq"):
        return None
    longest = timedelta(seconds=values.span(value))
    if start is None:
        return None
    return context.at >= start and bool(_ORDER[op](context.at - start, longest))


def _counted(constraint: Constraint, rule: Rule, context: Context) -> bool | None:
    if constraint.operator not in ("lt", "lteq"):
        return None
    limit = values.whole(constraint.value)
    if constraint.operand == "dateRecord":
        if context.used_rows is None or context.request_rows is None:
            return None
        total = context.used_rows + context.request_rows
    else:
        used = _used(constraint.operand, rule, context)
        if used is None:
            return None
        total = used + 1
    return total <= limit if constraint.operator == "lteq" else total < limit


def _used(operand: str, rule: Rule, context: Context) -> int | None:
    spans: set[int] = set()
    for each in rule.constraints:
        if each.operand == "timeWindow" and each.operator == "eq":
            try:
                spans.add(values.span(each.value))
            except WrongValue:
                continue
    rates = {60, 3_600, 86_400}
    frequent = any(each.operand == "frequency" for each in rule.constraints)
    if operand == "frequency":
        span = max(spans & rates, default=86_400)
    else:
        span = max(spans - rates if frequent else spans, default=0)
    if span == 0:
        return context.used_count
    return (context.used_in_unit or {}).get(values.span_text(span))


def _fields(constraint: Constraint, rule: Rule, context: Context) -> bool | None:
    named, asked = values.texts(constraint.value), context.requested_fields
    if asked is None or constraint.operator not in (
        "isA", "isAnyOf", "isAllOf", "isPartOf", "isNoneOf",
    ):  # fmt: skip
        return None
    outside = [field for field in asked if field not in named]
    inside = [field for field in asked if field.lower() in {name.lower() for name in named}]
    wrong = inside if constraint.operator == "isNoneOf" else outside
    if rule.kind is RuleKind.PROHIBITION:
        return bool(outside if constraint.operator == "isNoneOf" else inside)
    return not wrong


def _purpose(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    named, op = values.texts(constraint.value), constraint.operator
    if op not in ("isA", "isAnyOf", "isNoneOf", "eq") or not set(named) <= set(PURPOSES):
        return None
    if op in ("isA", "eq") and len(named) > 1:
        return None
    if context.purpose not in KNOWN_SPELLINGS or context.purpose is None:
        return None
    declared = purpose_code(context.purpose)
    if op == "eq":
        return declared == named[0]
    part = any(name in ancestors(declared) for name in named)
    return not part if op == "isNoneOf" else part


def _bound_only(constraint: Constraint, _rule: Rule, _context: Context) -> bool | None:
    written = values.text(constraint.value)
    if constraint.operand == "hq:privacyUnit":
        return True if constraint.operator == "eq" else None
    predicates.parse(written)
    return True if constraint.operator in ("eq", "isA") else None


def _grouped(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    least, kind = values.whole(constraint.value), context.output_kind
    if constraint.operator != "gteq" or kind is None or not 1 <= least <= LARGEST_GROUP:
        return None
    return least == 1 or kind == "aggregate"


def _output(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    named, known = values.texts(constraint.value), ("aggregate", "rows")
    if constraint.operator != "isAnyOf":
        return None
    return _among(named, known, context.output_kind)


def _environment(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    named, op = values.texts(constraint.value), constraint.operator
    if op not in ("eq", "isA", "isAnyOf", "isNoneOf") or (op == "eq" and len(named) > 1):
        return None
    inside = _among(named, tuple(ENVIRONMENTS), context.environment)
    return not inside if op == "isNoneOf" and inside is not None else inside


def _connector(constraint: Constraint, _: Rule, context: Context) -> bool | None:
    named, op = values.texts(constraint.value), constraint.operator
    if op not in ("eq", "isAnyOf") or (op == "eq" and len(named) > 1):
        return None
    return context.connector in named if context.connector else None


def _executor(constraint: Constraint, rule: Rule, context: Context) -> bool | None:
    named, executor = values.texts(constraint.value), context.more.get("executor")
    if constraint.operator != "isAnyOf" or not executor:
        return None
    listed = executor in named
    return listed if rule.kind is RuleKind.PROHIBITION else listed or _own(context)


def _among(named: Sequence[str], known: Sequence[str], value: str | None) -> bool | None:
    if value not in known or not set(named) <= set(known):
        return None
    return value in named
