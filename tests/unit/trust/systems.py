"""A node, a platform and connectors on one real store, each with its own scope and keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from argon2 import PasswordHasher

from huiqi.adapters.passwords import ArgonPasswords
from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.trust_store import SqlTrustStore
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.errors import UnavailableError
from huiqi.kernel.facts import Entry
from huiqi.kernel.ids import ObjectType, RandomIds, SystemId, object_id
from huiqi.kernel.work import Scope
from huiqi.trust.errors import UnknownSuite
from huiqi.trust.service import Trust, key_id, suites
from huiqi.trust.types import (
    Application,
    Member,
    MemberCredential,
    PublicKey,
    Signature,
    SystemKind,
)
from tests.support.store import open_store

START = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
NODE, PLATFORM = "1234990057TE5TA08U", "91349900MA8TE3T079"
P1, C1 = "52349900MAHU1Q01X9", "91349900MA2C0NTE3Y"
OTHER = "91349900MA2E0THE41"
TYPES = {
    SystemKind.NODE: ObjectType.REGIONAL_NODE,
    SystemKind.PLATFORM: ObjectType.BUSINESS_NODE,
    SystemKind.CONNECTOR: ObjectType.CONNECTOR,
}


class MemoryKeys:
    """A key store in memory."""

    def __init__(self) -> None:
        self._private: dict[str, bytes] = {}
        self._public: list[PublicKey] = []
        for name, suite in suites().items():
            self._private[name], public = suite.generate()
            self._public.append(PublicKey(suite=name, key_id=key_id(public), value=public))

    def public(self) -> tuple[PublicKey, ...]:
        return tuple(self._public)

    def sign(self, suite: str, data: bytes) -> Signature:
        for key in self._public:
            if key.suite == suite:
                value = suites()[suite].sign(self._private[suite], data)
                return Signature(suite=suite, key_id=key.key_id, value=value)
        raise UnknownSuite(suite=suite)


class At:
    """The directory of an issuer that lives in the same process; ``away`` takes it off line."""

    def __init__(self, issuer: Trust) -> None:
        self.issuer, self.away, self.asked = issuer, False, 0
        self.answers: Callable[[MemberCredential], MemberCredential] = lambda given: given

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
        self.asked += 1
        if self.away:
            raise UnavailableError(what="issuer")
        return self.answers(self.issuer.credential(id))


class House:
    """Systems by name on one store file, under one clock."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock
        self.passwords = ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    def bare(self, subject: str, *, directory: At | None = None, space: str = "demo") -> Trust:
        """A system without identity; another ``space`` stands for another machine."""
        scope = Scope(space=space, participant=subject)
        return Trust(
            scope=scope,
            work=SqlWork(self.database, scope),
            clock=self.clock,
            ids=RandomIds(),
            store=SqlTrustStore(),
            keys=MemoryKeys(),
            passwords=self.passwords,
            directory=directory,
        )

    def node(self) -> Trust:
        node = self.bare(NODE)
        node.found(
            id=SystemId(
                object_id(ObjectType.REGIONAL_NODE, subject=NODE, area="3401", random="0" * 8)
            ),
            kind=SystemKind.NODE,
            subject=NODE,
            name="演示节点",
            area="3401",
            address="http://127.0.0.1:8000/node",
        )
        return node

    def platform(self, node: Trust) -> Trust:
        platform = self.bare(PLATFORM, directory=At(node))
        join(platform, node, SystemKind.PLATFORM, PLATFORM)
        return platform

    def connector(self, platform: Trust, subject: str, *, directory: At | None = None) -> Trust:
        connector = self.bare(subject, directory=directory or At(platform))
        join(connector, platform, SystemKind.CONNECTOR, subject)
        return connector

    def facts(self, subject: str) -> list[Entry]:
        """The whole log of one participant."""
        text = "SELECT leaf FROM evidence_entry WHERE participant=? ORDER BY seq"
        rows = self.database.read(lambda db: db.raw.execute(text, (subject,)).fetchall())
        return [msgspec.json.decode(row[0], type=Entry) for row in rows]

    def count(self, table: str) -> int:
        rows = self.database.read(lambda db: list(db.raw.execute(f"SELECT count(*) FROM {table}")))  # noqa: S608 - a table's name in a test
        return int(rows[0][0])


def allot(application: Application) -> SystemId:
    """An identifier as a node would give it."""
    kind, random = TYPES[application.kind], RandomIds().random_code()
    made = object_id(kind, subject=application.subject, area=application.area, random=random)
    return SystemId(made)


def join(newcomer: Trust, issuer: Trust, kind: SystemKind, subject: str) -> Member:
    """The whole walk of an invitation."""
    invitation, application = newcomer.apply(
        issuer.invite(kind, note=""),
        kind=kind,
        subject=subject,
        name=f"单位 {subject}",
        area="3401",
        address=f"http://127.0.0.1:8000/{subject.lower()}/",
    )
    return newcomer.welcomed(invitation, issuer.admit(application, allot))


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    clock = FixedClock(START)
    database = open_store(folder, clock)
    yield House(database, clock)
    database.close()
