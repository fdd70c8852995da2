"""A provider, a consumer and a third connector with real keys, terms and stores."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.trust_store import SqlTrustStore
from huiqi.adapters.sql.usage_store import SqlUsageStore
from huiqi.contracts.types import (
    Agreement,
    AgreementBody,
    Contract,
    ContractStatus,
    Party,
    PartyRole,
    PartySignature,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import FixedClock, iso
from huiqi.kernel.digests import digests, sm3_hex
from huiqi.kernel.errors import MissingError, UnavailableError
from huiqi.kernel.facts import Entry
from huiqi.kernel.ids import ObjectType, ProductId, RandomIds, SystemId, object_id
from huiqi.kernel.ids import contract_id as make_contract_id
from huiqi.kernel.work import Queued, Scope
from huiqi.policy.service import Policies
from huiqi.policy.types import (
    Constraint,
    Decision,
    Duty,
    Mode,
    Policy,
    Price,
    Rule,
    RuleKind,
    Terms,
)
from huiqi.trust.service import Trust, key_id, suites
from huiqi.trust.types import Application, MemberCredential, PublicKey, Signature, SystemKind
from huiqi.usage.results import result_bytes
from huiqi.usage.service import Usage
from huiqi.usage.types import (
    Closing,
    Demand,
    Grant,
    GrantState,
    Receipt,
    SignedOrder,
    UseOrder,
    UseOutcome,
)
from tests.support.store import open_store

START = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
NODE, PLATFORM = "123400000057TE5TA3", "91340100MA8TE3T07G"
PROVIDER, CONSUMER, THIRD = "91340100MAHU1Q01XF", "91340100MA2TE5TP35", "91340100MA9TE5T99L"
TYPES = {
    SystemKind.NODE: ObjectType.REGIONAL_NODE,
    SystemKind.PLATFORM: ObjectType.BUSINESS_NODE,
    SystemKind.CONNECTOR: ObjectType.CONNECTOR,
}
COLUMNS: tuple[str, ...] = ("city", "delay")
ROWS: tuple[tuple[str, float], ...] = (("合肥", 12.5), ("芜湖", 0.1))
PURPOSE = "research"


class MemoryKeys:
    """Keys in memory; ``broken`` makes the next signatures fail, as an unplugged device would."""

    def __init__(self) -> None:
        self.broken = False
        self._private: dict[str, bytes] = {}
        self._public: list[PublicKey] = []
        for name, suite in suites().items():
            self._private[name], public = suite.generate()
            self._public.append(PublicKey(suite=name, key_id=key_id(public), value=public))

    def public(self) -> tuple[PublicKey, ...]:
        return tuple(self._public)

    def sign(self, suite: str, data: bytes) -> Signature:
        if self.broken:
            raise UnavailableError(what="keys")
        key = next(key for key in self._public if key.suite == suite)
        value = suites()[suite].sign(self._private[suite], data)
        return Signature(suite=suite, key_id=key.key_id, value=value)


class NoPasswords:
    """Nobody logs in here."""

    def hash(self, password: str) -> str:
        raise AssertionError(password)

    def verify(self, encoded: str, password: str) -> bool:
        raise AssertionError(encoded + password)

    def decoy(self) -> str:
        raise AssertionError


class At:
    """The directory of an issuer in the same process."""

    def __init__(self, issuer: Trust) -> None:
        self.issuer = issuer

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
        return self.issuer.credential(id)


class Shelf:
    """Signed contracts by id: the one verb of contracts that this room asks."""

    def __init__(self) -> None:
        self.held: dict[str, Contract] = {}

    def contract(self, id: str) -> Contract:  # noqa: A002 - the name in the interface
        found = self.held.get(id)
        if found is None:
            raise MissingError(what=id)
        return found


@dataclass
class Side:
    """One connector: who it is, and its usage room."""

    trust: Trust
    keys: MemoryKeys
    usage: Usage
    scope: Scope


def terms(*constraints: Constraint, duties: tuple[Duty, ...] = ()) -> Terms:
    """Terms that permit computing and reading under the constraints given."""
    purpose = Constraint("hq:purpose", "isA", PURPOSE)
    rule = Rule(RuleKind.PERMISSION, ("compute", "read"), (purpose, *constraints), duties)
    return Terms(policy=Policy((rule,)), mode=Mode.SQL, days=30, price=Price())


class World:
    """Three connectors of one platform, and the contracts between provider and consumer."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock, self.shelf = database, clock, Shelf()
        self._contracts = 0
        node = self._trust(NODE, MemoryKeys(), None)
        root = object_id(ObjectType.REGIONAL_NODE, subject=NODE, area="3401", random="0" * 8)
        node.found(
            id=SystemId(root),
            kind=SystemKind.NODE,
            subject=NODE,
            name="演示节点",
            area="3401",
            address="http://127.0.0.1:8000/node",
        )
        self.platform = self._trust(PLATFORM, MemoryKeys(), At(node))
        join(self.platform, node, SystemKind.PLATFORM, PLATFORM)
        self.provider = self._side(PROVIDER)
        self.consumer = self._side(CONSUMER)
        self.third = self._side(THIRD)

    def _trust(self, subject: str, keys: MemoryKeys, directory: At | None) -> Trust:
        scope = Scope(space="demo", participant=subject)
        return Trust(
            scope=scope,
            work=SqlWork(self.database, scope),
            clock=self.clock,
            ids=RandomIds(),
            store=SqlTrustStore(),
            keys=keys,
            passwords=NoPasswords(),
            directory=directory,
        )

    def _side(self, subject: str) -> Side:
        keys, scope = MemoryKeys(), Scope(space="demo", participant=subject)
        trust = self._trust(subject, keys, At(self.platform))
        join(trust, self.platform, SystemKind.CONNECTOR, subject)
        usage = Usage(
            scope=scope,
            work=SqlWork(self.database, scope),
            clock=self.clock,
            ids=RandomIds(),
            store=SqlUsageStore(),
            policies=Policies(),
            trust=trust,
            contracts=self.shelf,
        )
        return Side(trust, keys, usage, scope)

    def contract(self, *constraints: Constraint, duties: tuple[Duty, ...] = ()) -> Contract:
        """A contract in force since a day, between provider and consumer."""
        self._contracts += 1
        agreed = terms(*constraints, duties=duties)
        at = self.clock.now() - timedelta(days=1)
        parties = (
            self._party(PartyRole.PROVIDER, self.provider),
            self._party(PartyRole.CONSUMER, self.consumer),
        )
        product = object_id(
            ObjectType.PRODUCT, subject=PROVIDER, area="3401", random=f"{self._contracts:08d}"
        )
        body = AgreementBody(
            v=1,
            contract_id=make_contract_id(
                platform=self.platform.me().id, at=at, random=f"{self._contracts:08d}"
            ),
            contract_name="航班延误",
            contract_abstract="",
            space="demo",
            create_time=iso(at),
            sign_mode="01",
            indate=iso(at + timedelta(days=agreed.days)),
            parties=parties,
            product=ProductId(product),
            product_name="航班延误",
            product_digest=sm3_hex(b"record"),
            table="flights",
            terms=agreed,
            rounds=2,
            suite="sm2-sm3-sm4",
        )
        held = Contract(
            id=body.contract_id,
            status=ContractStatus.PERFORMING,
            mine=PartyRole.PROVIDER,
            provider=parties[0],
            consumer=parties[1],
            product=body.product,
            product_name=body.product_name,
            product_digest=body.product_digest,
            table=body.table,
            proposals=(),
            agreement=self._signed(body, iso(at)),
            created_at=at,
            starts_at=at,
            ends_at=at + timedelta(days=agreed.days),
            filed_at=at,
        )
        self.shelf.held[held.id] = held
        return held

    def _signed(self, body: AgreementBody, at: str) -> Agreement:
        data = canonical_bytes(body)
        covered = b"|".join((data, body.contract_id.encode(), at.encode()))
        signatures = [
            PartySignature(
                subject=party.subject,
                node=party.node,
                role=party.role,
                sign_time=at,
                signature=side.trust.sign(covered),
            )
            for party, side in zip(body.parties, (self.provider, self.consumer), strict=True)
        ]
        marks = digests(data)
        return Agreement(
            body=data, sm3=marks.sm3, sha256=marks.sha256, signatures=tuple(signatures)
        )

    def _party(self, role: PartyRole, side: Side) -> Party:
        me = side.trust.me()
        return Party(role=role, subject=me.subject, name=me.name, node=me.id)

    def end(self, contract: Contract) -> None:
        """Terminate a contract at both sides."""
        ended = msgspec.structs.replace(contract, status=ContractStatus.TERMINATED)
        self.shelf.held[contract.id] = ended

    def order(
        self, *contracts: Contract, use_id: str | None = None, executor: Side | None = None
    ) -> SignedOrder:
        """A consumer's signed order over contracts, run by the provider unless told."""
        me = self.consumer.trust.me()
        order = UseOrder(
            use_id=use_id or RandomIds().uuid(),
            consumer=me.subject,
            consumer_node=me.id,
            executor=(executor or self.provider).trust.me().id,
            tables={f"t{place}": contract.id for place, contract in enumerate(contracts)},
            purpose=PURPOSE,
            sql="select city, avg(delay) from t0 group by city",
            at=iso(self.clock.now()),
        )
        return self.sign(order)

    def sign(self, order: UseOrder) -> SignedOrder:
        """The order as the consumer signs it."""
        body = canonical_bytes(order)
        return SignedOrder(body=body, signature=self.consumer.trust.sign(body))

    def facts(self, side: Side) -> list[Entry]:
        """The log of one connector, oldest first, without the facts of trust."""
        text = "SELECT leaf FROM evidence_entry WHERE participant=? ORDER BY seq"
        rows = self.database.read(
            lambda db: db.raw.execute(text, (side.scope.participant,)).fetchall()
        )
        found = [msgspec.json.decode(row[0], type=Entry) for row in rows]
        return [entry for entry in found if entry.subject in self.shelf.held]

    def kinds(self, side: Side) -> list[str]:
        """The kinds of fact one connector has recorded, oldest first."""
        return [entry.kind for entry in self.facts(side)]

    def outbox(self, side: Side) -> list[Queued]:
        """What one connector has to send, oldest first."""
        return list(SqlOutbox(self.database).waiting(side.scope))


