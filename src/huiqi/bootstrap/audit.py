"""Is everything a data directory holds still what was once recorded?"""

from collections.abc import Callable, Iterator

from huiqi.bootstrap.parts import Parts
from huiqi.evidence.types import FsckReport, Kept


def check_log(parts: Parts, progress: Callable[[int, int], None]) -> FsckReport:
    """Derive one system's whole log anew, and look up in it every document its rooms keep.

    What is new since the last checkpoint is integrated first, so that every kept document can be
    found. ``progress`` is told (entries done, entries in all).
    """
    parts.system.evidence.integrate()
    return parts.system.evidence.check(_kept(parts), progress=progress)


def _kept(parts: Parts) -> Iterator[Kept]:
    for where, sha256, body in parts.documents():
        yield Kept(where=where, sha256=sha256, bytes=body)
