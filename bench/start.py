"""How soon does the demo show its first page, and how much memory does it hold after its job?

Cold means a new process; the operating system may have the program's files in its cache. The
baseline is one page of the same web framework and server in a process of its own.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.lines import Line, Target
from bench.options import Options
from bench.space import MEGABYTE, Child, Space, free_port, running, until_200
from bench.timing import median

MOST_S = 3.0
MOST_MB = 300.0


def measure(options: Options) -> Sequence[Line]:
    """Starts on empty and on prepared directories, then the memory after the main job."""
    options.say("      empty directories")
    empty = _starts(lambda at: options.folder / f"data-{at}", options, options.pick(3, 2))
    options.say("      a prepared directory")
    prepared = _starts(lambda _: options.folder / "data-0", options, options.pick(5, 3))
    options.say("      the main job")
    own_mb, children_mb, children = _after_job(options.folder / "job")
    return [
        _line("first page, prepared directory", prepared, "all five systems are in the space"),
        _line("first page, empty directory", empty, "all five have made keys and have joined"),
        Line(
            measure="resident memory after the main job",
            value=own_mb,
            unit="MB",
            baseline=prepared.bare_mb,
            target=Target(limit=MOST_MB),
            note="the demo process: node, platform and three connectors",
        ),
        Line(
            measure="  and its engine processes",
            value=own_mb + children_mb,
            unit="MB",
            target=Target(limit=MOST_MB),
            note=f"{children} DuckDB processes that are still warm hold {children_mb:.0f} MB; "
            "pages they share are counted twice",
        ),
    ]


@dataclass
class Starts:
    """Seconds to the first page, of processor time until then, and until the space is ready."""

    page: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_mb: float = 0.0


def _line(measure: str, starts: Starts, then: str) -> Line:
    return Line(
        measure=measure,
        value=median(starts.page),
        unit="s",
        baseline=median(starts.bare),
        target=Target(limit=MOST_S),
        note=f"median of {len(starts.page)}; {median(starts.processor):.2f} s of processor time; "
        f"{then} after {median(starts.ready):.2f} s",
    )


def _starts(folder: Callable[[int], Path], options: Options, count: int) -> Starts:
    """``count`` starts of the demo, a start of the bare page after each."""
    taken = Starts()
    for at in range(count):
        space = Space(folder(at))
        try:
            taken.page.append(space.until_page())
            taken.processor.append(space.processor_s())
            taken.ready.append(space.until_ready())
        finally:
            space.end()
        took, taken.bare_mb = _bare_start(options.folder)
        taken.bare.append(took)
    return taken


def _bare_start(folder: Path) -> tuple[float, float]:
    port = free_port()
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench.bare_page", str(port)]
    child = Child(command, output=folder / "page.log")
    try:
        took = until_200(child, f"http://127.0.0.1:{port}/", began)
        return took, child.memory()[0] / MEGABYTE
    finally:
        child.end()


def _after_job(folder: Path) -> tuple[float, float, int]:
    """Memory in MB of the process and of its children when the main job is done."""
    with running(folder, job=True) as space:
        own, children, count = space.memory()
        return own / MEGABYTE, children / MEGABYTE, count
