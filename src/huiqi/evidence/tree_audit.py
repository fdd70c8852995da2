"""Do the stored tiles follow from the leaves, and does the signed root follow from the tiles?

Every tile is compared with the hashes recomputed from below, and its own root with the hash that
the tile above holds. When a hash differs, the tile above (at the right edge: the signed root)
says which side was changed: the one that does not lead to it.
"""

from collections.abc import Sequence
from itertools import product

from huiqi.evidence.faults import Faults
from huiqi.evidence.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    TileOf,
    edge_root,
    full_root,
    split_hashes,
    widths,
)

# Stands for the leaf hash of a row that is missing and that no tile remembers.
_LOST = bytes(HASH_BYTES)
_Hashes = list[bytes]


class TreeAudit:
    """Takes the leaf hashes of the entries under a checkpoint, in order; then the root."""

    def __init__(self, size: int, tile: TileOf, faults: Faults) -> None:
        self._size = size
        self._tile = tile
        self._faults = faults
        self._levels: list[list[bytes | None]] = [[]]
        self._done = [0]
        self._cached: dict[int, tuple[int, _Hashes]] = {}
        # Entries whose bytes the tree refutes.
        self.bad_leaves: set[int] = set()

    def leaf(self, digest: bytes | None) -> None:
        """The next leaf hash; None for a row that is missing or unreadable."""
        self._push(0, digest)

    def finish(self, root: bytes | None) -> bytes:
        """Check the right edge against the signed ``root`` (None: unreadable); the tiles' root."""
        edge = []
        for level, index, width in widths(self._size):
            computed = self._levels[level] if level < len(self._levels) else []
            edge.append(self._sides(level, index, list(computed[:width])))
        stored = [sides[0] for sides in edge]
        wrong = [level for level, (a, b) in enumerate(edge) if a != b]
        verdict = _verdict(edge, wrong, root)
        for level in wrong:
            _, index, _ = widths(self._size)[level]
            trusted = None if verdict is None else verdict[level]
            self._blame((level, index), edge[level], trusted)
        if verdict is None and root is not None:
            self._faults.add(
                "checkpoint root", "与瓦片得出的根不符", "is not the root that the tiles give"
            )
        return edge_root(stored) if stored else EMPTY_ROOT

    def _push(self, level: int, digest: bytes | None) -> None:
        if level == len(self._levels):
            self._levels.append([])
            self._done.append(0)
        hashes = self._levels[level]
        hashes.append(digest)
        if len(hashes) == TILE_WIDTH:
            index, self._levels[level] = self._done[level], []
            self._done[level] += 1
            self._push(level + 1, self._settle(level, index, hashes))

    def _settle(self, level: int, index: int, computed: list[bytes | None]) -> bytes:
        """Judge a full tile by the tile above; the hash that its place above should hold."""
        sides = stored, fresh = self._sides(level, index, computed)
        above = self._stored(level + 1, index // TILE_WIDTH)
        offset = index % TILE_WIDTH
        parent = above[offset] if offset < len(above) else None
        roots = full_root(stored), full_root(fresh)
        trusted = roots.index(parent) if parent in roots else None
        if stored != fresh:
            self._blame((level, index), sides, trusted)
        return roots[1] if trusted is None else roots[trusted]

    def _sides(
        self, level: int, index: int, computed: list[bytes | None]
    ) -> tuple[_Hashes, _Hashes]:
        """(stored, recomputed) hashes of a tile; a lost one on either side takes the other's."""
        stored = self._stored(level, index)[: len(computed)]
        if len(stored) < len(computed):
            self._faults.add(f"tile {level}/{index}", "瓦片缺失或过短", "missing or cut short")
        padded = stored + [c or _LOST for c in computed[len(stored) :]]
        fresh = [c or s for c, s in zip(computed, padded, strict=True)]
        return padded, fresh

    def _stored(self, level: int, index: int) -> _Hashes:
        found = self._cached.get(level)
        if found is None or found[0] != index:
            hashes = self._tile(level, index)
            whole = len(hashes) // HASH_BYTES * HASH_BYTES
            found = self._cached[level] = (index, split_hashes(hashes[:whole]))
        return found[1]

    def _blame(
        self, place: tuple[int, int], sides: tuple[_Hashes, _Hashes], trusted: int | None
    ) -> None:
        """Note every hash that differs; ``trusted`` is 0 (stored), 1 (recomputed) or unknown."""
        level, index = place
        for offset, (stored, fresh) in enumerate(zip(*sides, strict=True)):
            if stored == fresh:
                continue
            below = index * TILE_WIDTH + offset
            if trusted == 1:
                self._faults.add(
                    f"tile {level}/{index} hash {offset}", "哈希被改动", "the hash was changed"
                )
            elif level == 0:
                self._leaf_fault(below, sure=trusted == 0)
            else:
                span = TILE_WIDTH**level
                self._faults.add(
                    f"entries {below * span}-{(below + 1) * span - 1}",
                    f"条目与瓦片 {level - 1}/{below} 一起被改动",
                    f"changed together with tile {level - 1}/{below}",
                )

    def _leaf_fault(self, seq: int, *, sure: bool) -> None:
        self.bad_leaves.add(seq)
        if sure:
            self._faults.add(
                f"entry {seq} leaf", "与树中已签名的哈希不符", "differs from its hash in the tree"
            )
        else:
            self._faults.add(
                f"entry {seq} leaf", "条目或其瓦片哈希被改动", "the entry or its hash was changed"
            )


def _verdict(
    edge: Sequence[tuple[_Hashes, _Hashes]], wrong: Sequence[int], root: bytes | None
) -> dict[int, int] | None:
    """For every level that differs, which side (0 stored, 1 recomputed) leads to the root."""
    for choice in product((0, 1), repeat=len(wrong)):
        sides = dict(zip(wrong, choice, strict=True))
        levels = [pair[sides.get(level, 0)] for level, pair in enumerate(edge)]
        if edge_root(levels) == root:
            return sides
    return None
