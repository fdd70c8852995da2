"""Every sentence of the console exists in English, and no sentence is left over."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from huiqi.web import i18n

WEB = Path(i18n.__file__).parent
KEYWORDS = {"_": None, "say": None, "mark": None, "count": (1, 1), "n_": (1, 1)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def used() -> dict[str, bool]:
    """Every message id in templates and code, and whether it is counted."""
    found: dict[str, bool] = {}
    for _file, _line, message, _comments, _context in extract_from_dir(
        WEB, method_map=METHODS, keywords=KEYWORDS
    ):
        plural = not isinstance(message, str)
        text = message[0] if plural else message
        found[text] = found.get(text, False) or plural
    return found


@pytest.fixture(scope="module")
def english():  # type: ignore[no-untyped-def]
    with (WEB / "locale/en/LC_MESSAGES/huiqi.po").open("rb") as file:
        return read_po(file, locale="en")


def test_extraction_sees_templates_and_code() -> None:
    found = used()
    assert "待我处理" in found  # a template
    assert found["有 %(n)s 件事等你处理。"]  # a counted sentence in code


def test_every_sentence_has_an_english_text(english) -> None:  # type: ignore[no-untyped-def]
    texts = {m.id[0] if isinstance(m.id, tuple) else m.id: m for m in english if m.id}
    missing = [text for text in used() if text not in texts]
    assert missing == []
    for text, counted in used().items():
        entry = texts[text]
        forms = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        assert all(forms), text
        assert not entry.fuzzy, text
        assert isinstance(entry.id, tuple) == counted, text


def test_no_english_text_is_left_over(english) -> None:  # type: ignore[no-untyped-def]
    known = set(used())
    stale = [m.id for m in english if m.id]
    stale = [i[0] if isinstance(i, tuple) else i for i in stale]
    assert [text for text in stale if text not in known] == []
    assert not english.obsolete


def test_translations_keep_every_placeholder(english) -> None:  # type: ignore[no-untyped-def]
    for message in english:
        if not message.id:
            continue
        source = message.id[0] if isinstance(message.id, tuple) else message.id
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in forms:
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(source)), source


def test_english_texts_hold_no_chinese(english) -> None:  # type: ignore[no-untyped-def]
    for message in english:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in forms:
            assert not re.search(r"[\u4e00-\u9fff，。：；？「」]", form), form


def test_chinese_literals_in_templates_are_marked() -> None:
    """A Chinese word in a template that is not inside _() would stay Chinese for ever."""
    marks = {"证", "契", "签", "未"}  # the characters on the seals are part of the picture
    for file in (WEB / "templates").glob("*.html"):
        text = re.sub(r'\bn?_\("[^"]*"', "", file.read_text("utf-8"))
        found = set(re.findall(r"[\u4e00-\u9fff]+", text)) - marks
        assert found == set(), file.name


def test_english_counts_one_thing() -> None:
    tongue = i18n.Tongue("en")
    assert tongue.count("有 %(n)s 件事等你处理。", 1) == "1 thing waits for you."
    assert tongue.count("有 %(n)s 件事等你处理。", 3) == "3 things wait for you."
