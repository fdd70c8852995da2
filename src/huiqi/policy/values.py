"""How is a constraint's value read: whole numbers, lists, instants, spans and daily slots?"""

import re
from datetime import UTC, datetime

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.clock import SHANGHAI, parse_instant
from huiqi.policy.errors import WrongValue
from huiqi.policy.types import Value

# ISO 8601 spans of fixed length only: a month or a year has no fixed number of seconds.
_SPAN = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_SPAN_SECONDS = (604_800, 86_400, 3_600, 60, 1)
_SLOT = re.compile(r"(\d{2}):(\d{2})\s*/\s*(\d{2}):(\d{2})", re.ASCII)
EPOCH = datetime.fromtimestamp(0, UTC)
LONGEST_SPAN = 100 * 366 * 86_400
DAY_MINUTES = 1_440
LONGEST_TEXT = 1_024
LONGEST_LIST = 1_000


def whole(value: Value) -> int:
    """A whole number from 0 to 2**53-1.

    Raises:
        WrongValue: not a whole number, negative, or too large.
    """
    number = _integer(value)
    if number is None or not 0 <= number <= LARGEST_INTEGER:
        raise wrong(value, "需要不小于 0 的整数", "a whole number of 0 or more is needed")
    return number


def _integer(value: Value) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) <= len(str(LARGEST_INTEGER)) else None
    return None


def text(value: Value) -> str:
    """One non-empty text without blanks at its ends.

    Raises:
        WrongValue: not a text, empty, too long, or with control characters.
    """
    good = isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value == value.strip()
    if not isinstance(value, str) or not good or any(ord(c) < ord(" ") for c in value):
        raise wrong(value, "需要一段非空文本", "one text is needed, not empty")
    return value


def texts(value: Value) -> tuple[str, ...]:
    """One or more texts in the order given, without repeats; one text stands for a list of one.

    Raises:
        WrongValue: an empty list, or an item that is not a text.
    """
    if isinstance(value, int):
        raise wrong(value, "需要文本列表", "a list of texts is needed")
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= LONGEST_LIST:
        raise wrong(value, "列表不能为空，最多 1000 项", "a list needs 1 to 1000 items")
    return tuple(dict.fromkeys(text(item) for item in items))


def instant(value: Value) -> datetime:
    """An aware UTC instant from ``YYYYMMDDHHMMSS`` or ISO 8601; no offset means Asia/Shanghai.

    Raises:
        WrongValue: neither form.
    """
    try:
        return parse_instant(text(value))
    except (ValueError, OverflowError) as broken:
        raise wrong(
            value,
            "需要时间，如 20261231235959",
            "an instant such as 20261231235959 is needed",
        ) from broken


def instant_text(at: datetime) -> str:
    """The stored form of an instant: ``YYYYMMDDHHMMSS`` in Shanghai (T14 C.6 row 1, quirk 7).

    An instant with a fraction of a second keeps its ISO form, so that nothing is lost.
    """
    if at.microsecond:
        return at.astimezone(UTC).isoformat()
    return at.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S")


def span(value: Value) -> int:
    """Seconds of an ISO 8601 span of weeks, days, hours, minutes and seconds.

    >>> span("P7D"), span("PT1H")
    (604800, 3600)

    Raises:
        WrongValue: not a span, zero, longer than a century, or with months or years.
    """
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(
            value,
            "需要 ISO 8601 时长，如 P7D、PT1H（不支持月和年，请用天）",
            "an ISO 8601 span such as P7D or PT1H is needed (write months and years in days)",
        )
    parts = zip(found.groups(), _SPAN_SECONDS, strict=True)
    seconds = sum(int(part[:12]) * size for part, size in parts if part)
    if not 0 < seconds <= LONGEST_SPAN:
        raise wrong(value, "时长为零或过长", "the span is zero or too long")
    return seconds


def span_text(seconds: int) -> str:
    """The one form of a span: days, hours, minutes, seconds.

    >>> span_text(86400), span_text(5400)
    ('P1D', 'PT1H30M')
    """
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    clock = "".join(f"{n}{c}" for n, c in ((hours, "H"), (minutes, "M"), (left, "S")) if n)
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


def slot(value: Value) -> tuple[int, int]:
    """A daily slot ``HH:MM/HH:MM`` as minutes of the day in Shanghai: start, end (not included).

    A slot may pass midnight (``22:00/06:00``).

    Raises:
        WrongValue: not a slot, or an empty one.
    """
    found = _SLOT.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        hour, minute, last_hour, last_minute = (int(part) for part in found.groups())
        start, end = hour * 60 + minute, last_hour * 60 + last_minute
        fits = minute < 60 and last_minute < 60 and start < DAY_MINUTES and end <= DAY_MINUTES  # noqa: PLR2004 - minutes of an hour
        if fits and start != end:
            return start, end
    raise wrong(value, "需要每日时段，如 09:00/18:00", "a daily slot such as 09:00/18:00 is needed")


def slot_text(start: int, end: int) -> str:
    """The one form of a daily slot.

    >>> slot_text(540, 1080)
    '09:00/18:00'
    """
    return "/".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (start, end))


def wrong(value: Value, why_zh: str, why_en: str) -> WrongValue:
    """The error for ``value``, cut to a length that fits a page."""
    return WrongValue(value=str(value)[:80], why_zh=why_zh, why_en=why_en)
