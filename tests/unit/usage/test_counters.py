"""Counters never over-issue, however many ask at once and however uses end."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from huiqi.policy.types import Constraint
from huiqi.usage.types import Closing, Grant, GrantState, Refusal
from tests.unit.usage.world import World, completed, count, demand, open_world

LIMIT, MOST_ROWS = 4, 9


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limit=st.integers(1, 6), callers=st.integers(2, 12))
def test_concurrent_opens_grant_exactly_the_limit(world: World, limit: int, callers: int) -> None:
    contract = world.contract(count(limit))
    orders = [world.order(contract) for _ in range(callers)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda o: world.provider.usage.open(o, demand(contract)), orders))
    grants = [outcome for outcome in found if isinstance(outcome, Grant)]
    assert len(grants) == min(limit, callers)
    assert world.provider.usage.counters(contract.id)["reserved"] == len(grants)


def test_one_use_asked_at_once_from_many_sides_is_granted_once(world: World) -> None:
    contract = world.contract(count(5))
    order = world.order(contract)
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(
            pool.map(lambda _: world.provider.usage.open(order, demand(contract)), range(8))
        )
    assert len({outcome.id for outcome in found if isinstance(outcome, Grant)}) == 1
    assert world.provider.usage.counters(contract.id)["reserved"] == 1


def test_one_grant_closed_at_once_from_many_sides_counts_once(world: World) -> None:
    contract = world.contract(count(5))
    grant = world.provider.usage.open(world.order(contract), demand(contract))
    assert isinstance(grant, Grant)
    with ThreadPoolExecutor(max_workers=8) as pool:
        receipts = list(
            pool.map(lambda _: world.provider.usage.close(grant.id, completed()), range(8))
        )
    assert len({receipt.provider_signature.value for receipt in receipts}) == 1
    assert world.provider.usage.counters(contract.id) == {"count": 1, "rows": 2, "reserved": 0}


class Counting(RuleBasedStateMachine):
    """Uses opened and ended in any order, with crashes in between."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._opened = open_world(Path(self._folder.name))
        self.world: World = self._opened.__enter__()
        self.contract = self.world.contract(
            count(LIMIT), Constraint("dateRecord", "lteq", MOST_ROWS)
        )
        self.open: list[Grant] = []
        self.done, self.rows = 0, 0

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)
        self._folder.cleanup()

    @rule()
    def ask(self) -> None:
        found = self.world.provider.usage.open(
            self.world.order(self.contract), demand(self.contract)
        )
        if isinstance(found, Grant):
            self.open.append(found)
        else:
            assert self.done + len(self.open) == LIMIT or self.rows == MOST_ROWS or self.open

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        grant = self.open.pop()
        rows = data.draw(st.integers(0, grant.rows_left or 0))
        self.world.provider.usage.close(grant.id, completed(rows))
        self.done += 1
        self.rows += rows

    @precondition(lambda self: self.open)
    @rule(outcome=st.sampled_from([GrantState.FAILED, GrantState.REFUSED, GrantState.REVOKED]))
    def give_back(self, outcome: GrantState) -> None:
        self.world.provider.usage.close(self.open.pop().id, Closing(outcome=outcome))

    @rule()
    def crash(self) -> None:
        self.world.provider.usage.recover()
        self.open = []

    @invariant()
    def never_over_issued(self) -> None:
        counters = self.world.provider.usage.counters(self.contract.id)
        expected = {"count": self.done, "rows": self.rows, "reserved": len(self.open)}
        assert counters == expected
        assert self.done + len(self.open) <= LIMIT
        assert self.rows <= MOST_ROWS


TestCounting = pytest.mark.filterwarnings("default")(Counting.TestCase)
TestCounting.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)


def test_nothing_is_left_after_the_limit(world: World) -> None:
    contract = world.contract(count(2))
    for _ in range(2):
        grant = world.provider.usage.open(world.order(contract), demand(contract))
        assert isinstance(grant, Grant)
        world.provider.usage.close(grant.id, completed())
    assert isinstance(world.provider.usage.open(world.order(contract), demand(contract)), Refusal)
