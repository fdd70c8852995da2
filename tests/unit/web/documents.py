"""Documents for page objects: one product, one negotiation, one receipt."""

from datetime import UTC, datetime, timedelta

from huiqi.catalog.types import Column, Hit, Product, ProductRecord, ProductState
from huiqi.contracts.types import (
    Agreement,
    Contract,
    ContractStatus,
    Party,
    PartyRole,
    PartySignature,
    Proposal,
    ProposalKind,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.ids import ContractId, ProductId, ResourceId, SubjectCode, SystemId
from huiqi.policy.types import Constraint, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.trust.types import Signature
from huiqi.usage.types import Receipt, ReceiptBody

NOW = datetime(2026, 3, 9, 1, 41, 20, 318000, tzinfo=UTC)
PROVIDER, CONSUMER = SubjectCode("91349900MAXXXX0P1L"), SubjectCode("91349900MA2C0NTE3Y")
NODE_P, NODE_C = SystemId("5P"), SystemId("5C")
SIGNED = Signature("sm2-sm3-sm4", "9f2c77ab0a1b2c3d", "ab" * 64)
COLUMNS = tuple(Column(name=name, type="VARCHAR", meaning=name) for name in ("origin", "delay"))


def terms(count: int = 20) -> Terms:
    constraints = (
        Constraint("dataField", "isPartOf", ["origin", "delay"]),
        Constraint("count", "lteq", count),
        Constraint("hq:outputKind", "isAnyOf", ["aggregate"]),
    )
    rules = (Rule(RuleKind.PERMISSION, ("compute",), constraints),)
    price = Price(parameters={"per_use_fen": 200, "per_row_fen": 1}, platform_fee_bp=500)
    return Terms(policy=Policy(rules), mode=Mode.SQL, days=90, price=price)


def record(number: int = 1) -> ProductRecord:
    return ProductRecord(
        id=ProductId(f"6-{number}"),
        name=f"航班 {number}",
        abstract="离港航班",
        keywords=("航班",),
        topic="B0300",
        table=f"flights{number}",
        provider=PROVIDER,
        provider_name="皖航数据",
        provider_node=NODE_P,
        resource=ResourceId("7-1"),
        columns=COLUMNS,
        rows=336_776,
        update_frequency="009",
        licence="CC0-1.0",
        terms=terms(),
        version=1,
        created_at=NOW,
    )


def product(state: ProductState, number: int = 1, reason: str = "") -> Product:
    return Product(record=record(number), state=state, reason=reason)


def hit(number: int = 1) -> Hit:
    return Hit(record=record(number), score=1, matched=("name", "meanings"))


def contract(
    status: ContractStatus,
    *,
    mine: PartyRole = PartyRole.CONSUMER,
    waiting: str = "",
    signed: tuple[PartyRole, ...] = (),
    number: int = 1,
) -> Contract:
    parties = {
        role: Party(role=role, subject=subject, name=name, node=node)
        for role, subject, name, node in (
            (PartyRole.PROVIDER, PROVIDER, "皖航数据", NODE_P),
            (PartyRole.CONSUMER, CONSUMER, "庐州气象", NODE_C),
        )
    }
    signatures = tuple(
        PartySignature(
            subject=PROVIDER, node=NODE_P, role=role, sign_time=iso(NOW), signature=SIGNED
        )
        for role in signed
    )
    performing = status is ContractStatus.PERFORMING
    return Contract(
        id=ContractId(f"C-{number}"),
        status=status,
        mine=mine,
        provider=parties[PartyRole.PROVIDER],
        consumer=parties[PartyRole.CONSUMER],
        product=ProductId("6-1"),
        product_name="航班 1",
        product_digest="9f" * 32,
        table="flights1",
        proposals=(
            proposal(1, ProposalKind.REQUEST, PartyRole.CONSUMER, terms(50)),
            proposal(2, ProposalKind.OFFER, PartyRole.PROVIDER, terms(20)),
        ),
        agreement=Agreement(body=b"{}", sm3="a" * 64, sha256="b" * 64, signatures=signatures)
        if signatures
        else None,
        created_at=NOW,
        starts_at=NOW if performing else None,
        ends_at=NOW + timedelta(days=90) if performing else None,
        waiting_for=waiting,
        columns=("origin", "delay"),
        listed=terms(),
    )


def proposal(number: int, kind: ProposalKind, by: PartyRole, wanted: Terms) -> Proposal:
    return Proposal(
        round=number,
        kind=kind,
        by=by,
        terms=wanted,
        note="",
        at=NOW,
        digest="c" * 64,
        signature=SIGNED,
    )


def receipt(*, countersigned: bool = True, outcome: str = "completed") -> Receipt:
    body = ReceiptBody(
        v=1,
        receipt_id="3f0a8c4e-8a53-4d27-9d5a-2f6c1e7b9a10",
        use_id="11111111-8a53-4d27-9d5a-2f6c1e7b9a10",
        contract=ContractId("C-1"),
        product=ProductId("6-1"),
        provider=PROVIDER,
        provider_node=NODE_P,
        consumer=CONSUMER,
        consumer_node=NODE_C,
        executor=NODE_P,
        action="compute",
        purpose="statistics",
        decision="allowed" if outcome == "completed" else "denied",
        outcome=outcome,
        reasons=() if outcome == "completed" else ("policy.count",),
        rows=36,
        joint=(ContractId("C-1"),),
        counters={"count": 15, "rows": 412},
        order_digest="d" * 64,
        result_digest="e" * 64,
        opened_at=iso(NOW),
        closed_at=iso(NOW),
        suite="sm2-sm3-sm4",
    )
    return Receipt(
        body=canonical_bytes(body),
        provider_signature=SIGNED,
        consumer_signature=SIGNED if countersigned else None,
    )
