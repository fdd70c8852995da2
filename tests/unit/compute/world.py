"""Two providers and a consumer with real books, engines and sample data, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import msgspec

from huiqi.adapters.engines.duck import DuckEngine
from huiqi.adapters.projections import FileProjectionStore
from huiqi.adapters.sql.driver import SqlWork
from huiqi.catalog.types import (
    Column,
    Product,
    ProductRecord,
    ProductState,
    Profile,
    Resource,
    SourceRef,
)
from huiqi.compute.service import Compute
from huiqi.compute.types import LendRequest, Loan, Release, UseRequest
from huiqi.contracts.types import Contract
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import MissingError, UnavailableError
from huiqi.kernel.ids import RandomIds, ResourceId
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint
from huiqi.trust.types import Member
from huiqi.usage.types import Receipt, ReceiptBody, UseOutcome
from tests.support.seals import FolderSeals
from tests.support.store import open_store
from tests.unit.usage.world import PURPOSE, START, Side, World, terms

SAMPLES = Path("src/huiqi/samples")
Document = TypeVar("Document")


def columns_of(name: str) -> tuple[Column, ...]:
    """The columns of a sample file, as a profile would list them."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [f"{SAMPLES / name}.parquet"]
        ).fetchall()
    return tuple(Column(name=row[0], type=row[1]) for row in rows)


COLUMNS = {name: columns_of(name) for name in ("flights", "weather")}


@dataclass
class Stock:
    """The three questions that this room asks of the catalogue."""

    products: dict[str, str] = field(default_factory=dict)
    version: str = "1"

    def product(self, id: str) -> Product:  # noqa: A002 - the name in the interface
        name = self._name(id)
        record = ProductRecord(
            id=id,
            name=name,
            abstract="",
            keywords=(),
            topic="",
            table=name,
            provider="",
            provider_name="",
            provider_node="",
            resource=ResourceId(name),
            columns=COLUMNS[name],
            rows=1,
            update_frequency="",
            licence="",
            terms=terms(),
            version=1,
            created_at=START,
        )
        return Product(record=record, state=ProductState.LISTED)

    def resource(self, id: str) -> Resource:  # noqa: A002 - the name in the interface
        digest = sm3_hex(f"{id}{self.version}".encode())
        profile = Profile(rows=1, bytes=1, digest=digest, encoding="", columns=COLUMNS[id])
        source = SourceRef("file@1", "")
        return Resource(
            id=ResourceId(id), name=id, source=source, profile=profile, registered_at=START
        )

    def source_of(self, product_id: str) -> SourceRef:
        return SourceRef("file@1", f"{self._name(product_id)}.parquet")

    def _name(self, product: str) -> str:
        if product not in self.products:
            raise MissingError(what=product)
        return self.products[product]


def travelled(document: object, kind: type[Document]) -> Document:
    """A document after its way as JSON between two systems."""
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


class Wires:
    """Calls between the rooms of this process; ``cut`` names verbs that get no answer."""

    def __init__(self, me: Member, rooms: dict[str, Compute]) -> None:
        self._me, self._rooms = me, rooms
        self.cut: set[str] = set()
        self.calls: list[str] = []

    def _to(self, member: Member, verb: str) -> Compute:
        self.calls.append(verb)
        if verb in self.cut:
            raise UnavailableError(what=verb)
        return self._rooms[member.id]

    def query(self, executor: Member, signed: UseRequest) -> UseOutcome:
        there = self._to(executor, "query")
        return travelled(there.run(self._me, travelled(signed, UseRequest)), UseOutcome)

    def lend(self, lender: Member, request: LendRequest) -> Loan:
        there = self._to(lender, "lend")
        return travelled(there.lend(self._me, travelled(request, LendRequest)), Loan)

    def renew(self, lender: Member, use_id: str, contract: str) -> None:
        self._to(lender, "renew").renew_loan(self._me, use_id, contract)

    def release(self, lender: Member, release: Release) -> Receipt:
        there = self._to(lender, "release")
        return travelled(there.release(self._me, travelled(release, Release)), Receipt)


@dataclass
class Place:
    """One connector of the world, with its computing room."""

    side: Side
    folder: Path
    stock: Stock
    wires: Wires
    engine: DuckEngine
    projections: FileProjectionStore
    compute: Compute


class ComputeWorld(World):
    """``provider`` offers flights, ``third`` offers weather, ``consumer`` asks."""

    def outfit(self, folder: Path) -> None:
        """Give every connector an engine and a computing room."""
        self.rooms: dict[str, Compute] = {}
        self.flights = self._place(self.provider, folder / "p1")
        self.weather = self._place(self.third, folder / "p2")
        self.asker = self._place(self.consumer, folder / "c1")

    def _place(self, side: Side, folder: Path) -> Place:
        folder.mkdir()
        for name in COLUMNS:
            (folder / f"{name}.parquet").write_bytes((SAMPLES / f"{name}.parquet").read_bytes())
        stock, wires = Stock(), Wires(side.trust.me(), self.rooms)
        engine, projections = DuckEngine(folder), FileProjectionStore(folder, FolderSeals(folder))
        compute = Compute(
            scope=side.scope,
            work=SqlWork(self.database, side.scope),
            clock=self.clock,
            ids=RandomIds(),
            trust=side.trust,
            catalog=stock,  # type: ignore[arg-type]
            contracts=self.shelf,  # type: ignore[arg-type]
            usage=side.usage,
            policies=Policies(),
            engine=engine,
            projections=projections,
            peers=wires,
        )
        self.rooms[side.trust.me().id] = compute
        return Place(side, folder, stock, wires, engine, projections, compute)

    def flights_contract(self, *constraints: Constraint) -> Contract:
        """A contract on the flights of the first provider."""
        contract = self._agreed(self.contract(*constraints), constraints)
        self.flights.stock.products[contract.product] = "flights"
        return contract

    def weather_contract(self, *constraints: Constraint) -> Contract:
        """A contract on the weather of the second provider."""
        self.provider, kept = self.third, self.provider
        contract = self._agreed(self.contract(*constraints), constraints)
        self.provider = kept
        self.weather.stock.products[contract.product] = "weather"
        return contract

    def _agreed(self, contract: Contract, constraints: tuple[Constraint, ...]) -> Contract:
        held = msgspec.structs.replace(contract, agreed=terms(*constraints))
        self.shelf.held[held.id] = held
        return held

    def ask(
        self,
        sql: str,
        flights: Contract,
        weather: Contract | None = None,
        use_id: str | None = None,
    ) -> UseOutcome:
        """What the consumer gets."""
        tables = {"flights": flights.id}
        if weather is not None:
            tables["weather"] = weather.id
        return self.asker.compute.ask(tables=tables, purpose=PURPOSE, sql=sql, use_id=use_id)

    def close(self) -> None:
        """End every engine process."""
        for room in self.rooms.values():
            room.close()


def outcomes(outcome: UseOutcome) -> list[str]:
    """How the receipts of an outcome say that the use ended, sorted."""
    bodies = [msgspec.json.decode(r.body, type=ReceiptBody) for r in outcome.receipts]
    return sorted(body.outcome for body in bodies)


def codes(outcome: UseOutcome) -> list[str]:
    """The reasons of an outcome, by code."""
    return [reason.code for reason in outcome.reasons]


@contextmanager
def open_compute_world(folder: Path) -> Iterator[ComputeWorld]:
    """A world on a fresh store."""
    clock = FixedClock(START)
    database = open_store(folder, clock)
    world = ComputeWorld(database, clock)
    world.outfit(folder)
    yield world
    world.close()
    database.close()
