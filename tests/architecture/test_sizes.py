"""Files and functions stay short enough to be read at once (STYLE, DESIGN section 4)."""

from pathlib import Path

from tests.architecture.source import PACKAGE, ROOT, functions, shown, tree
from tests.architecture.source import files as every_file

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
# Written by Alembic, one step a file, and never edited again.
GENERATED = PACKAGE / "adapters" / "sql" / "migrations" / "versions"


def files() -> list[Path]:
    """What people write."""
    return [file for file in every_file() if not file.is_relative_to(GENERATED)]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        shown(file): lines
        for file in files()
        if (lines := len(file.read_text("utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{shown(file)}:{one.lineno} {one.name}": lines
        for file in files()
        for one in functions(tree(file))
        if (lines := (one.end_lineno or one.lineno) - one.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_the_source_is_where_these_tests_look() -> None:
    assert PACKAGE.is_relative_to(ROOT)
    assert len(files()) > 200
