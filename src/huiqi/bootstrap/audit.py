"""Is everything a data directory holds still what was once recorded?"""

from collections.abc import Callable, Iterator

import msgspec

from huiqi.bootstrap.parts import Parts
from huiqi.evidence.errors import BrokenNote, DamagedEntry, HistoryRewritten
from huiqi.evidence.types import Fault, FsckReport, Kept
from huiqi.kernel.text import Text


def check_log(parts: Parts, progress: Callable[[int, int], None]) -> FsckReport:
    """Derive one system's whole log anew, and look up in it every document its rooms keep.

    1. does the log continue the checkpoint kept beside the store? 2. integrate what is new, so
    that every kept document can be found 3. the check itself. ``progress`` is told (entries
    done, entries in all). What stops step 1 or 2 is a fault like any other.
    """
    faults: list[Fault] = []
    for where, act in (("checkpoint file", parts.anchor.check), ("log", parts.anchor.integrate)):
        try:
            act()
        except (HistoryRewritten, BrokenNote, DamagedEntry) as error:
            faults.append(Fault(where, Text(error.text("zh"), error.text("en"))))
            break  # nothing is signed over a history that is in doubt
    report = parts.system.evidence.check(_kept(parts), progress=progress)
    return msgspec.structs.replace(
        report,
        faults=(*faults, *report.faults),
        fault_count=report.fault_count + len(faults),
    )


def _kept(parts: Parts) -> Iterator[Kept]:
    for where, sha256, body in parts.documents():
        yield Kept(where=where, sha256=sha256, bytes=body)
