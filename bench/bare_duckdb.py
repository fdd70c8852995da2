"""The baseline of query: DuckDB alone, in a process of its own, with the same threads.

Reads one SQL statement per line, answers with one line of JSON: seconds and rows. As a user
would, it loads the table once, into memory.

    python -m bench.bare_duckdb FILE TABLE THREADS
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from bench.lines import MeasureFailed


def main(file: str, table: str, threads: str) -> None:
    """Serve until the input ends."""
    connection = duckdb.connect(":memory:", config={"threads": int(threads)})
    connection.from_parquet(file).create(table)
    print(json.dumps({"ready": True}), flush=True)
    for sql in sys.stdin:
        began = time.perf_counter()
        rows = connection.execute(sql).fetchall()
        print(json.dumps({"s": time.perf_counter() - began, "rows": rows}), flush=True)


class BareDuck:
    """The other end of the process."""

    def __init__(self, file: Path, table: str, *, threads: int) -> None:
        command = [sys.executable, "-m", "bench.bare_duckdb", str(file), table, str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self._read()
        except MeasureFailed:
            self.close()
            raise

    def ask(self, sql: str) -> tuple[float, list[tuple[Any, ...]]]:
        """Seconds as seen from here, and the rows."""
        if self._process.stdin is None:
            raise MeasureFailed("bare DuckDB has no input")
        began = time.perf_counter()
        self._process.stdin.write(" ".join(sql.split()) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        return time.perf_counter() - began, [tuple(row) for row in answer["rows"]]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise MeasureFailed("bare DuckDB ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def same(ours: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]]) -> bool:
    """Whether both answers say the same, to ten digits."""

    def plain(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [tuple(round(c, 6) if isinstance(c, float) else c for c in row) for row in rows]

    return plain(ours) == plain(theirs)


if __name__ == "__main__":
    main(*sys.argv[1:])
