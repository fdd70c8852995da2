"""How do statements reach SQLite fast and durably?

One thread owns the only writing connection. It drains a queue of units, opens one transaction,
runs each unit in its own savepoint and commits them with a single fsync (group commit): the
fsync itself makes the batch. Measured in ``design``: 13 935 units/s against 201 one by one.
"""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import apsw

from huiqi.adapters.sql.errors import StoreFull, StoreLocked, StoreUnavailable
from huiqi.adapters.sql.prepared import Prepared
from huiqi.adapters.sql.tx import SqlTx
from huiqi.kernel.clock import Clock
from huiqi.kernel.work import Scope, Tx

Result = TypeVar("Result")

# One fsync serves at most this many units, so that a lone caller never waits for long.
LARGEST_BATCH = 500
# Linux answers a lock held by another process at once; this covers a crash of a moment ago.
BUSY_TIMEOUT_MS = 2_000


class Connection:
    """One open SQLite connection that runs prepared statements."""

    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw

    def rows(self, statement: Prepared, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Every row of the answer."""
        return self.raw.execute(statement.sql, {**statement.fixed, **params}).fetchall()

    def change(self, statement: Prepared, params: Mapping[str, Any]) -> int:
        """Run a write; the number of rows it touched."""
        self.raw.execute(statement.sql, {**statement.fixed, **params})
        return self.raw.changes()

    def last_id(self) -> int:
        """The integer primary key of the row inserted last."""
        return self.raw.last_insert_rowid()


class Database:
    """One SQLite file: a writer thread with group commit, and readers per thread."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._after_commit: list[Callable[[], None]] = []
        writer = self._open_writer()
        self._thread = threading.Thread(
            target=self._write_forever,
            args=(writer,),
            name=f"writer-{path.parent.name}",
            daemon=True,
        )
        self._thread.start()

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every commit: how the outbox worker learns of new messages."""
        self._after_commit.append(wake)

    def submit(self, unit: Callable[[Connection], Result]) -> "Future[Result]":
        """Queue ``unit``; the future resolves once its transaction is durable."""
        future: Future[Result] = Future()
        self._queue.put(_Unit(unit, future))
        return future

    def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run ``query`` on this thread's read-only connection, on one snapshot."""
        connection = self._reader()
        connection.raw.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._queue.put(None)
        self._thread.join()
        for reader in self._readers:
            reader.close()

    def _open_writer(self) -> apsw.Connection:
        try:
            writer = apsw.Connection(str(self.path))
            writer.set_busy_timeout(BUSY_TIMEOUT_MS)
            writer.execute("PRAGMA journal_mode=WAL")
            writer.execute("PRAGMA synchronous=FULL")
            writer.execute("PRAGMA foreign_keys=ON")
            writer.execute("PRAGMA cache_size=-8192")
        except apsw.BusyError as error:
            raise StoreLocked(path=self.path.name) from error
        except apsw.Error as error:
            raise StoreUnavailable(path=self.path.name, why=type(error).__name__) from error
        return writer

    def _reader(self) -> Connection:
        found: Connection | None = getattr(self._local, "reader", None)
        if found is None:
            raw = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
            raw.set_busy_timeout(BUSY_TIMEOUT_MS)
            raw.execute("PRAGMA query_only=ON")
            raw.execute("PRAGMA cache_size=-2048")
            self._readers.append(raw)
            found = self._local.reader = Connection(raw)
        return found

    def _write_forever(self, raw: apsw.Connection) -> None:
        connection = Connection(raw)
        while (first := self._queue.get()) is not None:
            batch = [first]
            stop = False
            while len(batch) < LARGEST_BATCH and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    stop = True
                    break
                batch.append(more)
            self._commit(connection, batch)
            if stop:
                break
        raw.close()

    def _commit(self, connection: Connection, batch: "list[_Unit]") -> None:
        try:
            connection.raw.execute("BEGIN IMMEDIATE")
            for unit in batch:
                unit.run(connection)
            connection.raw.execute("COMMIT")
        except apsw.Error as error:
            if connection.raw.in_transaction:
                connection.raw.execute("ROLLBACK")
            failure = _store_error(error, self.path)
            for unit in batch:
                unit.fail(failure)
            return
        for unit in batch:
            unit.resolve()
        for wake in self._after_commit:
            wake()


def _store_error(error: apsw.Error, path: Path) -> StoreUnavailable:
    if isinstance(error, apsw.FullError | apsw.IOError):
        return StoreFull(path=path.name, why=type(error).__name__)
    return StoreUnavailable(path=path.name, why=type(error).__name__)


class _Unit:
    """One queued piece of work: runs in a savepoint, answers after the commit."""

    def __init__(self, work: Callable[[Connection], Any], future: "Future[Any]") -> None:
        self._work = work
        self._future = future
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        connection.raw.execute("SAVEPOINT unit")
        try:
            self._result = self._work(connection)
        except apsw.FullError:
            raise  # the whole batch is lost: the disk is full
        except BaseException as error:  # noqa: BLE001 - handed to the caller through the future
            self._error = error
            connection.raw.execute("ROLLBACK TO unit")
        connection.raw.execute("RELEASE unit")

    def resolve(self) -> None:
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._result)

    def fail(self, error: BaseException) -> None:
        self._future.set_exception(error)


class SqlWork:
    """``kernel.work.Work`` on one database for one scope."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope

    def run(self, verb: Callable[[Tx], Result]) -> Result:
        """Run ``verb`` in a transaction; durable when this returns."""
        return self._database.submit(
            lambda connection: verb(SqlTx(connection, self._scope, self._database.clock))
        ).result()

    def read(self, query: Callable[[Tx], Result]) -> Result:
        """Run ``query`` on a snapshot."""
        return self._database.read(
            lambda connection: query(SqlTx(connection, self._scope, self._database.clock))
        )
