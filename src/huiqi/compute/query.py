"""What can a query say? Everything the closed query language knows, and nothing else.

A query text becomes these documents (``guard``), they are fitted to the columns of the products
(``binding``), and the SQL that runs is written from them alone (``rendering``). What cannot be
said here cannot be executed.
"""

from dataclasses import dataclass
from enum import StrEnum


class Function(StrEnum):
    """The aggregates."""

    COUNT_ROWS = "count_star"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


# They give away a single person's value, so a minimum group size excludes them.
SINGLE_VALUE = frozenset({Function.MIN, Function.MAX})


class Part(StrEnum):
    """What of a time a dimension takes: nothing special, cut to a unit, or a number of it."""

    WHOLE = ""
    TRUNC_HOUR = "hour"
    TRUNC_DAY = "day"
    TRUNC_MONTH = "month"
    TRUNC_YEAR = "year"
    YEAR_OF = "year()"
    MONTH_OF = "month()"


@dataclass(frozen=True)
class Ref:
    """A bare column of the ``table``-th table of the query (0-based)."""

    table: int
    name: str


@dataclass(frozen=True)
class Key:
    """A dimension, the left side of a condition, or one side of a join."""

    ref: Ref
    part: Part = Part.WHOLE


@dataclass(frozen=True)
class Measure:
    """An aggregate of a bare column; ``ref`` is None for COUNT(*) only."""

    function: Function
    ref: Ref | None = None


@dataclass(frozen=True)
class Number:
    """A plain decimal number as written, without an exponent."""

    text: str


@dataclass(frozen=True)
class Arithmetic:
    """``left operator right`` over measures and numbers; operator is one of + - * /."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Rounded:
    """ROUND(of, digits)."""

    of: "Expression"
    digits: int


Expression = Measure | Number | Arithmetic | Rounded


@dataclass(frozen=True)
class Output:
    """One column of the answer."""

    name: str
    value: Key | Expression


class LiteralKind(StrEnum):
    """How a literal was written."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Literal:
    """A literal of a condition; dates and times are ISO text that was checked."""

    kind: LiteralKind
    text: str


class Operator(StrEnum):
    """How a condition compares."""

    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "IN"
    BETWEEN = "BETWEEN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


@dataclass(frozen=True)
class Condition:
    """``key operator values``; conditions are joined by AND."""

    key: Key
    operator: Operator
    values: tuple[Literal, ...] = ()


@dataclass(frozen=True)
class Source:
    """A table of the query: its name in the order, and the alias under which columns name it."""

    table: str
    alias: str


@dataclass(frozen=True)
class Join:
    """How the next table is joined to those before it: equal pairs of keys."""

    outer: bool
    pairs: tuple[tuple[Key, Key], ...]


@dataclass(frozen=True)
class Ordering:
    """Order by the ``output``-th column of the answer (0-based)."""

    output: int
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, kw_only=True)
class Query:
    """A whole query. ``joins[i]`` brings in ``tables[i + 1]``; ``having`` 0 means none."""

    tables: tuple[Source, ...]
    joins: tuple[Join, ...]
    outputs: tuple[Output, ...]
    conditions: tuple[Condition, ...]
    aggregate: bool
    having: int = 0
    order: tuple[Ordering, ...] = ()
    limit: int | None = None


def measures_of(value: Key | Expression) -> tuple[Measure, ...]:
    """Every aggregate inside ``value``."""
    match value:
        case Measure():
            return (value,)
        case Arithmetic():
            return measures_of(value.left) + measures_of(value.right)
        case Rounded():
            return measures_of(value.of)
        case _:
            return ()


def refs_of(query: Query) -> tuple[Ref, ...]:
    """Every column that the query touches anywhere, in order of appearance, once each."""
    found: dict[Ref, None] = {}
    for output in query.outputs:
        if isinstance(output.value, Key):
            found[output.value.ref] = None
        for measure in measures_of(output.value):
            if measure.ref is not None:
                found[measure.ref] = None
    for join in query.joins:
        for left, right in join.pairs:
            found[left.ref] = None
            found[right.ref] = None
    for condition in query.conditions:
        found[condition.key.ref] = None
    return tuple(found)
