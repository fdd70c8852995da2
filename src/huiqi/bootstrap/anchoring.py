"""Was an old copy of a store put back? A signed checkpoint kept beside it remembers.

A database that is restored from yesterday is whole in itself. The newest checkpoint is therefore
also kept as a file next to the store, and the log must still hold its tree at the next start.
Whoever puts back store and file together is noticed by those who kept a checkpoint elsewhere.
"""

from pathlib import Path

from huiqi.bootstrap.folder import write_whole
from huiqi.evidence.service import Evidence

FILE = "checkpoint"


class Anchor:
    """The newest checkpoint of one system's log, as a file in its folder."""

    def __init__(self, folder: Path, evidence: Evidence) -> None:
        self._file, self._evidence = folder / FILE, evidence

    def check(self) -> None:
        """Accept the log if it continues the kept checkpoint; nothing is kept before the first.

        Raises:
            HistoryRewritten: an older store was put back, or history was changed.
            BrokenNote: the file is not a checkpoint of this log.
        """
        if self._file.exists():
            self._evidence.continues(self._file.read_text())

    def integrate(self) -> int:
        """Integrate what is new and keep the checkpoint; how many entries were new."""
        new = self._evidence.integrate()
        note = self._evidence.checkpoint()
        if note is not None and (new or not self._file.exists()):
            write_whole(self._file, note.encode())
        return new
