"""What do amounts with units and ranges in one text mean (T14 App. D; quirks 13, 17, 18)?"""

import re
from collections.abc import Iterator
from decimal import Decimal

from huiqi.policy.errors import WrongValue
from huiqi.policy.types import Constraint, Value
from huiqi.policy.values import instant, instant_text, slot, span, span_text

_COUNT = re.compile(
    r"(\d[\d,]*)\s*(万)?\s*(?:次|条|行|个|条记录|times|uses|rows|records)?\s*(?:(?:/|每|per)\s*(\S+))?"
)
_PER = {
    "分钟": "PT1M", "分": "PT1M", "minute": "PT1M", "min": "PT1M",
    "小时": "PT1H", "时": "PT1H", "hour": "PT1H", "h": "PT1H",
    "天": "P1D", "日": "P1D", "day": "P1D", "d": "P1D",
    "周": "P7D", "星期": "P7D", "week": "P7D",
}  # fmt: skip
_SIZE = re.compile(r"(\d+)\s*([KMGT]?)i?B?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MONEY = re.compile(r"(\d+(?:\.\d{1,2})?)\s*(?:CNY|RMB|元)", re.IGNORECASE)
_RANGE = re.compile(r"\s*(?:--|/|至)\s*")
_RANGE_OPERATORS = frozenset({"isPartOf", "isA", "eq"})


def ranged(constraint: Constraint) -> Iterator[Constraint]:
    """Two ``time`` constraints in place of a range of instants, from ``time`` or ``timeWindow``.

    >>> year = Constraint("time", "isPartOf", "20260101000000--20261231000000")
    >>> [c.operator for c in ranged(year)]
    ['gteq', 'lteq']
    """
    ends = _ends(constraint)
    if ends is None:
        yield constraint
        return
    yield Constraint("time", "gteq", ends[0])
    yield Constraint("time", "lteq", ends[1])


def _ends(constraint: Constraint) -> tuple[str, str] | None:
    known = constraint.operand in ("time", "timeWindow")
    if not known or constraint.operator not in _RANGE_OPERATORS:
        return None
    parts = _RANGE.split(constraint.value) if isinstance(constraint.value, str) else []
    if len(parts) != 2 or _is_slot(constraint.value):  # noqa: PLR2004 - a range has two ends
        return None
    try:
        return instant_text(instant(parts[0].strip())), instant_text(instant(parts[1].strip()))
    except WrongValue:
        return None


def _is_slot(value: Value) -> bool:
    try:
        slot(value)
    except WrongValue:
        return False
    return True


def normalised_amount(constraint: Constraint) -> Iterator[Constraint]:
    """``constraint`` with a bare number in place of an amount with its unit.

    A period in the unit becomes a ``timeWindow eq`` beside it.

    >>> [c.value for c in normalised_amount(Constraint("count", "lteq", "10000 次/天"))]
    [10000, 'P1D']
    """
    value = constraint.value
    if not isinstance(value, str):
        yield constraint
        return
    match constraint.operand:
        case "count" | "frequency":
            yield from _counted(constraint, value)
        case "dateRecord" | "hq:minGroupSize":
            number, _ = _count(value)
            yield constraint if number is None else _with(constraint, number)
        case "dataSize":
            yield _with(constraint, _size(value))
        case "payAmount":
            yield _with(constraint, _money(value))
        case "timeWindow":
            yield _with(constraint, _period(value))
        case _:
            yield constraint


def _counted(constraint: Constraint, value: str) -> Iterator[Constraint]:
    number, window = _count(value)
    if number is None:
        yield constraint
        return
    yield _with(constraint, number)
    if window is not None:
        yield Constraint("timeWindow", "eq", window)


def _count(value: str) -> tuple[int | None, str | None]:
    found = _COUNT.fullmatch(value.strip())
    if found is None or not value.isprintable():
        return None, None
    digits, ten_thousand, unit = found.groups()
    if unit is not None and unit.lower() not in _PER:
        return None, None
    number = int(digits.replace(",", "")) * (10_000 if ten_thousand else 1)
    return number, _PER[unit.lower()] if unit else None


def _size(value: str) -> Value:
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        return value
    return int(found.group(1)) << (10 * _POWERS[found.group(2).upper()])


def _money(value: str) -> Value:
    found = _MONEY.fullmatch(value.strip())
    return f"{Decimal(found.group(1)):.2f} CNY" if found else value


def _period(value: str) -> Value:
    try:
        return span_text(span(value.strip().upper()))
    except WrongValue:
        return value


def _with(constraint: Constraint, value: Value) -> Constraint:
    return Constraint(constraint.operand, constraint.operator, value)
