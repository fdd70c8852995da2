"""Where do auditors and witnesses read a system's log? Static tiles, as C2SP tlog-tiles lays out.

``/{prefix}/log/checkpoint``, ``/{prefix}/log/tile/<L>/<N>[.p/<W>]`` and
``/{prefix}/log/tile/entries/<N>[.p/<W>]``; N is written in groups of three digits, ``x001/234``.
Entries hold identifiers, counts and digests only, so the log of a platform or node is public;
a connector's log is not: only its checkpoint is.
"""

import re
from collections.abc import Mapping

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from huiqi.kernel.errors import MissingError
from huiqi.trust.types import SystemKind
from huiqi.web.system import System

FULL_WIDTH = 256
# At most five groups: 256 times the number still fits into the 63 bits of an entry's number.
# A path has one form only, since what is served under it is kept by caches for ever.
_TILE = re.compile(
    r"/?(entries|[0-9]|[1-5][0-9])"
    r"/(?!x000/)((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


def tile_address(path: str) -> tuple[str, int, int] | None:
    """Level (or ``entries``), number and width that a tile's path means; None for any other path.

    >>> tile_address("/0/x001/234.p/17")
    ('0', 1234, 17)
    """
    found = _TILE.fullmatch(path)
    if found is None:
        return None
    level, digits, width = found.groups()
    number = int(digits.replace("x", "").replace("/", ""))
    if width is None:
        return level, number, FULL_WIDTH
    return (level, number, int(width)) if int(width) < FULL_WIDTH else None


def log_routes(systems: Mapping[str, System]) -> list[ControllerRouterHandler]:
    """The handlers that serve checkpoints and tiles."""

    def system(prefix: str) -> System:
        if prefix not in systems:
            raise NotFoundException
        return systems[prefix]

    @get("/{prefix:str}/log/checkpoint", sync_to_thread=True, include_in_schema=False)
    def checkpoint(prefix: FromPath[str]) -> Response[str]:
        note = system(prefix).evidence.checkpoint()
        if note is None:
            raise NotFoundException
        return Response(
            note, media_type="text/plain; charset=utf-8", headers={"cache-control": "no-cache"}
        )

    @get("/{prefix:str}/log/tile/{rest:path}", sync_to_thread=True, include_in_schema=False)
    def tile(prefix: FromPath[str], rest: FromPath[str]) -> Response[bytes]:
        found = tile_address(rest)
        owner = system(prefix)
        if found is None or owner.kind is SystemKind.CONNECTOR:
            raise NotFoundException
        level, number, width = found
        try:
            if level == "entries":
                data = owner.evidence.entry_bundle(number, width)
            else:
                data = owner.evidence.tile(int(level), number, width)
        except MissingError as error:
            raise NotFoundException from error
        forever = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(data, media_type="application/octet-stream", headers=forever)

    return [checkpoint, tile]
