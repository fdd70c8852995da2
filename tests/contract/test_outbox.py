"""What an outbox promises: at least once, in order per key, nothing lost, and reasons to show."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.errors import ConflictError
from huiqi.kernel.work import Outbox, OutboxState, Outgoing, Queued, Scope, Tx, Work
from tests.support.store import open_store

NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
SCOPE = Scope("demo", "91349900MAXXXX0P1L")
LEASE_S = 60


@dataclass
class Box:
    """An outbox, the work that fills it, and the time."""

    outbox: Outbox
    work: Work
    clock: FixedClock
    database: Database

    def send(self, *keys: str) -> None:
        for key in keys:
            message = Outgoing(key=key, to="peer", code="C", body=key.encode())
            self.work.run(lambda tx, message=message: tx.send(message))

    def claim(self, limit: int = 100) -> list[Queued]:
        return list(self.outbox.claim(SCOPE, self.clock.now(), LEASE_S, limit))

    def sent(self, queued: Queued) -> None:
        self.work.run(lambda tx: self.outbox.sent(SCOPE, tx, queued.id))

    def later(self, queued: Queued, seconds: float, *, dead: bool = False) -> None:
        due = self.clock.now() + timedelta(seconds=seconds)
        self.outbox.retry(SCOPE, queued.id, due, "对方不在", dead=dead)

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    clock = FixedClock(NOW)
    database = open_store(tmp_path, clock)
    yield Box(SqlOutbox(database), SqlWork(database, SCOPE), clock, database)
    database.close()


def test_what_is_sent_is_claimed_to_the_byte(box: Box) -> None:
    message = Outgoing(key="合约", to="5" * 32, code="UseQuery", body=bytes(range(256)))
    box.work.run(lambda tx: tx.send(message))
    (queued,) = box.claim()
    assert queued.message == message
    assert (queued.state, queued.tries, queued.last_error) == (OutboxState.READY, 0, "")
    assert queued.created_at == queued.due_at == NOW


def test_what_a_verb_sent_and_undid_is_not_there(box: Box) -> None:
    def verb(tx: Tx) -> None:
        tx.send(Outgoing(key="k", to="p", code="C", body=b""))
        raise ConflictError(what="x")

    with pytest.raises(ConflictError):
        box.work.run(verb)
    assert box.claim() == []
    assert box.outbox.waiting(SCOPE) == []


def test_of_one_key_only_the_oldest_unsent_one_is_due(box: Box) -> None:
    box.send("a", "a", "b", "a")
    first, other = box.claim()
    assert [first.message.key, other.message.key] == ["a", "b"]
    assert box.claim() == []
    box.sent(first)
    (second,) = box.claim()
    assert second.id > other.id - 2
    assert second.message.key == "a"


def test_a_failed_message_holds_back_its_key_and_no_other(box: Box) -> None:
    box.send("a", "a", "b")
    box.later(box.claim()[0], 30)
    box.send("c")
    assert [queued.message.key for queued in box.claim()] == ["c"]
    box.wait(31)
    assert [queued.message.key for queued in box.claim()] == ["a"]


def test_a_dead_message_lets_the_next_of_its_key_pass_and_stays_visible(box: Box) -> None:
    box.send("a", "a")
    first = box.claim()[0]
    box.later(first, 0, dead=True)
    (second,) = box.claim()
    assert second.id != first.id
    shown = box.outbox.waiting(SCOPE)
    assert [(queued.state, queued.last_error) for queued in shown] == [
        (OutboxState.DEAD, "对方不在"),
        (OutboxState.READY, ""),
    ]
    box.wait(10**6)
    assert first.id not in {queued.id for queued in box.claim()}


def test_a_lease_hides_a_message_until_it_ends(box: Box) -> None:
    box.send("a")
    (queued,) = box.claim()
    box.wait(LEASE_S - 1)
    assert box.claim() == []
    box.wait(1)
    (again,) = box.claim()
    assert (again.id, again.tries) == (queued.id, 1)


def test_every_claim_counts_as_a_try(box: Box) -> None:
    box.send("a")
    for tries in range(4):
        (queued,) = box.claim()
        assert queued.tries == tries
        box.later(queued, 0)


def test_a_retry_is_due_at_its_time_with_its_reason(box: Box) -> None:
    box.send("a")
    box.later(box.claim()[0], 90)
    (shown,) = box.outbox.waiting(SCOPE, "a")
    assert shown.due_at == NOW + timedelta(seconds=90)
    assert shown.last_error == "对方不在"
    box.wait(89)
    assert box.claim() == []
    box.wait(1)
    assert len(box.claim()) == 1


def test_a_reason_without_end_is_cut(box: Box) -> None:
    box.send("a")
    box.outbox.retry(SCOPE, box.claim()[0].id, NOW, "长" * 10_000, dead=False)
    assert len(box.outbox.waiting(SCOPE)[0].last_error) <= 500


def test_what_was_sent_waits_no_more_and_is_never_claimed_again(box: Box) -> None:
    box.send("a")
    queued = box.claim()[0]
    box.sent(queued)
    box.wait(10**6)
    assert box.outbox.waiting(SCOPE) == []
    assert box.claim() == []


def test_sent_is_undone_with_its_transaction(box: Box) -> None:
    box.send("a")
    queued = box.claim()[0]

    def verb(tx: Tx) -> None:
        box.outbox.sent(SCOPE, tx, queued.id)
        raise ConflictError(what="x")

    with pytest.raises(ConflictError):
        box.work.run(verb)
    assert [shown.id for shown in box.outbox.waiting(SCOPE)] == [queued.id]


def test_waiting_shows_the_oldest_first_of_one_key_or_all(box: Box) -> None:
    box.send("a", "b", "a")
    assert [queued.message.key for queued in box.outbox.waiting(SCOPE)] == ["a", "b", "a"]
    assert [queued.message.key for queued in box.outbox.waiting(SCOPE, "a")] == ["a", "a"]
    assert box.outbox.waiting(SCOPE, "c") == []


def test_a_claim_takes_no_more_than_its_limit(box: Box) -> None:
    box.send(*"abcdef")
    assert len(box.claim(2)) == 2
    assert len(box.claim(3)) == 3
    assert len(box.claim(3)) == 1


def test_nobody_gets_a_message_twice_within_its_lease(box: Box) -> None:
    box.send(*(f"k{number}" for number in range(60)))
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda _n: box.claim(5), range(24)))
    ids = [queued.id for claim in claims for queued in claim]
    assert len(ids) == len(set(ids)) == 60


def test_looking_for_due_messages_writes_nothing_when_there_are_none(box: Box) -> None:
    """Each commit wakes the worker, which looks again: it would never sleep."""
    box.send("a")
    box.later(box.claim()[0], 600)
    woken: list[None] = []
    box.database.on_commit(lambda: woken.append(None))
    for _ in range(3):
        assert box.claim() == []
    box.database.submit(lambda _c: None).result()
    assert woken == []


def _touches(scope: Scope) -> dict[str, Callable[[Box, Queued], object]]:
    return {
        "claim": lambda box, _q: box.outbox.claim(scope, NOW + timedelta(days=1), LEASE_S, 9),
        "sent": lambda box, q: box.work.run(lambda tx: box.outbox.sent(scope, tx, q.id)),
        "retry": lambda box, q: box.outbox.retry(scope, q.id, NOW, "x", dead=True),
        "waiting": lambda box, _q: box.outbox.waiting(scope),
    }


@pytest.mark.parametrize("touch", _touches(SCOPE))
@pytest.mark.parametrize("scope", [Scope("demo", "9" * 18), Scope("other", SCOPE.participant)])
def test_another_scope_cannot_touch_a_message(box: Box, scope: Scope, touch: str) -> None:
    box.send("a")
    (queued,) = box.claim()
    assert not _touches(scope)[touch](box, queued)
    (shown,) = box.outbox.waiting(SCOPE)
    assert (shown.state, shown.tries, shown.last_error) == (OutboxState.READY, 1, "")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["sent a", "sent b", "fail", "dead", "crash"]), max_size=12))
def test_whatever_happens_messages_of_a_key_are_tried_in_order(
    box: Box, happens: list[str]
) -> None:
    """Examples share one store; what is left of the one before is sent off first."""
    for left in box.outbox.waiting(SCOPE):
        box.sent(left)
    box.send(*"abababab")
    last = {"a": 0, "b": 0}
    for what in happens:
        for queued in box.claim():
            key = queued.message.key
            assert queued.id >= last[key]
            last[key] = queued.id
            if what == f"sent {key}":
                box.sent(queued)
            elif what != "crash":
                box.later(queued, 1, dead=what == "dead")
        box.wait(LEASE_S + 1)
