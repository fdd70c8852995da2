"""How does a sentence reach a reader in their language?

Message ids are Chinese and need no catalogue; English comes from ``locale/en``. The catalogue is
compiled in memory at start, so that a fresh clone needs no build step.
"""

import gettext
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from huiqi.kernel.clock import SHANGHAI
from huiqi.kernel.errors import HuiqiError, Language
from huiqi.kernel.text import Text

LOCALE = Path(__file__).parent / "locale"
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_LANGUAGE_OF: dict[str, Language] = {language: language for language in LANGUAGES}


def mark(message: str) -> str:
    """``message`` itself, marked for the catalogue; it is translated where it is shown.

    >>> mark("草稿")
    '草稿'
    """
    return message


@cache
def catalogue(language: Language) -> gettext.NullTranslations:
    """The translations into ``language``; Chinese is the source and translates to itself."""
    if language == "zh":
        return gettext.NullTranslations()
    source = LOCALE / language / "LC_MESSAGES" / "huiqi.po"
    with source.open("rb") as file:
        entries = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, entries)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Tongue:
    """One reader's language: sentences, instants, numbers."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._entries = catalogue(language)

    def say(self, message: str, /, **values: object) -> str:
        """``message`` in the reader's language with ``%(name)s`` filled from ``values``."""
        sentence = self._entries.gettext(message) if message else ""
        return sentence % values if values else sentence

    def count(self, message: str, n: int, /, **values: object) -> str:
        """``message`` for ``n`` things, ``%(n)s`` filled; English has a form for one."""
        return self._entries.ngettext(message, message, n) % {"n": f"{n:,}", **values}

    def read(self, text: Text | HuiqiError) -> str:
        """A sentence that was made deep inside, in the reader's language."""
        return text.read(self.language) if isinstance(text, Text) else text.text(self.language)

    def when(self, instant: datetime | None) -> str:
        """An instant to the minute in Beijing time: ``2026-03-09 09:41``; empty for None."""
        return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else ""

    def exactly(self, instant: datetime | None) -> str:
        """An instant to the millisecond in Beijing time, for receipts; empty for None."""
        if instant is None:
            return ""
        return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def day(self, instant: datetime | None) -> str:
        """A day in Beijing time: ``2026-03-09``; empty for None."""
        return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d") if instant else ""

    def among(self, parts: list[str] | tuple[str, ...]) -> str:
        """A list in running text: ``甲、乙`` or ``a, b``."""
        return ("、" if self.language == "zh" else ", ").join(parts)


def language_of(cookie: str | None, accepts: str) -> Language:
    """The reader's language: their choice, else ``Accept-Language``, else Chinese.

    >>> language_of(None, "fr, en;q=0.8, zh;q=0.5")
    'en'
    >>> language_of("zh", "en")
    'zh'
    """
    if chosen := _LANGUAGE_OF.get(cookie or ""):
        return chosen
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepts.split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, tag.lower()[:2]))
    for _weight, _place, tag in sorted(wishes):
        if known := _LANGUAGE_OF.get(tag):
            return known
    return "zh"
