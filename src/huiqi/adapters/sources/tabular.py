"""Which types, counts and ranges do the columns of a table have?

Loads DuckDB; imported by the profiling process only. Types of text are found by rules that lose
nothing: a column is a number or a date only when every filled cell is one, and text that a number
would spoil (leading zeros, more than 15 digits) stays text.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb

from huiqi.adapters.sources.encodings import to_utf8
from huiqi.adapters.sources.headers import read_header, usable_names
from huiqi.catalog.errors import EmptyFile, ProfilingFailed, UnreadableFile, UnsupportedColumn
from huiqi.catalog.types import Column, Profile

_TEXT = "text.csv"
_ROW_GROUP = 122_880
_BASIS_POINTS = 10_000
# Exact in JSON and in a double: 15 digits. Longer digit strings are codes, not amounts.
_WHOLE = "-?(0|[1-9][0-9]{0,14})"
_NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?"
_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_INSTANT = _DAY + r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?"
# Words for "no value" that statistics programs write; in a column of text they stay words.
_MISSING = "('NA', 'N/A', 'NaN', 'nan', 'NULL', 'null')"
_WHOLE_TYPES = frozenset(
    f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")
) | {"INTEGER", "UINTEGER"}
_ORDERED_TYPES = _WHOLE_TYPES | frozenset({"FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME"})
_OTHER_TYPES = frozenset({"BOOLEAN", "VARCHAR", "UUID"})


class _Found(NamedTuple):
    """One column before the copy: its header, its SQL name, and how it is read."""

    header: str
    name: str
    expression: str


class Engine:
    """A DuckDB without network, extensions or files outside the present folder."""

    def __init__(self, *, memory_mb: int, shown: str) -> None:
        self._shown = shown
        self._columns: tuple[_Found, ...] = ()
        self._from = ""
        self._db = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": 2,
                "temp_directory": "spill",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._db.execute(f"SET allowed_directories = [{_literal(Path.cwd())}]")
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def take_parquet(self, source: Path) -> str:
        """Read a Parquet file; its types are kept.

        Raises:
            UnreadableFile: it is damaged.
            UnsupportedColumn: a column is nested or binary.
            WrongHeader: a name is not usable.
        """
        self._from = f"read_parquet({_literal(source)})"
        described = self._rows(f"DESCRIBE {_select('*', self._from)}", "Parquet 已损坏", "damaged")
        headers = [str(row[0]) for row in described]
        for header, row in zip(headers, described, strict=True):
            if not _is_supported(str(row[1])):
                raise UnsupportedColumn(column=header[:80], type=str(row[1])[:40])
        names = usable_names(headers, shown=self._shown)
        self._columns = tuple(
            _Found(header, name, _quoted(header))
            for header, name in zip(headers, names, strict=True)
        )
        return "parquet"

    def take_text(self, source: Path) -> str:
        """Read a CSV file; the encoding it was in.

        Raises:
            UnreadableFile: it is no text, or a line does not fit the header.
            WrongEncoding: the encoding cannot be told.
            WrongHeader: the first line does not name the columns.
        """
        text = Path(_TEXT)
        encoding = to_utf8(source, text, shown=self._shown)
        source.unlink()
        delimiter, headers = read_header(text, shown=self._shown)
        names = usable_names(headers, shown=self._shown)
        cells = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(names)))
        reader = (
            f"read_csv({_literal(text)}, auto_detect=false, header=true, delim='{delimiter}',"
            f" quote='\"', escape='\"', nullstr='', columns={{{cells}}}, strict_mode=true)"
        )
        self._rows(
            f"CREATE TABLE cells AS {_select('*', reader)}",
            "各行列数不一致或引号未闭合",
            "a line does not fit the header, or a quote is not closed",
        )
        self._from = "cells"
        types = self._types(len(names))
        self._columns = tuple(
            _Found(header, name, _typed(f"c{i}", kind))
            for i, (header, name, kind) in enumerate(zip(headers, names, types, strict=True))
        )
        return encoding

    def _types(self, width: int) -> list[str]:
        tests = ", ".join(_tests(f"c{i}") for i in range(width))
        (counts,) = self._rows(_select(tests, "cells"), "无法读取", "unreadable")
        return [_type(counts[i : i + 6]) for i in range(0, len(counts), 6)]

    def write(self, copy: Path) -> None:
        """Write the normalised copy.

        Raises:
            UnreadableFile: a value cannot be read.
        """
        wanted = ", ".join(f"{c.expression} AS {_quoted(c.name)}" for c in self._columns)
        self._rows(
            f"COPY ({_select(wanted, self._from)}) TO {_literal(copy)}"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})",
            "数据已损坏",
            "its data is damaged",
        )

    def profile(self, copy: Path, *, digest: str, size: int, encoding: str) -> Profile:
        """What is in the copy; ``digest``, ``size`` and ``encoding`` are those of the original.

        Raises:
            EmptyFile: it has no rows.
        """
        table = f"read_parquet({_literal(copy)})"
        described = self._rows(f"DESCRIBE {_select('*', table)}", "无法读取", "unreadable")
        types = [str(row[1]) for row in described]
        measures = ", ".join(
            _measures(_quoted(column.name), kind)
            for column, kind in zip(self._columns, types, strict=True)
        )
        (counts,) = self._rows(_select(f"count(*), {measures}", table), "无法读取", "unreadable")
        rows: int = counts[0]
        if rows == 0:
            raise EmptyFile(file=self._shown)
        columns = tuple(
            _column(column, kind, rows, counts[1 + 4 * i : 5 + 4 * i])
            for i, (column, kind) in enumerate(zip(self._columns, types, strict=True))
        )
        return Profile(rows=rows, bytes=size, digest=digest, encoding=encoding, columns=columns)

    def _rows(self, statement: str, zh: str, en: str) -> list[tuple[Any, ...]]:
        """Run a statement of ours; the engine's own words stay here.

        Raises:
            ProfilingFailed: memory or disk is not enough.
            UnreadableFile: anything else is wrong with the file.
        """
        try:
            return self._db.execute(statement).fetchall()
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise ProfilingFailed(file=self._shown, why="memory") from error
        except duckdb.Error as error:
            raise UnreadableFile(file=self._shown, zh=zh, en=en) from error


def _select(what: str, table: str) -> str:
    return f"SELECT {what} FROM {table}"  # noqa: S608 - names and paths are quoted below


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _base(kind: str) -> str:
    return "DECIMAL" if kind.startswith("DECIMAL(") and kind.endswith(")") else kind


def _is_ordered(kind: str) -> bool:
    return _base(kind) in _ORDERED_TYPES or (kind.startswith("TIMESTAMP") and "[" not in kind)


def _is_supported(kind: str) -> bool:
    return _is_ordered(kind) or kind in _OTHER_TYPES


def _tests(cell: str) -> str:
    """How many cells are filled, and how many of them are of each type, in order of choice."""
    value, filled = f"trim({cell})", f"{cell} IS NOT NULL AND trim({cell}) NOT IN {_MISSING}"
    day = f"TRY_CAST(replace({value}, '/', '-') AS DATE) IS NOT NULL"
    instant = f"TRY_CAST(replace({value}, '/', '-') AS TIMESTAMP) IS NOT NULL"
    conditions = (
        "true",
        f"lower({value}) IN ('true', 'false')",
        f"regexp_full_match({value}, '{_WHOLE}')",
        f"regexp_full_match({value}, '{_NUMBER}')",
        f"regexp_full_match({value}, '{_DAY}') AND {day}",
        f"regexp_full_match({value}, '{_INSTANT}') AND {instant}",
    )
    return ", ".join(f"count(*) FILTER (WHERE {filled} AND {c})" for c in conditions)


def _type(counts: Sequence[int]) -> str:
    filled, *fitting = counts
    if filled:
        for count, kind in zip(
            fitting, ("BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP"), strict=True
        ):
            if count == filled:
                return kind
    return "VARCHAR"


def _typed(cell: str, kind: str) -> str:
    if kind == "VARCHAR":
        return cell
    value = f"trim({cell})"
    if kind in {"DATE", "TIMESTAMP"}:
        value = f"replace({value}, '/', '-')"
    return f"CASE WHEN trim({cell}) IN {_MISSING} THEN NULL ELSE CAST({value} AS {kind}) END"


def _measures(name: str, kind: str) -> str:
    ends = f"CAST(min({name}) AS VARCHAR), CAST(max({name}) AS VARCHAR)"
    ends = ends if _is_ordered(kind) else "NULL, NULL"
    return f"count({name}), approx_count_distinct({name}), {ends}"


def _column(found: _Found, kind: str, rows: int, measured: Sequence[Any]) -> Column:
    filled, distinct, least, most = measured
    nulls = rows - filled
    return Column(
        name=found.name,
        type=kind,
        null_bp=(nulls * _BASIS_POINTS + rows // 2) // rows,
        distinct=min(distinct, rows),
        least="" if least is None else str(least),
        most="" if most is None else str(most),
        meaning=found.header.strip() if found.header != found.name else "",
    )
