"""How do statements reach SQLite fast and durably?

One thread owns the only writing connection. It drains a queue of units, opens one transaction,
runs each unit in its own savepoint and commits them with a single fsync (group commit): the
fsync itself makes the batch. Measured in ``design``: 13 935 units/s against 201 one by one.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import apsw
import structlog

from huiqi.adapters.sql.connection import Connection
from huiqi.adapters.sql.errors import StoreUnavailable
from huiqi.adapters.sql.failures import store_error, typed_failures
from huiqi.adapters.sql.readers import Readers
from huiqi.adapters.sql.tx import SqlTx
from huiqi.kernel.clock import Clock
from huiqi.kernel.work import Scope, Tx

log = structlog.get_logger("huiqi.store")

Result = TypeVar("Result")

# One fsync serves at most this many units, so that a lone caller never waits for long.
LARGEST_BATCH = 500
# Linux answers a lock held by another process at once; this covers a crash of a moment ago.
BUSY_TIMEOUT_MS = 2_000


class Database:
    """One SQLite file: a writer thread with group commit, and readers lent per query."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        # Held while a unit is queued and while the door is shut: no unit comes after the end mark.
        self._door = threading.Lock()
        self._closed = False
        self._readers = Readers(path, busy_timeout_ms=BUSY_TIMEOUT_MS)
        self._after_commit: list[Callable[[], None]] = []
        with typed_failures(path):
            writer = _open_writer(path)
        self._thread = threading.Thread(
            target=self._write_forever,
            args=(writer,),
            name=f"writer-{path.parent.name}",
            daemon=True,
        )
        self._thread.start()

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every commit that changed something: how the worker is woken."""
        self._after_commit.append(wake)

    def submit(self, unit: Callable[[Connection], Result]) -> "Future[Result]":
        """Queue ``unit``; the future resolves once its transaction is durable.

        Raises:
            StoreUnavailable: the store was closed, or is being closed.
            RuntimeError: called by a unit, which would wait for ever.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a unit inside a unit would wait for itself")
        future: Future[Result] = Future()
        with self._door:
            if self._closed:
                raise StoreUnavailable(path=self.path.name, why="closed")
            self._queue.put(_Unit(unit, future))
        return future

    def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run ``query`` on a read-only connection, on one snapshot.

        Raises:
            StoreUnavailable: the file cannot be read, is damaged, or the store was closed.
        """
        with typed_failures(self.path), self._readers.snapshot() as connection:
            return query(connection)

    def close(self) -> None:
        """Finish what is queued, then close every connection. A second time does nothing."""
        self._shut()
        # Readers first: the connection that closes last cleans up, and that is for the writer.
        self._readers.close()
        self._thread.join()

    def _shut(self) -> None:
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)

    def _write_forever(self, raw: apsw.Connection) -> None:
        connection = Connection(raw)
        try:
            while (batch := self._next_batch()) is not None:
                self._commit(connection, batch)
        finally:
            # Reached by ``close``, and by an error nobody foresaw: then nobody may wait for ever.
            self._shut()
            while (left := self._next_batch()) is not None:
                for unit in left:
                    unit.fail(StoreUnavailable(path=self.path.name, why="closed"), self.path)
            raw.close()

    def _next_batch(self) -> "list[_Unit] | None":
        """What is queued now, at least one unit; None at the end mark, which then stays."""
        batch: list[_Unit] = []
        while not batch or (len(batch) < LARGEST_BATCH and not self._queue.empty()):
            unit = self._queue.get()
            if unit is None:
                self._queue.put(None)
                return batch or None
            if unit.wanted():
                batch.append(unit)
        return batch

    def _commit(self, connection: Connection, batch: "list[_Unit]") -> None:
        before = connection.raw.total_changes()
        try:
            connection.raw.execute("BEGIN IMMEDIATE")
            for unit in batch:
                unit.run(connection)
            connection.raw.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to every caller of the batch
            _undo(connection)
            for unit in batch:
                unit.fail(error, self.path)
            return
        for unit in batch:
            unit.resolve(self.path)
        if connection.raw.total_changes() != before:
            self._wake_others()

    def _wake_others(self) -> None:
        for wake in self._after_commit:
            try:
                wake()
            except Exception:
                # What was committed stays so; a listener's fault must not end the only writer.
                log.exception("store.wake_failed", store=self.path.parent.name)


def _undo(connection: Connection) -> None:
    """Leave no transaction open; a file that cannot even be rolled back fails at the next BEGIN."""
    if connection.raw.in_transaction:
        with contextlib.suppress(apsw.Error):
            connection.raw.execute("ROLLBACK")


def _open_writer(path: Path) -> apsw.Connection:
    writer = apsw.Connection(str(path))
    writer.set_busy_timeout(BUSY_TIMEOUT_MS)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA synchronous=FULL")
    writer.execute("PRAGMA foreign_keys=ON")
    writer.execute("PRAGMA cache_size=-8192")
    # What was deleted, such as a kept result, is overwritten and not only unlinked.
    writer.execute("PRAGMA secure_delete=ON")
    return writer


class _Unit:
    """One queued piece of work: runs in a savepoint, answers after the commit."""

    def __init__(self, work: Callable[[Connection], Any], future: "Future[Any]") -> None:
        self._work = work
        self._future = future
        self._result: Any = None
        self._error: BaseException | None = None

    def wanted(self) -> bool:
        """Whether somebody still waits; from now on the caller can no longer withdraw."""
        return self._future.set_running_or_notify_cancel()

    def run(self, connection: Connection) -> None:
        """Run in a savepoint; what the work raises is kept for its caller.

        Raises:
            apsw.Error: SQLite has undone the whole transaction, or cannot go on with it.
        """
        connection.raw.execute("SAVEPOINT unit")
        try:
            self._result = self._work(connection)
        except BaseException as error:
            if _ends_batch(error, connection):
                raise
            self._error = error
            connection.raw.execute("ROLLBACK TO unit")
        connection.raw.execute("RELEASE unit")

    def resolve(self, path: Path) -> None:
        """Answer the caller: the transaction is durable."""
        if self._error is None:
            self._future.set_result(self._result)
        else:
            self.fail(self._error, path)

    def fail(self, error: BaseException, path: Path) -> None:
        """Answer the caller: nothing of this unit was written."""
        typed = store_error(error, path) if isinstance(error, apsw.Error) else None
        if typed is not None:
            typed.__cause__ = error
        self._future.set_exception(typed or error)


def _ends_batch(error: BaseException, connection: Connection) -> bool:
    """A full disk, and whatever made SQLite undo the transaction, is no affair of one unit."""
    if not isinstance(error, apsw.Error):
        return False
    return isinstance(error, apsw.FullError) or not connection.raw.in_transaction


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
