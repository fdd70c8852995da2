"""A platform, a provider, a consumer and a stranger in one process, messages passed by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from huiqi.adapters.sql.catalog_store import SqlCatalogStore
from huiqi.adapters.sql.contract_store import SqlContractStore
from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.trust_store import SqlTrustStore
from huiqi.catalog.service import Catalog, Listing
from huiqi.catalog.types import Offer, ProductRecord, ReviewNotice, SignedRecord
from huiqi.contracts.service import Contracts, ContractsDesk
from huiqi.contracts.types import (
    Contract,
    CreateRequest,
    Filed,
    Filing,
    Negotiation,
    SignatureNotice,
    TerminationNotice,
)
from huiqi.kernel.clock import FixedClock, iso
from huiqi.kernel.errors import HuiqiError, UnavailableError
from huiqi.kernel.facts import Entry
from huiqi.kernel.ids import (
    CountingIds,
    ObjectType,
    ProductId,
    SystemId,
    object_id,
)
from huiqi.kernel.work import Outgoing, Scope
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.trust.errors import KeyStoreUnwritable
from huiqi.trust.service import Trust
from huiqi.trust.types import Member, Signature, SystemKind
from tests.support.store import open_store
from tests.unit.contracts.standins import (
    CatalogAt,
    DirectoryAt,
    MemoryKeys,
    NoPasswords,
    OneProfile,
)

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
SPACE = "space-1"
SUBJECTS = {
    "o": "91349900MA8TE3T079",
    "p": "52349900MAHU1Q01X9",
    "c": "N2349900MF00TE5T0Q",
    "x": "1234990057TE5TA08U",
}
NAMES = {"o": "徽州平台", "p": "黄山航空", "c": "合肥研究院", "x": "路人甲"}
PRODUCT = ProductId(
    object_id(ObjectType.PRODUCT, subject=SUBJECTS["p"], area="3401", random="00000001")
)
# Key pairs are made once; every test founds its own systems with them.
KEYS = {name: MemoryKeys() for name in SUBJECTS}


def terms(*constraints: Constraint, days: int = 30, uses: int = 100) -> Terms:
    """Terms that everything here accepts, with further constraints."""
    rule = Rule(
        kind=RuleKind.PERMISSION,
        actions=("compute",),
        constraints=(Constraint("count", "lteq", uses), *constraints),
    )
    return Terms(
        policy=Policy(rules=(rule,)),
        mode=Mode.SQL,
        days=days,
        price=Price(parameters={"per_row_fen": 1, "per_use_fen": 200}, platform_fee_bp=500),
    )


UNKNOWN = Constraint("hq:nonsense", "eq", "1")
# The column ``delay`` holds whole numbers.
MISFIT = Constraint("valueExpression", "eq", "delay > 'abc'")
# Known to the standard, but nothing here can hold it.
NOT_HELD = Constraint("networkAddress", "isPartOf", "192.0.2.0/24")
CONTRADICTION = (
    Constraint("time", "gteq", "2027-05-01T00:00:00Z"),
    Constraint("time", "lteq", "2027-01-01T00:00:00Z"),
)


class System:
    """One system with its own store, keys and books."""

    def __init__(self, world: "World", name: str) -> None:
        self.name, self.world = name, world
        folder = world.folder / name
        folder.mkdir(exist_ok=True)
        self.database = open_store(folder, world.clock)
        self.scope = Scope(SPACE, SUBJECTS[name])
        self.work = SqlWork(self.database, self.scope)
        self.outbox = SqlOutbox(self.database)
        self.store = SqlContractStore()
        self.keys = KEYS[name]
        directory = None if name == "o" else DirectoryAt(world.systems["o"].trust)
        self.trust = Trust(
            scope=self.scope,
            work=self.work,
            clock=world.clock,
            ids=world.ids,
            store=SqlTrustStore(),
            keys=self.keys,
            passwords=NoPasswords(),
            directory=directory,
        )

    def parts(self) -> dict[str, object]:
        return {
            "scope": self.scope,
            "work": self.work,
            "clock": self.world.clock,
            "ids": self.world.ids,
            "store": self.store,
            "policies": self.world.policies,
            "trust": self.trust,
        }

    @property
    def me(self) -> Member:
        return self.trust.me()

    def facts(self, subject: str) -> list[str]:
        """The kinds of the facts about ``subject``, oldest first."""
        return [entry.kind for entry in self.entries(subject)]

    def entries(self, subject: str) -> list[Entry]:
        rows = self.database.read(
            lambda c: c.raw.execute(
                "select leaf from evidence_entry where subject = ? order by seq", (subject,)
            ).fetchall()
        )
        return [msgspec.json.decode(row[0], type=Entry) for row in rows]

    def queued(self) -> list[Outgoing]:
        return [each.message for each in self.outbox.waiting(self.scope)]


class World:
    """Four systems; ``deliver`` is the post."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(START)
        self.ids = CountingIds()
        self.policies = Policies()
        self.systems: dict[str, System] = {}
        self.refusals: list[HuiqiError] = []
        self._enrol()
        self.o, self.p, self.c, self.x = (self.systems[name] for name in "opcx")
        self.listing = Listing(
            scope=self.o.scope,
            work=self.o.work,
            clock=self.clock,
            store=SqlCatalogStore(),
            policies=self.policies,
            trust=self.o.trust,
        )
        self.catalogs = {name: self._catalog(name) for name in "pcx"}
        self.desk = ContractsDesk(**self.o.parts(), listing=self.listing)
        self.provider = self.contracts("p")
        self.consumer = self.contracts("c")
        self.stranger = self.contracts("x")
        self._publish()

    def contracts(self, name: str) -> Contracts:
        """The verbs of one connector, as after a start."""
        system = self.systems[name]
        platform = PlatformAt(self, system)
        return Contracts(**system.parts(), catalog=self.catalogs[name], platform=platform)

    def side(self, name: str) -> Contracts:
        return {"p": self.provider, "c": self.consumer, "x": self.stranger}[name]

    @property
    def record(self) -> ProductRecord:
        """What is listed."""
        return self.listing.product(PRODUCT).record

    def close(self) -> None:
        for system in self.systems.values():
            system.database.close()

    def pass_time(self, **amount: float) -> None:
        self.clock.advance(timedelta(**amount))

    def deliver(self, most: int = 50) -> int:
        """Pass messages until none is due; how many arrived. Refusals are kept in ``refusals``."""
        passed = 0
        for _ in range(most):
            moved = sum(self._pass_on(system) for system in self.systems.values())
            if not moved:
                return passed
            passed += moved
        raise AssertionError("messages go round in circles")

    def _pass_on(self, system: System) -> int:
        due = system.outbox.claim(system.scope, self.clock.now(), 60, 10)
        for queued in due:
            try:
                self.hand_over(system, queued.message)
            except UnavailableError as error:
                later = self.clock.now() + timedelta(seconds=5)
                system.outbox.retry(system.scope, queued.id, later, error.code, dead=False)
                continue
            except HuiqiError as error:
                self.refusals.append(error)
                if queued.message.code == "ContractRegistrate":
                    filing = msgspec.json.decode(queued.message.body, type=Filing)
                    self.side(system.name).refused(filing.contract_id, error.text("zh"))
                now = self.clock.now()
                system.outbox.retry(system.scope, queued.id, now, error.code, dead=True)
                continue
            system.work.run(lambda tx, q=queued: system.outbox.sent(system.scope, tx, q.id))
        return len(due)

    def hand_over(self, sender: System, message: Outgoing) -> None:
        """What the receiving system does with one message, and the sender with the answer."""
        receiver = next(each for each in self.systems.values() if each.me.id == message.to)
        if receiver is self.o:
            self._to_platform(sender, message)
            return
        side, member = self.side(receiver.name), receiver.trust.member(sender.me.id)
        takes: dict[str, tuple[type, Callable]] = {
            "ContractNegotiate": (Negotiation, side.receive),
            "ContractSignature": (SignatureNotice, side.receive_signature),
            "ContractFiled": (Filed, side.filed),
            "ContractTerminate": (TerminationNotice, side.receive_termination),
        }
        if receiver.name == "p":
            takes["ProductReviewed"] = (ReviewNotice, self.catalogs["p"].reviewed)
        kind, verb = takes[message.code]
        verb(member, msgspec.json.decode(message.body, type=kind))

    def _to_platform(self, sender: System, message: Outgoing) -> None:
        member = self.o.trust.member(sender.me.id)
        if message.code == "ContractTerminate":
            notice = msgspec.json.decode(message.body, type=TerminationNotice)
            self.desk.terminated(member, notice)
            return
        if message.code == "ProductRegister":
            self.listing.admit(member, msgspec.json.decode(message.body, type=SignedRecord))
            return
        if message.code == "ProductWithdraw":
            self.listing.withdraw(member, PRODUCT)
            return
        assert message.code == "ContractRegistrate"
        answer = self.desk.file(member, msgspec.json.decode(message.body, type=Filing))
        travelled = msgspec.json.decode(msgspec.json.encode(answer), type=Filed)
        self.side(sender.name).filed(sender.trust.member(self.o.me.id), travelled)

    def _enrol(self) -> None:
        for name in "opcx":
            system = self.systems[name] = System(self, name)
            address = f"http://127.0.0.1:9/{name}"
            card = {"subject": SUBJECTS[name], "name": NAMES[name], "area": "3401"}
            kind = SystemKind.PLATFORM if name == "o" else SystemKind.CONNECTOR
            if name == "o":
                id_ = SystemId("491349900MA8TE3T0793401TDS00001B")
                system.trust.found(id=id_, kind=kind, address=address, **card)
                continue
            code = self.systems["o"].trust.invite(kind, note=name)
            invitation, application = system.trust.apply(code, kind=kind, address=address, **card)
            allotted = SystemId(
                object_id(
                    ObjectType.CONNECTOR,
                    subject=SUBJECTS[name],
                    area="3401",
                    random=f"0000000{'opcx'.index(name)}",
                )
            )
            welcome = self.systems["o"].trust.admit(application, lambda _, id_=allotted: id_)
            system.trust.welcomed(invitation, welcome)

    def _catalog(self, name: str) -> Catalog:
        parts = {**self.systems[name].parts(), "store": SqlCatalogStore()}
        return Catalog(**parts, profiler=OneProfile(), platform=CatalogAt(self.listing))

    def _publish(self) -> None:
        resource = self.catalogs["p"].register(name="航班", file="flights.csv")
        offer = Offer(
            name="2013年航班",
            abstract="航班准点记录",
            keywords=("航班",),
            topic="B0300",
            table="flights",
            update_frequency="001",
            licence="",
            terms=terms(),
        )
        product = self.catalogs["p"].publish(resource.id, offer)
        assert product.record.id == PRODUCT
        self.deliver()
        self.listing.approve(PRODUCT, by="admin")
        self.deliver()
        assert not self.refusals

    def withdraw(self) -> None:
        """The provider takes the product back, and the platform hears of it."""
        self.catalogs["p"].withdraw(PRODUCT)
        self.listing.withdraw(self.o.trust.member(self.p.me.id), PRODUCT)

    def suspend(self) -> None:
        """The platform takes the product off for a while, and the provider hears of it."""
        self.listing.suspend(PRODUCT, by="admin", reason="核查")
        notice = next(m for m in self.o.queued() if m.code == "ProductReviewed")
        self.hand_over(self.o, notice)

    # The usual way, in steps that tests can stop between.

    def requested(self, **more: object) -> str:
        contract = self.consumer.request(PRODUCT, **more)
        self.deliver()
        return contract.id

    def accepted(self, **more: object) -> str:
        id_ = self.requested(**more)
        self.provider.accept(id_)
        self.deliver()
        return id_

    def performing(self, **more: object) -> str:
        id_ = self.accepted(**more)
        self.provider.sign(id_, by="wang")
        self.consumer.sign(id_, by="li")
        self.deliver()
        return id_

    def everywhere(self, id_: str) -> list[Contract]:
        return [self.provider.contract(id_), self.consumer.contract(id_), self.desk.contract(id_)]


class PlatformAt:
    """``contracts.ports.PlatformContracts`` that asks the desk in the same process."""

    def __init__(self, world: World, system: System) -> None:
        self._world, self._system = world, system

    def create(self, request: CreateRequest) -> str:
        member = self._world.systems["o"].trust.member(self._system.me.id)
        return self._world.desk.create(member, request)


def later(world: World, seconds: int) -> str:
    """An ISO time ``seconds`` from now."""
    return iso(world.clock.now() + timedelta(seconds=seconds))


@contextmanager
def power_cut(system: System) -> Iterator[None]:
    """The keys do not answer, as if the process had gone between intent and signature."""
    working = system.keys

    class NoKeys(MemoryKeys):
        def sign(self, suite: str, data: bytes) -> Signature:
            raise KeyStoreUnwritable(why=f"{suite} {len(data)}")

    system.trust._keys = NoKeys()
    yield
    system.trust._keys = working
