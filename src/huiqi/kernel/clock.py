"""What time is it, and can we believe it?"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from huiqi.kernel.errors import ClockBackwards

# Documents without an offset mean Beijing time (spec/README.md, conflict 6).
SHANGHAI = ZoneInfo("Asia/Shanghai")
# Steps of this size happen when a network time service corrects a clock; they are bridged.
TOLERATED_STEP = timedelta(seconds=5)


class Clock(Protocol):
    """A source of the present instant, always aware and in UTC."""

    def now(self) -> datetime:
        """The present instant; never earlier than an instant this clock gave before."""
        ...


class SystemClock:
    """The computer's clock, made monotonic, refusing when it is clearly wrong.

    ``not_before`` is the time of the newest recorded fact at start. A clock that lags it by
    more than five seconds would let an expired contract live on, so ``now`` raises.
    """

    def __init__(self, not_before: datetime | None = None) -> None:
        self._latest = not_before or datetime.fromtimestamp(0, UTC)
        self._lock = threading.Lock()

    def saw(self, instant: datetime) -> None:
        """Tell the clock of an instant that was recorded elsewhere in this process."""
        with self._lock:
            self._latest = max(self._latest, instant)

    def now(self) -> datetime:
        """The present instant in UTC.

        Raises:
            ClockBackwards: the computer's clock is more than five seconds behind.
        """
        measured = datetime.now(UTC)  # noqa: TID251 - this is the one clock that reads the machine
        with self._lock:
            behind = self._latest - measured
            if behind > TOLERATED_STEP:
                raise ClockBackwards(seconds=int(behind.total_seconds()))
            self._latest = max(self._latest, measured)
            return self._latest


class FixedClock:
    """A clock for tests and replays that stands still until it is moved."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._instant

    def advance(self, step: timedelta) -> None:
        """Move forward by ``step``."""
        self._instant += step


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``: the form used in signed documents.

    >>> from datetime import UTC, datetime
    >>> iso(datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC))
    '2026-11-24T01:02:03.000000Z'

    Raises:
        ValueError: ``instant`` has no zone: which moment it means is not known.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_instant(text: str) -> datetime:
    """An aware UTC instant from ISO 8601 or ``YYYYMMDDHHMMSS`` (T14 App. C).

    Without an offset the text means Asia/Shanghai.

    >>> iso(parse_instant("20261124090203"))
    '2026-11-24T01:02:03.000000Z'

    Raises:
        ValueError: the text is neither form, or no year that can be counted.
    """
    if len(text) == len("YYYYMMDDHHMMSS") and text.isdigit():
        naive = datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - zone is set below
    else:
        naive = datetime.fromisoformat(text)
    aware = naive if naive.tzinfo else naive.replace(tzinfo=SHANGHAI)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
