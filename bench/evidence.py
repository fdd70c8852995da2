"""How many facts per second become durable evidence, and what do proofs cost?

Baseline: SQLite alone, with the same bytes in the same number of commits, in the same run.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.bare_store import BareStore, Row
from bench.lines import Line, MeasureFailed
from bench.options import Options
from bench.timing import median, paired, seconds
from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.evidence_store import SqlEvidenceStore
from huiqi.bootstrap.store import open_store
from huiqi.evidence.service import Evidence, verify_proof
from huiqi.kernel.clock import SystemClock
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Scope
from huiqi.trust.service import suite, suites

SCOPE = Scope("bench", "91349900MAXXXX0P1L")
ORIGIN = "huiqi/bench/91349900MAXXXX0P1L/p1"
# As long as a signed receipt, the most frequent document of the log.
DOCUMENT_BYTES = 900
CALLERS = 64
# More than a thousand pages, so that the write-ahead log of both sides has its full length and is
# overwritten from then on: a file that grows makes each fsync dearer.
WARM = 4_000
# The writer answers the callers just before it counts the last commit.
SETTLE_S = 0.05


class Keys:
    """Signs checkpoints with a fresh key of every suite."""

    def __init__(self) -> None:
        self._pairs = {name: suite(name).generate() for name in suites()}

    def sign(self, data: bytes, suite_name: str, /) -> tuple[str, str]:
        """(key id, signature hex)."""
        private, public = self._pairs[suite_name]
        return public[:16], suite(suite_name).sign(private, data)

    def keys(self) -> Mapping[str, tuple[str, str]]:
        """Suite -> (key id, public key hex)."""
        return {name: (public[:16], public) for name, (_, public) in self._pairs.items()}


@dataclass
class Log:
    """One log on its own file, and how often it committed."""

    database: Database
    work: SqlWork
    evidence: Evidence
    keys: Keys
    commits: int = 0

    def record(self, facts: Sequence[Fact], *, callers: int) -> float:
        """Seconds until all ``facts`` are durable, one transaction each, from so many threads."""
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(lambda _: None, range(callers)))  # threads are started before the clock
            return seconds(lambda: list(pool.map(self._record_one, facts)))

    def _record_one(self, fact: Fact) -> int:
        return self.work.run(lambda tx: tx.record(fact))


def measure(options: Options) -> Sequence[Line]:
    """Facts per second with many callers and with one; then integration and proofs."""
    lines = [
        _recording(options, callers=CALLERS, count=options.pick(6_400, 1_600)),
        _recording(options, callers=1, count=options.pick(200, 60)),
    ]
    return [*lines, *_proving(options, options.pick(20_000, 5_000))]


def _recording(options: Options, *, callers: int, count: int) -> Line:
    ours: list[float] = []
    bare: list[float] = []
    batches: list[float] = []
    kept: list[Row] = []
    commits = 0
    for at in range(options.pick(6, 4)):
        folder = options.folder / f"record-{callers}-{at}"
        folder.mkdir()
        if at % 2:  # every other round the baseline comes first, with the bytes of the round before
            bare.append(count / _bare(folder, kept, commits))
        with _log(folder) as log:
            log.work.run(lambda tx: [tx.record(fact) for fact in _facts(WARM)])
            time.sleep(SETTLE_S)
            before = log.commits
            took = log.record(_facts(count), callers=callers)
            time.sleep(SETTLE_S)
            commits = log.commits - before
            kept = _rows(log, WARM + count)
        if not at % 2:
            bare.append(count / _bare(folder, kept, commits))
        ours.append(count / took)
        batches.append(count / commits)
    return Line(
        measure=f"facts durable, callers: {callers}",
        value=median(ours),
        unit="/s",
        baseline=median(bare),
        paired=paired(ours, bare),
        note=f"{median(batches):.1f} facts per fsync, both sides; chained and numbered facts "
        "against plain inserts",
    )


def _bare(folder: Path, rows: Sequence[Row], commits: int) -> float:
    """Seconds for the rows after the warm ones, in so many transactions."""
    store = BareStore(folder / "bare.db")
    try:
        store.seconds(rows[:WARM], commits=1)
        return store.seconds(rows[WARM:], commits=commits)
    finally:
        store.close()


def _proving(options: Options, count: int) -> list[Line]:
    folder = options.folder / "proofs"
    folder.mkdir()
    facts = _facts(count)
    with _log(folder) as log:
        log.work.run(lambda tx: [tx.record(fact) for fact in facts])
        done = 0
        began = time.perf_counter()
        while made := log.evidence.integrate():
            done += made
        took = time.perf_counter() - began
        if done != count:
            raise MeasureFailed(f"{done} of {count} entries were integrated")
        rows = _rows(log, count)
        plain = seconds(lambda: _plain_root([row[6] for row in rows]))
        step = max(1, count // options.pick(200, 50))
        making: list[float] = []
        checking: list[float] = []
        known = {name: [key] for name, key in log.keys.keys().items()}
        for seq in range(0, count, step):
            began = time.perf_counter()
            proof = log.evidence.proof(seq)
            middle = time.perf_counter()
            entry = verify_proof(proof, known, check=_holds)
            checking.append(time.perf_counter() - middle)
            making.append(middle - began)
            if entry.seq != seq:
                raise MeasureFailed("a proof shows another entry")
        size = f"log of {count:,}"
    return [
        Line(
            measure="integrate into the signed tree",
            value=count / took,
            unit="/s",
            baseline=count / plain,
            note=f"{size}; tiles, digests, checkpoints of two suites, fsyncs; baseline: the same "
            "root by hashlib in memory",
        ),
        Line(measure="make an inclusion proof", value=median(making) * 1e6, unit="us", note=size),
        Line(
            measure="verify a proof offline",
            value=median(checking) * 1e6,
            unit="us",
            note="both checkpoint signatures, path and entry",
        ),
    ]


@contextmanager
def _log(folder: Path) -> Iterator[Log]:
    clock, keys = SystemClock(), Keys()
    database = open_store(folder, clock)
    work = SqlWork(database, SCOPE)
    evidence = Evidence(
        scope=SCOPE,
        work=work,
        clock=clock,
        store=SqlEvidenceStore(),
        signer=keys,
        origin=ORIGIN,
        signatures=_holds,
    )
    log = Log(database, work, evidence, keys)

    def count() -> None:
        log.commits += 1

    database.on_commit(count)
    try:
        yield log
    finally:
        database.close()


def _holds(name: str, public: str, data: bytes, signature: str) -> bool:
    return name in suites() and suite(name).verify(public, data, signature)


def _facts(count: int) -> list[Fact]:
    at = SystemClock().now()
    return [
        Fact(
            kind="UseClosed",
            subject=f"contract-{number % 50}",
            actor="p1",
            at=at,
            details={"rows": number, "outcome": "completed"},
            document=f"{number:08}".encode() * (DOCUMENT_BYTES // 8),
        )
        for number in range(count)
    ]


def _rows(log: Log, count: int) -> list[Row]:
    """What the log wrote, as rows for the bare store: the very same bytes."""
    read = "SELECT space, participant, seq, kind, subject, at, leaf, document FROM evidence_entry"
    rows = log.database.read(lambda c: c.raw.execute(f"{read} ORDER BY seq").fetchall())
    if len(rows) != count:
        raise MeasureFailed(f"{len(rows)} of {count} facts are in the log")
    return msgspec.convert(rows, type=list[Row])


def _plain_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 root of ``leaves``: pairs level by level, an odd last node moves up."""
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        level = above + level[len(level) - len(level) % 2 :]
    return level[0]
