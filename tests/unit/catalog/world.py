"""A node, a platform and two connectors with real rooms below, in one process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from huiqi.adapters.sql.catalog_store import SqlCatalogStore
from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.identifier_store import SqlIdentifierStore
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.catalog.service import Catalog, Identifiers, Listing
from huiqi.catalog.types import (
    AllotRequest,
    Column,
    Hit,
    Offer,
    Product,
    Profile,
    Resolution,
    ReviewNotice,
    SignedRecord,
    SourceRef,
)
from huiqi.kernel.ids import CountingIds, IdSource
from huiqi.kernel.work import Outgoing, Scope
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.trust.service import Trust
from huiqi.trust.types import Member
from tests.unit.trust.systems import C1, NODE, P1, PLATFORM, House, open_house

SPACE = "demo"
COLUMNS = (
    Column(name="carrier", type="VARCHAR", distinct=16),
    Column(name="dep_delay", type="INTEGER", null_bp=245, distinct=518, least="-43", most="1301"),
    Column(name="salary", type="INTEGER", distinct=90, least="3000", most="99000"),
)


class TwoFiles:
    """``Profiler`` for files that need no reading: their name is their content."""

    def profile(self, file: Path | str) -> tuple[SourceRef, Profile]:
        digest = f"{file}".encode().hex().ljust(64, "0")[:64]
        found = Profile(rows=7, bytes=99, digest=digest, encoding="utf-8", columns=COLUMNS)
        return SourceRef("file@1", f"resources/{digest}.parquet"), found


class AtPlatform:
    """``PlatformCatalog`` as one organisation's calls to a platform in the same process."""

    def __init__(self, subject: str, listing: Listing, identifiers: Identifiers) -> None:
        self.subject, self.listing, self.identifiers = subject, listing, identifiers
        self.answers: SignedRecord | None = None
        self.allots: str | None = None
        self.meanwhile: Callable[[], object] | None = None

    def allot(self, request: AllotRequest) -> str:
        first, self.meanwhile = self.meanwhile, None
        if first is not None:
            first()
        return self.allots or self.identifiers.allot(self.subject, request)

    def search(self, text: str, limit: int) -> Sequence[Hit]:
        return self.listing.search(text, limit=limit)

    def fetch(self, id: str) -> SignedRecord:  # noqa: A002 - the port's name
        return self.answers or self.listing.fetch(id)


class AtNode:
    """``ParentNode`` in the same process, counting what it is asked."""

    def __init__(self, subject: str, identifiers: Identifiers) -> None:
        self.subject, self.identifiers, self.asked = subject, identifiers, 0
        self.allots: str | None = None
        self.answers: Resolution | None = None

    def allot(self, request: AllotRequest) -> str:
        return self.allots or self.identifiers.allot(self.subject, request)

    def resolve(self, identifier: str) -> Resolution:
        self.asked += 1
        return self.answers or self.identifiers.resolve(identifier)


