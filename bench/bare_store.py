"""The baseline of evidence: what does SQLite alone need for the same commits and bytes?"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import apsw

Row = tuple[str, str, int, str, str, str, bytes, bytes]
TABLE = """
CREATE TABLE entry (
  space TEXT NOT NULL, participant TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, at TEXT NOT NULL, leaf BLOB NOT NULL, document BLOB,
  PRIMARY KEY (space, participant, seq))
"""
INDEX = "CREATE INDEX entry_subject ON entry (space, participant, subject, seq)"


class BareStore:
    """One connection, one thread, WAL, synchronous=FULL: as durable as ours."""

    def __init__(self, file: Path) -> None:
        self._connection = apsw.Connection(str(file))
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(TABLE)
        self._connection.execute(INDEX)

    def seconds(self, rows: Sequence[Row], *, commits: int) -> float:
        """How long ``rows`` take in ``commits`` transactions of nearly equal size."""
        put = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        bounds = [len(rows) * at // commits for at in range(commits + 1)]
        began = time.perf_counter()
        for start, end in itertools.pairwise(bounds):
            self._connection.execute("BEGIN IMMEDIATE")
            for row in rows[start:end]:
                self._connection.execute(put, row)
            self._connection.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
