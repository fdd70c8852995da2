"""Which measures are there, and how is a run asked for? See docs/benchmarks.md."""

import argparse
import importlib
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import httpx
import structlog
from rich.console import Console

from bench.lines import Line, MeasureFailed, document, markdown, show
from bench.options import Options
from huiqi.kernel.errors import HuiqiError

# Each is a module with ``measure(options) -> lines``; imported when its turn comes, so that a
# missing part fails its own measure and no other.
MEASURES = ("decisions", "evidence", "query", "negotiation", "start", "install")
# What a missing or broken part looks like; anything else is a mistake in bench and ends the run.
TROUBLE = (
    MeasureFailed,
    HuiqiError,
    apsw.Error,
    httpx.HTTPError,
    OSError,
    ImportError,
    subprocess.SubprocessError,
)


def main(arguments: Sequence[str]) -> int:
    """Take the named measures (all by default); the exit status is 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="smaller data, fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the lines here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write a table here")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(MEASURES))
    if unknown:
        parser.error(f"unknown measure {', '.join(unknown)}; known: {', '.join(MEASURES)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lines, failures = _taken(given.names or list(MEASURES), quick=given.quick)
    console = Console(width=None if sys.stdout.isatty() else 200)
    show(console, lines)
    if given.json:
        given.json.write_bytes(document(lines))
    if given.markdown:
        given.markdown.write_text(markdown(lines), encoding="utf-8")
    for failure in failures:
        console.print(f"FAILED  {failure}", style="red", highlight=False, markup=False)
    return 1 if failures else 0


def _taken(names: Sequence[str], *, quick: bool) -> tuple[list[Line], list[str]]:
    lines: list[Line] = []
    failures: list[str] = []
    for at, name in enumerate(names, start=1):
        _say(f"[{at}/{len(names)}] {name}")
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="huiqi-bench-") as folder:
            options = Options(quick=quick, folder=Path(folder), say=_say)
            try:
                lines += importlib.import_module(f"bench.{name}").measure(options)
            except TROUBLE as error:
                failures.append(f"{name}: {type(error).__name__}: {error}")
                _say(f"      failed: {error}")
        _say(f"      {time.perf_counter() - began:.1f} s")
    return lines, failures


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
