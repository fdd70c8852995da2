"""A platform with two providers and two consumers, real keys and stores, contracts on a shelf."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.settlement_store import SqlSettlementStore
from huiqi.contracts.types import Contract, ContractStatus, Party, PartyRole
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.errors import MissingError
from huiqi.kernel.facts import Entry
from huiqi.kernel.ids import ContractId, ObjectType, ProductId, RandomIds, object_id
from huiqi.kernel.ids import contract_id as make_contract_id
from huiqi.kernel.work import Queued, Scope
from huiqi.policy.types import Mode, Policy, Price, Terms
from huiqi.settlement.service import Settlement, SettlementDesk
from huiqi.settlement.types import SignedStatement, Statement
from huiqi.trust.service import Trust
from huiqi.usage.types import GrantState, Receipt, ReceiptBody
from tests.unit.trust.systems import C1, OTHER, P1, PLATFORM, House, open_house

C2 = "91340100MA2TE5TP35"
HOUR = timedelta(hours=1)


class Shelf:
    """Contracts by id: the one verb that this room asks of the contracts room."""

    def __init__(self) -> None:
        self.held: dict[str, Contract] = {}

    def contract(self, id: str) -> Contract:  # noqa: A002 - the name in the interface
        if id not in self.held:
            raise MissingError(what=id)
        return self.held[id]

    def reprice(self, contract: Contract, price: Price) -> None:
        """Change the price of a kept contract, as somebody with the store's file could."""
        terms = msgspec.structs.replace(contract.terms, price=price)
        self.held[contract.id] = msgspec.structs.replace(contract, agreed=terms)


class Drawer:
    """One party's receipts: the two verbs that this room asks of the usage room."""

    def __init__(self) -> None:
        self.held: dict[str, Receipt] = {}
        self.unsigned: set[str] = set()

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        for key, receipt in self.held.items():
            yield f"usage/{key}", "", receipt.body

    def receipt(self, receipt_id: str) -> Receipt:
        if receipt_id in self.unsigned:
            raise MissingError(what=receipt_id)
        return self.held[receipt_id]

    def put(self, *receipts: Receipt) -> None:
        for receipt in receipts:
            self.held[body_of(receipt).receipt_id] = receipt


class Books:
    """The platform's settlement with its own scope, so that each example starts empty."""

    def __init__(self, house: House, trust: Trust, shelf: Shelf, space: str) -> None:
        self.house, self.scope = house, Scope(space=space, participant=PLATFORM)
        self.work = SqlWork(house.database, self.scope)
        self.settlement = Settlement(
            scope=self.scope,
            work=self.work,
            clock=house.clock,
            ids=RandomIds(),
            store=SqlSettlementStore(),
            trust=trust,
            contracts=shelf,
        )

    def outbox(self) -> list[Queued]:
        return list(SqlOutbox(self.house.database).waiting(self.scope))

    def kinds(self) -> list[str]:
        """Every fact these books recorded about settlement, oldest first."""
        text = "SELECT leaf FROM evidence_entry WHERE space=? AND participant=? ORDER BY seq"
        own = (self.scope.space, PLATFORM)
        rows = self.house.database.read(lambda db: db.raw.execute(text, own).fetchall())
        kinds = [msgspec.json.decode(row[0], type=Entry).kind for row in rows]
        return [kind for kind in kinds if kind.startswith(("Receipt", "Settlement", "Statement"))]


