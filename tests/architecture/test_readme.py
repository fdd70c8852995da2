"""What the README tells people to type exists, in both languages alike."""

import re
import subprocess
import sys
from functools import cache

import pytest

from huiqi.cli.main import commands
from tests.architecture.source import PACKAGE, ROOT

READMES = ("README.md", "README.zh.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ROUTE = re.compile(r"\bhq \w+ '?/(\w+)")


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@cache
def _known() -> set[str]:
    """What ``huiqi --help`` lists, asked as a person would."""
    run = subprocess.run(
        [sys.executable, "-m", "huiqi", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(PACKAGE.parent), "LC_ALL": "C.UTF-8"},
    )
    return set(re.findall(r"^  (\w+) ", run.stdout.partition("Commands:")[2], re.MULTILINE))


def _options(command: str) -> set[str]:
    return {option for one in commands.commands[command].params for option in one.opts}


@pytest.mark.parametrize("name", [*READMES, "docs/separate-machines.md", "docs/evidence.md"])
def test_every_command_exists_with_its_options(name: str) -> None:
    known = _known()
    blocks = "\n".join(BLOCK.findall(_read(name)))
    used = re.findall(r"\bhuiqi (\w+)(.*)", blocks)
    assert used
    for command, rest in used:
        assert command in known
        options = set(re.findall(r"(--[a-z]+(?:-[a-z]+)*)", rest.partition("#")[0]))
        assert options - _options(command) == set()


@pytest.mark.parametrize("name", READMES)
def test_commands_in_the_text_exist(name: str) -> None:
    known = _known()
    assert [one for one in re.findall(r"`huiqi (\w+)", _read(name)) if one not in known] == []


@pytest.mark.parametrize("name", READMES)
def test_make_run_and_make_test_stand_at_the_top(name: str) -> None:
    first = BLOCK.findall(_read(name))[0]
    assert re.findall(r"^make (\w+)", first, re.MULTILINE) == ["run", "test"]
    assert _read(name).index(first) < 40


@pytest.mark.parametrize("name", READMES)
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", _read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake (run|test|bench|check|\w+ing)\b", _read(name))) <= targets


@pytest.mark.parametrize("name", READMES)
def test_the_main_job_is_ten_commands_over_existing_routes(name: str) -> None:
    job = next(block for block in BLOCK.findall(_read(name)) if "# 10 " in block)
    assert re.findall(r"^# (\d+) ", job, re.MULTILINE) == [str(n) for n in range(1, 11)]
    routes = set(ROUTE.findall(job))
    assert len(routes) >= 8
    assert routes - _served() == set()


def _served() -> set[str]:
    texts = [file.read_text("utf-8") for file in (PACKAGE / "web" / "api").glob("*.py")]
    return {route for text in texts for route in re.findall(r'"/(\w+)', text)}


def test_both_languages_have_the_same_commands_and_headings() -> None:
    english, chinese = (_read(name) for name in READMES)
    assert _typed(english) == _typed(chinese)
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("](") == chinese.count("](")


def _typed(text: str) -> list[str]:
    """What is typed, without comments."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return [code for line in lines if (code := re.sub(r"(^|\s)# .*|\s+#\s.*", "", line).strip())]
