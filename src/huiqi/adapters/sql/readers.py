"""Which read-only connection serves a query?

Readers are lent for one query and come back, so that there are as many as queries ran at once,
and not one for every thread that ever asked.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from huiqi.adapters.sql.connection import Connection
from huiqi.adapters.sql.errors import StoreUnavailable

# Two megabytes of pages each; the writer keeps its own.
_CACHE = "PRAGMA cache_size=-2048"


class Readers:
    """The read-only connections of one store."""

    def __init__(self, path: Path, *, busy_timeout_ms: int) -> None:
        self._path, self._busy_timeout_ms = path, busy_timeout_ms
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection on one consistent state of the store, for this block alone.

        Raises:
            StoreUnavailable: the store was closed.
        """
        connection = self._take()
        try:
            connection.raw.execute("BEGIN")
            yield connection
        finally:
            if connection.raw.in_transaction:
                connection.raw.execute("ROLLBACK")
            self._give_back(connection)

    def close(self) -> None:
        """Close every connection; those that are lent close when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.raw.close()

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(path=self._path.name, why="closed")
            if self._idle:
                return self._idle.pop()
        raw = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        raw.set_busy_timeout(self._busy_timeout_ms)
        raw.execute("PRAGMA query_only=ON")
        raw.execute(_CACHE)
        return Connection(raw)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.raw.close()
