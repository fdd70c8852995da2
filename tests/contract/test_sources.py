"""What every data source owes the catalogue, shown on files: nothing mangled, nothing guessed."""

import codecs
import csv
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from huiqi.adapters.sources.profiling import FileProfiler
from huiqi.catalog.errors import (
    EmptyFile,
    FileOutside,
    FileTooLarge,
    MissingFile,
    NotAFile,
    ProfilingFailed,
    UnreadableFile,
    UnsupportedColumn,
    WrongEncoding,
    WrongHeader,
)
from huiqi.catalog.types import Column, Profile
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import HuiqiError

SAMPLES = Path(__file__).parents[2] / "src" / "huiqi" / "samples"
CHINESE = "姓名,城市,金额\n张三丰,合肥,12.50\n李煜,黄山,7\n𬭎龘,芜湖,\n"


@pytest.fixture
def profiler(tmp_path: Path) -> FileProfiler:
    return FileProfiler(tmp_path / "connector")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(content: bytes | str, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def _copy(profiler: FileProfiler, digest: str) -> list[tuple[object, ...]]:
    """The rows of the kept copy, read in another process: this one must not load the engine."""
    script = (
        "import sys, json, duckdb; "
        "print(json.dumps(duckdb.read_parquet(sys.argv[1]).fetchall(), default=str))"
    )
    path = profiler._folder / "resources" / f"{digest}.parquet"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, check=True
    )
    return [tuple(row) for row in json.loads(done.stdout)]


def _types(profile: Profile) -> dict[str, str]:
    return {column.name: column.type for column in profile.columns}


def _column(profile: Profile, name: str) -> Column:
    return next(column for column in profile.columns if column.name == name)


def test_the_weather_sample_has_the_facts_of_its_source(profiler: FileProfiler) -> None:
    source, profile = profiler.profile(SAMPLES / "weather.parquet")
    assert (source.kind, source.location) == ("file@1", f"resources/{profile.digest}.parquet")
    assert (profile.rows, profile.bytes, len(profile.columns)) == (26_115, 191_137, 15)
    assert profile.digest == "ea6175737e2fe9dc1d21507c7e1bb2fbdc3a0e75da0ca22737835e5371799ec2"
    month = _column(profile, "month")
    assert (month.type, month.null_bp, month.distinct, month.least, month.most) == (
        "INTEGER", 0, 12, "1", "12",
    )  # fmt: skip
    assert _column(profile, "wind_gust").null_bp == 7_956
    origin = _column(profile, "origin")
    assert (origin.type, origin.distinct, origin.least, origin.most) == ("VARCHAR", 3, "", "")
    time_hour = _column(profile, "time_hour")
    assert (time_hour.type, time_hour.least) == ("TIMESTAMP", "2013-01-01 06:00:00")


