"""How soon does a suspension at the platform reach those who hold data for the member?

The clock of the space runs here, so that what is measured is what a person would see.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest

from huiqi.contracts.types import Contract
from huiqi.kernel.errors import HuiqiError
from huiqi.policy.types import Constraint, Decision
from huiqi.usage.types import UseOutcome
from tests.journey_rooms.space import Space, allowed, budget, codes, outcomes, rule

# What is promised; measured are about 2 s for a fresh use and 3 s for a running one.
MOST_S = 5.0
TICK_S = 0.05
# Every row of a month with every row of that month: 13 billion pairs, half a minute and more.
ROWS = 400_000
LARGE = "month,load\n" + "".join(f"{i % 12 + 1},{i * 7 % 1013}\n" for i in range(ROWS))
SHORT = "SELECT COUNT(*) AS n FROM one"
LONG = (
    "SELECT a.month, COUNT(*) AS n, SUM(b.load) AS total FROM one a JOIN two b"
    " ON a.month = b.month GROUP BY a.month ORDER BY a.month"
)


@contextmanager
def running(space: Space) -> Iterator[None]:
    """Let the clock of the space run at the pace of the wall's."""
    over = Event()

    def run() -> None:
        last = time.monotonic()
        while not over.wait(TICK_S):
            now = time.monotonic()
            space.clock.advance(timedelta(seconds=now - last))
            last = now

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def suspending(space: Space) -> Iterator[float]:
    """The consumer is suspended at the platform alone; since when, by the wall's clock."""
    trust, consumer = space.parts["platform"].trust, space.node("c1")
    trust.suspend(consumer, "密钥被盗")
    began = time.monotonic()
    try:
        yield began
    finally:
        trust.resume(consumer)
        # Those who heard of it ask again, when it sends something, after this time.
        space.pass_time(seconds=3)


@pytest.fixture(scope="module")
def large(space: Space) -> Space:
    """Providers 1 and 2 offer the tables ``one`` and ``two``; provider 1 may compute over both."""
    space.visits = space._listed("p1", "one", LARGE)
    space.weather = space._listed("p2", "two", LARGE)
    return space


def both(space: Space) -> tuple[Contract, Contract]:
    """Contracts over both tables; the group check makes the engine count every pair."""
    group = Constraint("hq:minGroupSize", "gteq", 10)
    may = Constraint("hq:executor", "isAnyOf", [space.node("p1")])
    mine = space.contract(rule(group))
    return mine, space.contract(rule(group, may), product=space.weather)


def ended(space: Space, sql: str, **tables: Contract) -> UseOutcome | HuiqiError:
    try:
        return space.ask(sql, **tables)
    except HuiqiError as error:
        return error


def test_a_member_suspended_at_the_platform_opens_no_use_after_five_seconds(large: Space) -> None:
    contract = large.contract(rule())
    with running(large):
        allowed(large.ask(SHORT, one=contract))
        with suspending(large) as began:
            while True:
                outcome = ended(large, SHORT, one=contract)
                took_s = time.monotonic() - began
                if isinstance(outcome, HuiqiError) or outcome.decision is not Decision.ALLOWED:
                    break
                assert took_s < MOST_S
                time.sleep(0.1)
        print(f"\nno new use after {took_s:.2f} s")  # noqa: T201 - the measured time
        assert took_s < MOST_S
        assert isinstance(outcome, UseOutcome)
        assert codes(outcome) == ["usage.member_not_active"]
        assert outcomes(outcome) == ["refused"]
        # It is heard again after it is resumed.
        allowed(large.ask(SHORT, one=contract))


@pytest.mark.parametrize("after_s", [2.3, 3.1, 4.0])
def test_a_running_use_of_a_member_suspended_at_the_platform_stops_in_five_seconds(
    large: Space, after_s: float
) -> None:
    one, two = both(large)
    with running(large), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ended, large, LONG, one=one, two=two)
        until = time.monotonic() + 20
        while not (budget(large, one)["reserved"] and budget(large, two, "p2")["reserved"]):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(after_s)
        assert not asked.done(), asked.result()
        with suspending(large) as began:
            outcome = asked.result(timeout=60)
            took_s = time.monotonic() - began
    print(f"\na running use stopped after {took_s:.2f} s")  # noqa: T201 - the measured time
    assert took_s < MOST_S
    assert isinstance(outcome, UseOutcome), outcome
    assert outcome.decision is Decision.DENIED
    assert not outcome.rows
    assert set(outcomes(outcome)) == {"revoked"}
    for contract, prefix in ((one, "p1"), (two, "p2")):
        assert budget(large, contract, prefix)["reserved"] == 0


def test_a_running_use_outlives_an_outage_of_the_platform(large: Space) -> None:
    one, two = both(large)
    with running(large), ThreadPoolExecutor(1) as pool:
        time.sleep(2.5)
        asked = pool.submit(ended, large, LONG, one=one, two=two)
        large.lines.cut.add("platform")
        try:
            time.sleep(MOST_S + 3)
            assert not asked.done(), asked.result()
        finally:
            large.lines.cut.discard("platform")
            large.contracts("c1").terminate(one.id, reason="结束")
            large.deliver()
            asked.result(timeout=60)
