"""In which encoding is a text, and what is it in UTF-8?

Strict decoding first (byte order mark, UTF-8, UTF-16, GB18030), statistics second. GB18030 takes
many byte sequences that are no Chinese at all, so what it gives must also look like Chinese.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from huiqi.catalog.errors import UnreadableFile, WrongEncoding

_CHUNK = 1_048_576
_SAMPLE = 262_144
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings that Chinese offices still meet besides GB18030; statistics choose among these only.
_OTHERS = ["big5", "big5hkscs", "cp932", "euc_jp", "cp949", "euc_kr", "cp1252", "latin_1"]
# Every table has separators, ends of line or digits; in UTF-16 each of them brings a zero byte.
_ZERO_SHARE = 0.02
# Ordinary Chinese text is above 0.95 by this measure, mistaken Latin-1 or Big5 below 0.6.
_CHINESE_SHARE = 0.7
_FOUR_BYTES = 4
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CONTROL_SHARE = 0.001
_KNOWN_BINARY = (
    (b"PK\x03\x04", "Excel 工作簿或压缩包，请另存为 CSV", "a workbook or archive; save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "旧版 Excel 工作簿，请另存为 CSV", "an old workbook; save it as CSV"),
    (b"\x1f\x8b", "压缩文件，请先解压", "a compressed file; unpack it first"),
    (b"%PDF", "PDF 文档，请提供数据表", "a PDF document; give the table itself"),
)


def to_utf8(raw: Path, target: Path, *, shown: str) -> str:
    """Write the text in ``raw`` to ``target`` as UTF-8 without a mark; the encoding it was in.

    Raises:
        UnreadableFile: the bytes are no text.
        WrongEncoding: no encoding fits with certainty.
    """
    head = _head(raw)
    for magic, zh, en in _KNOWN_BINARY:
        if head.startswith(magic):
            raise UnreadableFile(file=shown, zh=zh, en=en)
    for encoding in _candidates(raw, head):
        try:
            controls, characters = _transcode(raw, target, encoding)
        except UnicodeError:
            continue
        if controls > characters * _CONTROL_SHARE:
            break
        return encoding
    else:
        if b"\0" not in head:
            raise WrongEncoding(file=shown)
    raise UnreadableFile(file=shown, zh="不是文本或 Parquet", en="it is neither text nor Parquet")


def _head(raw: Path) -> bytes:
    with raw.open("rb") as opened:
        return opened.read(_SAMPLE)


def _candidates(raw: Path, head: bytes) -> Iterator[str]:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            yield encoding
            return
    zeros = head.count(0)
    if zeros > len(head) * _ZERO_SHARE:
        odd = head[1::2].count(0)
        if odd in {0, zeros}:
            yield "utf-16-le" if odd else "utf-16-be"
        return
    yield "utf-8"
    sample = _foreign_lines(raw)
    if _looks_chinese(sample):
        yield "gb18030"
    for match in from_bytes(sample, cp_isolation=_OTHERS):
        yield match.encoding


def _foreign_lines(raw: Path) -> bytes:
    """The first lines that hold more than ASCII."""
    sample = b""
    with raw.open("rb") as opened:
        while len(sample) < _SAMPLE and (line := opened.readline(_SAMPLE)):
            if not line.isascii():
                sample += line
    return sample


def _looks_chinese(sample: bytes) -> bool:
    foreign = [c for c in sample.decode("gb18030", errors="replace") if not c.isascii()]
    return sum(map(_is_usual, foreign)) >= len(foreign) * _CHINESE_SHARE


def _is_usual(character: str) -> bool:
    """In GB 2312, or written with four bytes, which other encodings never resemble."""
    if character == "\ufffd":
        return False
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return len(character.encode("gb18030")) == _FOUR_BYTES
    return True


def _transcode(raw: Path, target: Path, encoding: str) -> tuple[int, int]:
    """Copy strictly; how many control characters there are among how many.

    Raises:
        UnicodeError: a byte does not fit the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    controls = characters = 0
    with raw.open("rb") as opened, target.open("wb") as written:
        while chunk := opened.read(_CHUNK):
            text = decoder.decode(chunk)
            controls += len(_CONTROL.findall(text))
            characters += len(text)
            written.write(text.encode("utf-8"))
        text = decoder.decode(b"", final=True)
        written.write(text.encode("utf-8"))
    return controls, characters + len(text)
