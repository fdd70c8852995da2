"""Where may a process die, and does everything come back?

Verbs that do more than one durable thing name the places between their numbered steps. In
ordinary life a name costs one dictionary look-up; the crash tests start a system with
``HUIQI_KILL_AT`` set to a name, and the process dies there as if the power had gone.
"""

import os
import signal

# Every place, for the test that kills at each of them; see tests/journey/test_kill.py.
PLACES: tuple[str, ...] = (
    "contracts.sign.intent",
    "contracts.sign.signed",
    "contracts.signature.kept",
    "contracts.filing.kept",
    "contracts.filed.kept",
    "usage.opened",
    "usage.answered",
    "usage.closed",
    "usage.countersigned",
    "settlement.taken",
    "settlement.priced",
    "settlement.posted",
    "settlement.issued",
)


# The places at which this process is to end; empty outside crash tests.
_ends_at: set[str] = set()


def end_at(place: str) -> None:
    """End this process when a verb reaches ``place``.

    Raises:
        ValueError: no verb names that place; a crash test would pass without having crashed.
    """
    if place not in PLACES:
        raise ValueError(place)
    _ends_at.add(place)


def reached(place: str) -> None:
    """Say that a verb has come to ``place``; the process ends here if a test asked for it."""
    if place in _ends_at:
        os.kill(os.getpid(), signal.SIGKILL)
