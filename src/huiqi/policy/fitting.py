"""Which literals of a ``valueExpression`` does a column's type not take?

The node that holds a contract compares like with like only: an implicit cast that fails on some
rows would tell of them. What cannot be compared there must not be signed, so the same rule stands
here, before the signature.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from huiqi.kernel.text import Text
from huiqi.policy.predicates import Literal, Predicate

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|REAL|DOUBLE|(DECIMAL|NUMERIC)\b.*")
_TEXT = frozenset({"VARCHAR", "TEXT"})
# A literal longer than this is cut in a sentence; the terms hold it in full.
_SHOWN = 40


@dataclass(frozen=True)
class Misfit:
    """A column, its type, a literal that the type does not take, and what it takes instead."""

    column: str
    type: str
    literal: Literal
    wanted: Text

    def text(self) -> Text:
        """The sentence that names all four."""
        said = str(self.literal)[:_SHOWN]
        said = f"'{said}'" if isinstance(self.literal, str) else said
        return Text(
            f"字段“{self.column[:60]}”的类型是 {self.type[:60]}，不能与 {said} 比较；"
            f"{self.wanted.zh}",
            f"Column '{self.column[:60]}' has type {self.type[:60]} and cannot be compared with "
            f"{said}; {self.wanted.en}",
        )


def misfits(predicate: Predicate, types: Mapping[str, str]) -> Iterator[Misfit]:
    """Every literal that does not fit its column; ``types`` maps names to DuckDB types.

    A column that ``types`` does not name is passed over.
    """
    for condition in predicate.conditions:
        type_ = types.get(condition.column)
        for literal in condition.literals if type_ is not None else ():
            wanted = _wanted(str(type_), literal)
            if wanted is not None:
                yield Misfit(condition.column, str(type_), literal, wanted)


def _wanted(type_: str, literal: Literal) -> Text | None:
    """What the type takes instead of ``literal``; None when it takes it."""
    name, is_text = type_.strip().upper(), isinstance(literal, str)
    if _NUMBER.fullmatch(name):
        text = Text("请写不带引号的数字", "write a number without quotes")
        return text if is_text else None
    if name in _TEXT:
        text = Text("请写带单引号的文本", "write a text in single quotes")
        return None if is_text else text
    if name == "DATE":
        text = Text("请写存在的日期，如 '2026-01-31'", "write a real date such as '2026-01-31'")
        return None if isinstance(literal, str) and _is_date(literal) else text
    if name.startswith("TIMESTAMP"):
        text = Text(
            "请写存在的时间（UTC，不带时区），如 '2026-01-31 08:00:00'",
            "write a real time in UTC without a zone, such as '2026-01-31 08:00:00'",
        )
        return None if isinstance(literal, str) and _is_instant(literal) else text
    return Text(
        "该类型的字段不能用于字段值表达式",
        "a column of this type cannot stand in a field-value expression",
    )


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        date.fromisoformat(text.strip())
        return True
    return False


def _is_instant(text: str) -> bool:
    with suppress(ValueError):
        return datetime.fromisoformat(text.strip()).tzinfo is None
    return False
