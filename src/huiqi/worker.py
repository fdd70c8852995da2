"""What happens by itself: due messages leave, the log is integrated, what is over ends.

One ``Worker`` per system. It wakes at every commit, so that nothing waits for a polling loop;
the slow beat is only a safety net and the clock of expiries.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec
import structlog

from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.work import Outbox, Queued, Scope, Work
from huiqi.trust.types import Member
from huiqi.wire.errors import PeerNonsense, PeerRefused, PeerUnavailable

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
    """Something to do every ``every_s`` seconds, or right after commits when it is 0."""

    name: str
    every_s: float
    act: Callable[[], object]


class Worker:
    """The clock and the post of one system."""

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
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Tell the worker, from any thread, that something was committed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Work until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_forever())
            for beat in self._beats:
                group.create_task(self._beat_forever(beat))

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            room = AT_ONCE - len(self._under_way)
            due = await asyncio.to_thread(self._claim, room) if room > 0 else []
            for queued in due:
                task = asyncio.create_task(self._send(queued))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            if not due:
                await self._pause(SLOW_BEAT_S)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), timeout=seconds)
        except TimeoutError:
            return

    def _claim(self, room: int) -> Sequence[Queued]:
        if not self._outbox.waiting(self._scope):
            return []
        try:
            return self._outbox.claim(self._scope, self._clock.now(), LEASE_S, room)
        except HuiqiError as error:
            log.warning("outbox.claim_failed", code=error.code, who=self._scope.participant)
            return []

    async def _send(self, queued: Queued) -> None:
        await asyncio.to_thread(self.attempt, queued)
        self._wake.set()

    def attempt(self, queued: Queued) -> None:
        """Send one message and act on what became of it.

        1. call the peer 2. hand its answer to the room 3. mark the message as sent. A crash
        between 2 and 3 repeats the message; rooms and peers take a repeat for what it is.
        """
        message = queued.message
        route = self._routes[message.code]
        try:
            answer = self._post.call(self._find(message.to), message.code, message.body)
            route.delivered(message.body, answer)
        except PeerRefused as refusal:
            route.refused(message.body, refusal)
            self._give_up(queued, refusal)
            return
        except (PeerUnavailable, PeerNonsense) as trouble:
            self._later(queued, trouble)
            return
        except HuiqiError as trouble:
            log.warning("outbox.answer_refused", code=trouble.code, message=message.code)
            self._later(queued, trouble)
            return
        self._work.run(lambda tx: self._outbox.sent(self._scope, tx, queued.id))

    def _give_up(self, queued: Queued, trouble: HuiqiError) -> None:
        log.warning("outbox.refused", code=queued.message.code, why=trouble.code)
        now = self._clock.now()
        self._outbox.retry(self._scope, queued.id, now, trouble.text("zh"), dead=True)

    def _later(self, queued: Queued, trouble: HuiqiError) -> None:
        tries = queued.tries + 1
        most = MOST_NONSENSE if isinstance(trouble, PeerNonsense) else MOST_TRIES
        pause = min(FIRST_RETRY_S * 2 ** min(queued.tries, 20), LONGEST_RETRY_S)
        pause *= 1 + JITTER * random.random()  # noqa: S311 - spreads load, guards nothing
        due = self._clock.now() + timedelta(seconds=pause)
        self._outbox.retry(self._scope, queued.id, due, trouble.text("zh"), dead=tries >= most)

    async def _beat_forever(self, beat: Beat) -> None:
        while True:
            try:
                again = await asyncio.to_thread(beat.act)
            except HuiqiError as error:
                log.warning("beat.failed", beat=beat.name, code=error.code)
                again = None
            if beat.every_s > 0:
                await asyncio.sleep(beat.every_s)
            elif not again:
                await asyncio.sleep(SLOW_BEAT_S / 5)
