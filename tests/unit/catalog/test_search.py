"""Words find the products they should, the best first, and no others."""

from datetime import UTC, datetime

import msgspec
import pytest

from huiqi.catalog.search import Index
from huiqi.catalog.types import Column, ProductRecord
from huiqi.catalog.words import tokens
from huiqi.kernel.ids import ProductId, ResourceId, SubjectCode, SystemId
from tests.unit.catalog.world import terms

# name, abstract, keywords, topic, columns: (name, meaning, English meaning)
_CATALOGUE = {
    "flights": (
        "纽约三大机场离港航班",
        "2013 年全部离港航班的计划与实际起飞到达时间、延误分钟数",
        ("航班", "准点率", "flights", "aviation"),
        "B0300",
        (
            ("dep_delay", "起飞延误（分钟）", "Departure delay"),
            ("tailnum", "机尾号", "Tail number"),
        ),
    ),
    "weather": (
        "机场逐小时天气",
        "气温、降水、风速与能见度，可与航班按机场和小时关联",
        ("气象", "天气", "weather"),
        "C0500",
        (("wind_speed", "风速", "Wind speed"), ("visib", "能见度", "Visibility")),
    ),
    "tea": (
        "黄山毛峰茶园遥感监测",
        "茶园面积、长势与采摘期",
        ("茶叶", "遥感", "tea"),
        "B0100",
        (("ndvi", "植被指数", "Vegetation index"),),
    ),
    "hospital": (
        "县域医院门诊量",
        "按科室和月份统计的门诊人次",
        ("医疗", "门诊"),
        "C0200",
        (("visits", "人次", "Visits"),),
    ),
    "credit": (
        "企业信用评价",
        "小微企业纳税与履约记录",
        ("信用", "金融", "credit"),
        "D0400",
        (("grade", "等级", "Grade"),),
    ),
    "ev": (
        "Electric vehicle charging sessions",
        "Start, end and energy of charging sessions at public stations",
        ("充电桩", "新能源汽车", "EV"),
        "B0300",
        (("energy_kwh", "电量", "Energy"),),
    ),
    "water": (
        "新安江水质自动监测",
        "断面溶解氧、氨氮、总磷",
        ("水质", "环保", "water quality"),
        "C0500",
        (("nh3n", "氨氮", "Ammonia nitrogen"),),
    ),
    "ink": (
        "徽墨歙砚电商销售",
        "非遗文房四宝的月度销售额",
        ("徽州", "文旅", "sales"),
        "B0400",
        (("amount_fen", "销售额（分）", "Sales in fen"),),
    ),
    "parking": (
        "城市停车场泊位",
        "泊位总数与空闲数，五分钟一次",
        ("停车", "parking"),
        "B0300",
        (("free", "空闲泊位", "Free bays"),),
    ),
    "census": (
        "Population by township",
        "Residents by age and sex",
        ("人口", "census"),
        "A0100",
        (("age", "年龄", "Age"),),
    ),
}


