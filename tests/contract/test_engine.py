"""Every engine keeps a query inside its tables, its time and its memory."""
# ruff: noqa: S608 - the texts under test are put together here on purpose

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from huiqi.compute.errors import (
    EngineBusy,
    EngineFailed,
    EngineStopped,
    EngineTimeout,
    LoanTooLarge,
    OutputTooLarge,
    ProjectionDamaged,
    SourceUnreadable,
)
from huiqi.compute.types import Session, SessionTable
from tests.unit.compute.attack_table import ATTACKS
from tests.unit.compute.engines import CONTRACT, FIELDS, SCOPE, Bench, never

# Attempts that only touch the loaded table: harmless to the machine, and the guard's business.
INSIDE = ("74", "75", "77", "79b", "85", "86", "90", "92", "97")
# Nested loops without an equality: far beyond any time-out.
ENDLESS = (
    "SELECT count(*) AS n FROM flights AS a INNER JOIN flights AS b ON a.dep_delay <> b.dep_delay"
    " INNER JOIN flights AS c ON b.dep_delay <> c.month LIMIT 1"
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("engine") / "p1")
    made.build(row_filter="s.\"origin\" IN ('JFK', 'LGA')", unit="tailnum")
    made.build("weather", columns=("origin", "time_hour", "precip"))
    yield made
    made.engine.close()


def test_a_projection_holds_only_permitted_columns_and_rows(bench: Bench) -> None:
    sql = "SELECT origin, count(*) AS n FROM flights GROUP BY origin ORDER BY 1 ASC LIMIT 9"
    assert bench.rows(sql) == (("JFK", 111_279), ("LGA", 104_662))
    projection = next(p for p in bench.store.all(SCOPE) if p.id == "flights")
    assert [column.name for column in projection.columns] == [*FIELDS, "__unit"]
    for hidden in ("tailnum", "carrier"):
        with pytest.raises(EngineFailed, match="Binder"):
            bench.rows(f"SELECT count({hidden}) AS n FROM flights LIMIT 1")


def test_the_privacy_unit_is_there_as_a_hash_only(bench: Bench) -> None:
    sql = "SELECT count(DISTINCT __unit) AS u, count(*) AS n FROM flights LIMIT 1"
    units, rows = bench.rows(sql)[0]
    assert rows == 215_941
    assert 3_000 < units < 4_100
    shown = bench.rows("SELECT __unit FROM flights LIMIT 50")
    assert all(
        isinstance(row[0], int | str | None) and "N" not in str(row[0]) for row in shown if row[0]
    )


def test_a_join_of_two_projections_is_answered(bench: Bench) -> None:
    sql = (
        "SELECT count(*) AS n, avg(t0.dep_delay) AS d FROM flights AS t0 INNER JOIN weather AS t1"
        " ON t0.origin = t1.origin AND t0.time_hour = t1.time_hour LIMIT 1"
    )
    matched, mean = bench.rows(sql, "flights", "weather")[0]
    assert 214_000 < matched < 215_941
    assert 10 < mean < 13


def test_cells_are_json_values(bench: Bench) -> None:
    sql = (
        "SELECT date_trunc('month', time_hour) AS m, sum(dep_delay) / 0 AS gone, count(*) AS n,"
        " CAST(1.5 AS DECIMAL(4,2)) AS c FROM flights GROUP BY date_trunc('month', time_hour)"
        " ORDER BY 1 ASC LIMIT 1"
    )
    month, gone, count, decimal = bench.rows(sql)[0]
    assert (month, gone, decimal) == ("2013-01-01T00:00:00", None, "1.50")
    assert isinstance(count, int)


