"""A failure always has something to say, in both languages."""

from typing import get_args

import pytest

from huiqi.kernel.errors import (
    ClockBackwards,
    ConflictError,
    DeniedError,
    HuiqiError,
    IllegalStep,
    IntegrityError,
    InvalidError,
    Language,
    MissingError,
    UnavailableError,
)
from huiqi.kernel.steps import end_at, reached
from huiqi.kernel.text import Text

CATEGORIES = (
    InvalidError,
    DeniedError,
    MissingError,
    ConflictError,
    UnavailableError,
    IntegrityError,
)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("error", [*CATEGORIES, HuiqiError, ClockBackwards, IllegalStep])
def test_a_missing_parameter_shows_as_its_name(error: type[HuiqiError], language: Language) -> None:
    template = error.zh if language == "zh" else error.en
    assert error().text(language) == template


def test_parameters_fill_both_languages_and_are_never_read_as_templates() -> None:
    error = InvalidError(what="{secret} {0} 列名")
    assert error.text("zh") == "输入无效：{secret} {0} 列名"
    assert error.text("en") == "Invalid input: {secret} {0} 列名"
    assert str(error) == "kernel.invalid: Invalid input: {secret} {0} 列名"


def test_parameters_are_kept_as_text() -> None:
    assert ClockBackwards(seconds=9).params == {"seconds": "9"}


def test_categories_are_told_apart() -> None:
    assert len({error.category for error in CATEGORIES}) == len(CATEGORIES)
    assert len({error.code for error in CATEGORIES}) == len(CATEGORIES)


def test_a_sentence_reads_in_both_languages() -> None:
    both = Text("已签署", "signed")
    assert (both.read("zh"), both.read("en")) == ("已签署", "signed")


def test_a_place_that_no_verb_names_cannot_be_died_at() -> None:
    with pytest.raises(ValueError, match=r"usage\.nowhere"):
        end_at("usage.nowhere")
    reached("usage.opened")
