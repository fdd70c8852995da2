"""What does the engine process do with DuckDB? Load, lock down, answer, build, export."""

import os
import time
from pathlib import Path

import duckdb
import msgspec

from huiqi.adapters.engines import confinement, opinion
from huiqi.adapters.engines.cells import cell_of
from huiqi.adapters.engines.frames import (
    TOO_LARGE,
    Answer,
    Ask,
    Build,
    Cell,
    Export,
    Exported,
    Failed,
    Load,
    Made,
    Table,
)
from huiqi.adapters.engines.sealed import Header, seal, unseal

# Rows taken from DuckDB at once; the byte cap is checked after each.
BATCH = 1_000


def connect(memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """An empty database in memory that loads no extension and spills nothing to disk."""
    connection = duckdb.connect(":memory:", config={"threads": threads})
    for setting in (
        "TimeZone='UTC'",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "allow_community_extensions=false",
        "allow_persistent_secrets=false",
        "python_enable_replacements=false",
        "temp_directory=''",
        "max_temp_directory_size='0B'",
        f"memory_limit='{int(memory_mb)}MB'",
    ):
        connection.execute(f"SET {setting}")
    return connection


class Engine:
    """One locked-down database with the tables of one session."""

    def __init__(self, load: Load) -> None:
        self._connection = connect(load.memory_mb, load.threads)
        self._tables = {table.name for table in load.tables}
        for table in load.tables:
            _load(self._connection, table)
        self._connection.execute("SET enable_external_access=false")
        self._connection.execute("SET lock_configuration=true")
        # Whatever DuckDB or Python opens lazily is opened now; afterwards nothing can be.
        opinion.check(self._connection, "SELECT count(*) AS n FROM t LIMIT 1", {"t"})
        confinement.after_loading()

    def answer(self, ask: Ask) -> Answer | Failed:
        """The rows of one SELECT, or why not."""
        confinement.cpu(ask.cpu_s)
        started = time.perf_counter()
        opinion.check(self._connection, ask.sql, self._tables)
        result = self._connection.execute(ask.sql)
        columns = tuple(str(column[0]) for column in result.description or ())
        rows: list[tuple[Cell, ...]] = []
        size = 0
        while batch := result.fetchmany(BATCH):
            cells = [tuple(cell_of(value) for value in row) for row in batch]
            size += len(msgspec.msgpack.encode(cells))
            rows += cells
            if len(rows) > ask.most_rows or size > ask.most_bytes:
                return Failed(kind=TOO_LARGE, text=f"{len(rows)} rows, {size} bytes")
        elapsed_ms = (time.perf_counter() - started) * 1000
        return Answer(columns=columns, rows=tuple(rows), elapsed_ms=elapsed_ms)


def build(order: Build) -> Made:
    """Write the permitted rows and columns of a source to an encrypted file."""
    connection = connect(order.memory_mb, order.threads)
    columns = [f"s.{_quoted(name)}" for name in order.columns]
    if order.unit:
        unit = f"s.{_quoted(order.unit)}"
        salted = f"md5_number_lower('{order.salt.hex()}' || CAST({unit} AS VARCHAR))"
        columns.append(f"{salted} AS {_quoted(order.unit_name)}")
    select = f"SELECT {', '.join(columns)} FROM read_parquet({_text(order.source)}) AS s"  # noqa: S608 - names are quoted, the filter was written by compute.rendering
    if order.row_filter:
        select += f" WHERE {order.row_filter}"
    with os.fdopen(os.memfd_create("projection"), "w+b") as plain:
        rows = _copy(connection, select, plain.fileno())
        described = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet('{_path(plain.fileno())}')"  # noqa: S608 - our own descriptor
        ).fetchall()
        plain.seek(0)
        header = msgspec.convert(order.header, Header)
        size, digest = seal(Path(order.target), header, order.key, plain)
    names = tuple((str(row[0]), str(row[1])) for row in described)
    return Made(rows=rows, bytes=size, digest=digest, columns=names)


def export(order: Export) -> Exported | Failed:
    """Columns of a projection as a Parquet file."""
    connection = connect(order.memory_mb, order.threads)
    _load(connection, order.table)
    columns = ", ".join(_quoted(name) for name in order.columns)
    select = f"SELECT {columns} FROM {_quoted(order.table.name)}"  # noqa: S608 - names are quoted
    with os.fdopen(os.memfd_create("loan"), "w+b") as plain:
        _copy(connection, select, plain.fileno())
        size = os.fstat(plain.fileno()).st_size
        if size > order.most:
            return Failed(kind=TOO_LARGE, text=f"{size} bytes")
        plain.seek(0)
        return Exported(parquet=plain.read())


def _load(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    with os.fdopen(os.memfd_create("table"), "w+b") as plain:
        if table.path:
            unseal(Path(table.path), table.key, projection=table.projection, plain=plain)
        else:
            plain.write(table.parquet)
        plain.flush()
        connection.execute(
            f"CREATE TABLE {_quoted(table.name)} AS SELECT * FROM "  # noqa: S608 - names are quoted
            f"read_parquet('{_path(plain.fileno())}')"
        )


def _copy(connection: duckdb.DuckDBPyConnection, select: str, descriptor: int) -> int:
    options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
    row = connection.execute(f"COPY ({select}) TO '{_path(descriptor)}' ({options})").fetchone()
    return int(row[0]) if row else 0


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
