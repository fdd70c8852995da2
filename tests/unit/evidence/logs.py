"""A log with real keys on a real store, for the tests of evidence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.evidence_store import SqlEvidenceStore
from huiqi.evidence.ports import Keys
from huiqi.evidence.service import Evidence
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Scope
from huiqi.trust.suites import ed25519_sha256_aes, sm2_sm3_sm4
from tests.support.store import open_store

SCOPE = Scope("huizhou", "91349900MAXXXX0P1L")
ORIGIN = "huiqi/huizhou/591349900MAXXXX0P1L34017Q2M9K4XW"
NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
SUITES = {suite.CAPABILITY.name: suite.CAPABILITY for suite in (ed25519_sha256_aes, sm2_sm3_sm4)}


def check_signature(suite: str, public: str, data: bytes, signature: str) -> bool:
    return suite in SUITES and SUITES[suite].verify(public, data, signature)


class KeySigner:
    """Signs with fresh keys of the given suites."""

    def __init__(self, *suites: str) -> None:
        self._pairs = {suite: SUITES[suite].generate() for suite in suites or tuple(SUITES)}

    def sign(self, data: bytes, suite: str) -> tuple[str, str]:
        private, public = self._pairs[suite]
        return public[:16], SUITES[suite].sign(private, data)

    def keys(self) -> Mapping[str, tuple[str, str]]:
        return {suite: (public[:16], public) for suite, (_, public) in self._pairs.items()}

    def known(self) -> Keys:
        return {suite: [key] for suite, key in self.keys().items()}


def fact(number: int, *, subject: str = "", document: bytes | None = None) -> Fact:
    return Fact(
        kind="UseClosed" if number % 3 else "UseGranted",
        subject=subject or f"contract-{number % 5}",
        actor="李四",
        at=NOW,
        details={"rows": number, "purpose": "评估"},
        document=document if document is not None else f"document {number}".encode(),
    )


@dataclass
class Log:
    """One log, its store and its signer."""

    database: Database
    work: SqlWork
    store: SqlEvidenceStore
    signer: KeySigner
    evidence: Evidence

    def record(self, *numbers: int) -> None:
        self.work.run(lambda tx: [tx.record(fact(number)) for number in numbers])

    def put(self, statement: str, *values: Any) -> int:
        """Change the store behind the software's back; how many rows it touched."""

        def change(connection: Any) -> int:
            connection.raw.execute(statement, values)
            return int(connection.raw.changes())

        return self.database.submit(change).result()

    def get(self, statement: str, *values: Any) -> Any:
        return self.database.read(lambda c: c.raw.execute(statement, values).fetchone()[0])

    def places(self) -> list[str]:
        """Where the check finds faults."""
        return [fault.where for fault in self.evidence.check([]).faults]


@contextmanager
def open_log(folder: Path, signer: KeySigner | None = None) -> Iterator[Log]:
    """A new log below ``folder``."""
    with _log_on(open_store(folder, FixedClock(NOW)), signer or KeySigner()) as log:
        yield log


@contextmanager
def reopen_log(folder: Path, signer: KeySigner) -> Iterator[Log]:
    """The log that an earlier process left below ``folder``."""
    with _log_on(Database(folder / "store.db", clock=FixedClock(NOW)), signer) as log:
        yield log


@contextmanager
def _log_on(database: Database, signer: KeySigner) -> Iterator[Log]:
    work, store = SqlWork(database, SCOPE), SqlEvidenceStore()
    evidence = Evidence(
        scope=SCOPE,
        work=work,
        clock=FixedClock(NOW),
        store=store,
        signer=signer,
        origin=ORIGIN,
        signatures=check_signature,
    )
    try:
        yield Log(database, work, store, signer, evidence)
    finally:
        database.close()
