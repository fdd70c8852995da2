"""Which SQL runs for a query? Written from the checked documents only, never from their text.

Beside the answer's columns stand the group checks: the number of distinct privacy units (or
rows) of each contract that has a minimum group size, computed in the same pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from huiqi.compute.query import (
    Arithmetic,
    Condition,
    Expression,
    Function,
    Key,
    Literal,
    LiteralKind,
    Measure,
    Number,
    Operator,
    Part,
    Query,
    Ref,
    Rounded,
)

# The column of a projection that stands for the privacy unit, as a salted 64-bit hash.
UNIT = "__unit"
CHECK = "__group_{}"


@dataclass(frozen=True)
class GroupCheck:
    """At least ``least`` distinct units of the ``table``-th table stand behind each group.

    ``unit`` says whether its projection has a privacy unit; otherwise rows are counted. When
    ``rows_once`` the joins cannot repeat its rows, so that plain counting is exact.
    """

    table: int
    least: int
    unit: bool
    rows_once: bool


def sql_of(
    query: Query, tables: Sequence[str], *, checks: Sequence[GroupCheck], most_rows: int
) -> str:
    """The SQL for ``query`` where ``tables[i]`` is the engine's name of the i-th table.

    The answer's columns come first, then one integer per check. It returns at most ``most_rows``
    rows or the query's own LIMIT, whichever is less.
    """
    columns = [f"{_value(output.value)} AS {quoted(output.name)}" for output in query.outputs]
    columns += [f"{_check(c)} AS {quoted(CHECK.format(i))}" for i, c in enumerate(checks)]
    parts = [f"SELECT {', '.join(columns)}", f"FROM {_from(query, tables)}"]
    if query.conditions:
        parts.append(f"WHERE {where(query.conditions)}")
    keys = [_value(output.value) for output in query.outputs if isinstance(output.value, Key)]
    if query.aggregate and keys:
        parts.append(f"GROUP BY {', '.join(keys)}")
    if query.having:
        parts.append(f"HAVING count(*) >= {query.having}")
    if query.order:
        parts.append(
            f"ORDER BY {', '.join(_ordering(query, at) for at in range(len(query.order)))}"
        )
    limit = most_rows if query.limit is None else min(most_rows, query.limit)
    return " ".join([*parts, f"LIMIT {limit}"])


def probe_of(table: str, columns: Sequence[str]) -> str:
    """SQL that returns one row (n, distinct): equal when ``columns`` are a key of ``table``."""
    keys = ", ".join(quoted(column) for column in columns)
    present = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    return (
        f"SELECT count(*) AS n, count(DISTINCT ({keys})) AS d "  # noqa: S608 - names are quoted
        f"FROM {quoted(table)} WHERE {present} LIMIT 1"
    )


def where(conditions: Sequence[Condition], *, alias: str | None = None) -> str:
    """The predicate for ``conditions``; without ``alias`` tables are named t0, t1."""
    return " AND ".join(_condition(condition, alias) for condition in conditions)


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _from(query: Query, tables: Sequence[str]) -> str:
    text = f"{quoted(tables[0])} AS t0"
    for at, join in enumerate(query.joins, start=1):
        on = " AND ".join(f"{_key(left)} = {_key(right)}" for left, right in join.pairs)
        kind = "LEFT JOIN" if join.outer else "INNER JOIN"
        text += f" {kind} {quoted(tables[at])} AS t{at} ON {on}"
    return text


def _ref(ref: Ref, alias: str | None = None) -> str:
    return f"{alias or f't{ref.table}'}.{quoted(ref.name)}"


def _key(key: Key, alias: str | None = None) -> str:
    column = _ref(key.ref, alias)
    match key.part:
        case Part.WHOLE:
            return column
        case Part.YEAR_OF:
            return f"year({column})"
        case Part.MONTH_OF:
            return f"month({column})"
        case unit:
            return f"date_trunc('{unit.value}', {column})"


def _value(value: Key | Expression) -> str:
    match value:
        case Key():
            return _key(value)
        case Measure():
            return _measure(value)
        case Rounded(of=of, digits=digits):
            return f"round({_float(of)}, {digits})"
        case _:
            return _float(value)


def _float(value: Expression) -> str:
    """As DOUBLE, so that no arithmetic can overflow: an error would tell of single rows."""
    match value:
        case Measure():
            return f"CAST({_measure(value)} AS DOUBLE)"
        case Number(text=text):
            return f"CAST({text} AS DOUBLE)"
        case Arithmetic(operator=operator, left=left, right=right):
            return f"({_float(left)} {operator} {_float(right)})"
        case Rounded(of=of, digits=digits):
            return f"round({_float(of)}, {digits})"


def _measure(measure: Measure) -> str:
    if measure.ref is None:
        return "count(*)"
    column = _ref(measure.ref)
    if measure.function is Function.COUNT_DISTINCT:
        return f"count(DISTINCT {column})"
    return f"{measure.function.value}({column})"


def _check(check: GroupCheck) -> str:
    if check.unit:
        return f"count(DISTINCT t{check.table}.{quoted(UNIT)})"
    return "count(*)" if check.rows_once else f"count(DISTINCT t{check.table}.rowid)"


def _condition(condition: Condition, alias: str | None) -> str:
    key = _key(condition.key, alias)
    values = [_literal(value) for value in condition.values]
    match condition.operator:
        case Operator.IS_NULL | Operator.IS_NOT_NULL:
            return f"{key} {condition.operator.value}"
        case Operator.IN:
            return f"{key} IN ({', '.join(values)})"
        case Operator.BETWEEN:
            return f"{key} BETWEEN {values[0]} AND {values[1]}"
        case _:
            return f"{key} {condition.operator.value} {values[0]}"


def _literal(literal: Literal) -> str:
    text = "'" + literal.text.replace("'", "''") + "'"
    match literal.kind:
        case LiteralKind.NUMBER | LiteralKind.BOOLEAN:
            return literal.text
        case LiteralKind.TEXT:
            return text
        case LiteralKind.DATE:
            return f"CAST({text} AS DATE)"
        case LiteralKind.TIMESTAMP:
            return f"CAST({text} AS TIMESTAMP)"


def _ordering(query: Query, at: int) -> str:
    order = query.order[at]
    direction = "DESC" if order.descending else "ASC"
    nulls = "FIRST" if order.nulls_first else "LAST"
    return f"{order.output + 1} {direction} NULLS {nulls}"
