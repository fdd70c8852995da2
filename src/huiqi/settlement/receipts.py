"""What does a deposited receipt say, and does it fit the contract it is for?"""

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.errors import InvalidError
from huiqi.settlement.errors import ForgedDeposit
from huiqi.usage.types import GrantState, ReceiptBody

VERSION = 1
# A receipt is written when a use has ended; these two are states of a use that has not.
_UNENDED = frozenset({GrantState.ASKED.value, GrantState.OPEN.value})


def decoded(body: bytes) -> ReceiptBody:
    """The receipt inside signed bytes that were checked when they were kept.

    Raises:
        ForgedDeposit: they are no receipt any more.
    """
    try:
        return msgspec.json.decode(body, type=ReceiptBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ForgedDeposit(receipt="?", why="form") from error


def read_receipt(body: bytes) -> ReceiptBody:
    """The receipt inside the signed bytes, when they are the one form a receipt may have.

    Raises:
        ForgedDeposit: not canonical, another version, fewer than no rows, an outcome that is
            none, a list of joint contracts that is not sorted or leaves its own out, or a time
            that does not sort as text.
    """
    read = decoded(body)
    try:
        canonical, closed_at = canonical_bytes(read), iso(parse_instant(read.closed_at))
    except (InvalidError, ValueError) as error:
        raise ForgedDeposit(receipt=read.receipt_id[:64], why="form") from error
    fits = {
        "form": canonical == body and read.v == VERSION,
        "rows": read.rows >= 0,
        "outcome": read.outcome in set(GrantState) - _UNENDED,
        "joint": read.contract in read.joint and list(read.joint) == sorted(set(read.joint)),
        "closed at": closed_at == read.closed_at,
    }
    for field, fit in fits.items():
        if not fit:
            raise ForgedDeposit(receipt=read.receipt_id[:64], why=field)
    return read


def misfit(body: ReceiptBody, contract: Contract) -> str | None:
    """The first field in which a receipt differs from its contract; None when it fits."""
    provider, consumer = contract.provider, contract.consumer
    fits = {
        "contract": body.contract == contract.id,
        "product": body.product == contract.product,
        "parties": (body.provider, body.provider_node) == (provider.subject, provider.node)
        and (body.consumer, body.consumer_node) == (consumer.subject, consumer.node),
        "suite": body.suite == contract.suite,
    }
    return next((field for field, fit in fits.items() if not fit), None)
