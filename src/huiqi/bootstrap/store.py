"""How is a system's store opened? Migrated first, then by the driver, never both at once."""

import sqlite3
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from huiqi.adapters.sql.driver import Database
from huiqi.adapters.sql.errors import StoreLocked, StoreUnavailable
from huiqi.adapters.sql.migrations import FOLDER, HEAD
from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import evidence_entry
from huiqi.kernel.clock import Clock, parse_instant


def open_store(folder: Path, clock: Clock) -> Database:
    """The store of the system whose folder this is, at the newest schema.

    Raises:
        StoreUnavailable: the file is not a database, is damaged or cannot be written.
        StoreLocked: another process has it open.
    """
    file = folder / "store.db"
    _migrate(file)
    return Database(file, clock=clock)


def _migrate(file: Path) -> None:
    try:
        if _version(file) == HEAD:
            return
        engine = create_engine(f"sqlite:///{file}")
        try:
            with engine.begin() as connection:
                upgrade(connection)
        finally:
            engine.dispose()
    except OperationalError as error:
        raise StoreLocked(path=file.name) from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise StoreUnavailable(path=file.name, why=type(error).__name__) from error


def _version(file: Path) -> str | None:
    """The schema version of ``file``; reading it costs a millisecond, Alembic a tenth second."""
    if not file.exists():
        return None
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return str(row[0]) if row else None


def upgrade(connection: Connection) -> None:
    """Bring the schema behind ``connection`` to the newest version."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


_NEWEST = prepare(select(func.max(evidence_entry.c.at)))


def newest_instant(database: Database) -> datetime | None:
    """The time of the newest recorded fact: the clock may not be behind it."""
    rows = database.read(lambda connection: connection.rows(_NEWEST, {}))
    return parse_instant(rows[0][0]) if rows and rows[0][0] else None
