"""Whoever reaches the engine process with any text gets nothing out of it but the loaded table.

The guard is bypassed on purpose. These are attempts that ``attack_table`` does not make: other
ways to files, to the process, to settings, to code, and to memory.
"""
# ruff: noqa: S608 - the texts under test are put together here on purpose

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from huiqi.compute.errors import EngineFailed, EngineTimeout
from tests.unit.compute.engines import Bench

SECRET = "huiqi-secret-value"
ESCAPES = {
    "file beside a comment": "SELECT count(*) AS n FROM flights /*! x */ , '{file}'",
    "file as quoted table": 'SELECT count(*) AS n FROM "{file}"',
    "file as table in a schema": 'SELECT count(*) AS n FROM main."{file}"',
    "json file": "SELECT * FROM read_json_auto('{file}')",
    "ndjson objects": "SELECT * FROM read_ndjson_objects('{file}')",
    "parquet schema": "SELECT * FROM parquet_schema('{file}')",
    "parquet bloom": "SELECT * FROM parquet_bloom_probe('{file}', 'a', 1)",
    "parquet keys": "SELECT * FROM parquet_kv_metadata('{file}')",
    "blob of memory": "SELECT * FROM read_blob('/proc/self/mem')",
    "own descriptor": "SELECT * FROM read_blob('/proc/self/fd/0')",
    "memfd by link": "SELECT * FROM read_parquet('/proc/self/fd/5')",
    "file scheme": "SELECT * FROM read_text('file://{file}')",
    "python object": "SELECT * FROM python_map('os', 'system')",
    "arrow scan": "SELECT * FROM arrow_scan(1, 2, 3)",
    "arrow scan raw": "SELECT * FROM arrow_scan_dumb(1, 2, 3)",
    "pandas scan": "SELECT * FROM pandas_scan(140000000000000)",
    "sequential pointer": "SELECT * FROM seq_scan('flights')",
    "extension list": "SELECT * FROM duckdb_extensions()",
    "secrets list": "SELECT * FROM duckdb_secrets()",
    "temporary files": "SELECT * FROM duckdb_temporary_files()",
    "memory of others": "SELECT * FROM duckdb_memory()",
    "logs": "SELECT * FROM duckdb_logs()",
    "enable logging": "CALL enable_logging(storage => 'file', storage_path => '/tmp/huiqi-stolen')",
    "enable profiling": "PRAGMA enable_profiling='json'",
    "checkpoint": "CHECKPOINT",
    "force checkpoint": "CALL force_checkpoint()",
    "load a library": "LOAD '{file}'",
    "install from": "INSTALL x FROM 'http://127.0.0.1:1'",
    "update extensions": "UPDATE EXTENSIONS",
    "copy a query out": "COPY (SELECT 1) TO '/proc/self/fd/1' (FORMAT csv)",
    "copy to standard output": "COPY flights TO '/dev/stdout' (FORMAT csv)",
    "copy database": "COPY FROM DATABASE memory TO other",
    "import": "IMPORT DATABASE '{file}'",
    "attach memory": "ATTACH ':memory:' AS other",
    "sqlite": "SELECT * FROM sqlite_scan('{file}', 't')",
    "system catalogue": "SELECT * FROM sqlite_master",
    "set variable": "SET VARIABLE a = (SELECT content FROM read_text('{file}'))",
    "set schema": "SET schema = 'pg_catalog'",
    "set global": "SET GLOBAL memory_limit = '100GB'",
    "allow unsigned": "SET allow_unsigned_extensions = true",
    "allowed paths": "SET allowed_paths = ['{file}']",
    "custom extensions": "SET custom_extension_repository = 'http://127.0.0.1:1'",
    "current setting": "SELECT current_setting('temp_directory') AS x FROM flights LIMIT 1",
    "full-width name": "SELECT count(*) AS n FROM ｆlights",
    "homoglyph column": "SELECT count(\u043erigin) AS n FROM flights LIMIT 1",
    "nul in the text": "SELECT count(*) AS n FROM flights\0; COPY flights TO '/tmp/huiqi-stolen'",
    "escaped quote": 'SELECT count("origin""; DROP TABLE flights; --") AS n FROM flights LIMIT 1',
    "second by newline": "SELECT count(*) AS n FROM flights\n;\nATTACH '{file}' AS x",
    "pg sleep": "SELECT pg_sleep(5) AS x FROM flights LIMIT 1",
    "try": "SELECT TRY(CAST(origin AS INT)) AS x FROM flights LIMIT 1",
    "write log": "SELECT write_log('x') AS x FROM flights LIMIT 1",
    "from serialized plan": "CALL json_execute_serialized_sql('x')",
    "merge": "MERGE INTO flights USING flights AS s ON true WHEN MATCHED THEN DELETE",
    "alter": "ALTER TABLE flights ADD COLUMN x INT",
    "type": "CREATE TYPE t AS ENUM (SELECT origin FROM flights)",
    "sequence": "CREATE SEQUENCE s",
    "index": "CREATE INDEX i ON flights (origin)",
    "vacuum": "VACUUM ANALYZE flights",
    "transaction": "BEGIN TRANSACTION",
    "positional join": "SELECT count(*) AS n FROM flights POSITIONAL JOIN flights",
    "asof join": "SELECT count(*) AS n FROM flights a ASOF JOIN flights b ON a.month >= b.month",
    "at version": "SELECT count(*) AS n FROM flights AT (VERSION => 1)",
}
GREEDY = (
    "SELECT origin, "
    + ", ".join(f"sum(dep_delay * {n}) AS s{n}" for n in range(2_000))
    + " FROM flights GROUP BY origin LIMIT 1",
    "SELECT count(*) AS n FROM flights WHERE "
    + "(" * 3_000
    + "month = 1"
    + ")" * 3_000
    + " LIMIT 1",
    "SELECT " + "-" * 20_000 + "1 AS n FROM flights LIMIT 1",
    "SELECT count(*) AS n FROM flights WHERE month IN (" + "1," * 300_000 + "1) LIMIT 1",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("engine") / "p1", memory_mb=512)
    made.build()
    yield made
    made.engine.close()


