"""The documents name what exists, and everything that must be named is."""

import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from tests.architecture.source import (
    PACKAGE,
    ROOMS,
    ROOT,
    classes,
    files,
    function_names,
    members_of,
    shown,
)

DOCS = ROOT / "docs"
CODE = re.compile(r"`([^`\n]+)`")
A_PATH = re.compile(r"[\w./-]+\.(py|md|json|toml|txt|sh|svg|css)")
A_VERB = re.compile(r"([A-Z]\w+)\.([a-z]\w*)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
# Files of a data directory or of the reader, which are no files of the repository.
NOT_OURS = {"systems.json", "keystore.json", "keys.json", "receipt.json", "keys/keystore.json"}
NOT_OURS |= {"store.db", "use.json"}
# Files that every room has, named without a room.
OF_EVERY_ROOM = {"types.py", "service.py", "errors.py", "__init__.py"}
NAMED_ELSEWHERE = NOT_OURS | OF_EVERY_ROOM


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _rows(pattern: str, document: str) -> list[tuple[str, ...]]:
    """The groups of every table row of a document that looks like ``pattern``."""
    return [row.groups() for row in re.finditer(pattern, _read(document), re.MULTILINE)]


def _documents() -> list[str]:
    found = [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "changelog.d").glob("*.md")]
    return sorted(shown(file) for file in found if "docs/errors/" not in shown(file))


@pytest.mark.parametrize("document", _documents())
def test_files_that_a_document_names_exist(document: str) -> None:
    lost = [
        path
        for path in CODE.findall(_read(document))
        if A_PATH.fullmatch(path) and path not in NAMED_ELSEWHERE and not _exists(path)
    ]
    assert lost == []


def _exists(path: str) -> bool:
    return any((base / path).exists() for base in (PACKAGE, ROOT, DOCS))


@pytest.mark.parametrize("document", _documents())
def test_links_of_a_document_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    targets = [(folder / target).resolve() for target in LINK.findall(_read(document))]
    lost = [target.relative_to(ROOT).as_posix() for target in targets if not target.exists()]
    assert lost == []


@pytest.mark.parametrize("document", ["docs/walk.md", "docs/rooms.md", "docs/glossary.md"])
def test_verbs_that_a_document_names_exist(document: str) -> None:
    named = {code for code in CODE.findall(_read(document)) if A_VERB.fullmatch(code)}
    assert len(named) > 20 or document == "docs/glossary.md"
    lost = [
        name
        for name in sorted(named)
        if (owner := name.partition(".")[0]) not in classes()
        or name.partition(".")[2] not in members_of(owner)
    ]
    assert lost == []


def test_the_walk_has_every_step_of_the_main_job() -> None:
    steps = ("Publish", "Register and list", "Discover", "Negotiate", "Sign", "Use", "Evidence")
    text = _read("docs/walk.md")
    for number, step in enumerate((*steps, "Settle"), start=1):
        assert f"## {number} {step}" in text


def test_the_walk_names_every_kill_place() -> None:
    from huiqi.kernel.steps import PLACES  # noqa: PLC0415 - only this test imports the code

    text = _read("docs/walk.md")
    assert [place for place in PLACES if f"`{place}`" not in text] == []


def _verbs(room: str) -> Iterator[str]:
    """``Class.verb`` and plain functions that a room's service offers."""
    service = importlib.import_module(f"huiqi.{room}.service")
    for name, thing in vars(service).items():
        if isinstance(thing, FunctionType) and thing.__module__.startswith(f"huiqi.{room}."):
            yield name
        elif inspect.isclass(thing) and thing.__module__.startswith(f"huiqi.{room}.service"):
            if any(_extends(other, thing) for other in vars(service).values()):
                continue  # a part of a service, offered under the whole one's name
            for verb, _function in inspect.getmembers(thing, inspect.isfunction):
                if not verb.startswith("_"):
                    yield f"{name}.{verb}"


def _extends(thing: object, part: type) -> bool:
    return inspect.isclass(thing) and thing is not part and issubclass(thing, part)


def _section(room: str) -> str:
    parts = re.split(r"^## ", _read("docs/rooms.md"), flags=re.MULTILINE)
    return next((part for part in parts if part.startswith(f"{room}\n")), "")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_names_every_verb_of_a_room_and_no_other(room: str) -> None:
    named = set(re.findall(r"^\| `([\w.]+)` \|", _section(room), flags=re.MULTILINE))
    assert named == set(_verbs(room))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_says_what_a_room_answers_needs_and_may_not_know(room: str) -> None:
    section = _section(room)
    for heading in ("**Question**", "**Documents**", "**Needs**", "**May not know**"):
        assert heading in section


