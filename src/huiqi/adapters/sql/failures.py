"""What does a failure of SQLite mean to the rooms?

Only what the machine does to us is translated. A wrong statement or a broken constraint is a
fault of ours and stays what it is, so that it is logged with its trace.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from huiqi.adapters.sql.errors import StoreDamaged, StoreFull, StoreLocked, StoreUnavailable

_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)
_LOCKED = (apsw.BusyError, apsw.LockedError)
_AWAY = (
    apsw.IOError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.AuthError,
    apsw.InterruptError,
    apsw.ConnectionClosedError,
)
# A full disk shows as SQLITE_FULL; a quota or a size limit as a failed write or growth of a file.
_NO_ROOM = {apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_TRUNCATE}


def store_error(error: apsw.Error, path: Path) -> StoreUnavailable | None:
    """The typed error for ``error`` on the store ``path``; None when it is a fault of ours."""
    kind = type(error).__name__
    full = isinstance(error, apsw.FullError)
    if full or (isinstance(error, apsw.IOError) and _detail(error) in _NO_ROOM):
        return StoreFull(path=path.name, why=kind)
    if isinstance(error, _DAMAGED):
        return StoreDamaged(path=path.name, why=kind)
    if isinstance(error, _LOCKED):
        return StoreLocked(path=path.name)
    if isinstance(error, _AWAY):
        return StoreUnavailable(path=path.name, why=kind)
    return None


def _detail(error: apsw.Error) -> int:
    """SQLite's extended result code, which APSW puts on every error that SQLite gave."""
    return int(getattr(error, "extendedresult", 0))


@contextmanager
def typed_failures(path: Path) -> Iterator[None]:
    """Failures of the store ``path`` inside the block are raised as typed errors."""
    try:
        yield
    except apsw.Error as error:
        typed = store_error(error, path)
        if typed is None:
            raise
        raise typed from error
