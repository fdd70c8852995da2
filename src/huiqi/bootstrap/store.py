"""How is a system's store opened? Migrated first, then by the driver, never both at once."""

import sqlite3
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from huiqi.adapters.sql.driver import Database
from huiqi.adapters.sql.errors import (
    StoreDamaged,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnavailable,
)
from huiqi.adapters.sql.migrations import FOLDER, HEAD
from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import evidence_entry
from huiqi.kernel.clock import Clock, parse_instant

# SQLite's primary result codes (sqlite.org/rescode.html) and what they mean here. A file that may
# grow no further shows as full, or as an error of input and output when a limit is the reason.
_MEANING: dict[int, type[StoreUnavailable]] = {
    sqlite3.SQLITE_BUSY: StoreLocked,
    sqlite3.SQLITE_LOCKED: StoreLocked,
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
}
_NO_ROOM = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE}
_PRIMARY = 0xFF
# Somebody else may be ending this moment; whoever stays longer is another process.
LOCK_WAIT_S = 2.0


def open_store(folder: Path, clock: Clock) -> Database:
    """The store of the system whose folder this is, at the newest schema.

    Raises:
        StoreDamaged: the file is not a database, or is damaged.
        StoreFull: there is no room for the schema; the file is as it was.
        StoreLocked: another process has it open.
        StoreTooNew: a newer version of this software has written it.
        StoreUnavailable: it cannot be read or written.
    """
    file = folder / "store.db"
    try:
        _migrate(file)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise _typed(error, file) from error
    return Database(file, clock=clock)


def _migrate(file: Path) -> None:
    version = _version(file)
    if version == HEAD:
        return
    if version is not None and version not in _known_versions():
        raise StoreTooNew(path=file.name, version=version[:32])
    engine = create_engine(
        URL.create("sqlite", database=str(file)), connect_args={"timeout": LOCK_WAIT_S}
    )
    _in_real_transactions(engine)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


def _version(file: Path) -> str | None:
    """The schema version of ``file``; reading it costs a millisecond, Alembic a tenth second."""
    if not file.exists():
        return None
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=LOCK_WAIT_S
    )
    try:
        there = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
        ).fetchone()
        if not there[0]:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else None


def _known_versions() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()}


def _in_real_transactions(engine: Engine) -> None:
    """Let every change of the schema be undone together.

    The driver of the standard library begins a transaction before the first changed row only, so
    that a migration that was cut off would leave its tables behind and never run again.
    """

    @event.listens_for(engine, "connect")
    def begin_nothing_yourself(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _typed(error: DatabaseError | sqlite3.DatabaseError, file: Path) -> StoreUnavailable:
    cause = error.orig if isinstance(error, DatabaseError) else error
    code = getattr(cause, "sqlite_errorcode", 0)
    found = StoreFull if code in _NO_ROOM else _MEANING.get(code & _PRIMARY, StoreUnavailable)
    return found(path=file.name, why=getattr(cause, "sqlite_errorname", type(cause).__name__))


def upgrade(connection: Connection) -> None:
    """Bring the schema behind ``connection`` to the newest version."""
    config = Config()
    # A per cent sign begins a reference in the files that this configuration usually comes from.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


_NEWEST = prepare(select(func.max(evidence_entry.c.at)))


def newest_instant(database: Database) -> datetime | None:
    """The time of the newest recorded fact: the clock may not be behind it."""
    rows = database.read(lambda connection: connection.rows(_NEWEST, {}))
    return parse_instant(rows[0][0]) if rows and rows[0][0] else None
