"""What does control add to a query: guard, decision, fsyncs, signatures, receipts, group checks?

Baseline: the same SQL on DuckDB alone, in a process of its own with the same threads, the table
loaded into memory, interleaved in the same run.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench.bare_duckdb import BareDuck, same
from bench.flights import COLUMNS, make
from bench.lines import Line, MeasureFailed, Target
from bench.options import Options
from bench.space import rows_of, running
from bench.timing import interleaved, median, paired, quantile
from bench.trade import Market, Wish
from huiqi.adapters.engines.duck import DuckEngine
from huiqi.compute.binding import bind
from huiqi.compute.guard import read_query
from huiqi.compute.rendering import GroupCheck, sql_of
from huiqi.compute.types import BuildOrder, Session, SessionTable
from huiqi.kernel.ids import ContractId, ProductId

# What a room gives DuckDB: see DuckEngine.
THREADS = 2
GROUP = 10
UNIT = "tailnum"
MOST_RATIO = 1.2
# Deposits and log of one use come to an end before the next question; see docs/benchmarks.md.
PAUSE_S = 0.1
SQL = """
SELECT carrier, origin, month, COUNT(*) AS n, ROUND(AVG(dep_delay), 3) AS delay,
       SUM(arr_delay) AS late, ROUND(AVG(distance), 3) AS distance
FROM flights WHERE distance > 150 AND dep_delay IS NOT NULL
GROUP BY carrier, origin, month HAVING COUNT(*) >= 10 ORDER BY carrier, origin, month
"""
# Some airlines fly with fewer than ten aircraft: only airports and months hold enough of them.
UNITS = """
SELECT origin, month, COUNT(*) AS n, ROUND(AVG(dep_delay), 3) AS delay,
       SUM(arr_delay) AS late, ROUND(AVG(distance), 3) AS distance
