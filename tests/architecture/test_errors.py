"""Every failure has one code, two languages that say the same, and a page that helps."""

import importlib.util
import re
import subprocess
import sys
from collections import Counter
from types import ModuleType

import pytest

from huiqi.kernel.errors import HuiqiError
from tests.architecture.source import ROOT

SCRIPT = ROOT / "scripts" / "make_error_pages.py"
CODE = re.compile(r"[a-z]+(\.[a-z0-9_]+)+")
PLACEHOLDER = re.compile(r"\{(\w*)\}")
# A sentence, or a clause that could be one.
SENTENCE_END = re.compile(r"[.;:!](?=\s|$)")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_error_pages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = _script()
UNLOADED = PAGES.load_all()
ERRORS: list[type[HuiqiError]] = PAGES.error_classes()
IDS = [error.code for error in ERRORS]


def test_every_module_can_be_imported() -> None:
    assert UNLOADED == []


def test_every_code_stands_for_one_error() -> None:
    assert [code for code, count in Counter(IDS).items() if count > 1] == []


@pytest.mark.parametrize("error", ERRORS, ids=IDS)
def test_an_error_has_a_code_of_its_own_in_form(error: type[HuiqiError]) -> None:
    assert "code" in vars(error)
    assert CODE.fullmatch(error.code)


@pytest.mark.parametrize("error", ERRORS, ids=IDS)
def test_both_languages_have_the_same_placeholders(error: type[HuiqiError]) -> None:
    assert _placeholders(error.zh) == _placeholders(error.en)
    assert re.search(r"[\u4e00-\u9fff]", error.zh)


def _placeholders(text: str) -> set[str]:
    """``{why_zh}`` and ``{why_en}`` are the two tongues of one thing."""
    return {re.sub(r"(^|_)(zh|en)$", "", name) for name in PLACEHOLDER.findall(text)}


# The pages of a category end with what helps in general, so its docstring need not.
CONCRETE = [error for error in ERRORS if "category" not in vars(error)]


@pytest.mark.parametrize("error", CONCRETE, ids=[error.code for error in CONCRETE])
def test_the_docstring_says_what_it_means_and_what_to_do(error: type[HuiqiError]) -> None:
    text = error.__doc__ or ""
    assert len(SENTENCE_END.findall(text)) >= 2, text


def test_the_pages_are_up_to_date() -> None:
    check = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


def test_the_check_notices_a_missing_a_changed_and_a_left_over_page() -> None:
    wanted = PAGES.pages()
    first, second, *_ = sorted(wanted)
    changed = {**wanted, first: wanted[first] + "more"}
    assert first in PAGES.differences(changed)
    without = {name: text for name, text in wanted.items() if name != second}
    assert second in PAGES.differences(without)
    assert "new.code.md" in PAGES.differences({**wanted, "new.code.md": ""})
