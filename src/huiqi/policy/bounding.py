"""What must the enforcement point hold while a decided use runs?"""

import msgspec

from huiqi.policy.compilation import Compiled, CompiledRule
from huiqi.policy.decisions import allowing
from huiqi.policy.errors import NothingAllowed
from huiqi.policy.types import Bounds, Context


def bounds_of(compiled: Compiled, context: Context) -> Bounds:
    """The bounds of the permission that allows, less what prohibitions take away.

    Raises:
        NothingAllowed: no permission holds for ``context``.
    """
    rule = allowing(compiled, context)
    if rule is None:
        raise NothingAllowed(action=context.action)
    bounds = Bounds(aggregate_only=_aggregate_only(compiled, rule, context))
    for term in rule.read.terms():
        bounds = term.narrowed(bounds)
    denied = dict.fromkeys((*bounds.fields_denied, *_forbidden_fields(compiled, context)))
    return msgspec.structs.replace(bounds, fields_denied=tuple(denied))


def _aggregate_only(compiled: Compiled, rule: CompiledRule, context: Context) -> bool:
    if "read" not in compiled.permissions:
        return True
    states_kinds = any(c.operand == "hq:outputKind" for c in rule.read.rule.constraints)
    return not states_kinds and context.action != "read"


def _forbidden_fields(compiled: Compiled, context: Context) -> list[str]:
    """Columns that a prohibition of the action names, if its other conditions may hold."""
    found: list[str] = []
    for rule in compiled.prohibitions.get(context.action, ()):
        fields = [c for c in rule.read.constraints if c.constraint.operand == "dataField"]
        others = [
            c.test
            for c in rule.constraints
            if c.read is not None and c.read.constraint.operand != "dataField"
        ]
        if fields and all(test(context) is not False for test in others):
            named = (c for c in fields if c.term and c.constraint.operator != "isNoneOf")
            found += [column for c in named if c.term for column in c.term.columns()]
    return found
