"""Writes one page per stable error code into docs/errors, from the classes themselves.

``python scripts/make_error_pages.py`` writes, ``--check`` only says whether the pages are out of
date and ends with status 1 when they are.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import huiqi
from huiqi.kernel.errors import HuiqiError
from huiqi.web.problems import STATUS_OF_CATEGORY, STATUS_OF_ERROR

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "errors"
# Programs of their own: importing them would start them.
ENTRY_POINTS = (
    "huiqi.adapters.engines.child",
    "huiqi.adapters.sources.profile_child",
    "huiqi.adapters.sql.migrations.",
)
# What helps with every error of a category; the docstring of the class says what is special.
IN_GENERAL = {
    "invalid": "The same request gives the same answer: correct what is named, then send it anew.",
    "denied": "Nothing was done. Log in as somebody who may, or ask the party that decides.",
    "missing": "Check the identifier; what others own is not visible from here.",
    "conflict": "Read the present state again before you go on.",
    "unavailable": "Nothing was lost. The same call may succeed later; messages are sent again.",
    "integrity": "Do not use the document. Keep it, and run `huiqi fsck` on your own books.",
}
INTRODUCTION = """# Error codes

Every failure of Huiqi has a stable code. The code is the same in both languages, in the JSON API
(`code` of the RFC 9457 problem), on pages, between systems and at the prompt. The texts may be
improved; a code is never reused for something else.

The pages are made from the classes by `scripts/make_error_pages.py`; do not edit them. Reasons of
a refused use (such as `policy.count`) are values and no errors: see
[policy-codes.md](../policy-codes.md).
"""


def load_all() -> list[str]:
    """Import every module of huiqi; the complaints of those that cannot be imported."""
    complaints = []
    for module in pkgutil.walk_packages(
        huiqi.__path__, prefix="huiqi.", onerror=lambda _name: None
    ):
        if module.name.startswith(ENTRY_POINTS):
            continue
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            complaints.append(f"{module.name}: {error}")
    return complaints


def error_classes() -> list[type[HuiqiError]]:
    """Every error of the house that can be raised, sorted by code."""
    found = {one for one in _below(HuiqiError) if one.__module__.startswith("huiqi.")}
    return sorted(found, key=lambda one: (one.code, one.__qualname__))


def _below(parent: type[HuiqiError]) -> Iterator[type[HuiqiError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


def status_of(error: type[HuiqiError]) -> HTTPStatus:
    """The HTTP status with which programs and other systems see this error."""
    return STATUS_OF_ERROR.get(error) or STATUS_OF_CATEGORY[error.category]


def page_of(error: type[HuiqiError]) -> str:
    """The Markdown page of one error."""
    status = status_of(error)
    rows = (
        ("Category", error.category),
        ("HTTP status", f"{status.value} {status.phrase}"),
        ("中文", _cell(error.zh)),
        ("English", _cell(error.en)),
        ("Class", f"`{error.__module__}.{error.__qualname__}`"),
    )
    lines = [f"# `{error.code}`", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", "## What it means and what to do", "", inspect.getdoc(error) or "", ""]
    lines += [IN_GENERAL[error.category], ""]
    lines += ["[All error codes](README.md)", ""]
    return "\n".join(lines)


def index_of(errors: list[type[HuiqiError]]) -> str:
    """The index page: all codes, grouped by the room in front of the dot."""
    lines = [INTRODUCTION]
    for room in sorted({one.code.partition(".")[0] for one in errors}):
        lines += [f"## {room}", "", "| Code | Status | 中文 | English |", "|---|---|---|---|"]
        lines += [
            f"| [`{one.code}`]({one.code}.md) | {status_of(one).value} "
            f"| {_cell(one.zh)} | {_cell(one.en)} |"
            for one in errors
            if one.code.partition(".")[0] == room
        ]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def pages() -> dict[str, str]:
    """File name -> text of everything that docs/errors should hold."""
    errors = error_classes()
    return {f"{one.code}.md": page_of(one) for one in errors} | {"README.md": index_of(errors)}


def differences(wanted: dict[str, str]) -> list[str]:
    """File names that are missing, different or left over."""
    present = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.md")}
    return sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )


def write(wanted: dict[str, str]) -> None:
    """Make the folder hold exactly ``wanted``."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in differences(wanted):
        file = FOLDER / name
        if name in wanted:
            file.write_text(wanted[name], "utf-8")
        else:
            file.unlink()


def main(arguments: list[str]) -> int:
    """Write the pages, or only check them; the exit status."""
    complaints = load_all()
    for complaint in complaints:
        print(f"cannot be imported: {complaint}", file=sys.stderr)
    wanted = pages()
    if "--check" not in arguments:
        write(wanted)
        print(f"{len(wanted) - 1} error codes in {FOLDER.name}/")
        return 1 if complaints else 0
    stale = differences(wanted)
    for name in stale:
        print(f"out of date: docs/errors/{name}", file=sys.stderr)
    if stale:
        print("run: .venv/bin/python scripts/make_error_pages.py", file=sys.stderr)
    return 1 if stale or complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
