"""Is this a genuine order, and is it the one we know?"""

from datetime import datetime, timedelta

import msgspec

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.errors import InvalidError
from huiqi.kernel.ids import ContractId
from huiqi.usage.errors import DemandMisfit, ForgedOrder, StaleOrder
from huiqi.usage.types import Demand, SignedOrder, UseOrder

# The same five minutes that stamps of messages live: long enough for a slow line, too short to
# hold an order back and use it later behind the consumer's back.
ORDER_LIFE = timedelta(seconds=300)
DIGEST_LENGTH = 64
LONGEST_PART = 128


def read_order(signed: SignedOrder) -> UseOrder:
    """The order inside the signed bytes.

    Raises:
        ForgedOrder: the bytes are not the canonical form of a use order.
    """
    try:
        order = msgspec.json.decode(signed.body, type=UseOrder)
        canonical = canonical_bytes(order)
        parse_instant(order.at)
    except (msgspec.MsgspecError, RecursionError, ValueError, InvalidError) as error:
        raise ForgedOrder(what="form") from error
    if canonical != signed.body:
        raise ForgedOrder(what="canonical bytes")
    if not order.tables:
        raise ForgedOrder(what="tables")
    if not all(0 < len(part) <= LONGEST_PART for part in _recorded(order)):
        raise ForgedOrder(what="length")
    return order


def _recorded(order: UseOrder) -> tuple[str, ...]:
    """The parts that enter the evidence log or a key, and so must stay short."""
    return (order.use_id, order.executor, order.consumer_node, order.purpose, *order.tables)


def same_request(one: UseOrder, other: UseOrder) -> bool:
    """Whether two orders ask for the same use; only the time of asking may differ."""
    return msgspec.structs.replace(one, at=other.at) == other


def joint_contracts(order: UseOrder) -> tuple[ContractId, ...]:
    """All contracts of the order, sorted, each once."""
    return tuple(sorted(set(order.tables.values())))


def check_fresh(order: UseOrder, now: datetime) -> None:
    """Accept an order that was signed within five minutes of ``now``.

    Raises:
        StaleOrder: it is older, or from the future.
    """
    if abs(now - parse_instant(order.at)) > ORDER_LIFE:
        raise StaleOrder(at=order.at[:40], seconds=int(ORDER_LIFE.total_seconds()))


def check_demand(order: UseOrder, demand: Demand) -> None:
    """Accept a demand that speaks of a contract and the purpose of the order.

    Raises:
        DemandMisfit: another contract or another purpose.
    """
    if demand.contract not in order.tables.values():
        raise DemandMisfit(what="contract")
    if demand.purpose != order.purpose:
        raise DemandMisfit(what="purpose")


def is_digest(text: str) -> bool:
    """Whether ``text`` is a fingerprint: 64 lower-case hex characters."""
    return len(text) == DIGEST_LENGTH and set(text) <= set("0123456789abcdef")
