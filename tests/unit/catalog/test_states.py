"""A product changes its state only as the table says."""

import itertools

import pytest

from huiqi.catalog.states import TABLE, ProductMessage, ProductSender, decision
from huiqi.catalog.types import ProductState
from huiqi.kernel.errors import IllegalStep

TRIPLES = list(itertools.product(ProductState, ProductMessage, ProductSender))
_M, _P = ProductMessage, ProductSender


@pytest.mark.parametrize(("state", "message", "sender"), TRIPLES)
def test_every_triple_is_in_the_table_or_refused(
    state: ProductState, message: ProductMessage, sender: ProductSender
) -> None:
    if (state, message, sender) in TABLE.rows:
        assert TABLE.step(state, message, sender) is TABLE.rows[state, message, sender]
    else:
        assert not TABLE.allows(state, message, sender)
        with pytest.raises(IllegalStep):
            TABLE.step(state, message, sender)


def test_every_state_can_be_reached_from_the_first() -> None:
    reached = {TABLE.first}
    for _ in ProductState:
        reached |= {after for (before, _, _), after in TABLE.rows.items() if before in reached}
    assert reached == set(ProductState)


def test_nothing_follows_a_withdrawal() -> None:
    assert not any(before is ProductState.WITHDRAWN for before, _, _ in TABLE.rows)


def test_only_the_platform_lists_and_only_the_provider_withdraws() -> None:
    for (before, message, sender), after in TABLE.rows.items():
        if after is ProductState.LISTED:
            assert sender is _P.PLATFORM, (before, message)
        if after is ProductState.WITHDRAWN:
            assert sender is _P.PROVIDER, (before, message)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (ProductState.REVIEWING, ProductState.LISTED, _M.APPROVE),
        (ProductState.SUSPENDED, ProductState.LISTED, _M.RESUME),
        (ProductState.REVIEWING, ProductState.REJECTED, _M.REJECT),
        (ProductState.LISTED, ProductState.SUSPENDED, _M.SUSPEND),
    ],
)
def test_a_decision_is_the_message_that_leads_there(
    before: ProductState, after: ProductState, message: ProductMessage
) -> None:
    assert decision(before, after) is message
    assert TABLE.step(before, message, _P.PLATFORM) is after


@pytest.mark.parametrize("after", [ProductState.DRAFT, ProductState.WITHDRAWN])
def test_a_state_that_no_decision_leads_to_is_refused(after: ProductState) -> None:
    assert not TABLE.allows(ProductState.LISTED, decision(ProductState.LISTED, after), _P.PLATFORM)
