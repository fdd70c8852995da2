"""What does an answer mean for the books of the side that asked?"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.kernel.ids import ContractId
from huiqi.kernel.text import Text
from huiqi.policy.types import Decision, Reason
from huiqi.usage.errors import ForgedReceipt
from huiqi.usage.orders import joint_contracts
from huiqi.usage.ports import KeptReceipt, Use
from huiqi.usage.receipts import read_body
from huiqi.usage.results import result_bytes
from huiqi.usage.states import TABLE
from huiqi.usage.types import (
    GrantState,
    Receipt,
    ReceiptBody,
    Side,
    SignedOrder,
    UseOrder,
    UseOutcome,
)


def answered(outcome: UseOutcome) -> bool:
    """Whether the outcome carries an answer, if only one without rows."""
    return outcome.decision is Decision.ALLOWED and not outcome.error


def digest_of(outcome: UseOutcome) -> str | None:
    """SM3 hex of the result as it arrived; None when there is none.

    Raises:
        ResultNotCanonical: what arrived is not a table.
    """
    if not answered(outcome):
        return None
    return sm3_hex(result_bytes(outcome.columns, outcome.rows))


def misfit_of_cover(outcome: UseOutcome, order: UseOrder) -> str | None:
    """Why the receipts do not cover the order; None when they do.

    An answer needs a receipt of each contract; without an answer some may be missing, because
    their provider was not asked. Nothing comes twice, and rows never come without an answer.
    """
    if outcome.use_id != order.use_id:
        return "use id"
    contracts = [read_body(receipt.body).contract for receipt in outcome.receipts]
    if len(contracts) != len(set(contracts)):
        return "two receipts for one contract"
    if answered(outcome):
        complete = tuple(sorted(contracts)) == joint_contracts(order)
        return None if complete else "missing receipt"
    return "rows without a grant" if outcome.columns or outcome.rows else None


def misfit_of_books(
    receipt: Receipt, body: ReceiptBody, known: Use | None, kept: KeptReceipt | None
) -> str | None:
    """Why a receipt cannot stand beside what was kept before; None when it can."""
    if known is None:
        return "contract"
    if kept is not None and kept.body != receipt.body:
        return "receipt body"
    if known.receipt_id and known.receipt_id != body.receipt_id:
        return "second receipt"
    return None


def referred(body: ReceiptBody, orders: Sequence[SignedOrder]) -> SignedOrder:
    """The one of my orders under this use id that a receipt refers to; else the newest."""
    return next((order for order in orders if sm3_hex(order.body) == body.order_digest), orders[-1])


def contract_in(body: bytes, order: UseOrder) -> ContractId | None:
    """The contract that a doubtful receipt names, if it is one of the order."""
    try:
        contract = read_body(body).contract
    except ForgedReceipt:
        return None
    return contract if contract in order.tables.values() else None


def to_keep(receipt: Receipt, body: ReceiptBody, at: datetime) -> KeptReceipt:
    """A checked receipt for the consumer's books."""
    return KeptReceipt(
        side=Side.CONSUMER,
        receipt_id=body.receipt_id,
        use_id=body.use_id,
        contract=body.contract,
        body=receipt.body,
        sha256=sha256_hex(receipt.body),
        at=at,
        provider_signature=receipt.provider_signature,
    )


def asked_use(order: UseOrder, signed: SignedOrder, contract: Contract, at: datetime) -> Use:
    """A use that I am about to ask for, under one of its contracts."""
    return Use(
        side=Side.CONSUMER,
        state=TABLE.first,
        use_id=order.use_id,
        contract=contract.id,
        product=contract.product,
        product_name=contract.product_name,
        provider=contract.provider.subject,
        provider_node=contract.provider.node,
        consumer=order.consumer,
        consumer_node=order.consumer_node,
        executor=order.executor,
        action="",
        purpose=order.purpose,
        sql=order.sql,
        suite=contract.suite,
        joint=joint_contracts(order),
        order_digest=sm3_hex(signed.body),
        at=at,
    )


def answered_use(use: Use, outcome: UseOutcome, body: ReceiptBody | None) -> Use:
    """A use after its answer. The state is the one that its provider signed.

    Without a receipt the provider of this contract was not reached or gave its grant back: the
    use failed or was refused as a whole, and nothing counts under this contract.
    """
    if body is None:
        refused = outcome.decision is not Decision.ALLOWED
        return msgspec.structs.replace(
            use,
            state=GrantState.REFUSED if refused else GrantState.FAILED,
            decision=outcome.decision.value,
            reasons=outcome.reasons or _error(outcome),
            disputed="",
        )
    told = {reason.code: reason for reason in outcome.reasons}
    return msgspec.structs.replace(
        use,
        state=GrantState(body.outcome),
        decision=body.decision,
        reasons=tuple(told.get(code) or _bare(code) for code in body.reasons) or _error(outcome),
        rows=body.rows,
        action=body.action,
        receipt_id=body.receipt_id,
        order_digest=body.order_digest,
        disputed="",
    )


def _bare(code: str) -> Reason:
    return Reason(code=code, text=Text(zh=code, en=code))


def _error(outcome: UseOutcome) -> tuple[Reason, ...]:
    if not outcome.error:
        return ()
    text = Text(zh=f"执行出错：{outcome.error}", en=f"The engine failed: {outcome.error}")
    return (Reason(code="usage.failed", text=text),)
