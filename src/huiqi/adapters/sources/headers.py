"""Under which names can a file's columns be addressed in SQL?

A name is kept when it is made of letters of any script (Chinese included), digits and
underscores and begins with no digit. Otherwise it is turned into one: full-width forms become
ordinary ones, other characters become one underscore, a leading digit gets ``c`` before it. The
header as it was stays with the column as its meaning, so that the change is visible.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from huiqi.catalog.errors import EmptyFile, UnreadableFile, WrongHeader

DELIMITERS = (",", "\t", ";", "|")
# A table of more columns is a transposed one; no page or contract could show it.
MOST_COLUMNS = 1_000
LONGEST_NAME = 63
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")
_OTHER = re.compile(r"\W+")
_SHOWN = 40


def read_header(text: Path, *, shown: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter of a CSV file and the cells of its first record.

    The delimiter is the one of comma, tab, semicolon and bar that the first line has most of.

    Raises:
        UnreadableFile: the first record does not end.
    """
    with text.open(encoding="utf-8", newline="") as opened:
        first = re.sub(r'"[^"]*"', "", opened.readline())
        delimiter = max(DELIMITERS, key=first.count)
        opened.seek(0)
        try:
            cells = next(csv.reader(opened, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise UnreadableFile(file=shown, zh="首行无法解析", en="line 1 is malformed") from error
    return delimiter, tuple(cells)


def usable_names(headers: Sequence[str], *, shown: str) -> tuple[str, ...]:
    """One SQL name for each header, all different (case aside).

    Raises:
        EmptyFile: there is no header at all.
        WrongHeader: a header is empty, a number, too long, or stands twice.
        UnreadableFile: more than 1,000 columns.
    """
    if not headers:
        raise EmptyFile(file=shown)
    if len(headers) > MOST_COLUMNS:
        raise UnreadableFile(
            file=shown, zh=f"超过 {MOST_COLUMNS} 列", en=f"more than {MOST_COLUMNS} columns"
        )
    names = tuple(_name(header) for header in headers)
    times = Counter(name.casefold() for name in names)
    for position, (name, header) in enumerate(zip(names, headers, strict=True), start=1):
        usable = 0 < len(name) <= LONGEST_NAME and times[name.casefold()] == 1
        if not usable or _NUMBER.fullmatch(header.strip()):
            raise WrongHeader(file=shown, position=position, name=header[:_SHOWN])
    return names


def _name(header: str) -> str:
    name = _OTHER.sub("_", unicodedata.normalize("NFKC", header).strip()).strip("_")
    return f"c{name}" if name[:1].isdigit() else name