def _record(key: str) -> ProductRecord:
    name, abstract, keywords, topic, columns = _CATALOGUE[key]
    return ProductRecord(
        id=ProductId(key),
        name=name,
        abstract=abstract,
        keywords=keywords,
        topic=topic,
        table=key,
        provider=SubjectCode("52349900MAHU1Q01X9"),
        provider_name="徽州数据有限公司",
        provider_node=SystemId("552349900MAHU1Q01X9340200000007*"),
        resource=ResourceId("7"),
        columns=tuple(
            Column(name=column, type="INTEGER", meaning=zh, meaning_en=en)
            for column, zh, en in columns
        ),
        rows=1,
        update_frequency="009",
        licence="CC0",
        terms=terms(),
        version=1,
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def index() -> Index:
    made = Index()
    for key in _CATALOGUE:
        made.put(_record(key))
    return made


def _found(index: Index, query: str) -> list[str]:
    return [match.id for match in index.find(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("航班", ["flights", "weather"]),  # in the name before in the abstract
        ("航班延误", ["flights"]),
        ("航班延误数据", ["flights"]),
        ("延误的航班信息", ["flights"]),
        ("flight", ["flights"]),  # an English word finds a Chinese product by its keywords
        ("Flights delays", ["flights"]),
        ("departure delay", ["flights"]),
        ("dep_delay", ["flights"]),
        ("wind speed", ["weather"]),
        ("能见度", ["weather"]),
        ("水", ["water", "weather"]),  # one character; 降水 in the weather's abstract
        ("水质", ["water"]),
        ("茶", ["tea"]),
        ("医院数据", ["hospital"]),
        ("charging session", ["ev"]),
        ("charging stations data", ["ev"]),
        ("充电", ["ev"]),
        ("人口", ["census"]),
        ("population", ["census"]),
        ("residents age", ["census"]),
        ("销售额", ["ink"]),
        ("ＷＥＡＴＨＥＲ", ["weather"]),  # full-width, upper case
        ("weathr", ["weather"]),  # one letter missing
        ("chargnig", ["ev"]),  # two letters swapped
        ("weatherx", ["weather"]),  # one letter too many
        ("aviat", ["flights"]),  # beginning of a word
    ],
)
def test_what_is_meant_is_found_and_nothing_else(
    index: Index, query: str, expected: list[str]
) -> None:
    assert _found(index, query) == expected


@pytest.mark.parametrize("query", ["交通", "transport"])
def test_the_topic_finds_its_products(index: Index, query: str) -> None:
    assert set(_found(index, query)) == {"flights", "ev", "parking"}


@pytest.mark.parametrize(
    "query",
    [
        "区块链",
        "zebra",
        "铁路客票数据",
        "xyzzy plugh",
        "。，！",
        "'; DROP TABLE x; --",
        "%",
        "*",
        "_",
    ],
)
def test_what_nobody_offers_is_not_found(index: Index, query: str) -> None:
    assert _found(index, query) == []


@pytest.mark.parametrize(
    "query",
    ["航班' OR '1'='1", '航班"; --', "航班%", "航班*)(", "航班\x00", "<b>航班</b>", "\\航班\\"],
)
def test_injection_characters_are_only_separators(index: Index, query: str) -> None:
    assert _found(index, query)[0] == "flights"


def test_half_of_the_words_are_enough_when_no_product_has_all(index: Index) -> None:
    assert _found(index, "flight zebra") == ["flights"]
    assert _found(index, "flight zebra giraffe") == []


def test_a_name_counts_more_than_a_keyword_and_so_on_down() -> None:
    order = ["name", "keywords", "abstract", "meanings", "columns"]
    scores = []
    for field in order:
        made = Index()
        made.put(_record("tea"))
        made.put(_with(field))
        (match,) = made.find("quokka")
        assert match.fields == (field,)
        scores.append(match.score)
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def _with(field: str) -> ProductRecord:
    values: dict[str, object] = {
        "name": "quokka",
        "abstract": "quokka",
        "keywords": ("quokka",),
        "meanings": (Column(name="a", type="INTEGER", meaning_en="quokka"),),
        "columns": (Column(name="quokka", type="INTEGER"),),
    }
    place = "columns" if field == "meanings" else field
    return msgspec.structs.replace(_record("census"), **{place: values[field]})


def test_only_generic_words_find_everything_that_has_them(index: Index) -> None:
    assert "ink" in _found(index, "数据")  # in the provider's name and the topics


def test_a_dropped_product_leaves_nothing_behind() -> None:
    made = Index()
    for key in _CATALOGUE:
        made.put(_record(key))
    made.put(_record("tea"))
    for key in _CATALOGUE:
        made.drop(key)
        assert key not in _found(made, "航班 茶 water 数据 charging")
    made.drop("tea")
    assert made._where == {}


def test_a_very_long_query_is_cut_not_refused(index: Index) -> None:
    assert _found(index, "航班 " * 10_000) == _found(index, "航班")


def test_rare_characters_of_the_extension_planes_are_characters() -> None:
    assert list(tokens("𬭎龘")) == ["𬭎", "龘", "𬭎龘"]