class World:
    """Node, platform, provider P1 and consumer C1."""

    def __init__(self, house: House) -> None:
        self.house, self.clock = house, house.clock
        node = house.node()
        platform = house.platform(node)
        self.trusts = {
            NODE: node,
            PLATFORM: platform,
            P1: house.connector(platform, P1),
            C1: house.connector(platform, C1),
        }
        self.node_identifiers = self.identifiers(NODE, None, CountingIds())
        self.parent = AtNode(PLATFORM, self.node_identifiers)
        self.listing = Listing(
            scope=self.scope(PLATFORM),
            work=self.work(PLATFORM),
            clock=self.clock,
            store=SqlCatalogStore(),
            policies=Policies(),
            trust=platform,
        )
        self.platform_identifiers = self.identifiers(PLATFORM, self.parent, CountingIds())
        self.calls = {
            who: AtPlatform(who, self.listing, self.platform_identifiers) for who in (P1, C1)
        }
        self.provider, self.consumer = self.catalog(P1), self.catalog(C1)

    def scope(self, who: str) -> Scope:
        return Scope(space=SPACE, participant=who)

    def work(self, who: str) -> SqlWork:
        return SqlWork(self.house.database, self.scope(who))

    def me(self, who: str) -> Member:
        return self.trusts[who].me()

    def trust(self, who: str) -> Trust:
        return self.trusts[who]

    def identifiers(self, who: str, parent: AtNode | None, ids: IdSource) -> Identifiers:
        return Identifiers(
            scope=self.scope(who),
            work=self.work(who),
            clock=self.clock,
            ids=ids,
            store=SqlIdentifierStore(),
            trust=self.trusts[who],
            parent=parent,
            listing=self.listing if parent is not None else None,
        )

    def catalog(self, who: str) -> Catalog:
        return Catalog(
            scope=self.scope(who),
            work=self.work(who),
            clock=self.clock,
            ids=CountingIds(),
            store=SqlCatalogStore(),
            policies=Policies(),
            trust=self.trusts[who],
            profiler=TwoFiles(),
            platform=self.calls[who],
        )

    def outgoing(self, who: str) -> list[Outgoing]:
        """What ``who`` has to send, oldest first."""
        return [
            queued.message for queued in SqlOutbox(self.house.database).waiting(self.scope(who))
        ]

    def signed(self, product_id: str) -> SignedRecord:
        """What P1 sent about a product last."""
        sent = [m for m in self.outgoing(P1) if m.key == product_id and m.code == "ProductRegister"]
        return msgspec.json.decode(sent[-1].body, type=SignedRecord)

    def notice(self, product_id: str) -> ReviewNotice:
        """What the platform sent about a product last."""
        sent = [m for m in self.outgoing(PLATFORM) if m.key == product_id]
        assert sent[-1].to == self.me(P1).id
        assert sent[-1].code == "ProductReviewed"
        return msgspec.json.decode(sent[-1].body, type=ReviewNotice)

    def submitted(self, **changes: object) -> Product:
        """A product of P1 that P1 has sent."""
        resources = self.provider.resources()
        resource = resources[0] if resources else self.provider.register(name="航班", file="f.csv")
        return self.provider.publish(resource.id, offer(**changes))

    def admitted(self, **changes: object) -> Product:
        """A product of P1 under the platform's review."""
        product = self.submitted(**changes)
        return self.listing.admit(self.me(P1), self.signed(product.record.id))

    def listed(self, **changes: object) -> Product:
        """A product of P1 that the platform lists."""
        product = self.admitted(**changes)
        return self.listing.approve(product.record.id, by="operator")

    def resigned(self, signed: SignedRecord, *, by: str = P1, **changes: object) -> SignedRecord:
        """``signed`` with changed fields and a signature of ``by`` over the new bytes."""
        document = {**msgspec.json.decode(signed.body), **changes}
        body = msgspec.json.encode(document, order="sorted")
        return SignedRecord(body, self.trusts[by].sign(body))


def terms(*constraints: Constraint) -> Terms:
    """Terms that can be held: statistics for a year."""
    usual = (
        Constraint("count", "lteq", 100),
        Constraint("hq:minGroupSize", "gteq", 10),
        Constraint("hq:outputKind", "isAnyOf", ["aggregate"]),
    )
    rule = Rule(RuleKind.PERMISSION, ("compute",), (*usual, *constraints))
    price = Price(parameters={"per_use_fen": 200, "per_row_fen": 1})
    return Terms(Policy((rule,)), Mode.SQL, 365, price)


def offer(**changes: object) -> Offer:
    """A complete offer, some of it changed."""
    usual: dict[str, object] = {
        "name": "航班准点数据",
        "abstract": "2013 年纽约三大机场的离港航班",
        "keywords": ("flights", "delays"),
        "topic": "B0300",
        "table": "flights",
        "update_frequency": "009",
        "licence": "CC0",
        "terms": terms(),
    }
    return msgspec.convert({**usual, **changes}, type=Offer, from_attributes=True)


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    with open_house(folder) as house:
        yield World(house)
