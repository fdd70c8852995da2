"""What do the rules of some terms mean, constraint by constraint, and which were not understood?"""

from collections.abc import Iterator
from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values
from huiqi.policy.errors import WrongValue
from huiqi.policy.library import OPERANDS
from huiqi.policy.term import Operand, Setting, Term
from huiqi.policy.types import Constraint, Duty, Finding, Policy, Rule
from huiqi.policy.vocabulary import OPERATORS, operator_word

# T14: calls per minute, hour or day.
FREQUENCY_UNITS = ("PT1M", "PT1H", "P1D")


@dataclass(frozen=True, kw_only=True)
class ReadConstraint:
    """One constraint: its term, or the finding that says why there is none."""

    where: str
    constraint: Constraint
    operand: Operand | None
    term: Term | None
    finding: Finding | None

    def condition(self) -> Text:
        """The constraint as a bare condition: operand, operator, value."""
        operand = self.operand.title if self.operand else _raw(self.constraint.operand)
        operator = operator_word(self.constraint.operator)
        value = self.term.shown() if self.term else _raw(str(self.constraint.value))
        return Text(
            f"{operand.zh}{operator.zh} {value.zh}", f"the {operand.en} {operator.en} {value.en}"
        )


@dataclass(frozen=True, kw_only=True)
class ReadDuty:
    """One duty and its constraints."""

    where: str
    duty: Duty
    constraints: tuple[ReadConstraint, ...]


@dataclass(frozen=True, kw_only=True)
class ReadRule:
    """One rule, its constraints and its duties."""

    where: str
    rule: Rule
    constraints: tuple[ReadConstraint, ...]
    duties: tuple[ReadDuty, ...]

    def terms(self) -> tuple[Term, ...]:
        """The constraints that were understood."""
        return tuple(read.term for read in self.constraints if read.term is not None)

    def everything(self) -> Iterator[ReadConstraint]:
        """Its constraints, then those of its duties."""
        yield from self.constraints
        for duty in self.duties:
            yield from duty.constraints


def read_policy(policy: Policy) -> tuple[ReadRule, ...]:
    """Every rule in its order; what is not understood is kept with its finding."""
    return tuple(_read_rule(rule, f"rules[{i}]") for i, rule in enumerate(policy.rules))


def _read_rule(rule: Rule, where: str) -> ReadRule:
    setting = setting_of(rule)
    return ReadRule(
        where=where,
        rule=rule,
        constraints=_read_all(rule.constraints, where, setting),
        duties=tuple(
            _read_duty(duty, f"{where}.duties[{i}]", setting) for i, duty in enumerate(rule.duties)
        ),
    )


def _read_duty(duty: Duty, where: str, setting: Setting) -> ReadDuty:
    return ReadDuty(where=where, duty=duty, constraints=_read_all(duty.constraints, where, setting))


def _read_all(
    constraints: tuple[Constraint, ...], where: str, setting: Setting
) -> tuple[ReadConstraint, ...]:
    return tuple(
        _read(constraint, f"{where}.constraints[{i}]", setting)
        for i, constraint in enumerate(constraints)
    )


def setting_of(rule: Rule) -> Setting:
    """The counting windows of a rule.

    A ``timeWindow eq`` of a minute, hour or day belongs to ``frequency`` when the rule has one;
    ``count`` then counts over the whole contract, the stricter reading. Of several windows the
    longest is taken; such a rule is contradictory and is never signed.
    """
    windows = sorted(_windows(rule))
    spans = [values.span_text(seconds) for seconds in windows]
    units = [span for span in spans if span in FREQUENCY_UNITS]
    if any(constraint.operand == "frequency" for constraint in rule.constraints):
        others = [span for span in spans if span not in FREQUENCY_UNITS]
        return Setting(
            kind=rule.kind,
            count_window=others[-1] if others else None,
            frequency_unit=units[-1] if units else "P1D",
        )
    return Setting(kind=rule.kind, count_window=spans[-1] if spans else None)


def _windows(rule: Rule) -> Iterator[int]:
    for constraint in rule.constraints:
        if constraint.operand == "timeWindow" and constraint.operator == "eq":
            try:
                yield values.span(constraint.value)
            except WrongValue:
                continue  # reported where the constraint itself is read


def _read(constraint: Constraint, where: str, setting: Setting) -> ReadConstraint:
    operand = OPERANDS.get(constraint.operand)
    term: Term | None = None
    finding = _unknown(constraint, operand, where)
    if finding is None and operand is not None:
        try:
            term = operand.read(constraint.operator, constraint.value, setting)
        except WrongValue as wrong:
            text = Text(f"{operand.zh}：{wrong.text('zh')}", f"{operand.en}: {wrong.text('en')}")
            finding = Finding("error", wrong.code, where, text)
    return ReadConstraint(
        where=where, constraint=constraint, operand=operand, term=term, finding=finding
    )


def _unknown(constraint: Constraint, operand: Operand | None, where: str) -> Finding | None:
    name, operator = constraint.operand[:40], constraint.operator[:40]
    if operand is None:
        text = Text(f"未知的约束条件“{name}”", f"Unknown constraint '{name}'")
        return Finding("error", "policy.unknown_operand", where, text)
    if operator not in OPERATORS:
        text = Text(f"未知的运算符“{operator}”", f"Unknown operator '{operator}'")
        return Finding("error", "policy.unknown_operator", where, text)
    if operator not in operand.operators:
        said, allowed = operator_word(operator), ", ".join(operand.operators)
        text = Text(
            f"{operand.zh}不支持运算符“{said.zh}”，可用：{allowed}",
            f"The {operand.en} does not take '{operator}'; use one of: {allowed}",
        )
        return Finding("error", "policy.operator_not_allowed", where, text)
    return None


def _raw(word: str) -> Text:
    return Text(word[:80], word[:80])
