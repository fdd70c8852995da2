"""A real store on a temporary file, with every table the test has imported."""

from pathlib import Path

from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from huiqi.adapters.sql.driver import Database
from huiqi.adapters.sql.schema import metadata
from huiqi.kernel.clock import Clock


def open_store(folder: Path, clock: Clock) -> Database:
    """A fresh database below ``folder``; close it at the end of the test."""
    database = Database(folder / "store.db", clock=clock)
    for table in metadata.sorted_tables:
        ddl = [str(CreateTable(table).compile(dialect=dialect()))]
        ddl += [str(CreateIndex(index).compile(dialect=dialect())) for index in table.indexes]
        for statement in ddl:
            database.submit(lambda c, s=statement: c.raw.execute(s)).result()
    return database
