"""Money adds up to the fen."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.money import basis_points, split_exactly, yuan

amounts = st.integers(min_value=0, max_value=10**15)
weights = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=12).filter(any)


@given(amounts, weights)
def test_the_parts_sum_to_the_amount(amount: int, shares: list[int]) -> None:
    assert sum(split_exactly(amount, shares)) == amount


@given(amounts, weights)
def test_no_part_is_a_fen_or_more_away_from_its_share(amount: int, shares: list[int]) -> None:
    total = sum(shares)
    for part, share in zip(split_exactly(amount, shares), shares, strict=True):
        assert abs(part * total - amount * share) < total


@given(amounts, weights)
def test_a_greater_weight_never_gets_less(amount: int, shares: list[int]) -> None:
    parts = split_exactly(amount, shares)
    ranked = sorted(zip(shares, parts, strict=True))
    assert all(low[1] <= high[1] for low, high in itertools.pairwise(ranked) if low[0] < high[0])


def test_the_last_fen_goes_to_the_earlier_of_equal_weights() -> None:
    assert split_exactly(2, [1, 1, 1]) == [1, 1, 0]
    assert split_exactly(1, [0, 5, 5]) == [0, 1, 0]


@pytest.mark.parametrize(("amount", "shares"), [(-1, [1]), (1, [0, 0]), (1, []), (1, [2, -1])])
def test_a_split_without_sense_is_refused(amount: int, shares: list[int]) -> None:
    with pytest.raises(ValueError, match="must"):
        split_exactly(amount, shares)


@given(amounts, st.integers(min_value=0, max_value=10_000))
def test_basis_points_are_the_nearest_fen(amount: int, points: int) -> None:
    assert abs(basis_points(amount, points) * 10_000 - amount * points) <= 5_000


def test_half_a_fen_is_rounded_up() -> None:
    assert basis_points(1, 5_000) == 1
    assert basis_points(1, 4_999) == 0


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_yuan_reads_back_as_fen(amount: int) -> None:
    shown = yuan(amount).replace(",", "").replace(".", "")
    assert int(shown) == amount
