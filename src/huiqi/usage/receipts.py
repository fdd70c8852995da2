"""What does a receipt say, and does it fit what was asked and answered?"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import InvalidError
from huiqi.policy.types import Decision
from huiqi.usage.errors import ForgedReceipt
from huiqi.usage.orders import joint_contracts
from huiqi.usage.ports import Tally, Use
from huiqi.usage.types import GrantState, ReceiptBody, SignedOrder, UseOrder

VERSION = 1


def compose(use: Use, *, result_digest: str, tally: Tally, closed_at: datetime) -> bytes:
    """The canonical bytes of the receipt for a use that has ended."""
    body = ReceiptBody(
        v=VERSION,
        receipt_id=use.receipt_id,
        use_id=use.use_id,
        contract=use.contract,
        product=use.product,
        provider=use.provider,
        provider_node=use.provider_node,
        consumer=use.consumer,
        consumer_node=use.consumer_node,
        executor=use.executor,
        action=use.action,
        purpose=use.purpose,
        decision=use.decision,
        outcome=use.state.value,
        reasons=tuple(reason.code for reason in use.reasons),
        rows=use.rows,
        joint=use.joint,
        counters=counted(tally),
        order_digest=use.order_digest,
        result_digest=result_digest,
        opened_at=iso(use.at),
        closed_at=iso(closed_at),
        suite=use.suite,
    )
    return canonical_bytes(body)


def counted(tally: Tally) -> Mapping[str, int]:
    """The amounts a receipt states: completed uses and returned rows."""
    return {"count": tally.used, "rows": tally.rows}


def read_body(body: bytes) -> ReceiptBody:
    """The receipt inside the signed bytes.

    Raises:
        ForgedReceipt: the bytes are not the canonical form of a receipt of this version.
    """
    try:
        read = msgspec.json.decode(body, type=ReceiptBody)
        canonical = canonical_bytes(read)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, InvalidError) as error:
        raise ForgedReceipt(why="form") from error
    if canonical != body or read.v != VERSION:
        raise ForgedReceipt(why="form")
    return read


def misfit_of_order(body: ReceiptBody, order: UseOrder, signed: SignedOrder) -> str | None:
    """The first field in which a receipt differs from the order it is for; None when it fits."""
    fits = {
        "use id": body.use_id == order.use_id,
        "contract": body.contract in order.tables.values(),
        "consumer": (body.consumer, body.consumer_node) == (order.consumer, order.consumer_node),
        "executor": body.executor == order.executor,
        "purpose": body.purpose == order.purpose,
        "joint contracts": body.joint == joint_contracts(order),
        "order digest": body.order_digest == sm3_hex(signed.body),
    }
    return _first_misfit(fits)


def misfit_of_contract(body: ReceiptBody, contract: Contract) -> str | None:
    """The first field in which a receipt differs from its contract; None when it fits."""
    provider, consumer = contract.provider, contract.consumer
    fits = {
        "contract": body.contract == contract.id,
        "product": body.product == contract.product,
        "provider": (body.provider, body.provider_node) == (provider.subject, provider.node),
        "consumer": (body.consumer, body.consumer_node) == (consumer.subject, consumer.node),
        "suite": body.suite == contract.suite,
    }
    return _first_misfit(fits)


def misfit_of_outcome(body: ReceiptBody, *, rows: int, result_digest: str | None) -> str | None:
    """The first field in which a receipt differs from what arrived; None when it fits.

    ``result_digest`` is recomputed from the rows that arrived; None when nothing was returned.
    """
    if body.outcome != GrantState.COMPLETED.value:
        fits = {
            "rows": body.rows == 0,
            "result digest": body.result_digest == "",
            "outcome": result_digest is None
            and body.outcome not in {GrantState.ASKED.value, GrantState.OPEN.value}
            and body.outcome in set(GrantState),
        }
    else:
        fits = {
            "decision": body.decision == Decision.ALLOWED.value,
            "rows": body.rows == rows,
            "result digest": body.result_digest == result_digest,
        }
    return _first_misfit(fits)


def _first_misfit(fits: Mapping[str, bool]) -> str | None:
    return next((field for field, fit in fits.items() if not fit), None)
