"""What do terms in other spellings mean: codes of operators, units, ranges, duties as constraints?

Tolerates what T14 App. D and peers really send (digital-contract 7.2, quirks 1, 2, 11 to 18). What
is not understood stays as it is, so that ``check`` names it.
"""

from collections.abc import Iterator

import msgspec

from huiqi.policy.amounts import normalised_amount, ranged
from huiqi.policy.errors import WrongValue
from huiqi.policy.library import OPERANDS
from huiqi.policy.lists import listed_value
from huiqi.policy.reading import setting_of
from huiqi.policy.term import Setting
from huiqi.policy.types import Constraint, Duty, Policy, Rule, RuleKind, Terms
from huiqi.policy.vocabulary import EXPORT, action_code, operand_code, operator_name

# T14 App. D uses these actions in the place of constraint names (quirk 15).
_DUTIES = ("logRecordSend", "compensate")
# Quirk 14: export means download of results.
RESULTS_ONLY = Constraint("expansionItem", "eq", '{"scope":"result"}')
_EXPORTS = (EXPORT, "导出")


def normalised_terms(terms: Terms) -> Terms:
    """``terms`` in canonical spelling. Doing it twice changes nothing more."""
    rules = tuple(made for rule in terms.policy.rules for made in _rules(rule))
    return msgspec.structs.replace(terms, policy=Policy(rules))


def _rules(rule: Rule) -> Iterator[Rule]:
    constraints = tuple(made for each in rule.constraints for made in _constraints(each))
    duties = tuple(_duty(duty) for duty in rule.duties)
    kept = tuple(c for c in constraints if c.operand not in _DUTIES)
    exported = [a for a in rule.actions if a.strip().casefold() in _EXPORTS]
    actions = tuple(dict.fromkeys(action_code(a) for a in rule.actions if a not in exported))
    if actions or not exported:
        yield _settled(Rule(rule.kind, actions, kept, duties))
    if exported:
        yield _settled(Rule(rule.kind, ("download",), (*kept, RESULTS_ONLY), duties))
    for constraint in constraints:
        if constraint.operand in _DUTIES:
            yield _obligation(constraint)


def _duty(duty: Duty) -> Duty:
    constraints = tuple(made for each in duty.constraints for made in _constraints(each))
    return Duty(action_code(duty.action), constraints, duty.within)


def _obligation(constraint: Constraint) -> Rule:
    if constraint.operand == "compensate":
        carried = Constraint("payAmount", "eq", constraint.value)
        made = tuple(normalised_amount(carried))
    else:
        recipient = {"recipient": constraint.value}
        text = msgspec.json.encode(recipient, order="sorted").decode()
        made = (Constraint("expansionItem", "eq", text),)
    return Rule(RuleKind.OBLIGATION, (constraint.operand,), made)


def _constraints(constraint: Constraint) -> Iterator[Constraint]:
    operand = operand_code(constraint.operand)
    if operand == constraint.operand and operand not in OPERANDS:
        operand = _duty_name(operand)
    named = Constraint(operand, operator_name(constraint.operator), constraint.value)
    for split in ranged(named):
        yield from normalised_amount(listed_value(split))


def _duty_name(operand: str) -> str:
    action = action_code(operand)
    return action if action in _DUTIES else operand


def _settled(rule: Rule) -> Rule:
    setting = setting_of(rule)
    constraints = [_canonical(constraint, setting) for constraint in rule.constraints]
    unique = tuple(c for i, c in enumerate(constraints) if c not in constraints[:i])
    return msgspec.structs.replace(rule, constraints=unique)


def _canonical(constraint: Constraint, setting: Setting) -> Constraint:
    operand = OPERANDS.get(constraint.operand)
    if operand is None or constraint.operator not in operand.operators:
        return constraint
    try:
        term = operand.read(constraint.operator, constraint.value, setting)
    except WrongValue:
        return constraint  # check names it
    return msgspec.structs.replace(constraint, value=term.value())
