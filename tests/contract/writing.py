"""A process of its own that writes to a store: ``python -m tests.contract.writing FOLDER WHAT``.

``many`` writes numbers from several threads and says each one that was acknowledged, until it is
killed. ``limited`` may not let the file grow beyond a size. ``hold`` keeps the write lock.
``lock`` tries to open the data directory.
"""

import resource
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import apsw

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.errors import StoreFull
from huiqi.bootstrap.errors import DataDirectoryInUse
from huiqi.bootstrap.folder import DataFolder
from huiqi.bootstrap.store import open_store
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Outgoing, Scope, Tx

NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
SCOPE = Scope("demo", "91349900MAXXXX0P1L")
THREADS = 8
LIMIT = 1_500_000


def say(text: str) -> None:
    """One line, written at once and whole."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def put(tx: Tx, number: int, size: int = 0) -> None:
    """One fact and one message that belong together."""
    tx.record(
        Fact(
            kind="A",
            subject=f"s{number % 5}",
            actor="a",
            at=NOW,
            details={"number": number},
            document=b"x" * size,
        )
    )
    tx.send(Outgoing(key=f"s{number % 5}", to="t", code="C", body=str(number).encode()))


def many(folder: Path) -> None:
    """Write until killed."""
    work = SqlWork(Database(folder / "store.db", clock=FixedClock(NOW)), SCOPE)

    def write(first: int) -> None:
        for number in range(first, 10**9, THREADS):
            work.run(lambda tx, number=number: put(tx, number, 2_000))
            say(str(number))

    for first in range(THREADS):
        threading.Thread(target=write, args=(first,)).start()


def limited(folder: Path) -> None:
    """Write until the file may not grow, see that it is said, and go on when it may again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
    database = Database(folder / "store.db", clock=FixedClock(NOW))
    work, number = SqlWork(database, SCOPE), 0
    try:
        for number in range(1_000):
            work.run(lambda tx, number=number: put(tx, number, 50_000))
            say(str(number))
    except StoreFull as error:
        say(error.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    work.run(lambda tx: put(tx, number, 50_000))
    say(str(number))
    database.close()


def full_at_birth(folder: Path) -> None:
    """Make a store where there is no room for its tables."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        open_store(folder, FixedClock(NOW))
    except StoreFull as error:
        say(error.code)


def hold(folder: Path) -> None:
    """Hold the write lock until standard input ends."""
    connection = apsw.Connection(str(folder / "store.db"))
    connection.execute("BEGIN IMMEDIATE")
    say("held")
    sys.stdin.read()


def lock(folder: Path) -> None:
    """Open the data directory, and keep it open until standard input ends."""
    try:
        opened = DataFolder(folder)
    except DataDirectoryInUse as error:
        say(error.code)
        return
    say("opened")
    sys.stdin.read()
    opened.release()


if __name__ == "__main__":
    chosen = {f.__name__: f for f in (many, limited, full_at_birth, hold, lock)}[sys.argv[2]]
    chosen(Path(sys.argv[1]))