@pytest.mark.parametrize("name", ESCAPES)
def test_an_escape_ends_in_a_refusal_without_a_word_of_the_engine(
    bench: Bench, name: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(f"secret\n{SECRET}\n")
    before = set(Path("/tmp").glob("huiqi-stolen*"))  # noqa: S108 - where the attempts would write
    with pytest.raises(EngineFailed) as failed:
        bench.rows(ESCAPES[name].replace("{file}", str(secret)))
    assert SECRET not in str(failed.value)
    assert set(failed.value.params) == {"kind", "id"}
    assert set(Path("/tmp").glob("huiqi-stolen*")) == before  # noqa: S108 - as above


@pytest.mark.parametrize("sql", GREEDY, ids=["columns", "brackets", "signs", "list"])
def test_a_monstrous_text_costs_the_engine_at_most_its_own_process(bench: Bench, sql: str) -> None:
    started = time.monotonic()
    with contextlib.suppress(EngineFailed, EngineTimeout):
        bench.rows(sql, timeout_s=5)
    assert time.monotonic() - started < 8
    assert bench.rows("SELECT count(*) AS n FROM flights LIMIT 1") == ((336_776,),)


def test_the_process_holds_no_file_socket_or_word_of_the_connector(bench: Bench) -> None:
    bench.rows("SELECT count(*) AS n FROM flights LIMIT 1")
    (pid,) = bench.engine.pids()
    child = psutil.Process(pid)
    if os.geteuid() != 0:
        # It is not dumpable: not even the account it runs under can look into it.
        with pytest.raises(psutil.AccessDenied):
            child.environ()
        return
    assert set(child.environ()) <= {"PYTHONPATH", "LANG", "LC_CTYPE"}
    assert child.net_connections() == []
    held = [file.path for file in child.open_files() if str(bench.folder) in file.path]
    assert held == []
    assert str(bench.folder) not in " ".join(child.cmdline())
