"""What changed, clause by clause, from one proposal to the next?"""

from collections.abc import Iterator, Sequence

from huiqi.kernel.text import Text
from huiqi.policy.explanation import (
    constraint_sentence,
    duty_sentence,
    rule_clauses,
    scalar_clauses,
)
from huiqi.policy.reading import ReadRule, read_policy
from huiqi.policy.types import Difference, Terms

# One clause: its key within the rule, its path, its sentence.
Keyed = dict[tuple[str, str, int], tuple[str, Text]]
Pair = tuple[ReadRule | None, ReadRule | None]


def differences_of(before: Terms, after: Terms) -> tuple[Difference, ...]:
    """Every changed, removed or added clause; none when both say the same.

    Equal rules are paired first, then rules of one kind over the same actions, then rules of one
    kind in their order.
    """
    found: list[Difference] = []
    for earlier, later in _pairs(read_policy(before.policy), read_policy(after.policy)):
        found += _rule(earlier, later)
    found += _compared(
        {(where, "", 0): (where, text) for where, text in scalar_clauses(before)},
        {(where, "", 0): (where, text) for where, text in scalar_clauses(after)},
    )
    return tuple(found)


def _pairs(before: Sequence[ReadRule], after: Sequence[ReadRule]) -> Iterator[Pair]:
    left, right = list(before), list(after)
    for alike in (_same, _same_actions, _same_kind):
        for earlier in list(left):
            later = next((r for r in right if alike(earlier, r)), None)
            if later is not None:
                left.remove(earlier)
                right.remove(later)
                yield earlier, later
    yield from ((earlier, None) for earlier in left)
    yield from ((None, later) for later in right)


def _same(one: ReadRule, other: ReadRule) -> bool:
    return one.rule == other.rule


def _same_actions(one: ReadRule, other: ReadRule) -> bool:
    return _same_kind(one, other) and set(one.rule.actions) == set(other.rule.actions)


def _same_kind(one: ReadRule, other: ReadRule) -> bool:
    return one.rule.kind is other.rule.kind


def _rule(before: ReadRule | None, after: ReadRule | None) -> Iterator[Difference]:
    if before is None or after is None:
        for rule in filter(None, (before, after)):
            for where, text in rule_clauses(rule):
                gone = rule is before
                yield Difference(where, text if gone else None, None if gone else text)
        return
    yield from _compared(_keyed(before), _keyed(after))


def _compared(before: Keyed, after: Keyed) -> Iterator[Difference]:
    for key, (where, text) in after.items():
        old = before.get(key)
        if old is None or old[1] != text:
            yield Difference(where, old[1] if old else None, text)
    for key, (where, text) in before.items():
        if key not in after:
            yield Difference(where, text, None)


def _keyed(read: ReadRule) -> Keyed:
    kind = read.rule.kind
    keyed: Keyed = {}
    if set(read.rule.actions):
        where, head = next(iter(rule_clauses(read)))
        keyed["actions", "", 0] = (where, head)
    for each in read.constraints:
        key = _free(keyed, each.constraint.operand, each.constraint.operator)
        keyed[key] = (each.where, constraint_sentence(each, kind))
    for duty in read.duties:
        key = _free(keyed, "duty", duty.duty.action)
        keyed[key] = (duty.where, duty_sentence(duty, kind))
    return keyed


def _free(keyed: Keyed, operand: str, operator: str) -> tuple[str, str, int]:
    alike = sum(key[:2] == (operand, operator) for key in keyed)
    return operand, operator, alike
