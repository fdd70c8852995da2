"""What is one run told?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """``quick`` makes smaller data and fewer rounds; ``folder`` is temporary and the run's own."""

    quick: bool
    folder: Path
    say: Callable[[str], None]

    def pick(self, full: int, quick: int) -> int:
        """A size that depends on ``quick``."""
        return quick if self.quick else full