def test_the_flights_sample_is_profiled_in_seconds_without_the_engine_in_this_process(
    profiler: FileProfiler,
) -> None:
    started = time.monotonic()
    _, profile = profiler.profile(SAMPLES / "flights.parquet")
    assert time.monotonic() - started < 20  # half a second on two idle cores
    assert (profile.rows, len(profile.columns)) == (336_776, 19)
    assert profile.digest == "f574bc10d072ddc04b8f330e34d35c46ee8541cb5131ce607ed39e7ea2e7f48b"
    weather = SAMPLES / "weather.parquet"
    script = (
        "import sys; from pathlib import Path; "
        "from huiqi.adapters.sources.profiling import FileProfiler; "
        f"FileProfiler(Path({str(profiler._folder)!r})).profile({str(weather)!r}); "
        "sys.exit('duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_meanings_of_the_samples_name_their_columns(profiler: FileProfiler) -> None:
    dictionary = json.loads((SAMPLES / "dictionary.json").read_text(encoding="utf-8"))
    for name in ("flights", "weather"):
        _, profile = profiler.profile(SAMPLES / f"{name}.parquet")
        assert [c.name for c in profile.columns] == list(dictionary[name]["columns"])
        assert profile.rows == dictionary[name]["rows"]


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (lambda text: text.encode("utf-8"), "utf-8"),
        (lambda text: text.encode("utf-8-sig"), "utf-8-sig"),
        (lambda text: text.encode("utf-16"), "utf-16"),
        (lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "utf-16"),
        (lambda text: text.encode("utf-16-le"), "utf-16-le"),
        (lambda text: text.encode("utf-16-be"), "utf-16-be"),
        (lambda text: text.encode("utf-32"), "utf-32"),
        (lambda text: text.encode("gb18030"), "gb18030"),
    ],
)
def test_chinese_text_comes_out_unmangled(
    profiler: FileProfiler,
    write: Callable[..., Path],
    encode: Callable[[str], bytes],
    encoding: str,
) -> None:
    content = encode(CHINESE)
    _, profile = profiler.profile(write(content))
    assert profile.encoding == encoding
    assert profile.digest == sm3_hex(content)
    assert (profile.bytes, profile.rows) == (len(content), 3)
    assert _types(profile) == {"姓名": "VARCHAR", "城市": "VARCHAR", "金额": "DOUBLE"}
    assert _column(profile, "金额").null_bp == 3_333
    assert _copy(profiler, profile.digest) == [
        ("张三丰", "合肥", 12.5),
        ("李煜", "黄山", 7.0),
        ("𬭎龘", "芜湖", None),
    ]


def test_a_late_chinese_cell_decides_the_encoding_of_the_whole_file(
    profiler: FileProfiler, write: Callable[..., Path]
) -> None:
    content = ("id,name\n" + "1,plain\n" * 200_000 + "2,歙县徽墨厂\n").encode("gb18030")
    _, profile = profiler.profile(write(content))
    assert (profile.encoding, profile.rows) == ("gb18030", 200_001)
    assert _copy(profiler, profile.digest)[-1] == (2, "歙县徽墨厂")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("nom,ville\nBéatrice Lefèvre,Québec\nHélène Côté,Montréal\nFrançois,Orléans\n", "cp1252"),
        (
            "姓名,地址\n陳大文,臺北市大安區和平東路一段\n林小明,高雄市鼓山區蓮海路\n",
            "big5",
        ),
    ],
)
def test_other_encodings_are_not_taken_for_gb18030(
    profiler: FileProfiler, write: Callable[..., Path], text: str, encoding: str
) -> None:
    _, profile = profiler.profile(write(text.encode(encoding)))
    rows = list(csv.reader(io.StringIO(text)))
    assert profile.encoding != "gb18030"
    assert [list(row) for row in _copy(profiler, profile.digest)] == rows[1:]


@pytest.mark.parametrize(
    ("column", "kind", "least", "most"),
    [
        (["1", "-20", "300"], "BIGINT", "-20", "300"),
        (["1.5", "2", "-3e2"], "DOUBLE", "-300.0", "2.0"),
        (["true", "FALSE", "true"], "BOOLEAN", "", ""),
        (["2026-11-24", "2025/1/2", "2024-02-29"], "DATE", "2024-02-29", "2026-11-24"),
        (
            ["2026-11-24 01:02:03", "2026/11/24 01:02", "2026-11-24T01:02:03.5Z"],
            "TIMESTAMP", "2026-11-24 01:02:00", "2026-11-24 01:02:03.5",
        ),
        (["007", "12", "3"], "VARCHAR", "", ""),  # a code with leading zeros stays as it is
        (["340000199001010016", "1", "2"], "VARCHAR", "", ""),  # too long for an exact number
        (["2023-02-29", "2024-01-01", "2024-01-02"], "VARCHAR", "", ""),  # no such day
        (["NA", "1", "2"], "BIGINT", "1", "2"),  # a word for "no value" among numbers
        (["NA", "安徽", "2"], "VARCHAR", "", ""),
        (["1e999", "x", "2"], "VARCHAR", "", ""),
    ],
)  # fmt: skip
def test_types_are_found_without_loss(
    profiler: FileProfiler,
    write: Callable[..., Path],
    column: list[str],
    kind: str,
    least: str,
    most: str,
) -> None:
    _, profile = profiler.profile(write("v,w\n" + "".join(f"{cell},x\n" for cell in column)))
    found = _column(profile, "v")
    assert (found.type, found.least, found.most) == (kind, least, most)
    if kind == "VARCHAR":
        assert [row[0] for row in _copy(profiler, profile.digest)] == column


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_quotes_and_line_ends(
    profiler: FileProfiler, write: Callable[..., Path], delimiter: str, end: str
) -> None:
    lines = (["a", '"b c"'], ["1", f'"x{delimiter}{end}""y"""'], ["2", ""])
    _, profile = profiler.profile(write(end.join(delimiter.join(line) for line in lines) + end))
    assert _types(profile) == {"a": "BIGINT", "b_c": "VARCHAR"}
    assert _copy(profiler, profile.digest) == [(1, f'x{delimiter}{end}"y"'), (2, None)]