FROM flights WHERE distance > 150 AND dep_delay IS NOT NULL
GROUP BY origin, month ORDER BY origin, month
"""
TINY = "SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin ORDER BY origin"


class Engine:
    """The engine process alone, with a projection as a room would build it."""

    def __init__(self, folder: Path, source: Path) -> None:
        self._engine = DuckEngine(folder, threads=THREADS)
        key, target = secrets.token_bytes(32), folder / "projection"
        contract, product = ContractId("bench"), ProductId("bench")
        built = self._engine.build(
            BuildOrder(
                projection="bench",
                contract=contract,
                product=product,
                data_version="1",
                location=source.name,
                columns=COLUMNS,
                row_filter="",
                unit=None,
                key=key,
                salt=secrets.token_bytes(16),
                target=target,
            )
        )
        self._columns = built.columns
        table = SessionTable(name="t", projection="bench", contract=contract, path=target, key=key)
        self._session = Session(tables=(table,))

    def ask(self, sql: str) -> tuple[float, list[tuple[Any, ...]]]:
        """Seconds that DuckDB needs inside the process, and the rows; guard included outside."""
        query = bind(read_query(sql, ("flights",)), [self._columns])
        check = GroupCheck(table=0, least=GROUP, unit=False, rows_once=True)
        text = sql_of(query, ["t"], checks=[check], most_rows=10_000)
        result = self._engine.execute(
            self._session, text, timeout_s=60.0, should_stop=lambda: False
        )
        shown = len(query.outputs)
        return result.elapsed_ms / 1000, [tuple(row[:shown]) for row in result.rows]

    def close(self) -> None:
        """End the process."""
        self._engine.close()


class Sides:
    """The same question asked in several ways; every answer is compared with the bare one."""

    def __init__(self, market: Market, bare: BareDuck, engine: Engine) -> None:
        self._market, self._bare, self._engine = market, bare, engine
        self.expected: dict[str, list[tuple[Any, ...]]] = {}

    def bare(self, sql: str) -> Callable[[], float]:
        """DuckDB alone, as seen by the process that asks it."""

        def ask() -> float:
            took, rows = self._bare.ask(sql)
            self.expected[sql] = rows
            return took

        return ask

    def engine(self, sql: str) -> Callable[[], float]:
        """Our engine process, by its own clock."""

        def ask() -> float:
            took, rows = self._engine.ask(sql)
            self._compare(sql, rows)
            return took

        return ask

    def client(self, sql: str, contract: str) -> Callable[[], float]:
        """A consumer's program: HTTP to its connector, signed HTTP to the provider's, receipts."""
        body = {"tables": {"flights": contract}, "purpose": "research", "sql": sql}

        def ask() -> float:
            began = time.perf_counter()
            outcome = self._market.consumer.post("/uses", body)
            took = time.perf_counter() - began
            self._compare(sql, rows_of(outcome))
            receipt = outcome["receipts"][0]
            if not (receipt["provider_signature"] and receipt["consumer_signature"]):
                raise MeasureFailed("a receipt is not signed by both sides")
            return took

        return ask

    def _compare(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        expected = self.expected.get(sql)
        if expected is not None and not same(rows, expected):
            raise MeasureFailed("the controlled answer differs from DuckDB's own")


def measure(options: Options) -> Sequence[Line]:
    """The main question with row counts and with a privacy unit as group check; a tiny one."""
    rows = options.pick(10_000_000, 1_000_000)
    source = options.folder / "flights.parquet"
    options.say(f"      making {rows:,} rows")
    make(source, rows)
    options.say("      starting a space, DuckDB alone and the engine alone")
    with ExitStack() as stack:
        bare = stack.enter_context(closing(BareDuck(source, "flights", threads=THREADS)))
        engine = stack.enter_context(closing(Engine(options.folder, source)))
        space = stack.enter_context(running(options.folder / "data"))
        market = stack.enter_context(closing(Market(space)))
        resource = market.register("flights", source)
        plain = _contract(market, resource, "flights", unit="")
        private = _contract(market, resource, "flights2", unit=UNIT)
        return _lines(Sides(market, bare, engine), options, rows, (plain, private))


def _contract(market: Market, resource: str, table: str, *, unit: str) -> str:
    wish = Wish(columns=COLUMNS, min_group=GROUP, unit=unit)
    return market.contract(market.publish(resource, table, wish))


def _lines(sides: Sides, options: Options, rows: int, contracts: tuple[str, str]) -> list[Line]:
    plain, private = contracts
    main = {"bare": sides.bare(SQL), "client": sides.client(SQL, plain)}
    more = {
        "engine bare": sides.bare(SQL),
        "engine": sides.engine(SQL),
        "private bare": sides.bare(UNITS),
        "private": sides.client(UNITS, private),
        "tiny bare": sides.bare(TINY),
        "tiny": sides.client(TINY, plain),
    }
    options.say("      first uses: projections are built, engines loaded")
    first_ms = main["client"]() * 1000
    interleaved({**main, **more}, rounds=1)
    options.say("      asking")
    taken = {
        **interleaved(main, rounds=options.pick(20, 10), pause_s=PAUSE_S),
        **interleaved(more, rounds=options.pick(7, 5), pause_s=PAUSE_S),
    }
    ms = {name: median(figures) * 1000 for name, figures in taken.items()}
    size, p90 = f"{rows / 1e6:.0f} M rows", quantile(taken["client"], 0.9) * 1000
    return [
        Line(
            measure=f"controlled aggregate, {size}",
            value=ms["client"],
            unit="ms",
            baseline=ms["bare"],
            paired=paired(taken["client"], taken["bare"]),
            target=Target(limit=MOST_RATIO, of="ratio"),
            note=f"seen by the consumer's program over HTTP; control adds "
            f"{ms['client'] - ms['bare']:.0f} ms; p90 {p90:.0f} ms",
        ),
        Line(
            measure="  of it the engine process",
            value=ms["engine"],
            unit="ms",
            baseline=ms["engine bare"],
            paired=paired(taken["engine"], taken["engine bare"]),
            note="by its own clock, group check by row count included",
        ),
        Line(
            measure="  with a privacy unit",
            value=ms["private"],
            unit="ms",
            baseline=ms["private bare"],
            paired=paired(taken["private"], taken["private bare"]),
            note=f"each group must hold {GROUP} distinct {UNIT}; the baseline does not count them",
        ),
        Line(
            measure="  a tiny question",
            value=ms["tiny"],
            unit="ms",
            baseline=ms["tiny bare"],
            paired=paired(taken["tiny"], taken["tiny bare"]),
            note="three groups of one column: the fixed price of a controlled use",
        ),
        Line(
            measure="  the very first use",
            value=first_ms,
            unit="ms",
            note="builds the encrypted projection and loads it into the engine process",
        ),
    ]
