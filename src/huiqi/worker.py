"""What happens by itself: due messages leave, the log is integrated, what is over ends.

One ``Worker`` per system. It wakes at every commit, so that nothing waits for a polling loop;
the slow beat is only a safety net and the clock of expiries.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from traceback import format_exception
from typing import Protocol

import msgspec
import structlog

from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import HuiqiError, UnavailableError
from huiqi.kernel.work import Outbox, Queued, Scope, Work
from huiqi.trust.errors import ReplayedMessage, StaleMessage
from huiqi.trust.types import Member
from huiqi.wire.errors import PeerNonsense, PeerRefused

log = structlog.get_logger("huiqi.worker")

# A crashed attempt is due again after this time: longer than the slowest answer of a peer.
LEASE_S = 60
# Messages of one system under way at once; of one key only ever one (the outbox sees to that).
AT_ONCE = 16
# Without any commit, look again this often.
SLOW_BEAT_S = 1.0
# 0.5 s, 1 s, 2 s … up to ten minutes between attempts, with a fifth of jitter.
FIRST_RETRY_S, LONGEST_RETRY_S, JITTER = 0.5, 600.0, 0.2
# A peer that is away for weeks is still waited for; then a person has to look.
MOST_TRIES = 5_000
# A peer that answers nonsense this often is not merely restarting.
MOST_NONSENSE = 200
# A beat that may be called again at once looks for new work this often.
QUICK_BEAT_S = 0.2
# The peer found fault with the envelope of this attempt, not with the message: clocks that differ.
# The next attempt has a new envelope.
OF_THE_ENVELOPE = frozenset({ReplayedMessage.code, StaleMessage.code})


class Unforeseen(UnavailableError):
    """Something failed that nobody foresaw; the message is kept and tried again.

    The log has the whole story under the id in the sentence. Report it with that entry.
    """

    code = "worker.unforeseen"
    zh = "内部错误（编号 {mark}），消息已保留，稍后重试"
    en = "Internal error (id {mark}); the message is kept and tried again"


class Post(Protocol):
    """The way out: a signed call to another system."""

    def call(self, to: Member, code: str, body: bytes) -> bytes:
        """The body of the peer's genuine answer."""
        ...


class Route(msgspec.Struct, frozen=True):
    """What becomes of a message of one interface.

    ``delivered`` takes the sent body and the answer's body; ``refused`` the sent body and the
    peer's refusal. Both must bear being called twice.
    """

    delivered: Callable[[bytes, bytes], None]
    refused: Callable[[bytes, PeerRefused], None]


class Beat(msgspec.Struct, frozen=True):
    """Something to do every ``every_s`` seconds; when it is 0, as long as there is more to do.

    ``act`` gives something true when it should be called again at once (``every_s`` 0 only).
    """

    name: str
    every_s: float
    act: Callable[[], object]