@pytest.mark.parametrize("attack", ATTACKS)
def test_with_the_guard_bypassed_nothing_outside_the_tables_is_read(
    bench: Bench, attack: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret\nhuiqi-secret-value\n")
    sql = ATTACKS[attack].format(file=secret)
    before = set(Path("/tmp").glob("huiqi-stolen*"))  # noqa: S108 - where the attempts would write
    if attack.startswith(INSIDE):
        with contextlib.suppress(EngineTimeout, EngineFailed):
            bench.rows(sql, timeout_s=2)
    else:
        with pytest.raises(EngineFailed) as failed:
            bench.rows(sql)
        assert "huiqi-secret-value" not in str(failed.value)
        assert set(failed.value.params) == {"kind", "id"}
    assert set(Path("/tmp").glob("huiqi-stolen*")) == before  # noqa: S108 - as above


def test_duckdb_itself_is_locked_down_even_without_the_second_opinion(tmp_path: Path) -> None:
    """The third line: what the locked database says when nobody reads the text before it."""
    secret = tmp_path / "secret.csv"
    secret.write_text("huiqi-secret-value\n")
    script = f"""
import duckdb, msgspec
from huiqi.adapters.engines import database, opinion
from huiqi.adapters.engines.frames import Ask, Load
engine = database.Engine(Load(tables=(), memory_mb=256, threads=1))
opinion.check = lambda *rest: None
for sql in ("SELECT * FROM read_text('{secret}')", "SELECT * FROM '{secret}'",
            "COPY (SELECT 1) TO '{tmp_path}/out.csv'", "SET enable_external_access=true",
            "SET lock_configuration=false", "INSTALL httpfs", "ATTACH '{tmp_path}/x.db' AS x",
            "SELECT getenv('PATH')", "SELECT * FROM glob('/etc/*')"):
    try:
        print(engine.answer(Ask(sql=sql, most_rows=9, most_bytes=999, cpu_s=9)))
    except duckdb.Error:
        print("refused")
try:
    open("{secret}")
except OSError as error:
    print("files:", error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert lines == ["refused"] * 9 + ["files: Too many open files"], done.stdout + done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_query_that_takes_too_long_is_ended(bench: Bench) -> None:
    began = time.monotonic()
    with pytest.raises(EngineTimeout):
        bench.rows(ENDLESS, timeout_s=1.0)
    assert time.monotonic() - began < 3
    assert bench.rows("SELECT count(*) AS n FROM flights LIMIT 1") == ((215_941,),)


def test_a_query_stops_within_a_fraction_of_a_second_when_told(bench: Bench) -> None:
    stop_at = time.monotonic() + 0.7
    with pytest.raises(EngineStopped):
        bench.rows(ENDLESS, should_stop=lambda: time.monotonic() > stop_at)
    assert time.monotonic() - stop_at < 0.5


def test_dropping_a_projection_kills_its_process_in_the_middle_of_a_query(bench: Bench) -> None:
    bench.rows("SELECT count(*) AS n FROM flights LIMIT 1")
    pids = bench.engine.pids()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            bench.rows(ENDLESS)
        except EngineStopped as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    bench.engine.drop("flights")
    thread.join(timeout=2)
    assert ended
    assert not any(psutil.pid_exists(pid) for pid in pids if pid not in bench.engine.pids())


def test_a_memory_bomb_ends_in_an_error_and_not_in_swap(bench: Bench) -> None:
    """The second opinion refuses such functions; here many groups want more than the limit."""
    bomb = (
        "SELECT a.time_hour, b.time_hour AS x, a.dep_delay AS y, b.dep_delay AS z, count(*) AS n"
        " FROM flights AS a INNER JOIN flights AS b ON a.origin = b.origin"
        " GROUP BY a.time_hour, b.time_hour, a.dep_delay, b.dep_delay LIMIT 1"
    )
    small = Bench(bench.folder.parent / "small", memory_mb=64)
    small.build()
    try:
        with pytest.raises((EngineFailed, EngineTimeout)) as failed:
            small.rows(bomb, timeout_s=30.0)
        if isinstance(failed.value, EngineFailed):
            assert failed.value.params["kind"] in {"OutOfMemory", "Died"}
        assert small.rows("SELECT count(*) AS n FROM flights LIMIT 1") == ((336_776,),)
    finally:
        small.engine.close()


def test_an_answer_with_too_many_rows_is_not_given(bench: Bench) -> None:
    with pytest.raises(OutputTooLarge):
        bench.rows("SELECT time_hour FROM flights LIMIT 10001")
    assert len(bench.rows("SELECT time_hour FROM flights LIMIT 10000")) == 10_000


def test_engine_text_stays_on_the_providers_side(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EngineFailed) as failed:
        bench.rows("SELECT CAST(origin AS INT) AS x FROM flights LIMIT 1")
    assert "JFK" not in str(failed.value)
    assert failed.value.params["kind"] == "Conversion"
    assert failed.value.params["id"] in capfd.readouterr().out


def test_the_process_is_confined(bench: Bench) -> None:
    bench.rows("SELECT count(*) AS n FROM flights LIMIT 1")
    process = psutil.Process(bench.engine.pids()[-1])
    assert set(process.environ()) <= {"PYTHONPATH", "LANG"}
    assert os.getsid(process.pid) == process.pid
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert "Max core file size        0" in limits
    assert "Max file size             0" in limits
    files = [target for fd in process.open_files() for target in [fd.path]]
    assert not [path for path in files if path.endswith((".hqp", ".parquet", ".key"))]


def test_this_process_never_imports_duckdb() -> None:
    script = (
        "import sys, huiqi.adapters.engines.duck, huiqi.adapters.projections, "
        "huiqi.compute.service; print('duckdb' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_engine_processes_die_with_their_parent(tmp_path: Path) -> None:
    script = f"""
import time
from pathlib import Path
from tests.unit.compute.engines import Bench
bench = Bench(Path({str(tmp_path / "p")!r}))
bench.build()
bench.rows("SELECT count(*) AS n FROM flights LIMIT 1")
print(bench.engine.pids()[0], flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    lines = iter(parent.stdout.readline, "")
    child = int(next(line for line in lines if line.strip().isdigit()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 3
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        if psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_the_least_recently_used_process_makes_room_and_busy_ones_do_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "p", most_processes=1)
    bench.build()
    bench.build("weather", columns=("origin",))
    try:
        bench.rows("SELECT count(*) AS n FROM flights LIMIT 1")
        first = bench.engine.pids()
        bench.rows("SELECT count(*) AS n FROM weather LIMIT 1", "weather")
        assert len(bench.engine.pids()) == 1
        assert bench.engine.pids() != first
        stop = threading.Event()
        thread = threading.Thread(target=_swallow, args=(bench, stop))
        thread.start()
        time.sleep(0.6)
        with pytest.raises(EngineBusy):
            bench.rows("SELECT count(*) AS n FROM weather LIMIT 1", "weather", timeout_s=0.3)
        stop.set()
        thread.join()
    finally:
        bench.engine.close()
    with pytest.raises(EngineStopped):
        bench.rows("SELECT count(*) AS n FROM weather LIMIT 1", "weather")


def _swallow(bench: Bench, stop: threading.Event) -> None:
    with pytest.raises(EngineStopped):
        bench.rows(ENDLESS, should_stop=stop.is_set)


def test_a_loan_is_a_parquet_file_with_the_columns_asked_for(bench: Bench) -> None:
    lent = bench.engine.export(bench.table("weather"), ["origin", "precip"], most=10_000_000)
    assert lent.startswith(b"PAR1")
    table = SessionTable(name="w", projection="loan:1", contract=CONTRACT, parquet=lent)
    result = bench.engine.execute(
        Session(tables=(table,)),
        "SELECT count(*) AS n, sum(precip) AS p FROM w LIMIT 1",
        timeout_s=20,
        should_stop=never,
    )
    assert result.rows[0][0] == 26_115
    bench.engine.drop("loan:1")
    with pytest.raises(LoanTooLarge):
        bench.engine.export(bench.table("weather"), ["origin"], most=100)


def test_a_source_outside_the_data_folder_is_not_read(bench: Bench) -> None:
    (bench.folder / "resources" / "hostname.parquet").symlink_to("/etc/hostname")
    for name in ("../../../../etc/hostname", "nosuch.parquet", "resources/hostname.parquet"):
        with pytest.raises(SourceUnreadable):
            bench.build("elsewhere", location=name)
    (bench.folder / "resources" / "broken.parquet").write_bytes(b"not a parquet file")
    with pytest.raises((SourceUnreadable, EngineFailed)):
        bench.build("broken", columns=("origin",))


def test_a_flipped_byte_anywhere_in_a_projection_is_found(bench: Bench, tmp_path: Path) -> None:
    table = bench.table("weather")
    assert table.path is not None
    whole = table.path.read_bytes()
    for place in (3, 9, 40, 200, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        (tmp_path / "d.hqp").write_bytes(damaged)
        with pytest.raises(ProjectionDamaged):
            bench.engine.export(_moved(table, tmp_path), ["origin"], most=10_000_000)


def test_a_cut_swapped_or_wrongly_keyed_projection_is_refused(bench: Bench, tmp_path: Path) -> None:
    columns = (*FIELDS, "arr_delay", "carrier", "flight", "tailnum", "dest", "air_time")
    bench.build("large", location="resources/flights.parquet", columns=columns)
    table, other = bench.table("large"), bench.table("weather")
    assert table.path is not None
    whole = table.path.read_bytes()
    assert len(whole) > 1_100_000, "more than one chunk"
    cuts = (whole[:-1], whole[:-20], whole[: len(whole) // 2], b"", whole + b"x")
    for cut in cuts:
        (tmp_path / "d.hqp").write_bytes(cut)
        with pytest.raises(ProjectionDamaged):
            bench.engine.export(_moved(table, tmp_path), ["origin"], most=10_000_000)
    (tmp_path / "d.hqp").write_bytes(whole)
    wrong = SessionTable(
        name="x", projection="large", contract=CONTRACT, path=tmp_path / "d.hqp", key=other.key
    )
    with pytest.raises(ProjectionDamaged):
        bench.engine.export(wrong, ["origin"], most=10_000_000)
    renamed = SessionTable(
        name="x", projection="weather", contract=CONTRACT, path=table.path, key=table.key
    )
    with pytest.raises(ProjectionDamaged):
        bench.engine.export(renamed, ["origin"], most=10_000_000)


def test_no_plain_text_lies_on_the_disk(bench: Bench) -> None:
    folder = bench.folder / "projections"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".hqp" for file in files)
    for file in files:
        data = file.read_bytes()
        if file.suffix == ".hqp":
            # Long names, so that noise does not hold them by chance; Parquet writes them plainly.
            assert b"time_hour" not in data
            assert b"dep_delay" not in data
            assert oct(file.stat().st_mode & 0o777) == "0o600"
    key = bench.table("flights").key
    for file in bench.folder.rglob("*"):
        if file.is_file():
            assert key not in file.read_bytes(), file


def test_keys_do_not_show_in_texts(bench: Bench) -> None:
    table = bench.table("flights")
    assert repr(table.key)[2:-1] not in repr(table)
    assert "key" not in repr(bench.session())


def _moved(table: SessionTable, folder: Path) -> SessionTable:
    return SessionTable(
        name=table.name,
        projection=table.projection,
        contract=table.contract,
        path=folder / "d.hqp",
        key=table.key,
    )
