"""What happens by itself: messages leave in order, wait with their reason, and nothing stops it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.kernel.clock import FixedClock, SystemClock
from huiqi.kernel.errors import ClockBackwards, ConflictError
from huiqi.kernel.ids import SubjectCode, SystemId
from huiqi.kernel.work import OutboxState, Outgoing, Queued, Scope
from huiqi.trust.errors import ReplayedMessage, StaleMessage, UnknownMember
from huiqi.trust.types import Member, SystemKind
from huiqi.wire.errors import PeerNonsense, PeerRefused, PeerUnavailable
from huiqi.worker import FIRST_RETRY_S, LONGEST_RETRY_S, MOST_NONSENSE, Beat, Route, Worker
from tests.support.store import open_store
from tests.unit.trust.systems import START

SCOPE = Scope("demo", "91349900MAXXXX0P1L")
PEER = Member(
    id=SystemId("5" * 32),
    kind=SystemKind.CONNECTOR,
    subject=SubjectCode("91349900MA2C0NTE3Y"),
    name="对方",
    area="3401",
    address="http://127.0.0.1:1/p",
    keys=(),
    since=START,
)


def refusal(reason: str) -> PeerRefused:
    return PeerRefused(peer=PEER.name, zh="不行", en="no", reason=reason)


@dataclass
class Desk:
    """A worker on a real outbox; the peer, the directory and the rooms do what a test says."""

    database: Database
    clock: Any
    answers: Callable[[bytes], bytes] = lambda body: body + b"!"
    finds: Callable[[str], Member] = lambda _id: PEER
    delivered: list[tuple[bytes, bytes]] = field(default_factory=list)
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    takes: Callable[[], None] = lambda: None
    beats: list[Beat] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.work, self.outbox = SqlWork(self.database, SCOPE), SqlOutbox(self.database)

    def call(self, to: Member, code: str, body: bytes) -> bytes:
        """The way out."""
        assert (to, code) == (PEER, "C")
        return self.answers(body)

    def worker(self) -> Worker:
        def delivered(sent: bytes, answer: bytes) -> None:
            self.takes()
            self.delivered.append((sent, answer))

        def refused(sent: bytes, why: PeerRefused) -> None:
            self.takes()
            self.refused.append((sent, why.reason))

        worker = Worker(
            scope=SCOPE,
            clock=self.clock,
            work=self.work,
            outbox=self.outbox,
            post=self,
            find=self.finds,
            routes={"C": Route(delivered=delivered, refused=refused)},
            beats=self.beats,
        )
        self.database.on_commit(worker.wake)
        return worker

    def send(self, *keys: str, code: str = "C") -> None:
        for key in keys:
            message = Outgoing(key=key, to=PEER.id, code=code, body=key.encode())
            self.work.run(lambda tx, message=message: tx.send(message))

    def attempt(self) -> None:
        """One round, without the loop."""
        worker = self.worker()
        for queued in self.outbox.claim(SCOPE, self.clock.now(), 60, 9):
            worker.attempt(queued)

    def waiting(self) -> list[Queued]:
        return list(self.outbox.waiting(SCOPE))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = FixedClock(START)
    database = open_store(tmp_path, clock)
    yield Desk(database, clock)
    database.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Desk]:
    """The same under a running clock, for the loop."""
    clock = SystemClock()
    database = open_store(tmp_path, clock)
    yield Desk(database, clock)
    database.close()


def raises(error: Exception) -> Callable[..., Any]:
    def act(*_args: Any) -> Any:
        raise error

    return act


def run_until(worker: Worker, done: Callable[[], bool], seconds: float = 5.0) -> None:
    """Run the worker's loop until ``done`` or the time is over, then cancel it."""

    async def main() -> None:
        task = asyncio.create_task(worker.run())
        until = time.monotonic() + seconds
        while not done() and not task.done() and time.monotonic() < until:  # noqa: ASYNC110 - the condition is the test's own
            await asyncio.sleep(0.005)
        over = task.done()
        task.cancel()
        await asyncio.wait({task})
        assert not over, task.exception()

    asyncio.run(main())
    assert done()


def test_an_answer_goes_to_the_room_and_the_message_is_sent(desk: Desk) -> None:
    desk.send("a")
    desk.attempt()
    assert desk.delivered == [(b"a", b"a!")]
    assert desk.waiting() == []


def test_a_refusal_goes_to_the_room_and_the_message_stays_as_dead_with_the_reason(
    desk: Desk,
) -> None:
    desk.send("a")
    desk.answers = raises(refusal("contracts.edited_terms"))
    desk.attempt()
    assert desk.refused == [(b"a", "contracts.edited_terms")]
    (shown,) = desk.waiting()
    assert shown.state is OutboxState.DEAD
    assert shown.last_error == "对方系统 对方 拒绝了请求：不行（contracts.edited_terms）"


@pytest.mark.parametrize("reason", [StaleMessage.code, ReplayedMessage.code])
def test_a_refusal_of_the_envelope_is_no_refusal_of_the_message(desk: Desk, reason: str) -> None:
    """A peer whose clock is wrong must not end a negotiation."""
    desk.send("a")
    desk.answers = raises(refusal(reason))
    desk.attempt()
    assert desk.refused == []
    assert desk.waiting()[0].state is OutboxState.READY


