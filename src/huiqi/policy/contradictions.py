"""Can any row at all fulfil these conditions?"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from huiqi.policy.predicates import Condition, Literal

_LOW = frozenset({">", ">=", "BETWEEN"})
_HIGH = frozenset({"<", "<=", "BETWEEN"})


def contradictory(conditions: Iterable[Condition]) -> bool:
    """Whether two conditions on one column exclude each other, as ``a = 1 AND a = 2`` do.

    Literals of different types are not compared; a doubtful predicate is not called contradictory.
    """
    by_column: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_column.setdefault(condition.column, []).append(condition)
    return any(_excluded(alike) for alike in by_column.values())


def _excluded(conditions: Sequence[Condition]) -> bool:
    kinds = {isinstance(literal, str) for c in conditions for literal in c.literals}
    if len(kinds) > 1:
        return False
    listed = [set(c.literals) for c in conditions if c.op in ("=", "IN")]
    if listed:
        candidates = set.intersection(*listed)
        return not any(all(_fits(x, c) for c in conditions) for x in candidates)
    lows = [(c.literals[0], c.op == ">") for c in conditions if c.op in _LOW]
    highs = [(c.literals[-1], c.op == "<") for c in conditions if c.op in _HIGH]
    return any(_crossed(low, high) for low in lows for high in highs)


def _crossed(low: tuple[Literal, bool], high: tuple[Literal, bool]) -> bool:
    if low[0] == high[0]:
        return low[1] or high[1]
    return _before(high[0], low[0])


def _fits(value: Literal, condition: Condition) -> bool:
    first, last = condition.literals[0], condition.literals[-1]
    below, above = _before(value, first), _before(last, value)
    answers = {
        "IN": value in condition.literals,
        "BETWEEN": not below and not above,
        "=": value == first,
        "<>": value != first,
        "<": below,
        "<=": not above,
        ">": above,
        ">=": not below,
    }
    return answers[condition.op]


def _before(one: Literal, other: Literal) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return str(one) < str(other)
    return Decimal(one) < Decimal(other)