def test_headers_become_sql_names_and_say_so(
    profiler: FileProfiler, write: Callable[..., Path]
) -> None:
    _, profile = profiler.profile(write("dep delay (min),2013年,ＡＢ,ok_1\n1,2,3,4\n"))
    assert [(c.name, c.meaning) for c in profile.columns] == [
        ("dep_delay_min", "dep delay (min)"),
        ("c2013年", "2013年"),
        ("AB", "ＡＢ"),
        ("ok_1", ""),
    ]


def test_a_header_full_of_sql_is_only_a_name(
    profiler: FileProfiler, write: Callable[..., Path]
) -> None:
    _, profile = profiler.profile(write('"a""; DROP TABLE cells; --",\'b\'\n1,2\n'))
    assert [c.name for c in profile.columns] == ["a_DROP_TABLE_cells", "b"]
    assert _copy(profiler, profile.digest) == [(1, 2)]


REFUSED: dict[str, tuple[bytes | str, type[HuiqiError]]] = {
    "no bytes": (b"", EmptyFile),
    "header without rows": ("a,b\n", EmptyFile),
    "header without end": ("a,b", EmptyFile),
    "only a mark": (codecs.BOM_UTF8, EmptyFile),
    "blank": ("\n\n\n", EmptyFile),
    "zeros": (b"\0" * 4_096, UnreadableFile),
    "random": (random.Random(7).randbytes(4_096), UnreadableFile),  # noqa: S311 - test bytes
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, UnreadableFile),
    "workbook": (b"PK\x03\x04" + b"\x14\0" * 100, UnreadableFile),
    "control characters": ("a,b\n" + "\x01\x02,\x03\n" * 50, UnreadableFile),
    "no parquet": (b"PAR1" + b"rubbish" * 10 + b"PAR1", UnreadableFile),
    "cut parquet": ((SAMPLES / "weather.parquet").read_bytes()[:50_000], UnreadableFile),
    "too many cells": ("a,b\n1,2\n1,2,3\n", UnreadableFile),
    "too few cells": ("a,b,c\n1,2,3\n1,2\n", UnreadableFile),
    "open quote": ('a,b\n1,"2\n3,4\n', UnreadableFile),
    "numbers on line 1": ("1,2\n3,4\n", WrongHeader),
    "name twice": ("a,A\n3,4\n", WrongHeader),
    "empty name": ("a,,c\n1,2,3\n", WrongHeader),
    "name of signs": ("a,***\n1,2\n", WrongHeader),
    "long name": (f"{'n' * 64},b\n1,2\n", WrongHeader),
    "cut utf-8": ("名,城\n张,合肥\n".encode()[:-2], WrongEncoding),
    "broken utf-8": ("城市,名称\n合肥,骆岗公园\n".encode() * 40 + b"\xff\x81,x\n", WrongEncoding),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_with_a_sentence(
    profiler: FileProfiler, write: Callable[..., Path], name: str
) -> None:
    content, kind = REFUSED[name]
    path = write(content, "sheet.csv")
    with pytest.raises(kind) as caught:
        profiler.profile(path)
    sentences = caught.value.text("zh") + caught.value.text("en")
    assert "sheet.csv" in sentences
    assert "{" not in sentences
    assert str(path.parent) not in sentences
    assert list((profiler._folder / "resources").iterdir()) == []


