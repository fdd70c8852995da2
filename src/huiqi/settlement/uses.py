"""Which receipts can be settled now, and why must the others wait?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.text import Text
from huiqi.policy.types import Price
from huiqi.settlement.charging import charges_of_use
from huiqi.settlement.errors import UnknownPricePlan, WrongPrice
from huiqi.settlement.receipts import decoded
from huiqi.settlement.types import Deposit
from huiqi.usage.types import ReceiptBody


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The uses that a closing takes, and what holds the other receipts, by receipt id."""

    taken: tuple[tuple[Deposit, ...], ...]
    held: Mapping[str, Text]


def use_key(body: ReceiptBody) -> tuple[str, str]:
    """Which use a receipt is of: a use id is chosen by its consumer and means nothing alone."""
    return body.consumer_node, body.use_id


def uses_of(receipts: Iterable[ReceiptBody]) -> Mapping[tuple[str, str], list[ReceiptBody]]:
    """The receipts of each use."""
    uses: dict[tuple[str, str], list[ReceiptBody]] = defaultdict(list)
    for body in receipts:
        uses[use_key(body)].append(body)
    return uses


def choose(waiting: Sequence[Deposit], prices: Mapping[str, Price]) -> Choice:
    """Sort receipts into uses that can be settled and receipts that must wait, with the reason.

    ``prices`` are those of the filed contracts. A use is taken whole or not at all. What cannot
    be priced waits, so that one bad contract never stops everybody's closing; so does what would
    carry the sums of a statement beyond the integers that canonical documents hold exactly.
    """
    bodies = {deposit.receipt_id: decoded(deposit.receipt.body) for deposit in waiting}
    deposits = {deposit.receipt_id: deposit for deposit in waiting}
    taken: list[tuple[Deposit, ...]] = []
    held: dict[str, Text] = {}
    total_fen = 0
    for members in uses_of(bodies.values()).values():
        why = obstacle(members, prices)
        gross_fen = 0 if why else sum(c.gross_fen for c in charges_of_use(members, prices))
        if total_fen + gross_fen > LARGEST_INTEGER:
            why = Text(
                "金额超出一期结算单的上限", "the amount is beyond what one statement can hold"
            )
        if why is not None:
            held.update({body.receipt_id: why for body in members})
            continue
        total_fen += gross_fen
        taken.append(tuple(deposits[body.receipt_id] for body in members))
    return Choice(taken=tuple(taken), held=held)


def obstacle(members: Sequence[ReceiptBody], prices: Mapping[str, Price]) -> Text | None:
    """Why the receipts of one use cannot be settled; None when they can."""
    there = [body.contract for body in members]
    missing = sorted({one for body in members for one in body.joint} - set(there))
    if missing:
        which = ", ".join(missing)
        return Text(
            f"缺少同一次联合使用的回执：合约 {which}",
            f"the receipt of the same joint use is missing for contract {which}",
        )
    if len(set(there)) != len(there):
        return Text("同一次使用有多张回执", "there are several receipts of the same use")
    if any(set(body.joint) != set(there) for body in members):
        return Text(
            "同一次使用的回执所列合约不一致", "the receipts of one use name different contracts"
        )
    if len({body.rows for body in members}) > 1:
        return Text("同一次使用的回执行数不一致", "the receipts of one use state different rows")
    return _unpriceable(members, prices)


def _unpriceable(members: Sequence[ReceiptBody], prices: Mapping[str, Price]) -> Text | None:
    for body in members:
        if body.contract not in prices:
            return Text(
                f"合约 {body.contract} 未备案", f"contract {body.contract} is not filed here"
            )
    try:
        charges_of_use(members, prices)
    except (UnknownPricePlan, WrongPrice) as error:
        return Text(error.text("zh"), error.text("en"))
    return None
