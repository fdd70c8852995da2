"""What do the uses of a period cost, who gets what, and which statements follow? Pure rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.errors import InvalidError
from huiqi.kernel.ids import SubjectCode
from huiqi.kernel.money import basis_points
from huiqi.policy.types import Price
from huiqi.settlement.errors import ForgedStatement, Unbalanced
from huiqi.settlement.plans import Part, check_price
from huiqi.settlement.types import Charge, Posting, Run, StatementBody
from huiqi.trust.types import NATIONAL_SUITE, Member
from huiqi.usage.types import ReceiptBody

VERSION = 1


def charges_of_use(
    receipts: Sequence[ReceiptBody], prices: Mapping[str, Price]
) -> tuple[Charge, ...]:
    """The charges of one completed use: a receipt for each of its contracts, sorted by contract.

    Contracts with different plans are priced apart; within a plan the row charge is shared, and
    ``joint`` of a charge are the contracts that share it.

    Raises:
        UnknownPricePlan, WrongPrice: a contract's price is not one that can be charged.
    """
    together = sorted(receipts, key=lambda body: body.contract)
    plans: dict[str, list[ReceiptBody]] = defaultdict(list)
    for body in together:
        plans[prices[body.contract].plan].append(body)
    found = [charge for members in plans.values() for charge in _priced_together(members, prices)]
    return tuple(sorted(found, key=lambda charge: charge.contract))


def _priced_together(
    members: Sequence[ReceiptBody], prices: Mapping[str, Price]
) -> Iterable[Charge]:
    own = [prices[body.contract] for body in members]
    plan = check_price(own[0])
    for price in own[1:]:
        check_price(price)
    weights = tuple(price.joint_weight for price in own)
    parts = [Part(price.parameters, price.joint_weight) for price in own]
    priced = plan.price(parts, members[0].rows)
    for body, price, cost in zip(members, own, priced, strict=True):
        gross = cost.use_fen + cost.row_fen
        fee = basis_points(gross, price.platform_fee_bp)
        yield Charge(
            receipt_id=body.receipt_id,
            use_id=body.use_id,
            contract=body.contract,
            product=body.product,
            provider=body.provider,
            consumer=body.consumer,
            closed_at=body.closed_at,
            plan=price.plan,
            rows=body.rows,
            joint=tuple(each.contract for each in members),
            weights=weights,
            use_fen=cost.use_fen,
            joint_row_fen=cost.joint_row_fen,
            row_fen=cost.row_fen,
            gross_fen=gross,
            fee_bp=price.platform_fee_bp,
            fee_fen=fee,
            net_fen=gross - fee,
        )


def postings_of(charge: Charge, run: Run, platform: SubjectCode) -> tuple[Posting, ...]:
    """The ledger entry of one charge: consumer owes, provider and platform receive.

    Raises:
        Unbalanced: the sides do not sum to zero.
    """
    # An organisation that uses its own product under a contract has one account, not two.
    sides: dict[str, int] = defaultdict(int)
    sides[f"party:{charge.consumer}"] -= charge.gross_fen
    sides[f"party:{charge.provider}"] += charge.net_fen
    sides[f"fees:{platform}"] += charge.fee_fen
    off = sum(sides.values())
    if off:
        raise Unbalanced(entry=charge.receipt_id, fen=off)
    return tuple(
        Posting(
            run=run.id, entry=charge.receipt_id, account=account, amount_fen=amount, at=run.until
        )
        for account, amount in sides.items()
    )


def statement_bodies(charges: Sequence[Charge], run: Run, platform: Member) -> Mapping[str, bytes]:
    """The canonical bytes of every party's statement, by statement id.

    The same charges, run and platform always give the same bytes.

    Raises:
        NotCanonical: a sum is beyond 2**53-1 fen; ``uses.choose`` never lets a closing grow so far.
    """
    parties = sorted({c.consumer for c in charges} | {c.provider for c in charges})
    made: dict[str, bytes] = {}
    for party in parties:
        lines = tuple(
            sorted(
                (c for c in charges if party in {c.consumer, c.provider}),
                key=lambda charge: (charge.closed_at, charge.receipt_id),
            )
        )
        owed = sum(c.gross_fen for c in lines if c.consumer == party)
        earned = sum(c.net_fen for c in lines if c.provider == party)
        body = StatementBody(
            v=VERSION,
            statement_id=f"ST-{run.number:06d}-{party}",
            run=run.id,
            number=run.number,
            platform=platform.id,
            platform_subject=platform.subject,
            party=party,
            since=run.since,
            until=run.until,
            lines=lines,
            owed_fen=owed,
            earned_fen=earned,
            fee_fen=sum(c.fee_fen for c in lines if c.provider == party),
            balance_fen=earned - owed,
            suite=NATIONAL_SUITE,
        )
        made[body.statement_id] = canonical_bytes(body)
    return made


def read_statement(body: bytes) -> StatementBody:
    """The statement inside the signed bytes.

    Raises:
        ForgedStatement: they are not the canonical form of a statement of this version.
    """
    try:
        document = msgspec.json.decode(body, type=StatementBody)
        canonical = canonical_bytes(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidError) as error:
        raise ForgedStatement(why="form") from error
    if canonical != body or document.v != VERSION:
        raise ForgedStatement(why="form")
    return document
