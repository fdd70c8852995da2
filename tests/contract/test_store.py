"""What a store promises: all or nothing, durable when it says so, typed words when it cannot."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from huiqi.adapters.sql.connection import Connection
from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.errors import StoreDamaged, StoreFull, StoreLocked, StoreUnavailable
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.errors import ConflictError, UnavailableError
from huiqi.kernel.facts import Fact, FactTooLong
from huiqi.kernel.work import Outgoing, Tx
from tests.contract.writing import LIMIT, NOW, SCOPE, put
from tests.support.store import open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path, FixedClock(NOW))
    yield database
    database.close()


@contextmanager
def reopened(folder: Path) -> Iterator[Database]:
    database = Database(folder / "store.db", clock=FixedClock(NOW))
    yield database
    database.close()


def ask(database: Database, statement: str) -> list[Any]:
    return database.read(lambda c: c.raw.execute(statement).fetchall())


def numbers(database: Database) -> list[int]:
    """Which numbers are there as facts; each must be there as a message too."""
    statement = "SELECT json_extract(leaf, '$.details.number') FROM evidence_entry ORDER BY seq"
    facts = [row[0] for row in ask(database, statement)]
    messages = [int(row[0]) for row in ask(database, "SELECT body FROM outbox ORDER BY id")]
    assert sorted(facts) == sorted(messages), "a fact without its message, or the other way round"
    assert ask(database, "PRAGMA integrity_check") == [("ok",)]
    return facts


def process(folder: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.writing", str(folder), what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_many_threads_commit_together_and_every_unit_is_there(
    store: Database, tmp_path: Path
) -> None:
    work = SqlWork(store, SCOPE)
    commits: list[None] = []
    store.on_commit(lambda: commits.append(None))
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda number: work.run(lambda tx: put(tx, number)), range(1_000)))
    assert len(commits) < 500, "no unit shared its fsync with another"
    store.close()
    with reopened(tmp_path) as after:
        assert sorted(numbers(after)) == list(range(1_000))
        seqs = [row[0] for row in ask(after, "SELECT seq FROM evidence_entry ORDER BY seq")]
        assert seqs == list(range(1_000))


def test_a_failing_unit_is_undone_alone(store: Database) -> None:
    """All in one batch: the writer is held until they are queued."""
    go = threading.Event()
    held = store.submit(lambda _c: go.wait(10))

    def unit(number: int) -> Callable[[Connection], int]:
        def run(connection: Connection) -> int:
            raw = connection.raw
            raw.execute("INSERT INTO evidence_chain VALUES ('s', 'p', ?, 1, 'h')", (str(number),))
            if number % 3 == 0:
                raise ConflictError(what=number)
            return number

        return run

    futures = [store.submit(unit(number)) for number in range(30)]
    go.set()
    held.result()
    for number, future in enumerate(futures):
        if number % 3 == 0:
            with pytest.raises(ConflictError):
                future.result()
        else:
            assert future.result() == number
    kept = [int(row[0]) for row in ask(store, "SELECT subject FROM evidence_chain")]
    assert sorted(kept) == [number for number in range(30) if number % 3]


def test_what_a_failed_verb_wrote_recorded_and_sent_is_gone(store: Database) -> None:
    def verb(tx: Tx) -> None:
        put(tx, 1)
        raise ConflictError(what="after the writing")

    with pytest.raises(ConflictError):
        SqlWork(store, SCOPE).run(verb)
    assert numbers(store) == []


def test_a_fact_that_is_too_long_undoes_the_whole_verb(store: Database) -> None:
    def verb(tx: Tx) -> None:
        put(tx, 1)
        tx.record(Fact(kind="A", subject="s", actor="a", at=NOW, details={"text": "x" * 70_000}))

    with pytest.raises(FactTooLong):
        SqlWork(store, SCOPE).run(verb)
    assert numbers(store) == []
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 2))
    assert numbers(store) == [2]


def test_a_broken_constraint_is_a_fault_of_ours_and_harms_no_other(store: Database) -> None:
    row = "INSERT INTO evidence_chain VALUES ('s', 'p', 'x', 1, 'h')"
    store.submit(lambda c: c.raw.execute(row)).result()
    with pytest.raises(apsw.ConstraintError):
        store.submit(lambda c: c.raw.execute(row)).result()
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    assert numbers(store) == [1]


def test_a_read_sees_one_state_and_cannot_write(store: Database) -> None:
    work = SqlWork(store, SCOPE)

    def query(connection: Connection) -> tuple[int, int]:
        count = "SELECT count(*) FROM evidence_entry"
        before = connection.raw.execute(count).get
        work.run(lambda tx: put(tx, 1))
        return before, connection.raw.execute(count).get

    assert store.read(query) == (0, 0)
    assert numbers(store) == [1]
    with pytest.raises(StoreUnavailable):
        store.read(lambda c: c.raw.execute("DELETE FROM outbox"))
    assert numbers(store) == [1]


def test_queries_inside_queries_and_in_many_threads_do_not_meet(store: Database) -> None:
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    assert store.read(lambda _c: numbers(store)) == [1]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _n: numbers(store), range(64)))
    assert found == [[1]] * 64
    assert len(store._readers._idle) <= 16


def test_the_listener_hears_of_changes_only(store: Database) -> None:
    heard: list[None] = []
    store.on_commit(lambda: heard.append(None))
    store.submit(lambda c: c.raw.execute("SELECT 1").get).result()
    store.submit(lambda c: c.raw.execute("DELETE FROM outbox WHERE id = 7").get).result()
    assert heard == []
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    store.submit(lambda _c: None).result()  # the commit before this one has been told
    assert heard == [None]


def test_a_listener_that_fails_does_not_end_the_writer(store: Database) -> None:
    def fails() -> None:
        raise RuntimeError("a closed loop")

    heard: list[None] = []
    store.on_commit(fails)
    store.on_commit(lambda: heard.append(None))
    for number in (1, 2):
        SqlWork(store, SCOPE).run(lambda tx, number=number: put(tx, number))
    assert numbers(store) == [1, 2]
    assert heard


def test_a_caller_that_went_away_does_not_end_the_writer(store: Database) -> None:
    go = threading.Event()
    held = store.submit(lambda _c: go.wait(10))
    gone = store.submit(lambda _c: pytest.fail("nobody waits for it"))
    assert gone.cancel()
    go.set()
    held.result()
    assert store.submit(lambda _c: 7).result() == 7


def test_after_closing_everything_is_refused_at_once(tmp_path: Path) -> None:
    database = open_store(tmp_path, FixedClock(NOW))
    work = SqlWork(database, SCOPE)
    database.close()
    database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        work.run(lambda tx: put(tx, 1))
    with pytest.raises(StoreUnavailable, match="closed"):
        work.read(lambda _tx: None)


def test_a_unit_that_comes_while_closing_is_written_or_refused(tmp_path: Path) -> None:
    database = open_store(tmp_path, FixedClock(NOW))
    work, kept, refused = SqlWork(database, SCOPE), [], []

    def write(first: int) -> None:
        for number in range(first, 10**6, 8):
            try:
                work.run(lambda tx, number=number: put(tx, number))
            except StoreUnavailable:
                refused.append(number)
                return
            kept.append(number)

    threads = [threading.Thread(target=write, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    while len(kept) < 20:
        threads[0].join(0.01)
    database.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "a caller waits for ever"
    assert len(refused) == 8
    with reopened(tmp_path) as after:
        assert sorted(numbers(after)) == sorted(kept)


def test_what_was_queued_before_closing_is_finished(tmp_path: Path) -> None:
    database = open_store(tmp_path, FixedClock(NOW))
    go = threading.Event()
    database.submit(lambda _c: go.wait(10))
    waiting: list[Future[int]] = [database.submit(lambda _c: 7) for _ in range(3)]
    closing = threading.Thread(target=database.close)
    closing.start()
    go.set()
    closing.join(10)
    assert [future.result(1) for future in waiting] == [7, 7, 7]


def test_a_unit_inside_a_unit_is_refused_instead_of_waiting_for_itself(store: Database) -> None:
    with pytest.raises(RuntimeError, match="inside a unit"):
        store.submit(lambda _c: store.submit(lambda _c: None).result()).result(5)


def test_a_full_store_says_so_undoes_the_batch_and_works_again(store: Database) -> None:
    work = SqlWork(store, SCOPE)
    work.run(lambda tx: put(tx, 0))

    def limit(pages: int) -> None:
        store.submit(lambda c: c.raw.execute(f"PRAGMA max_page_count={pages}").get).result()

    limit(ask(store, "PRAGMA page_count")[0][0] + 3)
    with pytest.raises(StoreFull) as caught:
        work.run(lambda tx: put(tx, 1, 100_000))
    assert isinstance(caught.value, UnavailableError)
    assert caught.value.params["path"] == "store.db"
    assert numbers(store) == [0]
    limit(1_000_000)
    work.run(lambda tx: put(tx, 2, 100_000))
    assert numbers(store) == [0, 2]


def test_a_file_that_may_not_grow_loses_nothing_and_goes_on_when_it_may(tmp_path: Path) -> None:
    open_store(tmp_path, FixedClock(NOW)).close()
    child = process(tmp_path, "limited")
    said = child.communicate(timeout=30)[0].split()
    assert child.returncode == 0
    assert "store.full" in said
    assert (tmp_path / "store.db").stat().st_size >= LIMIT / 2
    with reopened(tmp_path) as after:
        assert numbers(after) == [int(line) for line in said if line != "store.full"]


def test_after_a_kill_every_acknowledged_unit_is_there_and_none_by_half(tmp_path: Path) -> None:
    open_store(tmp_path, FixedClock(NOW)).close()
    child = process(tmp_path, "many")
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(400)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.communicate()[0].split("\n")[:-1]]
    assert child.returncode == -signal.SIGKILL
    with reopened(tmp_path) as after:
        kept = numbers(after)
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept))
        ends = ask(after, "SELECT subject, n FROM evidence_chain ORDER BY subject")
        counted = "SELECT subject, count(*) FROM evidence_entry GROUP BY subject ORDER BY subject"
        assert ends == ask(after, counted)
        SqlWork(after, SCOPE).run(lambda tx: put(tx, -1))
        assert numbers(after)[-1] == -1


def test_a_store_that_another_process_writes_to_is_locked(store: Database, tmp_path: Path) -> None:
    store.submit(lambda c: c.raw.set_busy_timeout(50)).result()
    work, other = SqlWork(store, SCOPE), process(tmp_path, "hold")
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(StoreLocked):
        work.run(lambda tx: put(tx, 1))
    assert numbers(store) == []
    other.communicate()
    work.run(lambda tx: put(tx, 2))
    assert numbers(store) == [2]


def damage(file: Path, roots: list[int]) -> None:
    """Overwrite the first page of every table and index; the list of tables stays whole."""
    with file.open("r+b") as pages:
        for root in roots:
            pages.seek((root - 1) * 4_096)
            pages.write(os.urandom(4_096))


def test_a_damaged_page_is_reported_as_such(tmp_path: Path) -> None:
    database = open_store(tmp_path, FixedClock(NOW))
    for number in range(50):
        SqlWork(database, SCOPE).run(lambda tx, number=number: put(tx, number, 500))
    found = ask(database, "SELECT rootpage FROM sqlite_master WHERE rootpage > 1")
    database.close()
    damage(tmp_path / "store.db", [root for (root,) in found])
    with reopened(tmp_path) as after:
        work, outbox = SqlWork(after, SCOPE), SqlOutbox(after)
        for attempt in (
            lambda: work.run(lambda tx: put(tx, 99)),
            lambda: ask(after, "SELECT leaf FROM evidence_entry"),
            lambda: outbox.waiting(SCOPE),
            lambda: outbox.claim(SCOPE, NOW, 60, 1),
        ):
            with pytest.raises(StoreDamaged):
                attempt()


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreDamaged):
        Database(tmp_path / "store.db", clock=FixedClock(NOW))


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Database(tmp_path / "nowhere" / "store.db", clock=FixedClock(NOW))


def test_two_participants_in_one_file_do_not_see_each_other(store: Database) -> None:
    other = type(SCOPE)("demo", "91349900MA2C0NTE3Y")
    for scope in (SCOPE, other, SCOPE):
        SqlWork(store, scope).run(
            lambda tx: tx.record(Fact(kind="A", subject="s", actor="a", at=NOW))
        )
    counted = "SELECT participant, seq FROM evidence_entry ORDER BY participant, seq"
    assert ask(store, counted) == [
        (other.participant, 0),
        (SCOPE.participant, 0),
        (SCOPE.participant, 1),
    ]


def test_a_message_written_by_a_verb_is_due_at_once(store: Database) -> None:
    message = Outgoing(key="k", to="t", code="C", body=b"\x00\xff")
    SqlWork(store, SCOPE).run(lambda tx: tx.send(message))
    (queued,) = SqlOutbox(store).claim(SCOPE, NOW, 60, 10)
    assert queued.message == message
