"""May this offer stand in a catalogue: are its fields in form, and can its terms be held?"""

import re
from collections.abc import Iterator, Sequence

from huiqi.catalog.codes import UPDATE_FREQUENCIES, topic_of
from huiqi.catalog.errors import InvalidOffer, TermsRefused
from huiqi.catalog.types import Offer, ProductRecord
from huiqi.kernel.text import Text
from huiqi.policy.types import EnforceabilityReport, Finding

# Lengths in characters: N05 A.2 (name 128), T14 C.4 (abstract 1024); the others are ours.
LONGEST_NAME = 128
LONGEST_ABSTRACT = 1_024
LONGEST_KEYWORD = 32
MOST_KEYWORDS = 20
LONGEST_LICENCE = 200
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
# Words that DuckDB reserves; a table of that name could not be addressed without quotes.
_RESERVED_WORDS = (
    "all analyse analyze and any array as asc asymmetric both case cast check collate column "
    "constraint create default deferrable desc describe distinct do else end except false fetch "
    "for foreign from group having in initially intersect into lambda lateral leading limit not "
    "null offset on only or order pivot pivot_longer pivot_wider placing primary qualify "
    "references returning select show some summarize symmetric table then to trailing true union "
    "unique unpivot using variadic when where window with"
)
_RESERVED = frozenset(_RESERVED_WORDS.split())
# A dozen faults are enough to read at once.
_MOST_SENTENCES = 12


def check_form(offer: Offer | ProductRecord) -> None:
    """Accept the plain fields of an offer or record.

    Raises:
        InvalidOffer: a field is empty, too long, has control characters or is no known code.
    """
    for field, fault in _faults(offer):
        if fault is not None:
            raise InvalidOffer(field=field, zh=fault.zh, en=fault.en)


def _faults(offer: Offer | ProductRecord) -> Iterator[tuple[str, Text | None]]:
    yield "name", _text_fault(offer.name, LONGEST_NAME)
    yield "abstract", _text_fault(offer.abstract, LONGEST_ABSTRACT, lines=True)
    for keyword in offer.keywords:
        yield "keywords", _text_fault(keyword, LONGEST_KEYWORD)
    if len(offer.keywords) > MOST_KEYWORDS:
        yield "keywords", Text(f"最多 {MOST_KEYWORDS} 个", f"at most {MOST_KEYWORDS}")
    if offer.licence:
        yield "licence", _text_fault(offer.licence, LONGEST_LICENCE)
    if topic_of(offer.topic) is None:
        yield "topic", Text("不是主题分类代码", "not a topic code")
    if offer.update_frequency not in UPDATE_FREQUENCIES:
        yield "update_frequency", Text("应为 001 至 009", "must be 001 to 009")
    yield "table", _table_fault(offer.table)


def _text_fault(text: str, longest: int, *, lines: bool = False) -> Text | None:
    if not text.strip():
        return Text("不能为空", "must not be empty")
    if len(text) > longest:
        return Text(f"不能超过 {longest} 个字符", f"must not exceed {longest} characters")
    allowed = "\r\n\t" if lines else ""
    if any(not c.isprintable() and c not in allowed for c in text):
        return Text("含有不可见的控制字符", "holds invisible control characters")
    return None


def _table_fault(table: str) -> Text | None:
    if not _TABLE.fullmatch(table):
        return Text(
            "须以小写字母开头，只含小写字母、数字和下划线，最长 63 个字符",
            "must begin with a lower-case letter and hold only a-z, 0-9 and _, at most 63",
        )
    if table in _RESERVED:
        return Text("是 SQL 保留字，请换一个", "is a reserved word of SQL; choose another")
    return None


def check_terms(findings: Sequence[Finding], report: EnforceabilityReport) -> None:
    """Accept terms without an error that this software can hold.

    Raises:
        TermsRefused: with the text of every fault.
    """
    found = {(f.where, f.text) for f in (*findings, *report.findings) if f.severity == "error"}
    faults = [text for _, text in sorted(found, key=lambda pair: (pair[0], pair[1].zh))]
    if not faults and not report.signable:
        faults = [line.reason for line in report.terms if line.strength is None]
        faults = faults or [Text("条款无法在此执行", "the terms cannot be enforced here")]
    if faults:
        shown = faults[:_MOST_SENTENCES]
        raise TermsRefused(
            zh="；".join(text.zh for text in shown), en="; ".join(text.en for text in shown)
        )
