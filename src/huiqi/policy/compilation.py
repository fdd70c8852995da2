"""How do agreed terms become closures that decide a use in microseconds?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy.ownership import not_at_home, run_at_home
from huiqi.policy.reading import ReadConstraint, ReadRule, read_policy
from huiqi.policy.term import Test
from huiqi.policy.types import Context, Duty, Reason, RuleKind, Terms
from huiqi.policy.vocabulary import ACTIONS

# Reading needs no separate access (spec/usage-control.md section 4); access forbidden forbids it.
_PERMITS_ALSO = {"read": ("access",)}
_FORBIDS_ALSO = {"access": ("read",)}
# What the implied constraint of every permission needs (``ownership``).
_OWNERSHIP_NEEDS = frozenset({"more.executor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledConstraint:
    """One constraint ready to be tested; ``read`` is None for an implied one."""

    where: str
    code: str
    test: Test
    read: ReadConstraint | None
    implied: Text | None = None

    def reason(self, context: Context) -> Reason:
        """Why it does not hold."""
        return Reason(self.code, self._text(context), self.where)

    def _text(self, context: Context) -> Text:
        if self.read is None:
            return self.implied or not_at_home(context)
        if self.read.term is not None:
            return self.read.term.failure(context)
        said = self.read.condition()
        return Text(
            f"条款不能识别，按默认拒绝处理：{said.zh}",
            f"Refused because a term is not understood: {said.en}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledRule:
    """One rule ready to be decided: ``tests`` in the order of ``constraints``."""

    where: str
    read: ReadRule
    constraints: tuple[CompiledConstraint, ...]
    tests: tuple[Test, ...]
    duties: tuple[Duty, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """Terms as closures, by action. ``needs`` are the fields of Context that decide."""

    terms: Terms
    permissions: Mapping[str, tuple[CompiledRule, ...]]
    prohibitions: Mapping[str, tuple[CompiledRule, ...]]
    obligations: frozenset[str]
    needs: frozenset[str]
    units: tuple[str, ...]


def compiled_terms(terms: Terms) -> Compiled:
    """The closures of ``terms``. What is not understood never permits and always forbids."""
    rules = read_policy(terms.policy)
    permissions = [_compiled(r) for r in rules if r.rule.kind is RuleKind.PERMISSION]
    prohibitions = [_compiled(r) for r in rules if r.rule.kind is RuleKind.PROHIBITION]
    return Compiled(
        terms=terms,
        permissions=_by_action(permissions, _PERMITS_ALSO),
        prohibitions=_by_action(prohibitions, _FORBIDS_ALSO),
        obligations=frozenset(
            action
            for read in rules
            if read.rule.kind is RuleKind.OBLIGATION
            for action in read.rule.actions
        ),
        needs=_needs(rules),
        units=_units(rules),
    )


def _by_action(
    rules: Iterable[CompiledRule], also: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[CompiledRule, ...]]:
    found: dict[str, tuple[CompiledRule, ...]] = {}
    for rule in rules:
        named = [action for action in rule.read.rule.actions if action in ACTIONS]
        implied = [other for action in named for other in also.get(action, ())]
        for action in dict.fromkeys((*named, *implied)):
            found[action] = (*found.get(action, ()), rule)
    return found


def _compiled(read: ReadRule) -> CompiledRule:
    constraints = [_constraint(each) for each in read.constraints]
    if read.rule.kind is RuleKind.PERMISSION:
        constraints += _implied(read)
    return CompiledRule(
        where=read.where,
        read=read,
        constraints=tuple(constraints),
        tests=tuple(constraint.test for constraint in constraints),
        duties=read.rule.duties,
    )


def _constraint(read: ReadConstraint) -> CompiledConstraint:
    return CompiledConstraint(
        where=read.where,
        code=reason_code(read.constraint.operand),
        test=read.term.test() if read.term is not None else _unknown,
        read=read,
    )


def _implied(read: ReadRule) -> list[CompiledConstraint]:
    operands = {constraint.operand for constraint in read.rule.constraints}
    implied = []
    if "hq:executor" not in operands:
        implied.append(
            CompiledConstraint(
                where=read.where, code="policy.executor", test=run_at_home, read=None
            )
        )
    if "hq:outputKind" not in operands:
        implied.append(
            CompiledConstraint(
                where=read.where,
                code="policy.output_kind",
                test=rows_only_when_read,
                read=None,
                implied=Text(
                    "只有操作“读取”才能返回明细记录", "Only 'read' may return single records"
                ),
            )
        )
    return implied


def rows_only_when_read(context: Context) -> bool:
    """Whether single records are asked for by no action but ``read``."""
    return context.output_kind != "rows" or context.action == "read"


def _unknown(_: Context) -> bool | None:
    return None


def reason_code(operand: str) -> str:
    """The stable code of a reason.

    >>> reason_code("timeWindow"), reason_code("hq:consumerConnector")
    ('policy.time_window', 'policy.consumer_connector')
    """
    bare = operand.removeprefix("hq:")[:40]
    return "policy." + "".join(f"_{c.lower()}" if c.isupper() else c for c in bare)


def _needs(rules: Iterable[ReadRule]) -> frozenset[str]:
    operands = [read.operand for rule in rules for read in rule.constraints]
    named = (need for operand in operands if operand is not None for need in operand.needs)
    return frozenset(named) | _OWNERSHIP_NEEDS


def _units(rules: Iterable[ReadRule]) -> tuple[str, ...]:
    found = (window for rule in rules for term in rule.terms() for window in term.windows())
    return tuple(sorted(set(found)))
