"""The life cycle of a use, row by row."""

from itertools import product

import pytest

from huiqi.kernel.errors import IllegalStep
from huiqi.usage.states import REPORTS, TABLE, GrantMessage, GrantSender
from huiqi.usage.types import GrantState

ENDS = set(GrantState) - {GrantState.ASKED, GrantState.OPEN}


@pytest.mark.parametrize(
    ("state", "message", "sender"), list(product(GrantState, GrantMessage, GrantSender))
)
def test_every_triple_is_in_the_table_or_refused(
    state: GrantState, message: GrantMessage, sender: GrantSender
) -> None:
    if (state, message, sender) in TABLE.rows:
        assert TABLE.step(state, message, sender) in ENDS | {GrantState.OPEN}
    else:
        with pytest.raises(IllegalStep):
            TABLE.step(state, message, sender)


def test_an_end_is_an_end() -> None:
    assert not [row for row in TABLE.rows if row[0] in ENDS]


def test_only_the_executor_completes() -> None:
    completing = [row for row, after in TABLE.rows.items() if after is GrantState.COMPLETED]
    assert completing == [(GrantState.OPEN, GrantMessage.COMPLETE, GrantSender.EXECUTOR)]


def test_an_executor_cannot_report_that_a_use_is_open_or_expired() -> None:
    for outcome in (GrantState.ASKED, GrantState.OPEN, GrantState.EXPIRED):
        assert not TABLE.allows(GrantState.OPEN, REPORTS[outcome], GrantSender.EXECUTOR)


def test_every_outcome_has_a_report() -> None:
    assert set(REPORTS) == set(GrantState)
