"""Where may a process die, and does everything come back?

Verbs that do more than one durable thing name the places between their numbered steps. In
ordinary life a name costs one dictionary look-up; the crash tests start a system with
``HUIQI_KILL_AT`` set to a name, and the process dies there as if the power had gone.
"""

import os
import signal

# Read once: a place that could change while a verb runs would prove nothing.
_KILL_AT = os.environ.get("HUIQI_KILL_AT", "")

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


def reached(place: str) -> None:
    """Say that a verb has come to ``place``; the process ends here if a test asked for it."""
    if place == _KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