def test_rooms_has_a_section_for_every_entry_of_the_house() -> None:
    beside = {"__pycache__", "__init__.py", "__main__.py", "py.typed", "samples"}
    present = {entry.name for entry in PACKAGE.iterdir()} - beside
    assert [entry for entry in sorted(present) if not _section(entry)] == []


PAIRS = {
    "checkpoint": "检查点",
    "connector": "连接器",
    "contract": "合约",
    "evidence": "存证",
    "grant": "授权",
    "identifier": "标识",
    "node": "节点",
    "platform": "平台",
    "projection": "投影",
    "receipt": "回执",
    "settlement": "结算",
}


def test_the_glossary_pairs_terms_with_chinese_and_a_place() -> None:
    rows = re.findall(
        r"^\| (.+) \| (.+) \| (.+) \| (`.+`) \|$", _read("docs/glossary.md"), re.MULTILINE
    )
    assert len(rows) >= 40
    names = [term for term, _chinese, _meaning, _where in rows]
    assert names == sorted(names)
    assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _t, chinese, _m, _w in rows)
    chinese_of = {term: chinese for term, chinese, _meaning, _where in rows}
    assert [term for term, zh in PAIRS.items() if zh not in chinese_of.get(term, "")] == []


def _dependencies() -> dict[str, str]:
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    every = [*project["dependencies"], *(one for extra in extras for one in extra)]
    parted = [re.match(r"([A-Za-z0-9-]+)(.*)", one) for one in every]
    return {found[1]: found[2] for found in parted if found}


def test_every_dependency_has_its_line_with_the_range_of_pyproject() -> None:
    rows = re.findall(
        r"^\| ([\w-]+) \| `([^`]+)` \| (.+) \|$", _read("docs/dependencies.md"), re.MULTILINE
    )
    assert {name: version for name, version, _rest in rows} == _dependencies()
    assert all(len(rest.split(" | ")) == 3 for _name, _version, rest in rows)


def test_every_conflict_that_code_refers_to_is_in_divergences() -> None:
    text = _read("docs/divergences.md")
    for file in files():
        for line in file.read_text("utf-8").splitlines():
            if "divergences.md" not in line:
                continue
            numbers = re.findall(r"conflict (\d+)", line)
            assert numbers, f"{shown(file)}: name the conflict"
            assert all(re.search(rf"[Cc]onflicts? [\d, and]*\b{n}\b", text) for n in numbers), line


def test_divergences_are_numbered_and_each_names_its_code() -> None:
    rows = _rows(r"^\| (\d+) \| .+ \| (`.+`) \|$", "docs/divergences.md")
    assert [int(number) for number, _where in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 20


def test_configuration_names_every_variable_that_is_read() -> None:
    read = set(re.findall(r'"(HUIQI_\w+)"', (PACKAGE / "settings.py").read_text("utf-8")))
    told = set(re.findall(r"^\| `(HUIQI_\w+)` \|", _read("docs/configuration.md"), re.MULTILINE))
    assert told == read


def test_every_decision_is_dated_and_has_three_parts() -> None:
    records = [file for file in (DOCS / "adr").glob("*.md") if file.name != "README.md"]
    assert len(records) >= 8
    for record in records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9-]+\.md", record.name)
        text = record.read_text("utf-8")
        for part in ("## Decision", "## Rationale", "## Consequence"):
            assert part in text, record.name
        assert f"({record.name})" in _read("docs/adr/README.md")


def test_policy_codes_lists_every_code_that_the_code_says() -> None:
    told = set(re.findall(r"^\| `([a-z_.]+)` \|", _read("docs/policy-codes.md"), re.MULTILINE))
    said = set().union(*(_codes(file) for file in files()))
    assert said - told - _error_codes() == set()


def _codes(file: Path) -> set[str]:
    if file.parent.name == "web" or "/web/" in shown(file):
        return set()
    text = file.read_text("utf-8")
    whole = set(re.findall(r'"((?:policy|usage|query)\.[a-z_]+)"', text))
    rules = set(re.findall(r'QueryRefused\(\s*"([a-z_]+)"', text))
    return (whole - _places()) | {f"query.{rule}" for rule in rules}


def _places() -> set[str]:
    from huiqi.kernel.steps import PLACES  # noqa: PLC0415 - only this test imports the code

    return set(PLACES)


def _error_codes() -> set[str]:
    return {file.stem for file in (DOCS / "errors").glob("*.md")}


def test_names_in_documents_are_looked_up_in_real_code() -> None:
    assert "close_period" in function_names()
    assert "close_period" in members_of("Settlement")
