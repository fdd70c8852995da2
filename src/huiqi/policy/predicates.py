"""Which rows does a ``valueExpression`` grant? A small language that cannot smuggle anything.

::

    predicate = condition { "AND" condition }
    condition = column ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") literal
              | column "IN" "(" literal { "," literal } ")"
              | column "BETWEEN" literal "AND" literal
    column    = bare name (letters, digits, "_") or "quoted name"
    literal   = 'text' ('' stands for one quote), whole number, or decimal number

No functions, no OR, no sub-queries, no comparison of two columns. The canonical text is SQL with
quoted names and escaped literals.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from huiqi.policy.errors import WrongPredicate

# T14 table C.6 row 11: C..128.
LONGEST = 128
# Digits of numbers: whole numbers stay within 64 bits, decimals within DECIMAL(38).
MOST_DIGITS = 18
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")+")
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[^\W\d]\w*)
      | (?P<mark><=|>=|<>|!=|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
_ASCII_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "LIKE"})
_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})

Literal = str | int | Decimal


@dataclass(frozen=True)
class Condition:
    """One condition on one column; ``op`` is a comparison, ``IN`` or ``BETWEEN``."""

    column: str
    op: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Predicate:
    """Conditions that must all hold for a row."""

    conditions: tuple[Condition, ...]

    def sql(self) -> str:
        """SQL with every name quoted and every literal escaped."""
        return " AND ".join(_condition_text(c, _quoted) for c in self.conditions)

    def text(self) -> str:
        """The canonical text: like ``sql``, plain names without quotes."""
        return " AND ".join(_condition_text(c, _plain) for c in self.conditions)

    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order, without repeats."""
        return tuple(dict.fromkeys(condition.column for condition in self.conditions))


def parse(text: str) -> Predicate:
    """The predicate that ``text`` means.

    Raises:
        WrongPredicate: longer than 128 characters, or not in the language.
    """
    if len(text) > LONGEST:
        raise WrongPredicate(
            value=text[:40], why_zh="超过 128 个字符", why_en="longer than 128 characters"
        )
    reader = _Reader(text)
    conditions = [_condition(reader)]
    while reader.word("AND"):
        conditions.append(_condition(reader))
    if not reader.at_end():
        raise reader.wrong()
    return Predicate(tuple(dict.fromkeys(conditions)))


class _Reader:
    """Tokens of a predicate with one token of foresight."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split(text))
        self._next = 0

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        place = 0
        end = len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._wrong_at(place)
            place = found.end()
            kind = str(found.lastgroup)
            yield kind, found.group(kind)

    def at_end(self) -> bool:
        return self._next == len(self._tokens)

    def word(self, keyword: str) -> bool:
        kind, token = self._peek()
        return self._skip(kind == "name" and token.upper() == keyword)

    def mark(self, mark: str) -> bool:
        return self._skip(self._peek() == ("mark", mark))

    def take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def wrong(self) -> WrongPredicate:
        read = "".join(token for _, token in self._tokens[: self._next])
        return self._wrong_at(min(len(read), len(self._text)))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if not self.at_end() else ("", "")

    def _skip(self, found: bool) -> bool:  # noqa: FBT001 - says whether the token was there
        self._next += found
        return found

    def _wrong_at(self, place: int) -> WrongPredicate:
        return WrongPredicate(
            value=self._text[:LONGEST],
            why_zh=f"第 {place + 1} 个字符附近不能识别；只支持“列 比较 值”，用 AND 连接",
            why_en=f"not understood near character {place + 1}; write 'column op value' "
            "joined by AND",
        )


def _condition(reader: _Reader) -> Condition:
    column = _column(reader)
    if reader.word("IN"):
        return Condition(column, "IN", _list(reader))
    if reader.word("BETWEEN"):
        low = _literal(reader)
        if not reader.word("AND"):
            raise reader.wrong()
        return Condition(column, "BETWEEN", (low, _literal(reader)))
    kind, op = reader.take()
    if kind != "mark" or op not in _COMPARISONS:
        raise reader.wrong()
    return Condition(column, "<>" if op == "!=" else op, (_literal(reader),))


def _column(reader: _Reader) -> str:
    kind, token = reader.take()
    if kind == "quoted":
        name = token[1:-1].replace('""', '"')
        if name.isprintable():
            return name
    if kind == "name" and token.upper() not in _KEYWORDS:
        return token
    raise reader.wrong()


def _list(reader: _Reader) -> tuple[Literal, ...]:
    if not reader.mark("("):
        raise reader.wrong()
    literals = [_literal(reader)]
    while reader.mark(","):
        literals.append(_literal(reader))
    if not reader.mark(")"):
        raise reader.wrong()
    return tuple(dict.fromkeys(literals))


def _literal(reader: _Reader) -> Literal:
    kind, token = reader.take()
    if kind == "text" and token.isprintable():
        return token[1:-1].replace("''", "'")
    digits = sum(character.isdigit() for character in token)
    if kind == "number" and digits <= MOST_DIGITS and _ASCII_NUMBER.fullmatch(token):
        return Decimal(token) if "." in token else int(token)
    raise reader.wrong()


def _condition_text(condition: Condition, name: Callable[[str], str]) -> str:
    column = name(condition.column)
    literals = [_literal_text(literal) for literal in condition.literals]
    if condition.op == "IN":
        return f"{column} IN ({', '.join(literals)})"
    if condition.op == "BETWEEN":
        return f"{column} BETWEEN {literals[0]} AND {literals[1]}"
    return f"{column} {condition.op} {literals[0]}"


def _literal_text(literal: Literal) -> str:
    if isinstance(literal, str):
        return "'" + literal.replace("'", "''") + "'"
    return f"{literal:f}" if isinstance(literal, Decimal) else str(literal)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(name: str) -> str:
    bare = re.fullmatch(r"[^\W\d]\w*", name) is not None and name.upper() not in _KEYWORDS
    return name if bare else _quoted(name)
