"""Nothing of one machine, one network or one registry is in the repository."""

import subprocess
from pathlib import Path

from tests.architecture.source import ROOT

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = tuple(
    "".join(pieces)
    for pieces in (
        ("/ho", "me/"),
        ("/r", "oot/"),
        ("/wo", "rk/"),
        ("/Us", "ers/"),
        ("py", "pi.org"),
        ("python", "hosted"),
        ("npm", "js.org"),
        ("npm", "mirror"),
        ("ali", "yun"),
        ("tuna.", "tsinghua"),
        ("arti", "factory"),
        ("nex", "us."),
        ("--index", "-url"),
        ("extra-index", "-url"),
    )
)
LARGEST_TOGETHER = 10_000_000


def tracked() -> list[Path]:
    """Files that are tracked, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],  # noqa: S607 - git of the developer
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def found_in(text: str) -> list[str]:
    """What of the forbidden stands in ``text``."""
    return [one for one in FORBIDDEN if one in text]


def test_no_machine_path_and_no_registry_host_is_tracked() -> None:
    guilty = {}
    for file in tracked():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if found := found_in(text):
            guilty[file.relative_to(ROOT).as_posix()] = found
    assert guilty == {}


def test_the_search_finds_what_it_looks_for() -> None:
    assert found_in("see /ho" + "me/me/x and https://py" + "pi.org/simple") == [
        "/ho" + "me/",
        "py" + "pi.org",
    ]


def test_sample_data_stays_below_ten_megabytes() -> None:
    sizes = [file.stat().st_size for file in tracked() if file.suffix == ".parquet"]
    assert sum(sizes) <= LARGEST_TOGETHER
