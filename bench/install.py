"""How long does the installation of the core take, from nothing to the packages of the lock file?

No baseline: the same lock file again with what pip kept from the first time, so that the share
of the network can be seen.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.lines import Line, MeasureFailed
from bench.options import Options
from bench.space import MEGABYTE
from bench.timing import seconds

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "core.txt"


def measure(options: Options) -> Sequence[Line]:
    """Seconds with an empty cache and with a filled one."""
    if not LOCK.exists():
        raise MeasureFailed(f"{LOCK.name} is missing")
    cache = options.folder / "cache"
    options.say("      with an empty cache")
    first = seconds(lambda: _install(options.folder / "first", cache))
    size = sum(f.stat().st_size for f in (options.folder / "first").rglob("*") if f.is_file())
    shutil.rmtree(options.folder / "first")
    options.say("      with a filled cache")
    again = seconds(lambda: _install(options.folder / "again", cache))
    packages = sum(1 for line in LOCK.read_text(encoding="utf-8").splitlines() if "==" in line)
    note = f"venv and {packages} locked, hashed packages, {size / MEGABYTE:.0f} MB on disk"
    return [
        Line(measure="core install, empty cache", value=first, unit="s", note=note),
        Line(
            measure="core install, filled cache",
            value=again,
            unit="s",
            note="the same without downloading",
        ),
    ]


def _install(folder: Path, cache: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
    quiet = ["--disable-pip-version-check", "--cache-dir", str(cache)]
    _run([*pip, *quiet, "--require-hashes", "-r", str(LOCK)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasureFailed(f"{command[-1]}: {done.stderr[-400:]}")