def test_nested_columns_are_refused_by_name(profiler: FileProfiler, tmp_path: Path) -> None:
    path = tmp_path / "nested.parquet"
    script = "import sys, duckdb; duckdb.sql('SELECT 1 a, [1, 2] b').write_parquet(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    with pytest.raises(UnsupportedColumn) as caught:
        profiler.profile(path)
    assert caught.value.params == {"column": "b", "type": "INTEGER[]"}


def test_what_is_not_a_file_is_refused(profiler: FileProfiler, tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        profiler.profile(tmp_path / "nothing.csv")
    with pytest.raises(MissingFile):
        profiler.profile("a\0b")
    with pytest.raises(NotAFile):
        profiler.profile(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAFile):
        profiler.profile(str(tmp_path / "pipe"))


def test_a_file_above_the_limit_is_refused(tmp_path: Path, write: Callable[..., Path]) -> None:
    profiler = FileProfiler(tmp_path / "connector", largest=10)
    with pytest.raises(FileTooLarge) as caught:
        profiler.profile(write("a,b\n1,2\n3,4\n"))
    assert caught.value.params["bytes"] == "12"


def test_a_file_outside_the_allowed_folders_is_refused(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    (tmp_path / "allowed").mkdir()
    profiler = FileProfiler(tmp_path / "connector", roots=(tmp_path / "allowed",))
    outside = write("a,b\n1,2\n")
    (tmp_path / "allowed" / "link.csv").symlink_to(outside)
    for path in (outside, tmp_path / "allowed" / "link.csv", tmp_path / "allowed/../file.csv"):
        with pytest.raises(FileOutside):
            profiler.profile(path)
    inside = tmp_path / "allowed" / "file.csv"
    inside.write_text("a,b\n1,2\n", encoding="utf-8")
    assert profiler.profile(inside)[1].rows == 1


def test_a_reading_that_takes_too_long_is_ended(tmp_path: Path, write: Callable[..., Path]) -> None:
    profiler = FileProfiler(tmp_path / "connector", timeout_s=0)
    with pytest.raises(ProfilingFailed):
        profiler.profile(write("a,b\n1,2\n"))
    assert list((tmp_path / "connector" / "resources").iterdir()) == []


@pytest.mark.parametrize("name", ["data[1].csv", "a*b?.csv", 'o\'clock "x".csv', "数据 表.csv"])
def test_a_strange_file_name_is_only_a_name(
    profiler: FileProfiler, write: Callable[..., Path], name: str
) -> None:
    assert profiler.profile(write("a,b\n1,2\n", name))[1].rows == 1


def test_strange_folder_names_do_no_harm(tmp_path: Path, write: Callable[..., Path]) -> None:
    profiler = FileProfiler(tmp_path / "o'clock [1] *")
    assert profiler.profile(write("a,b\n1,2\n"))[1].rows == 1


def test_the_same_file_gives_the_same_profile_and_one_copy(
    profiler: FileProfiler, write: Callable[..., Path]
) -> None:
    path = write(CHINESE)
    assert profiler.profile(path) == profiler.profile(path)
    (kept,) = (profiler._folder / "resources").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="utf-8") == CHINESE


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "connector" / "resources" / ".work-killed"
    left.mkdir(parents=True)
    (left / "source").write_bytes(b"x")
    FileProfiler(tmp_path / "connector")
    assert not left.exists()
