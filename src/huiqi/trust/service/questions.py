"""How is the issuer asked about a member without making anybody wait for long?"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.errors import DirectoryBusy

# A member is asked about once in this time at most, however many uses and messages wait for it.
ASK_AGAIN = timedelta(seconds=2)


class Question:
    """One question; ``failure`` is what came instead of an answer that could be kept."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.failure: HuiqiError | None = None
        self._asked, self._done = time.monotonic(), threading.Event()

    def answered(self, within_s: float) -> bool:
        """Whether it is done, at the latest ``within_s`` seconds after it was asked."""
        return self._done.wait(max(0.0, self._asked + within_s - time.monotonic()))

    def over(self, now: datetime) -> bool:
        """Whether another one may be asked."""
        if not self._done.is_set():
            return False
        recent = timedelta(0) <= now - self.at < ASK_AGAIN
        return not recent or isinstance(self.failure, DirectoryBusy)

    def ask(self, asking: Callable[[], object]) -> None:
        """Ask, and keep what went wrong for those who wait."""
        try:
            asking()
        except HuiqiError as error:
            self.failure = error
        finally:
            self._done.set()


class Questions:
    """The newest question about each member. Safe to call from several threads."""

    def __init__(self) -> None:
        self._newest: dict[str, Question] = {}
        self._lock = threading.Lock()

    def about(self, member: str, now: datetime, asking: Callable[[], object]) -> Question:
        """The question that is open or was just asked about ``member``, else a new one.

        ``asking`` runs beside the caller and keeps the answer itself.
        """
        with self._lock:
            newest = self._newest.get(member)
            if newest is not None and not newest.over(now):
                return newest
            asked = self._newest[member] = Question(now)
        threading.Thread(target=asked.ask, args=(asking,), daemon=True).start()
        return asked