@pytest.mark.parametrize(
    "error",
    [
        PeerUnavailable(peer="对方", why="ConnectError"),
        PeerNonsense(peer="对方", why="trust.wrong_reply"),
    ],
)
def test_a_peer_that_is_away_or_mad_leaves_the_message_waiting_with_the_reason(
    desk: Desk, error: PeerUnavailable
) -> None:
    desk.send("a")
    desk.answers = raises(error)
    desk.attempt()
    (shown,) = desk.waiting()
    assert (shown.state, shown.tries, shown.last_error) == (OutboxState.READY, 1, error.text("zh"))


@pytest.mark.parametrize(
    "error",
    [
        UnknownMember(member="5" * 32),
        PeerUnavailable(peer="平台", why="ConnectError"),
        refusal("trust.member_suspended"),
    ],
)
def test_a_receiver_that_cannot_be_found_leaves_the_message_waiting(
    desk: Desk, error: UnknownMember
) -> None:
    """When the directory refuses, that is no refusal by the receiver."""
    desk.send("a")
    desk.finds = raises(error)
    desk.attempt()
    assert desk.refused == []
    (shown,) = desk.waiting()
    assert (shown.state, shown.last_error) == (OutboxState.READY, error.text("zh"))


@pytest.mark.parametrize("answers", [lambda body: body, raises(refusal("x.y"))])
def test_a_room_that_cannot_take_the_outcome_gets_it_again(
    desk: Desk, answers: Callable[[bytes], bytes]
) -> None:
    desk.send("a")
    desk.answers = answers
    desk.takes = raises(ConflictError(what="kept elsewhere"))
    desk.attempt()
    (shown,) = desk.waiting()
    assert (shown.state, shown.last_error) == (OutboxState.READY, "与当前状态冲突：kept elsewhere")
    desk.takes = lambda: None
    desk.clock.advance(timedelta(minutes=2))
    desk.attempt()
    assert len(desk.delivered) + len(desk.refused) == 1


@pytest.mark.parametrize("place", ["answers", "finds", "takes"])
def test_what_nobody_foresaw_is_logged_whole_and_shown_by_its_id(desk: Desk, place: str) -> None:
    desk.send("a")
    setattr(desk, place, raises(ZeroDivisionError("secret row")))
    with capture_logs() as logs:
        desk.attempt()
    (event,) = [log for log in logs if log["event"] == "worker.unforeseen"]
    assert "ZeroDivisionError" in event["trace"]
    (shown,) = desk.waiting()
    assert shown.state is OutboxState.READY
    assert event["id"] in shown.last_error
    assert "secret" not in shown.last_error


def test_a_message_without_a_route_waits_and_does_not_hide(desk: Desk) -> None:
    desk.send("a", code="Unheard")
    with capture_logs() as logs:
        desk.attempt()
    assert "Unheard" in next(log["trace"] for log in logs if "trace" in log)
    assert "内部错误" in desk.waiting()[0].last_error


def test_when_not_even_the_reason_can_be_written_the_lease_brings_the_message_back(
    desk: Desk,
) -> None:
    desk.send("a")
    desk.answers = raises(PeerUnavailable(peer="对方", why="x"))
    (queued,) = desk.outbox.claim(SCOPE, START, 60, 9)
    worker = desk.worker()
    desk.clock.now = raises(ClockBackwards(seconds=9))  # type: ignore[method-assign]  # the fault
    worker.attempt(queued)
    del desk.clock.now
    desk.clock.advance(timedelta(seconds=61))
    desk.answers = lambda body: body
    desk.attempt()
    assert desk.waiting() == []


def test_pauses_between_attempts_double_up_to_ten_minutes(desk: Desk) -> None:
    desk.send("a")
    desk.answers = raises(PeerUnavailable(peer="对方", why="x"))
    pauses = []
    for _ in range(14):
        desk.attempt()
        (shown,) = desk.waiting()
        pauses.append((shown.due_at - desk.clock.now()).total_seconds())
        desk.clock.advance(timedelta(seconds=pauses[-1] + 1))
    for tries, pause in enumerate(pauses):
        plain = min(FIRST_RETRY_S * 2**tries, LONGEST_RETRY_S)
        assert plain <= pause <= plain * 1.2
    assert len(set(pauses[-3:])) == 3, "without jitter all systems come back at once"


def test_a_peer_that_answers_nonsense_for_ever_is_given_up_at_last(desk: Desk) -> None:
    desk.send("a")
    desk.answers = raises(PeerNonsense(peer="对方", why="x"))
    set_tries = "UPDATE outbox SET tries = ?"
    desk.database.submit(lambda c: c.raw.execute(set_tries, (MOST_NONSENSE - 2,))).result()
    desk.attempt()
    assert desk.waiting()[0].state is OutboxState.READY
    desk.clock.advance(timedelta(hours=1))
    desk.attempt()
    assert desk.waiting()[0].state is OutboxState.DEAD


