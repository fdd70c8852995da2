"""Which hashes stand for a list of entries, and how is a place in it proved?

The hashes are those of RFC 6962, section 2.1. The tree is kept in tiles 256 hashes wide (C2SP
tlog-tiles): tile ``n`` of level ``l`` holds ``MTH(D[(256 n + i) 256**l : (256 n + i + 1) 256**l])``
for ``i`` from 0. Hashes of the levels between are made by hashing the hashes of a tile.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 256
EMPTY_ROOT = hashlib.sha256(b"").digest()
# An index has at most 63 bits in tlog-tiles, so no genuine path is longer.
LONGEST_PATH = 64

# The hash of the full subtree over entries [index * 2**height, (index + 1) * 2**height).
Node = Callable[[int, int], bytes]
# The hashes of the tile (level, index), concatenated; at least as many as the tree has.
TileOf = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), 32 bytes (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_hashes(hashes: bytes) -> list[bytes]:
    """The 32-byte hashes that are concatenated in a tile."""
    return [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2**k hashes (k from 0), taken as nodes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def edge_root(levels: Sequence[Sequence[bytes]]) -> bytes:
    """The root of a tree whose unfinished tile at level ``l`` holds ``levels[l]``.

    From the right: the low hashes fold into the higher ones, as MTH does.
    """
    root: bytes | None = None
    for hashes in levels:
        end = len(hashes)
        for height in range(TILE_HEIGHT):
            width = 1 << height
            if len(hashes) & width:
                peak = full_root(hashes[end - width : end])
                root = peak if root is None else node_hash(peak, root)
                end -= width
    return EMPTY_ROOT if root is None else root


def widths(size: int) -> tuple[tuple[int, int, int], ...]:
    """(level, index, width) of the unfinished tile of every level of a tree of ``size``.

    A width may be 0: there the last tile is full and no unfinished one is stored.
    """
    found = []
    level = 0
    while count := size >> (TILE_HEIGHT * level):
        found.append((level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return tuple(found)


class Frontier:
    """The right edge of a tree: the unfinished tile of every level, ready to take leaves."""

    def __init__(self, size: int, levels: Sequence[Sequence[bytes]]) -> None:
        self.size = size
        self._levels = [list(hashes) for hashes in levels]
        self._finished: dict[tuple[int, int], bytes] = {}
        self._touched: set[int] = set()

    @classmethod
    def of(cls, size: int, tile: TileOf) -> "Frontier":
        """The edge of the tree of ``size``, read from its tiles; hashes beyond are left out."""
        levels = [
            split_hashes(tile(level, index)[: width * HASH_BYTES]) if width else []
            for level, index, width in widths(size)
        ]
        return cls(size, levels)

    def append(self, digest: bytes) -> None:
        """Add the leaf hash ``digest`` as entry number ``size``."""
        self.size += 1
        self._push(0, digest)

    def root(self) -> bytes:
        """MTH of the entries so far: 32 bytes."""
        return edge_root(self._levels)

    def tiles(self) -> Mapping[tuple[int, int], bytes]:
        """Every tile that changed since the start, by (level, index); the last ones may be short.

        An unfinished tile is a prefix of what it becomes, so one replaces the other.
        """
        changed = dict(self._finished)
        for level in self._touched:
            if hashes := self._levels[level]:
                index = (self.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
                changed[level, index] = b"".join(hashes)
        return changed

    def _push(self, level: int, digest: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._touched.add(level)
        hashes = self._levels[level]
        hashes.append(digest)
        if len(hashes) == TILE_WIDTH:
            index = (self.size >> (TILE_HEIGHT * level)) // TILE_WIDTH - 1
            self._finished[level, index] = b"".join(hashes)
            self._levels[level] = []
            self._push(level + 1, full_root(hashes))


def nodes_from(tile: TileOf) -> Node:
    """Nodes of any height, made from tiles."""

    def node(height: int, index: int) -> bytes:
        level, within = divmod(height, TILE_HEIGHT)
        first = index << within
        offset = (first % TILE_WIDTH) * HASH_BYTES
        hashes = tile(level, first // TILE_WIDTH)[offset : offset + (HASH_BYTES << within)]
        return full_root(split_hashes(hashes))

    return node


def range_root(start: int, end: int, node: Node) -> bytes:
    """MTH(D[start:end]) for a range that is a left or right part of an RFC 6962 split."""
    count = end - start
    if count & (count - 1) == 0:
        return node(count.bit_length() - 1, start // count)
    middle = start + _split(count)
    return node_hash(range_root(start, middle, node), range_root(middle, end, node))


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962, 2.1.1: from the leaf upwards; 0 <= index < size."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962, 2.1.2; empty when ``old`` is 0 or equals ``new``."""
    path: list[bytes] = []
    if old in {0, new}:
        return path
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end, node))
            end = middle
        else:
            path.append(range_root(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end, node))
    return path[::-1]


def root_from_path(digest: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which ``path`` leads from the leaf hash (RFC 9162, 2.1.3.2); None: no path."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, digest
    for step in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(step, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, step)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def consistent(sizes: tuple[int, int], roots: tuple[bytes, bytes], path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the new tree continues the old one (RFC 9162, 2.1.4.2).

    ``sizes`` and ``roots`` are (old, new).
    """
    old, new = sizes
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and roots[0] == roots[1]
    if old == 0:
        return not path and roots[0] == EMPTY_ROOT
    return _folds_to(sizes, roots, list(path))


def _folds_to(sizes: tuple[int, int], roots: tuple[bytes, bytes], path: list[bytes]) -> bool:
    old, new = sizes
    if old & (old - 1) == 0:
        path = [roots[0], *path]
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and (first, second) == roots


def _split(count: int) -> int:
    """The largest power of two smaller than ``count`` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)
