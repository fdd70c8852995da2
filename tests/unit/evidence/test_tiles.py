"""Tile paths and bundles: one spelling each, back and forth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.evidence.tiles import bundle, parse_tile_path, stored_width, tile_path, unbundle


@given(st.none() | st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(level: int | None, index: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, index, width)) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/001/000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000/../000",
        "tile/0/٠٠٠",
        "tile/0/" + "x001/" * 2000 + "000",
        "tile/entries/x1",
        "other/0/000",
    ],
)
def test_other_spellings_are_not_paths(path: str) -> None:
    assert parse_tile_path(path) is None


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_bundles_give_back_their_entries(leaves: list[bytes]) -> None:
    assert unbundle(bundle(leaves)) == leaves


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00"])
def test_a_bundle_whose_lengths_do_not_add_up_is_refused(data: bytes) -> None:
    assert unbundle(data) is None


def test_widths_at_the_right_edge() -> None:
    assert stored_width(0, 273, 70_000) == 112
    assert stored_width(1, 1, 70_000) == 17
    assert stored_width(0, 0, 70_000) == 256
    assert stored_width(0, 274, 70_000) == 0
    assert stored_width(3, 0, 70_000) == 0