def test_messages_leave_at_once_after_their_commit_and_in_order(live: Desk) -> None:
    worker = live.worker()

    def feed() -> None:
        time.sleep(0.1)
        live.send(*"abaab")

    thread = threading.Thread(target=feed)
    thread.start()
    run_until(worker, lambda: len(live.delivered) == 5 and not live.waiting())
    thread.join()
    assert [sent for sent, _ in live.delivered if sent == b"a"] == [b"a"] * 3


def test_the_loop_sleeps_while_a_message_cannot_leave(live: Desk) -> None:
    """A dead message and one that is not due yet: neither is a reason to look again and again."""
    live.send("a", "b")
    first, second = live.outbox.claim(SCOPE, live.clock.now(), 60, 9)
    live.outbox.retry(SCOPE, first.id, live.clock.now(), "x", dead=True)
    live.outbox.retry(SCOPE, second.id, live.clock.now() + timedelta(hours=1), "x", dead=False)
    looked = []
    claim = live.outbox.claim

    def counted(*args: Any) -> Any:
        looked.append(args)
        return claim(*args)

    live.outbox.claim = counted  # type: ignore[method-assign]  # counts, and does what it did
    end = time.monotonic() + 0.5
    run_until(live.worker(), lambda: time.monotonic() > end)
    assert len(looked) <= 2


def test_a_message_is_not_sent_twice_while_a_slow_peer_answers(
    live: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huiqi.worker.LEASE_S", 0)
    calls = []
    go = threading.Event()

    def slow(body: bytes) -> bytes:
        calls.append(body)
        go.wait(5)
        return body

    live.answers = slow
    live.send("a")
    end = time.monotonic() + 0.4
    worker = live.worker()

    def done() -> bool:
        if time.monotonic() > end:
            go.set()
        return go.is_set() and bool(live.delivered) and not live.waiting()

    run_until(worker, done)
    assert calls == [b"a"]


def test_a_worker_ends_when_it_is_cancelled_even_while_waking(live: Desk) -> None:
    worker = live.worker()

    async def cancelled_after(ticks: int) -> bool:
        task = asyncio.create_task(worker.run())
        await asyncio.sleep(0.03)  # asleep by now: nothing is due
        worker._wake.set()
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2)
        return bool(done)

    for ticks in range(6):
        assert asyncio.run(asyncio.wait_for(cancelled_after(ticks), 5))


def test_a_beat_that_fails_stops_neither_itself_nor_others_nor_the_post(live: Desk) -> None:
    beaten: dict[str, int] = {"typed": 0, "unforeseen": 0, "good": 0}

    def beat(name: str, error: Exception | None) -> Beat:
        def act() -> None:
            beaten[name] += 1
            if error is not None:
                raise error

        return Beat(name, 0.01, act)

    live.beats = [
        beat("typed", ConflictError(what="x")),
        beat("unforeseen", ZeroDivisionError()),
        beat("good", None),
    ]
    live.send("a")
    with capture_logs() as logs:
        run_until(live.worker(), lambda: min(beaten.values()) > 3 and len(live.delivered) == 1)
    events = {(log["event"], log.get("beat") or log.get("where")) for log in logs}
    assert ("beat.failed", "typed") in events
    assert ("worker.unforeseen", "unforeseen") in events


def test_a_beat_with_more_to_do_is_called_again_at_once(live: Desk) -> None:
    left = list(range(100))

    def act() -> bool:
        if left:
            left.pop()
        return bool(left)

    live.beats = [Beat("eager", 0.0, act)]
    run_until(live.worker(), lambda: not left)


def test_a_store_that_cannot_be_read_does_not_end_the_post(live: Desk) -> None:
    claim, failures = live.outbox.claim, iter([ZeroDivisionError(), ConflictError(what="x")])

    def fails(*args: Any) -> Any:
        error = next(failures, None)
        if error is not None:
            raise error
        return claim(*args)

    live.outbox.claim = fails  # type: ignore[method-assign]  # the fault under test
    live.send("a")
    worker = live.worker()

    def done() -> bool:
        worker.wake()
        return not live.waiting()

    with capture_logs() as logs:
        run_until(worker, done)
    assert {"worker.unforeseen", "outbox.claim_failed"} <= {log["event"] for log in logs}


def test_an_assembly_that_cannot_run_ends_the_process_at_start(live: Desk) -> None:
    live.beats = [None]  # type: ignore[list-item]  # the fault under test
    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(asyncio.wait_for(live.worker().run(), 5))
    assert caught.group_contains(AttributeError)


def test_waking_a_worker_whose_loop_has_ended_does_nothing(live: Desk) -> None:
    worker = live.worker()
    worker.wake()
    end = time.monotonic() + 0.05
    run_until(worker, lambda: time.monotonic() > end)
    live.send("a")
    worker.wake()
    assert [queued.message.key for queued in live.waiting()] == ["a"]


def test_logs_hold_no_bodies(desk: Desk) -> None:
    assert structlog.get_config()
    desk.send("personal-data")
    desk.answers = raises(PeerUnavailable(peer="对方", why="x"))
    with capture_logs() as logs:
        desk.attempt()
    assert logs
    assert "personal-data" not in str(logs)