def demand(contract: Contract, **changed: object) -> Demand:
    """An aggregate query over two columns."""
    base = Demand(
        contract=contract.id,
        action="compute",
        purpose=PURPOSE,
        fields=COLUMNS,
        output_kind="aggregate",
        environment="01",
    )
    return msgspec.structs.replace(base, **changed)


def completed(rows: int = len(ROWS)) -> Closing:
    """An answer of ``rows`` rows, the two of the example by default."""
    cells = ROWS if rows == len(ROWS) else tuple((f"c{place}", 0.5) for place in range(rows))
    result = result_bytes(COLUMNS, cells)
    return Closing(
        outcome=GrantState.COMPLETED, rows=rows, result_digest=sm3_hex(result), result=result
    )


def outcome_of(order: SignedOrder, *receipts: Receipt) -> UseOutcome:
    """What the consumer gets when all went well."""
    use_id = msgspec.json.decode(order.body, type=UseOrder).use_id
    return UseOutcome(
        use_id=use_id,
        decision=Decision.ALLOWED,
        reasons=(),
        columns=COLUMNS,
        rows=ROWS,
        receipts=receipts,
    )


def granted(world: World, contract: Contract, order: SignedOrder | None = None) -> Grant:
    """An open grant; the test fails when it is refused."""
    found = world.provider.usage.open(order or world.order(contract), demand(contract))
    assert isinstance(found, Grant), found
    return found


