"""Which places has a check of the log found so far?"""

from huiqi.evidence.types import Fault
from huiqi.kernel.text import Text

# A report stays readable; the count goes on.
MOST_FAULTS = 1000


class Faults:
    """Collects faults, one for each place: the first thing said about a place stands."""

    def __init__(self) -> None:
        self._found: dict[str, Fault] = {}
        self._seen: set[str] = set()

    def add(self, where: str, zh: str, en: str) -> None:
        """Note that the place ``where`` is not what it was."""
        if where in self._seen:
            return
        self._seen.add(where)
        if len(self._found) < MOST_FAULTS:
            self._found[where] = Fault(where, Text(zh, en))

    @property
    def count(self) -> int:
        """How many places were noted."""
        return len(self._seen)

    def all(self) -> tuple[Fault, ...]:
        """The first thousand of them, in the order they were found."""
        return tuple(self._found.values())
