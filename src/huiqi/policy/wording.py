"""How are lists, instants and spans said in plain Chinese and English?"""

from collections.abc import Iterable
from datetime import datetime

from huiqi.kernel.clock import SHANGHAI
from huiqi.kernel.text import Text

# Longer lists are cut on the screen; the terms hold them in full.
MOST_SHOWN = 12
_UNITS = (
    (86_400, "天", "day"),
    (3_600, "小时", "hour"),
    (60, "分钟", "minute"),
    (1, "秒", "second"),
)


def listed(items: Iterable[str]) -> Text:
    """The items one after the other."""
    words = list(items)
    shown = words[:MOST_SHOWN]
    more = len(words) - len(shown)
    return Text(
        "、".join(shown) + (f" 等 {len(words)} 项" if more else ""),
        ", ".join(shown) + (f" and {more} more" if more else ""),
    )


def listed_names(names: Iterable[Text]) -> Text:
    """The names one after the other, in each language."""
    words = list(names)
    return Text(listed(w.zh for w in words).zh, listed(w.en for w in words).en)


def moment(at: datetime) -> str:
    """Date and time in Shanghai, to the second."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def length(seconds: int) -> Text:
    """A span in its largest whole unit.

    >>> length(86400 * 7)
    Text(zh='7 天', en='7 days')
    """
    for size, zh, en in _UNITS:
        if seconds % size == 0:
            number = seconds // size
            return Text(f"{number} {zh}", f"{number} {en}{'s' if number != 1 else ''}")
    raise AssertionError("every whole number of seconds is a multiple of one second")


def per(seconds: int) -> Text:
    """``每天``, ``每 7 天``: once in each such span."""
    said = length(seconds)
    single = {86_400: "每天", 3_600: "每小时", 60: "每分钟"}
    english = {86_400: "per day", 3_600: "per hour", 60: "per minute"}
    return Text(single.get(seconds, f"每 {said.zh}"), english.get(seconds, f"per {said.en}"))


def missing(what_zh: str, what_en: str) -> Text:
    """A value that a decision needs was not given."""
    return Text(
        f"缺少{what_zh}，按默认拒绝处理", f"The {what_en} is not known, so the use is refused"
    )