def used(world: World, contract: Contract) -> tuple[SignedOrder, UseOutcome]:
    """A use that is completed and not countersigned yet; the consumer has kept its order."""
    order = world.order(contract)
    world.consumer.usage.ordered(order)
    grant = granted(world, contract, order)
    return order, outcome_of(order, world.provider.usage.close(grant.id, completed()))


def body_of(receipt: Receipt) -> Mapping[str, object]:
    """The plain JSON of a receipt's body."""
    found: Mapping[str, object] = msgspec.json.decode(receipt.body)
    return found


def count(most: int) -> Constraint:
    """At most so many uses under the contract."""
    return Constraint("count", "lteq", most)


def allot(application: Application) -> SystemId:
    """An identifier as a node would give it."""
    random = RandomIds().random_code()
    kind = TYPES[application.kind]
    return SystemId(
        object_id(kind, subject=application.subject, area=application.area, random=random)
    )


def join(newcomer: Trust, issuer: Trust, kind: SystemKind, subject: str) -> None:
    """The whole walk of an invitation."""
    invitation, application = newcomer.apply(
        issuer.invite(kind, note=""),
        kind=kind,
        subject=subject,
        name=f"单位 {subject}",
        area="3401",
        address=f"http://127.0.0.1:8000/{subject.lower()}",
    )
    newcomer.welcomed(invitation, issuer.admit(application, allot))


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A world on a fresh store."""
    clock = FixedClock(START)
    database = open_store(folder, clock)
    yield World(database, clock)
    database.close()
