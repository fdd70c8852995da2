"""Where does a statement differ from what one party itself holds?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.money import basis_points, split_exactly
from huiqi.policy.types import Price
from huiqi.settlement.charging import charges_of_use
from huiqi.settlement.errors import UnknownPricePlan, WrongPrice
from huiqi.settlement.plans import Part, check_price
from huiqi.settlement.types import Charge, Mismatch, StatementBody
from huiqi.settlement.uses import use_key, uses_of
from huiqi.usage.types import GrantState, ReceiptBody


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a party holds: its receipts by id, its contracts by id, and its other statements.

    ``elsewhere`` maps a receipt id to the statement that also has it.
    """

    receipts: Mapping[str, ReceiptBody]
    contracts: Mapping[str, Contract]
    elsewhere: Mapping[str, str]


def mismatches(document: StatementBody, held: Held) -> Iterator[Mismatch]:
    """Every line and sum that is not what the party's own receipts and contracts give.

    A joint use is computed again whole when the party holds all its contracts, as its consumer
    does. The provider of one part cannot know the prices of the others: then the part is checked
    against the sum for all rows and the weights as stated, those of own contracts must be right,
    and the sum must not be below what the own price alone gives.
    """
    mine = [body for body in held.receipts.values() if _completed(body)]
    uses = uses_of(mine)
    for line in document.lines:
        own = held.receipts.get(line.receipt_id)
        if own is None:
            yield Mismatch(receipt_id=line.receipt_id, field="receipt", stated="", own="missing")
        elif not _completed(own):
            yield _at(line, "outcome", GrantState.COMPLETED.value, own.outcome)
        elif own.contract not in held.contracts:
            yield _at(line, "contract", line.contract, "")
        else:
            yield from _line(line, own, held, uses[use_key(own)])
    yield from _repeated(document, held)
    yield from _sums(document)


def left_out(document: StatementBody, held: Held) -> Iterator[ReceiptBody]:
    """Own completed receipts of the period that are neither on this statement nor on another."""
    stated = {line.receipt_id for line in document.lines} | held.elsewhere.keys()
    for body in held.receipts.values():
        inside = document.since < body.closed_at <= document.until
        mine = document.party in {body.provider, body.consumer}
        if inside and mine and _completed(body) and body.receipt_id not in stated:
            yield body


def _completed(body: ReceiptBody) -> bool:
    return body.outcome == GrantState.COMPLETED.value


def _at(line: Charge, field: str, stated: object, own: object) -> Mismatch:
    return Mismatch(receipt_id=line.receipt_id, field=field, stated=_shown(stated), own=_shown(own))


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _line(
    line: Charge, own: ReceiptBody, held: Held, of_use: Sequence[ReceiptBody]
) -> Iterator[Mismatch]:
    prices: dict[str, Price] = {
        contract: held.contracts[contract].terms.price
        for contract in own.joint
        if contract in held.contracts
    }
    together = {body.contract for body in of_use}
    try:
        if set(own.joint) == together == prices.keys():
            charges = charges_of_use(of_use, prices)
        else:
            yield from (bad := tuple(_joint_faults(line, own, prices)))
            charges = () if bad else (_part(line, own, prices[own.contract]),)
    except (UnknownPricePlan, WrongPrice):
        yield _at(line, "plan", line.plan, prices[own.contract].plan)
        return
    for charge in charges:
        if charge.receipt_id == own.receipt_id:
            yield from _fields(line, charge)


def _fields(line: Charge, own: Charge) -> Iterator[Mismatch]:
    mine = msgspec.to_builtins(own)
    for field, stated in msgspec.to_builtins(line).items():
        if stated != mine[field]:
            yield _at(line, field, stated, mine[field])


def _joint_faults(
    line: Charge, own: ReceiptBody, prices: Mapping[str, Price]
) -> Iterator[Mismatch]:
    """What is wrong with the stated division of a joint use, as far as this party can see."""
    known = [one for one in line.joint if one in prices]
    fits = own.contract in known and set(line.joint) <= set(own.joint)
    if not fits or list(line.joint) != sorted(set(line.joint)):
        yield _at(line, "joint", line.joint, own.joint)
        return
    weights = dict(zip(line.joint, line.weights, strict=False))
    right = {one: prices[one].joint_weight for one in known}
    if len(line.weights) != len(line.joint) or min(line.weights) < 1:
        yield _at(line, "weights", line.weights, tuple(right.values()))
    elif any(weights[one] != weight for one, weight in right.items()):
        yield _at(line, "weights", line.weights, tuple((weights | right).values()))
    least = max(_alone(prices[one], own.rows) for one in known)
    above = line.joint_row_fen > least and len(known) < len(line.joint)
    if line.joint_row_fen != least and not above:
        yield _at(line, "jointRowFen", line.joint_row_fen, least)


def _alone(price: Price, rows: int) -> int:
    priced = check_price(price).price([Part(price.parameters, price.joint_weight)], rows)
    return priced[0].joint_row_fen


def _part(line: Charge, own: ReceiptBody, price: Price) -> Charge:
    """This party's part of a joint use, from the sum and the weights as they are stated."""
    priced = check_price(price).price([Part(price.parameters, price.joint_weight)], own.rows)[0]
    row_fen = split_exactly(line.joint_row_fen, line.weights)[line.joint.index(own.contract)]
    gross = priced.use_fen + row_fen
    fee = basis_points(gross, price.platform_fee_bp)
    return Charge(
        receipt_id=own.receipt_id,
        use_id=own.use_id,
        contract=own.contract,
        product=own.product,
        provider=own.provider,
        consumer=own.consumer,
        closed_at=own.closed_at,
        plan=price.plan,
        rows=own.rows,
        joint=line.joint,
        weights=line.weights,
        use_fen=priced.use_fen,
        joint_row_fen=line.joint_row_fen,
        row_fen=row_fen,
        gross_fen=gross,
        fee_bp=price.platform_fee_bp,
        fee_fen=fee,
        net_fen=gross - fee,
    )


def _repeated(document: StatementBody, held: Held) -> Iterator[Mismatch]:
    """Receipts that are charged twice: on this statement, or on another one too."""
    for receipt, times in Counter(line.receipt_id for line in document.lines).items():
        if times > 1:
            yield Mismatch(receipt_id=receipt, field="times", stated=str(times), own="1")
        if receipt in held.elsewhere:
            other = held.elsewhere[receipt]
            yield Mismatch(receipt_id=receipt, field="statement", stated=other, own="")


def _sums(document: StatementBody) -> Iterator[Mismatch]:
    party = document.party
    owed = sum(line.gross_fen for line in document.lines if line.consumer == party)
    sold = [line for line in document.lines if line.provider == party]
    earned = sum(line.net_fen for line in sold)
    numbers = {
        "owedFen": (document.owed_fen, owed),
        "earnedFen": (document.earned_fen, earned),
        "feeFen": (document.fee_fen, sum(line.fee_fen for line in sold)),
        "balanceFen": (document.balance_fen, earned - owed),
    }
    for field, (stated, mine) in numbers.items():
        if stated != mine:
            yield Mismatch(receipt_id="", field=field, stated=str(stated), own=str(mine))