class World:
    """Everybody who takes part, and how they make contracts and receipts."""

    def __init__(self, house: House) -> None:
        self.house, self.clock, self.shelf = house, house.clock, Shelf()
        self.platform = house.platform(house.node())
        self.p1, self.p2, self.c1, self.c2 = (
            house.connector(self.platform, subject) for subject in (P1, OTHER, C1, C2)
        )
        self._made = 0
        self.books = self.fresh("demo")
        self.settlement = self.books.settlement

    def fresh(self, space: str | None = None) -> Books:
        """Empty books of the platform."""
        self._made += 1
        return Books(self.house, self.platform, self.shelf, space or f"space{self._made}")

    def contract(
        self, provider: Trust, consumer: Trust, price: Price | None = None, *, filed: bool = True
    ) -> Contract:
        """A contract that is filed at the platform unless told otherwise."""
        self._made += 1
        at, random = self.clock.now(), f"{self._made:08d}"
        product = object_id(
            ObjectType.PRODUCT, subject=provider.me().subject, area="3401", random=random
        )
        made = make_contract_id(platform=self.platform.me().id, at=at, random=random)
        terms = Terms(policy=Policy(()), mode=Mode.SQL, days=30, price=price or Price())
        contract = Contract(
            id=ContractId(made),
            status=ContractStatus.PERFORMING,
            mine=PartyRole.OTHER,
            provider=_party(PartyRole.PROVIDER, provider),
            consumer=_party(PartyRole.CONSUMER, consumer),
            product=ProductId(product),
            product_name="航班延误",
            product_digest="0" * 64,
            table="flights",
            proposals=(),
            agreed=terms,
            created_at=at,
            starts_at=at,
            filed_at=at if filed else None,
        )
        self.shelf.held[contract.id] = contract
        return contract

    def body(self, contract: Contract, rows: int = 3, **changed: object) -> ReceiptBody:
        """What a receipt of a completed use just now says."""
        at = iso(self.clock.now())
        base = ReceiptBody(
            v=1,
            receipt_id=RandomIds().uuid(),
            use_id=RandomIds().uuid(),
            contract=contract.id,
            product=contract.product,
            provider=contract.provider.subject,
            provider_node=contract.provider.node,
            consumer=contract.consumer.subject,
            consumer_node=contract.consumer.node,
            executor=contract.provider.node,
            action="compute",
            purpose="research",
            decision="allowed",
            outcome=GrantState.COMPLETED.value,
            reasons=(),
            rows=rows,
            joint=(contract.id,),
            counters={"count": 1, "rows": rows},
            order_digest="1" * 64,
            result_digest="2" * 64,
            opened_at=at,
            closed_at=at,
            suite=contract.suite,
        )
        return msgspec.structs.replace(base, **changed)

    def signed(self, body: ReceiptBody) -> Receipt:
        """The receipt as both parties sign it."""
        data = canonical_bytes(body)
        return Receipt(
            body=data,
            provider_signature=self.by(body.provider_node).sign(data),
            consumer_signature=self.by(body.consumer_node).sign(data),
        )

    def receipt(self, contract: Contract, rows: int = 3, **changed: object) -> Receipt:
        """A countersigned receipt."""
        return self.signed(self.body(contract, rows, **changed))

    def joint(self, *contracts: Contract, rows: int = 3, use_id: str = "") -> list[Receipt]:
        """The receipts of one use that draws on several contracts."""
        together = tuple(sorted(contract.id for contract in contracts))
        use_id = use_id or RandomIds().uuid()
        return [
            self.receipt(contract, rows, joint=together, use_id=use_id) for contract in contracts
        ]

    def deposit(self, *receipts: Receipt, books: Books | None = None) -> None:
        """Each provider deposits its receipt."""
        for receipt in receipts:
            sender = self.by(body_of(receipt).provider_node).me()
            (books or self.books).settlement.deposit(sender, receipt)

    def use(self, contract: Contract, rows: int = 3, **changed: object) -> Receipt:
        """A completed use whose receipt is deposited."""
        receipt = self.receipt(contract, rows, **changed)
        self.deposit(receipt)
        return receipt

    def close(self, until: datetime | None = None) -> Mapping[str, Statement]:
        """Close the period; the statements by party."""
        return {s.document.party: s for s in self.settlement.close_period(until=until)}

    def by(self, node: str) -> Trust:
        """The connector with that identifier."""
        return next(each for each in (self.p1, self.p2, self.c1, self.c2) if each.me().id == node)

    def desk(
        self, trust: Trust, drawer: Drawer | None = None, contracts: Shelf | None = None
    ) -> SettlementDesk:
        """The desk of a party that knows its own contracts only, unless told."""
        scope = Scope(space="demo", participant=trust.me().subject)
        return SettlementDesk(
            scope=scope,
            work=SqlWork(self.house.database, scope),
            clock=self.clock,
            store=SqlSettlementStore(),
            trust=trust,
            usage=drawer or Drawer(),
            contracts=contracts or self.known_to(trust),
        )

    def known_to(self, trust: Trust) -> Shelf:
        """The contracts that a party is a party of."""
        me, shelf = trust.me().id, Shelf()
        for contract in self.shelf.held.values():
            if me in {contract.provider.node, contract.consumer.node}:
                shelf.held[contract.id] = contract
        return shelf

    def received(self, trust: Trust, drawer: Drawer, statement: Statement) -> SettlementDesk:
        """A desk that has taken a statement."""
        desk = self.desk(trust, drawer)
        desk.receive(self.platform.me(), statement.signed)
        return desk

    def forged(self, statement: Statement, **changed: object) -> Statement:
        """A statement with other content, truly signed: what a wrong platform would issue."""
        document = msgspec.structs.replace(statement.document, **changed)
        body = canonical_bytes(document)
        signed = SignedStatement(body, self.platform.sign(body))
        return msgspec.structs.replace(
            statement, id=document.statement_id, document=document, signed=signed
        )

    def sql(self, text: str, *params: object) -> None:
        """Somebody with the store's file changes it."""
        self.house.database.submit(lambda c: c.raw.execute(text, params).fetchall()).result()


def price(use: int = 0, row: int = 0, *, fee_bp: int = 0, weight: int = 1) -> Price:
    """A price of the installed plan."""
    return Price(
        parameters={"per_use_fen": use, "per_row_fen": row},
        platform_fee_bp=fee_bp,
        joint_weight=weight,
    )


def body_of(receipt: Receipt) -> ReceiptBody:
    """What a receipt says."""
    return msgspec.json.decode(receipt.body, type=ReceiptBody)


def _party(role: PartyRole, trust: Trust) -> Party:
    me = trust.me()
    return Party(role=role, subject=me.subject, name=me.name, node=me.id)


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A world on a fresh store."""
    with open_house(folder) as house:
        yield World(house)
