"""The bounds of every contract hold for the answer; the strictest wins."""
# ruff: noqa: S608 - queries under test are put together here; they are never executed as text

import pytest

from huiqi.compute.checks import group_checks, obstacle_of, rows_allowed, small_group
from huiqi.compute.guard import read_query
from huiqi.compute.query import Query
from huiqi.compute.rendering import GroupCheck
from huiqi.policy.types import Bounds

OPEN, TEN = Bounds(), Bounds(min_group=10)


def query(text: str) -> Query:
    return read_query(text, ("flights",))


GROUPED = query("SELECT origin, count(*) AS n FROM flights GROUP BY origin")
CUT = query("SELECT origin, count(*) AS n FROM flights GROUP BY origin HAVING COUNT(*) >= 10")
BARELY = query("SELECT origin, count(*) AS n FROM flights GROUP BY origin HAVING COUNT(*) >= 2")
CHECK = (GroupCheck(0, 10, unit=False, rows_once=True),)


def test_single_values_are_refused_under_a_group_size() -> None:
    for measure in ("min(dep_delay)", "max(dep_delay)", "round(max(dep_delay) + 1, 0)"):
        asked = query(f"SELECT {measure} AS x FROM flights")
        reason = obstacle_of(asked, [OPEN, TEN])
        assert reason is not None
        assert reason.code == "query.single_value"
        assert obstacle_of(asked, [OPEN]) is None


def test_rows_need_terms_that_allow_rows_and_a_limit() -> None:
    rows = query("SELECT origin FROM flights LIMIT 5")
    assert obstacle_of(rows, [OPEN]) is None
    for bounds in (Bounds(aggregate_only=True), TEN):
        reason = obstacle_of(rows, [OPEN, bounds])
        assert reason is not None
        assert reason.code == "usage.aggregate_only"
    endless = query("SELECT origin FROM flights")
    reason = obstacle_of(endless, [OPEN])
    assert reason is not None
    assert reason.code == "query.limit"
    assert obstacle_of(endless, [Bounds(most_rows=7)]) is None


def test_the_least_row_bound_wins() -> None:
    assert rows_allowed([OPEN, Bounds(most_rows=9)], [None, 4]) == 4
    assert rows_allowed([OPEN], [None]) is None


def test_each_contract_is_checked_by_its_own_unit() -> None:
    bounds = [TEN, OPEN, Bounds(min_group=3, privacy_unit="tailnum")]
    checks = group_checks(bounds, [False, False, True], rows_once=True)
    assert [(c.table, c.least, c.unit, c.rows_once) for c in checks] == [
        (0, 10, False, True),
        (2, 3, True, False),
    ]


@pytest.mark.parametrize(
    ("asked", "rows", "refused"),
    [
        (GROUPED, (("JFK", 10, 10), ("LGA", 99, 99)), False),
        (GROUPED, (("JFK", 10, 10), ("LGA", 9, 9)), True),
        (GROUPED, (("JFK", 10, None),), True),
        (GROUPED, (), True),
        (CUT, (), False),
        (CUT, (("JFK", 50, 9),), True),
        (BARELY, (), True),
    ],
)
def test_a_small_or_missing_group_refuses_the_answer(
    asked: Query, rows: tuple[tuple[object, ...], ...], *, refused: bool
) -> None:
    reason = small_group(asked, rows, CHECK)  # type: ignore[arg-type]
    assert (reason is not None) is refused
    if reason is not None:
        assert reason.code == "usage.group_too_small"
        assert "10" in reason.text.zh
        assert "9" not in reason.text.en.replace("10", "")


def test_without_a_group_size_nothing_is_checked() -> None:
    assert small_group(GROUPED, (), ()) is None
