"""Does a query fit the columns it speaks of, and what does it demand of each contract?

Names are brought to the spelling of the product, and every comparison, sum and join must fit the
types: an implicit cast that fails on some rows would be an oracle about them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from huiqi.catalog.types import Column
from huiqi.compute.errors import QueryRefused
from huiqi.compute.grammar import moment
from huiqi.compute.query import (
    Arithmetic,
    Condition,
    Expression,
    Function,
    Join,
    Key,
    Literal,
    LiteralKind,
    Measure,
    Operator,
    Output,
    Part,
    Query,
    Ref,
    Rounded,
    refs_of,
)
from huiqi.kernel.ids import ContractId
from huiqi.usage.types import Demand

# Action codes of policy's SQL mode.
COMPUTE, READ = "compute", "read"
# vocab/execution_env: SQL under usage control.
CONTROLLED = "01"


class Kind(StrEnum):
    """What a column holds, as far as comparing goes."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    OTHER = "other"


_NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U?INTEGER|FLOAT|REAL|DOUBLE)")
_TIMES = frozenset({Kind.DATE, Kind.TIMESTAMP})


def kind_of(column: Column) -> Kind:
    """What ``column`` holds, from its DuckDB type name."""
    name = column.type.upper()
    if _NUMERIC.fullmatch(name) or name.startswith(("DECIMAL", "NUMERIC")):
        return Kind.NUMBER
    if name.startswith("TIMESTAMP"):
        return Kind.TIMESTAMP
    known = {"VARCHAR": Kind.TEXT, "TEXT": Kind.TEXT, "DATE": Kind.DATE, "BOOLEAN": Kind.BOOLEAN}
    return known.get(name, Kind.OTHER)


def demand_of(
    query: Query, table: str, *, contract: ContractId, purpose: str, columns: Sequence[Column]
) -> Demand:
    """What ``query`` needs of the contract behind ``table``: every column it touches, sorted.

    Raises:
        QueryRefused: the product has no such column.
    """
    at = next(index for index, source in enumerate(query.tables) if source.table == table)
    by_name = _by_name(columns)
    names = {_column(by_name, ref.name).name for ref in refs_of(query) if ref.table == at}
    return Demand(
        contract=contract,
        action=COMPUTE if query.aggregate else READ,
        purpose=purpose,
        fields=tuple(sorted(names)),
        output_kind="aggregate" if query.aggregate else "rows",
        environment=CONTROLLED,
    )


def bind(query: Query, columns: Sequence[Sequence[Column]]) -> Query:
    """``query`` with names as spelled by the products; ``columns[i]`` are those of table i.

    Raises:
        QueryRefused: an unknown or not granted column, or an operation its type does not have.
    """
    binder = _Binder([_by_name(table) for table in columns])
    return replace(
        query,
        outputs=tuple(Output(o.name, binder.value(o.value)) for o in query.outputs),
        joins=tuple(binder.join(join) for join in query.joins),
        conditions=tuple(binder.condition(condition) for condition in query.conditions),
    )


def bind_filter(
    conditions: Sequence[Condition], columns: Sequence[Column]
) -> tuple[Condition, ...]:
    """A row filter's conditions fitted to the source's columns.

    Raises:
        QueryRefused: an unknown column or a comparison that its type does not have.
    """
    binder = _Binder([_by_name(columns)])
    return tuple(binder.condition(condition) for condition in conditions)


def _by_name(columns: Sequence[Column]) -> Mapping[str, Column]:
    return {column.name.casefold(): column for column in columns}


def _column(columns: Mapping[str, Column], name: str) -> Column:
    column = columns.get(name.casefold())
    if column is None:
        shown = name[:64]
        raise QueryRefused(
            "column",
            f"没有列“{shown}”，或合约未授权使用",
            f"there is no column '{shown}', or it is not granted",
        )
    return column


def _misfit(what: str) -> QueryRefused:
    shown = what[:64]
    return QueryRefused(
        "type", f"“{shown}”的数据类型不支持此操作", f"the type of '{shown}' does not allow this"
    )


class _Binder:
    def __init__(self, tables: Sequence[Mapping[str, Column]]) -> None:
        self._tables = tables

    def _kind(self, ref: Ref) -> Kind:
        return kind_of(_column(self._tables[ref.table], ref.name))

    def ref(self, ref: Ref) -> Ref:
        return Ref(ref.table, _column(self._tables[ref.table], ref.name).name)

    def key(self, key: Key) -> Key:
        if key.part is not Part.WHOLE and self._kind(key.ref) not in _TIMES:
            raise _misfit(key.ref.name)
        return Key(self.ref(key.ref), key.part)

    def value(self, value: Key | Expression) -> Key | Expression:
        match value:
            case Key():
                return self.key(value)
            case Measure():
                return self.measure(value)
            case Arithmetic():
                left, right = self._expression(value.left), self._expression(value.right)
                return Arithmetic(value.operator, left, right)
            case Rounded():
                return Rounded(self._expression(value.of), value.digits)
            case _:
                return value

    def _expression(self, value: Expression) -> Expression:
        bound = self.value(value)
        if isinstance(bound, Key):  # pragma: no cover - expressions hold no keys
            raise _misfit(bound.ref.name)
        if isinstance(bound, Measure) and bound.function in {Function.MIN, Function.MAX}:
            kind = self._kind(bound.ref) if bound.ref else Kind.OTHER
            if kind is not Kind.NUMBER:
                raise _misfit(bound.ref.name if bound.ref else "")
        return bound

    def measure(self, measure: Measure) -> Measure:
        if measure.ref is None:
            return measure
        kind = self._kind(measure.ref)
        if measure.function in {Function.SUM, Function.AVG} and kind is not Kind.NUMBER:
            raise _misfit(measure.ref.name)
        if kind is Kind.OTHER and measure.function is not Function.COUNT:
            raise _misfit(measure.ref.name)
        return Measure(measure.function, self.ref(measure.ref))

    def join(self, join: Join) -> Join:
        pairs = []
        for left, right in join.pairs:
            one, other = self._key_kind(left), self._key_kind(right)
            fits = one is other or {one, other} == _TIMES
            if not fits or one is Kind.OTHER:
                raise _misfit(f"{left.ref.name} = {right.ref.name}")
            pairs.append((self.key(left), self.key(right)))
        return Join(join.outer, tuple(pairs))

    def _key_kind(self, key: Key) -> Kind:
        numbers = key.part in {Part.YEAR_OF, Part.MONTH_OF}
        return Kind.NUMBER if numbers else self._kind(key.ref)

    def condition(self, condition: Condition) -> Condition:
        key = self.key(condition.key)
        if condition.operator in {Operator.IS_NULL, Operator.IS_NOT_NULL}:
            return Condition(key, condition.operator)
        kind = self._key_kind(key)
        values = tuple(_fitted(value, kind, key.ref.name) for value in condition.values)
        return Condition(key, condition.operator, values)


def _fitted(literal: Literal, kind: Kind, name: str) -> Literal:
    """The literal as the column's kind needs it; a text beside a time is read as one."""
    if kind in _TIMES:
        if literal.kind is LiteralKind.TEXT:
            wanted = LiteralKind.DATE if kind is Kind.DATE else LiteralKind.TIMESTAMP
            return moment(literal.text, wanted)
        fits = literal.kind in {LiteralKind.DATE, LiteralKind.TIMESTAMP}
    else:
        fits = literal.kind.value == kind.value
    if not fits:
        raise _misfit(name)
    return literal
