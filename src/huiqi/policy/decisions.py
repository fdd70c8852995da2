"""May this use happen? The algorithm of the use-control document, section 4.

1. A prohibition whose constraints all hold, or cannot be known: deny.
2. An obligation that is overdue, or whose state is not known: deny.
3. No permission for the action: default deny.
4. A permission whose constraints all hold and that has no open pre-duty: allow.
5. A permission whose constraints all hold but with open pre-duties: conditional, with the duties.
6. Otherwise deny, with every constraint that does not hold.

Prohibition beats permission. A missing or unknown value never permits and always forbids.
"""

from collections.abc import Iterator

from huiqi.kernel.text import Text
from huiqi.policy.compilation import Compiled, CompiledRule
from huiqi.policy.types import Context, Decision, Duty, Reason, Verdict
from huiqi.policy.vocabulary import action_name

# One object for every allowed use: building reasons is left to refusals.
ALLOWED = Verdict(Decision.ALLOWED, ())


def decide(compiled: Compiled, context: Context) -> Verdict:
    """The verdict with all its reasons."""
    action = context.action
    if action not in compiled.prohibitions and not compiled.obligations:
        for rule in compiled.permissions.get(action, ()):
            if not rule.duties and _holds(rule, context):
                return ALLOWED
    return _in_full(compiled, context)


def _holds(rule: CompiledRule, context: Context) -> bool:
    for test in rule.tests:  # noqa: SIM110 - all() over a generator costs twice the time
        if not test(context):
            return False
    return True


def forbids(rule: CompiledRule, context: Context) -> bool:
    """Whether a prohibition applies: none of its constraints is known not to hold."""
    return all(test(context) is not False for test in rule.tests)


def allowing(compiled: Compiled, context: Context) -> CompiledRule | None:
    """The permission that allows: all its constraints hold, and it has the fewest open duties."""
    rules = compiled.permissions.get(context.action, ())
    holding = [rule for rule in rules if _holds(rule, context)]
    return min(holding, key=lambda rule: len(_open(rule, context)), default=None)


def _in_full(compiled: Compiled, context: Context) -> Verdict:
    permissions = compiled.permissions.get(context.action, ())
    reasons = [*_prohibited(compiled, context), *_overdue(compiled, context)]
    if reasons:
        return Verdict(Decision.DENIED, tuple(reasons))
    if not permissions:
        return Verdict(Decision.DEFAULT_DENIED, (_nothing_permits(context),))
    return _by_permission(permissions, context)


def _by_permission(permissions: tuple[CompiledRule, ...], context: Context) -> Verdict:
    holding = [rule for rule in permissions if _holds(rule, context)]
    if not holding:
        failing = (reason for rule in permissions for reason in _failing(rule, context))
        return Verdict(Decision.DENIED, tuple(failing))
    open_duties = [_open(rule, context) for rule in holding]
    if () in open_duties:
        return ALLOWED
    least = min(open_duties, key=len)
    return Verdict(Decision.CONDITIONAL, tuple(map(_open_reason, least)), least)


def _open(rule: CompiledRule, context: Context) -> tuple[Duty, ...]:
    return tuple(duty for duty in rule.duties if duty.action not in context.fulfilled_duties)


def _failing(rule: CompiledRule, context: Context) -> Iterator[Reason]:
    for constraint in rule.constraints:
        if not constraint.test(context):
            yield constraint.reason(context)


def _prohibited(compiled: Compiled, context: Context) -> Iterator[Reason]:
    for rule in compiled.prohibitions.get(context.action, ()):
        if forbids(rule, context):
            yield Reason("policy.prohibited", _prohibition(rule, context), rule.where)


def _prohibition(rule: CompiledRule, context: Context) -> Text:
    name = action_name(context.action)
    conditions = [c.read.condition() for c in rule.constraints if c.read is not None]
    if not conditions:
        return Text(f"合约禁止操作“{name.zh}”", f"The contract forbids to {name.en}")
    zh = "，".join(condition.zh for condition in conditions)
    en = " and ".join(condition.en for condition in conditions)
    return Text(
        f"合约禁止操作“{name.zh}”，条件为：{zh}", f"The contract forbids to {name.en} when {en}"
    )


def _overdue(compiled: Compiled, context: Context) -> Iterator[Reason]:
    known = context.more.get("overdue_duties")
    for action in sorted(compiled.obligations):
        name = action_name(action)
        if not isinstance(known, (tuple, list, set, frozenset)):
            text = Text(
                f"义务“{name.zh}”的状态未知", f"Whether the duty '{name.en}' is met is unknown"
            )
            yield Reason("policy.obligation_unknown", text)
        elif action in known:
            text = Text(f"义务“{name.zh}”已逾期", f"The duty '{name.en}' is overdue")
            yield Reason("policy.obligation_overdue", text)


def _nothing_permits(context: Context) -> Reason:
    name = action_name(context.action)
    return Reason(
        "policy.nothing_permits",
        Text(
            f"合约没有允许操作“{name.zh}”，按默认拒绝处理",
            f"Nothing in the contract permits to {name.en}; refused by default",
        ),
    )


def _open_reason(duty: Duty) -> Reason:
    name = action_name(duty.action)
    return Reason(
        "policy.open_duty",
        Text(f"使用前须先完成：{name.zh}", f"Before the use, this duty must be met: {name.en}"),
    )
