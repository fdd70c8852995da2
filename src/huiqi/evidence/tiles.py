"""Under which names and in which bytes do others fetch the tree?

The forms are those of C2SP tlog-tiles:

* ``tile/<L>/<N>[.p/<W>]``: 32-byte SHA-256 hashes, concatenated; 256 of them, or W from 1 to 255.
* ``tile/entries/<N>[.p/<W>]``: entries, each behind its length as a big-endian 16-bit number.
* ``<N>`` is written in groups of three digits, all but the last behind an ``x``:
  1234067 is ``x001/x234/067``.
"""

from collections.abc import Sequence

from huiqi.evidence.tree import TILE_HEIGHT, TILE_WIDTH

LONGEST_LEAF = 0xFFFF
HIGHEST_LEVEL = 63


def tile_path(level: int | None, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile below the log's prefix; ``level`` None means the bundle of entries.

    >>> tile_path(0, 1234067)
    'tile/0/x001/x234/067'
    >>> tile_path(None, 273, 112)
    'tile/entries/273.p/112'
    """
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    name = "entries" if level is None else str(level)
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{name}/{'/'.join(groups)}{partial}"


def parse_tile_path(path: str) -> tuple[int | None, int, int] | None:
    """(level or None for entries, index, width) of a path; None when it is not written exactly so.

    >>> parse_tile_path("tile/0/x001/x234/067")
    (0, 1234067, 256)
    >>> parse_tile_path("tile/0/67") is None
    True
    """
    body, _, width_text = path.partition(".p/")
    parts = body.split("/")
    digits = "".join(part.removeprefix("x") for part in parts[2:])
    name, width_text = "".join(parts[1:2]), width_text or str(TILE_WIDTH)
    numbers = [digits, width_text] if name == "entries" else [digits, width_text, name]
    # 21 digits are more than 63 bits hold; longer ones are not even read as numbers.
    if not all(text.isascii() and text.isdigit() and len(text) <= 21 for text in numbers):  # noqa: PLR2004 - explained above
        return None
    level, width = None if name == "entries" else int(name), int(width_text)
    if (level or 0) > HIGHEST_LEVEL or not 1 <= width <= TILE_WIDTH:
        return None
    found = (level, int(digits), width)
    return found if tile_path(*found) == path else None


def stored_width(level: int, index: int, size: int) -> int:
    """How many hashes tile (level, index) has in a tree of ``size``: 0 to 256."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def bundle(leaves: Sequence[bytes]) -> bytes:
    """The entries of a bundle in their 16-bit framing; none may be over 65 535 bytes."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unbundle(data: bytes) -> list[bytes] | None:
    """The entries of a bundle; None when the lengths do not add up."""
    leaves = []
    place = 0
    while place < len(data):
        start = place + 2
        place = start + int.from_bytes(data[place:start], "big")
        leaves.append(data[start:place])
    return leaves if place == len(data) else None
