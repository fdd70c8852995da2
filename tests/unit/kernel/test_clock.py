"""Time goes forward, and a computer whose clock is clearly wrong does nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.clock import TOLERATED_STEP, FixedClock, SystemClock, iso, parse_instant
from huiqi.kernel.errors import ClockBackwards, UnavailableError


def test_the_clock_never_goes_backwards_whoever_asks() -> None:
    clock = SystemClock()
    seen: list[list[datetime]] = []

    def ask() -> None:
        seen.append([clock.now() for _ in range(2_000)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(instants == sorted(instants) for instants in seen)


def test_a_small_step_back_is_bridged() -> None:
    ahead = SystemClock().now() + TOLERATED_STEP / 2
    clock = SystemClock(not_before=ahead)
    assert clock.now() == ahead


def test_an_instant_recorded_elsewhere_holds_too() -> None:
    clock = SystemClock()
    ahead = clock.now() + TOLERATED_STEP / 2
    clock.saw(ahead)
    clock.saw(ahead - timedelta(days=1))
    assert clock.now() == ahead


def test_a_clock_clearly_behind_the_last_fact_is_refused() -> None:
    clock = SystemClock(not_before=SystemClock().now() + timedelta(minutes=2))
    with pytest.raises(ClockBackwards) as caught:
        clock.now()
    assert isinstance(caught.value, UnavailableError)
    assert 110 <= int(caught.value.params["seconds"]) <= 120


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(timedelta(seconds=1))
    assert iso(clock.now()) == "2026-01-01T00:00:01.000000Z"


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_instants_as_text_read_back_and_sort_as_time_does(one: datetime, two: datetime) -> None:
    assert parse_instant(iso(one)) == one
    assert (iso(one) < iso(two)) is (one < two)


def test_text_without_a_zone_means_beijing() -> None:
    for text in ("20261124090203", "2026-11-24T09:02:03", "2026-11-24T01:02:03Z"):
        assert iso(parse_instant(text)) == "2026-11-24T01:02:03.000000Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "20261324090203", "0001-01-01T00:00:00", "2026-11-24T25:00:00Z"]
)
def test_text_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words come from the standard library
        parse_instant(text)


def test_an_instant_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        iso(datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test
