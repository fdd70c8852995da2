"""How much of a contract is used, and what does one use take of it?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.text import Text
from huiqi.policy.types import Bounds, Context, Decision, Reason, Verdict
from huiqi.usage.ports import WHOLE, Tally
from huiqi.usage.types import Demand, GrantState, SignedOrder, UseOrder

Window = tuple[str, int]

# Under a limit of rows a use reserves what is left of it, but not more than this, so that one
# use does not lock the others out of a large limit. An answer beyond it must be split.
ROWS_PER_GRANT = 10_000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The compiled terms of one contract as three questions: pure, answered in microseconds.

    ``units`` are the counting windows that the terms need, with their length in seconds.
    """

    units: Mapping[str, int]
    decide: Callable[[Context], Verdict]
    bounds: Callable[[Context], Bounds]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of one contract, before the counters are known.

    The order and its signed bytes, the demand of its query on this contract, and the contract.
    """

    order: UseOrder
    signed: SignedOrder
    demand: Demand
    contract: Contract


def windows_at(
    units: Mapping[str, int], *, activation: datetime, at: datetime
) -> tuple[Window, ...]:
    """The windows that a use at ``at`` counts in: the whole contract first, then one per unit.

    Windows are fixed and begin at activation (spec/usage-control.md section 10, ``timeWindow``).

    >>> from datetime import UTC
    >>> start = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    >>> windows_at({"PT1H": 3600}, activation=start, at=start.replace(hour=10, minute=29))
    (('', 0), ('PT1H', 1))
    """
    passed = at - activation
    return (WHOLE, *((unit, passed // timedelta(seconds=span)) for unit, span in units.items()))


def context_of(
    asked: Asked, at: datetime, *, tallies: Mapping[Window, Tally], first_use: datetime | None
) -> Context:
    """Everything the decision may look at (T15 section 7.1.2.3 a).

    Reserved amounts count as used. Without an earlier use, this one would be the first: the span
    since first use is zero. An answer takes one row at least.
    """
    whole = tallies[WHOLE]
    return Context(
        at=at,
        action=asked.demand.action,
        subject=asked.order.consumer,
        connector=asked.order.consumer_node,
        product=asked.contract.product,
        environment=asked.demand.environment,
        purpose=asked.demand.purpose,
        requested_fields=asked.demand.fields,
        output_kind=asked.demand.output_kind,
        activation_time=asked.contract.starts_at,
        first_use=first_use or at,
        used_count=whole.used + whole.reserved,
        used_in_unit={
            window[0]: tally.used + tally.reserved
            for window, tally in tallies.items()
            if window != WHOLE
        },
        used_rows=whole.rows + whole.rows_reserved,
        request_rows=1,
        more={
            "executor": asked.order.executor,
            "provider_node": asked.contract.provider.node,
        },
    )


def rows_granted(bounds: Bounds, whole: Tally) -> int | None:
    """How many rows this use may return; None when the terms set no limit."""
    if bounds.most_rows is None:
        return None
    return max(0, min(bounds.most_rows - whole.rows - whole.rows_reserved, ROWS_PER_GRANT))


def reservation(rows_left: int | None) -> Tally:
    """What a grant takes out of what is left, until it ends."""
    return Tally(reserved=1, rows_reserved=rows_left or 0)


def settled(state: GrantState, *, rows: int, rows_left: int | None, lent: bool) -> Tally:
    """How the counters change when an open grant ends in ``state``.

    A completed use counts with its exact rows. A use that another connector executed and never
    reported stays consumed with every row it was granted: its bytes may have left. Everything
    else gives the reservation back.
    """
    reserved = rows_left or 0
    if state is GrantState.COMPLETED:
        return Tally(used=1, reserved=-1, rows=rows, rows_reserved=-reserved)
    if state is GrantState.EXPIRED and lent:
        return Tally(used=1, reserved=-1, rows=reserved, rows_reserved=-reserved)
    return Tally(reserved=-1, rows_reserved=-reserved)


def held_by_others(
    rules: Rules, context: Context, tallies: Mapping[Window, Tally]
) -> tuple[Reason, ...]:
    """The reason to add to a refusal when nothing but uses in progress stands in the way."""
    whole = tallies[WHOLE]
    alone = msgspec.structs.replace(
        context,
        used_count=whole.used,
        used_rows=whole.rows,
        used_in_unit={window[0]: tally.used for window, tally in tallies.items()},
    )
    if whole.reserved == 0 or rules.decide(alone).decision is not Decision.ALLOWED:
        return ()
    reason = Reason(
        code="usage.reserved",
        text=Text(
            zh=f"有 {whole.reserved} 次使用正在进行，暂占剩余额度；待其结束后可重试",
            en=f"{whole.reserved} uses in progress hold what is left; try again when they end",
        ),
    )
    return (reason,)
