"""How is a large table of flights made? By repeating the sample, one year further each time."""

from pathlib import Path

import duckdb

import huiqi

SAMPLE = Path(huiqi.__file__).parent / "samples" / "flights.parquet"
COLUMNS = (
    "month", "day", "carrier", "origin", "dest", "dep_delay", "arr_delay", "distance", "time_hour",
)  # fmt: skip
# Delays move by up to two minutes, so that no two copies are equal.
REPEATED = """
s.* REPLACE (
  s.year + CAST(c.range AS INTEGER) AS year,
  s.time_hour + to_years(CAST(c.range AS INTEGER)) AS time_hour,
  s.dep_delay + (s.flight + 7 * CAST(c.range AS INTEGER)) % 5 - 2 AS dep_delay,
  s.arr_delay + (s.flight + 3 * CAST(c.range AS INTEGER)) % 5 - 2 AS arr_delay)
"""


def make(file: Path, rows: int) -> None:
    """Write ``rows`` rows with the columns of the sample to ``file``."""
    connection = duckdb.connect()
    sample = connection.read_parquet(str(SAMPLE)).set_alias("s")
    copies = connection.table_function("range", [-(-rows // len(sample))]).set_alias("c")
    sample.cross(copies).project(REPEATED).limit(rows).write_parquet(str(file))
    connection.close()
