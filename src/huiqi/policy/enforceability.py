"""How surely does each term hold in its mode of use, and which cannot be held yet?"""

from collections.abc import Iterator

from huiqi.kernel.ids import SystemId
from huiqi.kernel.text import Text
from huiqi.policy.reading import ReadConstraint, ReadDuty, ReadRule, read_policy
from huiqi.policy.term import NOT_IN_THIS_MODE, Held
from huiqi.policy.types import Mode, RuleKind, Strength, TermReport, Terms
from huiqi.policy.vocabulary import ACTIONS, action_name

_NOT_YET = Text(
    "本软件已认识此条款，但目前不能执行，不能签署", "Known, but cannot be enforced here yet"
)
_SQL_ACTIONS = {
    "compute": Text(
        "查询须符合封闭的统计语法，在提供方连接器内运行",
        "Queries must fit the closed grammar of aggregates and run inside the connector",
    ),
    "read": Text(
        "只在提供方连接器内运行，返回的明细受行数与字段约束",
        "Runs inside the connector; returned records are bounded in rows and fields",
    ),
}
_FORBIDDEN = Text(
    "每次使用时先判断禁止策略，命中即拒绝",
    "Prohibitions are decided first at each use; a match refuses",
)


def term_reports(terms: Terms, node: SystemId | None = None) -> tuple[TermReport, ...]:
    """One line for each action, constraint and duty. ``node`` is the provider's own connector."""
    found: list[TermReport] = []
    for rule in read_policy(terms.policy):
        found += _actions(rule, terms.mode)
        found += [_constraint(read, terms.mode, node) for read in rule.constraints]
        for duty in rule.duties:
            found += _duty(duty, terms.mode)
    return tuple(found)


def _actions(read: ReadRule, mode: Mode) -> Iterator[TermReport]:
    for i, action in enumerate(read.rule.actions):
        held = _action(action, read.rule.kind, mode)
        where = f"{read.where}.actions[{i}]"
        yield TermReport(where, _action_term(action, read.rule.kind), held.strength, held.reason)


def _action_term(action: str, kind: RuleKind) -> Text:
    name = action_name(action)
    match kind:
        case RuleKind.PERMISSION:
            return Text(f"允许：{name.zh}", f"Permitted: {name.en}")
        case RuleKind.PROHIBITION:
            return Text(f"禁止：{name.zh}", f"Forbidden: {name.en}")
        case RuleKind.OBLIGATION:
            return Text(f"义务：{name.zh}", f"Duty: {name.en}")


def _action(action: str, kind: RuleKind, mode: Mode) -> Held:
    if action not in ACTIONS:
        return Held(None, Text("未知的操作", "An unknown action"))
    if mode is not Mode.SQL:
        return NOT_IN_THIS_MODE
    if action not in _SQL_ACTIONS or kind is RuleKind.OBLIGATION:
        return Held(None, _NOT_YET)
    if kind is RuleKind.PROHIBITION:
        return Held(Strength.ENFORCED, _FORBIDDEN)
    return Held(Strength.ENFORCED, _SQL_ACTIONS[action])


def _constraint(read: ReadConstraint, mode: Mode, node: SystemId | None) -> TermReport:
    if read.term is None:
        reason = read.finding.text if read.finding else _NOT_YET
        return TermReport(read.where, read.condition(), None, reason)
    held = read.term.held(mode)
    if node is not None and mode is Mode.SQL and _only_own(read, node):
        held = Held(
            Strength.ENFORCED,
            Text("只由提供方自己的连接器执行", "Run by the provider's own connector only"),
        )
    return TermReport(read.where, read.term.sentence(), held.strength, held.reason)


def _only_own(read: ReadConstraint, node: SystemId) -> bool:
    return read.constraint.operand == "hq:executor" and read.constraint.value == [node]


def _duty(read: ReadDuty, mode: Mode) -> Iterator[TermReport]:
    name = action_name(read.duty.action)
    reason = _NOT_YET if mode is Mode.SQL else NOT_IN_THIS_MODE.reason
    yield TermReport(read.where, Text(f"义务：{name.zh}", f"Duty: {name.en}"), None, reason)
    for constraint in read.constraints:
        yield TermReport(constraint.where, constraint.condition(), None, reason)
