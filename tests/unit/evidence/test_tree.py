"""The tree: RFC 6962 vectors, and tiles that agree with the definition at every size."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqi.evidence.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    consistent,
    inclusion_path,
    leaf_hash,
    node_hash,
    nodes_from,
    root_from_path,
    widths,
)

# The reference leaves and roots of the Certificate Transparency test suite for RFC 6962.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# PATH(0, D[8]) of the same suite.
PATH_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH straight from the definition in RFC 6962, 2.1."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(naive_root(hashes[:k]), naive_root(hashes[k:]))


class Tiles:
    """A tree grown in steps, each from the tiles that the one before left."""

    def __init__(self) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def grow(self, hashes: list[bytes]) -> bytes:
        frontier = Frontier.of(self.size, self.tile)
        for digest in hashes:
            frontier.append(digest)
        self.stored.update(frontier.tiles())
        self.size = frontier.size
        return frontier.root()

    def tile(self, level: int, index: int) -> bytes:
        return self.stored.get((level, index), b"")


def numbered(size: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert Tiles().grow(hashes).hex() == ROOTS[size - 1]
    assert naive_root(hashes).hex() == ROOTS[size - 1]


def test_published_path() -> None:
    tiles = Tiles()
    tiles.grow([leaf_hash(leaf) for leaf in LEAVES])
    path = inclusion_path(0, 8, nodes_from(tiles.tile))
    assert [step.hex() for step in path] == PATH_0_OF_8


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier(0, []).root() == EMPTY_ROOT == naive_root([])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=4))
def test_tiles_grown_in_steps_give_the_defined_root(steps: list[int]) -> None:
    tiles = Tiles()
    hashes = numbered(sum(steps))
    done = 0
    for step in steps:
        root = tiles.grow(hashes[done : done + step])
        done += step
        assert root == naive_root(hashes[:done])


def test_a_tree_over_three_levels_of_tiles_gives_the_defined_root() -> None:
    tiles = Tiles()
    hashes = numbered(256 * 256 + 300)
    assert tiles.grow(hashes) == naive_root(hashes)
    found = {(level, index, len(tiles.stored[level, index]) // 32) for level, index, _ in WIDTHS}
    assert found == set(WIDTHS)


WIDTHS = ((0, 257, 44), (1, 1, 1), (2, 0, 1))


def test_unfinished_tiles_have_the_widths_of_the_specification() -> None:
    # The example of tlog-tiles: 70 000 entries.
    assert widths(70_000) == ((0, 273, 112), (1, 1, 17), (2, 0, 1))
    assert widths(256) == ((0, 1, 0), (1, 0, 1))
    assert widths(65_836) == WIDTHS


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_path_leads_to_the_root_and_no_other_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1200))
    index = data.draw(st.integers(0, size - 1))
    tiles = Tiles()
    hashes = numbered(size)
    root = tiles.grow(hashes)
    path = inclusion_path(index, size, nodes_from(tiles.tile))
    assert root_from_path(hashes[index], index, size, path) == root
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert root_from_path(hashes[index], other, size, path) != root
        assert root_from_path(hashes[other], index, size, path) != root
    if path:
        cut = data.draw(st.integers(0, len(path) - 1))
        assert root_from_path(hashes[index], index, size, path[:cut] + path[cut + 1 :]) != root
    assert root_from_path(hashes[index], index, size, [*path, root]) != root
    assert root_from_path(hashes[index], size, size, path) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_consistency_holds_between_any_two_sizes_and_only_there(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 1200))
    old = data.draw(st.integers(0, new))
    tiles = Tiles()
    hashes = numbered(new)
    roots = (naive_root(hashes[:old]), tiles.grow(hashes))
    path = consistency_path(old, new, nodes_from(tiles.tile))
    assert consistent((old, new), roots, path)
    assert not consistent((old, new), roots, [*path, roots[1]])
    assert not consistent((new, old - 1), roots, path)
    if path:
        assert not consistent((old, new), (leaf_hash(b"other"), roots[1]), path)
        assert not consistent((old, new), (roots[0], leaf_hash(b"other")), path)
        assert not consistent((old, new), roots, path[1:])
