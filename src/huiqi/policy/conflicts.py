"""Do the rules contradict themselves or each other?"""

from collections.abc import Iterator, Sequence

from huiqi.kernel.text import Text
from huiqi.policy.domains import Axes, Choice, Domain, Span, empty, meet, within
from huiqi.policy.ownership import OWN
from huiqi.policy.reading import ReadConstraint, ReadRule
from huiqi.policy.types import Finding, RuleKind
from huiqi.policy.vocabulary import action_name


def axes_of(rule: ReadRule) -> Axes:
    """What all constraints of a rule together leave open, axis by axis.

    A permission that names no executor leaves only the provider's own node open.
    """
    axes: dict[str, Domain] = {}
    for axis, domain in (found for term in rule.terms() for found in term.axes()):
        axes[axis] = meet(axes[axis], domain) if axis in axes else domain
    if rule.rule.kind is RuleKind.PERMISSION:
        axes.setdefault("executor", Choice(frozenset({OWN})))
    return axes


def conflicts(rules: Sequence[ReadRule]) -> Iterator[Finding]:
    """Every contradiction within a rule, then between permissions and prohibitions."""
    for rule in rules:
        yield from _within_axes(rule)
        yield from _windows(rule)
        yield from _groups(rule)
        yield from _forbidding(rule)
    yield from _rows(rules)
    for permission in (r for r in rules if r.rule.kind is RuleKind.PERMISSION):
        for prohibition in (r for r in rules if r.rule.kind is RuleKind.PROHIBITION):
            yield from _between(permission, prohibition)


def _within_axes(rule: ReadRule) -> Iterator[Finding]:
    seen: dict[str, tuple[Domain, ReadConstraint]] = {}
    for read in rule.constraints:
        for axis, domain in read.term.axes() if read.term else ():
            before = seen.get(axis)
            if empty(domain):
                yield _never(read)
            elif before is not None and empty(meet(before[0], domain)):
                yield _contradiction(before[1], read)
            else:
                left = domain if before is None else meet(before[0], domain)
                seen[axis] = (left, read)


def _never(read: ReadConstraint) -> Finding:
    said = read.condition()
    text = Text(f"此条件永远不能成立：{said.zh}", f"This condition can never hold: {said.en}")
    return Finding("error", "policy.never_holds", read.where, text)


def _contradiction(one: ReadConstraint, other: ReadConstraint) -> Finding:
    first, second = one.condition(), other.condition()
    text = Text(
        f"两个条件互相矛盾：{first.zh}；{second.zh}",
        f"Two conditions exclude each other: {first.en}; {second.en}",
    )
    return Finding("error", "policy.contradiction", other.where, text)


def _windows(rule: ReadRule) -> Iterator[Finding]:
    operands = {constraint.operand for constraint in rule.rule.constraints}
    if operands & {"count", "frequency"}:
        return
    for read in rule.constraints:
        if read.constraint.operand == "timeWindow" and read.constraint.operator == "eq":
            text = Text(
                "计数时间窗口须与使用次数或使用频次一起使用",
                "A counting window needs a number of uses or a frequency in the same rule",
            )
            yield Finding("error", "policy.window_without_count", read.where, text)


def _groups(rule: ReadRule) -> Iterator[Finding]:
    axes = axes_of(rule)
    group, output = axes.get("group"), axes.get("output")
    grouped = isinstance(group, Span) and (group.least or 1) > 1
    rows = isinstance(output, Choice) and output.among is not None and "rows" in output.among
    if grouped and (rows or "read" in rule.rule.actions):
        text = Text(
            "规定了最小分组人数，就不能同时允许返回明细",
            "With a least group size, single records cannot be granted in the same rule",
        )
        yield Finding("error", "policy.group_size_with_rows", rule.where, text)
    if "unit" in axes and not grouped:
        text = Text(
            "隐私单元没有最小分组人数，不起作用",
            "A privacy unit without a least group size does nothing",
        )
        yield Finding("warning", "policy.unit_without_group_size", rule.where, text)


def _forbidding(rule: ReadRule) -> Iterator[Finding]:
    if rule.rule.kind is not RuleKind.PROHIBITION:
        return
    for read in rule.constraints:
        windowed = read.constraint.operand == "timeWindow" and read.constraint.operator == "eq"
        if read.operand is not None and (windowed or not read.operand.forbids):
            name = read.operand.title
            text = Text(
                f"禁止策略不能以“{name.zh}”为条件，请写在允许策略中",
                f"A prohibition cannot depend on the {name.en}; write it into a permission",
            )
            yield Finding("error", "policy.not_in_prohibition", read.where, text)


def _rows(rules: Sequence[ReadRule]) -> Iterator[Finding]:
    permissions = [r for r in rules if r.rule.kind is RuleKind.PERMISSION]
    if any("read" in rule.rule.actions for rule in permissions):
        return
    for rule in permissions:
        output = axes_of(rule).get("output")
        if isinstance(output, Choice) and "rows" in (output.among or ()):
            text = Text(
                "没有允许“读取”，因此只会返回统计结果",
                "'read' is not permitted, so only aggregates are returned",
            )
            yield Finding("warning", "policy.rows_without_read", rule.where, text)


def _between(permission: ReadRule, prohibition: ReadRule) -> Iterator[Finding]:
    shared = [a for a in permission.rule.actions if a in prohibition.rule.actions]
    mine, theirs = axes_of(permission), axes_of(prohibition)
    both = mine.keys() & theirs.keys()
    if not shared or any(empty(meet(mine[axis], theirs[axis])) for axis in both):
        return
    said = action_name(shared[0])
    if all(axis in mine and within(mine[axis], theirs[axis]) for axis in theirs):
        text = Text(
            f"操作“{said.zh}”既被允许又被禁止，禁止优先，永远不能使用",
            f"To {said.en} is both permitted and forbidden; the prohibition always wins",
        )
        yield Finding("error", "policy.never_permitted", prohibition.where, text)
        return
    text = Text(
        f"操作“{said.zh}”的允许与禁止条件有重叠，重叠处以禁止为准",
        f"The permission and the prohibition to {said.en} overlap; there the prohibition wins",
    )
    yield Finding("warning", "policy.partly_prohibited", prohibition.where, text)
