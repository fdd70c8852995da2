"""Do proposed terms stay within what the provider listed?"""

from collections.abc import Iterator, Sequence

from huiqi.kernel.text import Text
from huiqi.policy.conflicts import axes_of
from huiqi.policy.domains import Axes, within
from huiqi.policy.reading import ReadConstraint, ReadRule, read_policy
from huiqi.policy.types import Finding, RuleKind, Terms
from huiqi.policy.vocabulary import action_name

_CODE = "policy.wider_than_listing"


def wider(terms: Terms, ceiling: Terms) -> Iterator[Finding]:
    """Every place where ``terms`` ask for more than ``ceiling`` offers."""
    offered, asked = read_policy(ceiling.policy), read_policy(terms.policy)
    yield from _scalars(terms, ceiling)
    for rule in asked:
        if rule.rule.kind is RuleKind.PERMISSION:
            yield from _permission(rule, offered)
    for rule in offered:
        if rule.rule.kind is not RuleKind.PERMISSION and not _kept(rule, asked):
            names = "、".join(action_name(action).zh for action in rule.rule.actions)
            english = ", ".join(action_name(action).en for action in rule.rule.actions)
            text = Text(
                f"挂牌条款中的禁止或义务被删去：{names}",
                f"A prohibition or duty of the listing is missing: {english}",
            )
            yield Finding("error", _CODE, "rules", text)


def _scalars(terms: Terms, ceiling: Terms) -> Iterator[Finding]:
    if terms.days > ceiling.days:
        text = Text(
            f"期限 {terms.days} 天超过挂牌的 {ceiling.days} 天",
            f"{terms.days} days are more than the listed {ceiling.days}",
        )
        yield Finding("error", _CODE, "days", text)
    if terms.mode is not ceiling.mode:
        text = Text("使用方式与挂牌不同", "The mode of use differs from the listing")
        yield Finding("error", _CODE, "mode", text)


def _permission(rule: ReadRule, offered: Sequence[ReadRule]) -> Iterator[Finding]:
    for action in rule.rule.actions:
        candidates = [
            other
            for other in offered
            if other.rule.kind is RuleKind.PERMISSION and action in other.rule.actions
        ]
        if not candidates:
            name = action_name(action)
            text = Text(f"挂牌条款不允许“{name.zh}”", f"The listing does not permit to {name.en}")
            yield Finding("error", _CODE, rule.where, text)
            continue
        yield from min((list(_excess(rule, other)) for other in candidates), key=len)


def _excess(rule: ReadRule, offer: ReadRule) -> Iterator[Finding]:
    mine = axes_of(rule)
    for read in offer.constraints:
        if not _narrower(rule, mine, read):
            yield _too_wide(rule, read.condition())
    if "executor" not in {a for t in offer.terms() for a, _ in t.axes()} and not within(
        mine["executor"], axes_of(offer)["executor"]
    ):
        said = Text("只能由提供方自己的连接器执行", "run by the provider's own connector only")
        yield _too_wide(rule, said)
    duties = {duty.action for duty in rule.rule.duties}
    for duty in offer.rule.duties:
        if duty.action not in duties:
            yield _too_wide(rule, action_name(duty.action))


def _narrower(rule: ReadRule, mine: Axes, offer: ReadConstraint) -> bool:
    if _only_counts(offer):
        return True
    axes = offer.term.axes() if offer.term is not None else ()
    if not axes:
        return offer.constraint in rule.rule.constraints
    return all(
        any(name in mine and within(mine[name], domain) for name in _comparable(axis))
        for axis, domain in axes
    )


def _only_counts(offer: ReadConstraint) -> bool:
    """A counting window bounds nothing itself; ``count`` and ``frequency`` carry it."""
    return offer.constraint.operand == "timeWindow" and offer.constraint.operator == "eq"


def _comparable(axis: str) -> tuple[str, ...]:
    """A total count is stricter than the same count per window."""
    if axis.startswith(("count/", "frequency/")):
        return (axis, "count")
    return (axis,)


def _too_wide(rule: ReadRule, said: Text) -> Finding:
    text = Text(f"超出挂牌条款：{said.zh}", f"Wider than the listing, which says: {said.en}")
    return Finding("error", _CODE, rule.where, text)


def _kept(rule: ReadRule, asked: Sequence[ReadRule]) -> bool:
    """Whether a rule at least as broad is among ``asked``."""
    return any(
        other.rule.kind is rule.rule.kind
        and set(rule.rule.actions) <= set(other.rule.actions)
        and all(constraint in rule.rule.constraints for constraint in other.rule.constraints)
        for other in asked
    )