class Worker:
    """The clock and the post of one system.

    What fails while it works, foreseen or not, is logged and does not touch the other beats and
    messages; a message that failed waits with the reason. An error in ``run`` itself is a fault
    in how the system was assembled and ends the process.
    """

    def __init__(  # noqa: PLR0913 - one place where the parts of a system's clockwork meet
        self,
        *,
        scope: Scope,
        clock: Clock,
        work: Work,
        outbox: Outbox,
        post: Post,
        find: Callable[[str], Member],
        routes: Mapping[str, Route],
        beats: Sequence[Beat],
    ) -> None:
        self._scope, self._clock, self._work = scope, clock, work
        self._outbox, self._post, self._find = outbox, post, find
        self._routes, self._beats = routes, beats
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: set[int] = set()

    def wake(self) -> None:
        """Tell the worker, from any thread, that something was committed."""
        if self._loop is not None:
            # A closed loop needs no waking; it may close between any check and this call.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Work until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_forever(group))
            for beat in self._beats:
                group.create_task(self._beat_forever(beat))

    async def _send_forever(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            room = AT_ONCE - len(self._under_way)
            due = await asyncio.to_thread(self._claim, room) if room > 0 else []
            # A lease may end before a slow peer has answered: the first attempt then goes on alone.
            fresh = [queued for queued in due if queued.id not in self._under_way]
            for queued in fresh:
                self._under_way.add(queued.id)
                group.create_task(self._send(queued))
            if not fresh:
                await self._pause(SLOW_BEAT_S)

    async def _pause(self, seconds: float) -> None:
        # Not ``wait_for``: before Python 3.12 it loses a cancellation that comes with the wake-up.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _claim(self, room: int) -> Sequence[Queued]:
        try:
            return self._outbox.claim(self._scope, self._clock.now(), LEASE_S, room)
        except HuiqiError as error:
            log.warning("outbox.claim_failed", code=error.code, who=self._scope.participant)
        except Exception as error:  # noqa: BLE001 - logged whole; the post must not stop for ever
            self._unforeseen("outbox.claim", error)
        return []

    async def _send(self, queued: Queued) -> None:
        try:
            await asyncio.to_thread(self.attempt, queued)
        finally:
            self._under_way.discard(queued.id)
            self._wake.set()

    def attempt(self, queued: Queued) -> None:
        """Send one message and act on what became of it; nothing is raised.

        1. find the receiver 2. call it 3. hand its answer, or its refusal, to the room 4. mark the
        message as sent, or as dead when it was refused. A crash before 4 repeats the message;
        rooms and peers take a repeat for what it is. Whatever else fails leaves the message
        waiting with the reason, or, when even that cannot be written, until its lease ends.
        """
        try:
            self._attempt(queued)
        except HuiqiError as trouble:
            self._keep(queued, trouble)
        except Exception as error:  # noqa: BLE001 - logged whole; the message waits with the id
            self._keep(queued, self._unforeseen(queued.message.code, error))

    def _attempt(self, queued: Queued) -> None:
        message = queued.message
        route = self._routes[message.code]
        # Outside the next block: whoever is asked for the receiver may refuse too.
        receiver = self._find(message.to)
        try:
            answer = self._post.call(receiver, message.code, message.body)
        except PeerRefused as refusal:
            if refusal.reason in OF_THE_ENVELOPE:
                raise
            route.refused(message.body, refusal)
            self._give_up(queued, refusal)
        else:
            route.delivered(message.body, answer)
            self._work.run(lambda tx: self._outbox.sent(self._scope, tx, queued.id))

    def _give_up(self, queued: Queued, trouble: HuiqiError) -> None:
        log.warning("outbox.refused", code=queued.message.code, why=trouble.code)
        now = self._clock.now()
        self._outbox.retry(self._scope, queued.id, now, trouble.text("zh"), dead=True)

    def _keep(self, queued: Queued, trouble: HuiqiError) -> None:
        log.info("outbox.waiting", code=queued.message.code, why=trouble.code)
        try:
            self._later(queued, trouble)
        except HuiqiError as error:
            log.warning("outbox.reason_lost", code=error.code, why=trouble.code)
        except Exception as error:  # noqa: BLE001 - logged whole; the lease brings the message back
            self._unforeseen("outbox.retry", error)

    def _later(self, queued: Queued, trouble: HuiqiError) -> None:
        tries = queued.tries + 1
        most = MOST_NONSENSE if isinstance(trouble, PeerNonsense) else MOST_TRIES
        pause = min(FIRST_RETRY_S * 2 ** min(queued.tries, 20), LONGEST_RETRY_S)
        pause *= 1 + JITTER * random.random()  # noqa: S311 - spreads load, guards nothing
        due = self._clock.now() + timedelta(seconds=pause)
        self._outbox.retry(self._scope, queued.id, due, trouble.text("zh"), dead=tries >= most)

    async def _beat_forever(self, beat: Beat) -> None:
        while True:
            again = await asyncio.to_thread(self._once, beat)
            if beat.every_s > 0:
                await asyncio.sleep(beat.every_s)
            elif not again:
                await asyncio.sleep(QUICK_BEAT_S)

    def _once(self, beat: Beat) -> object:
        try:
            return beat.act()
        except HuiqiError as error:
            log.warning("beat.failed", beat=beat.name, code=error.code)
        except Exception as error:  # noqa: BLE001 - logged whole; other beats and the post go on
            self._unforeseen(beat.name, error)
        return None

    def _unforeseen(self, where: str, error: Exception) -> Unforeseen:
        mark = uuid.uuid4().hex[:12]  # noqa: TID251 - an id for the log, part of no document
        trace = "".join(format_exception(error))
        log.error("worker.unforeseen", id=mark, where=where, trace=trace)
        return Unforeseen(mark=mark)
