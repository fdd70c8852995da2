"""How do the providers publish? Source, profile, products with terms, review, listing."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

import huiqi
from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress, expect, until
from huiqi.cli.demo.terms import (
    OFFERED_FLIGHT_COLUMNS,
    ROUTE_COLUMNS,
    VISIBILITY_COLUMNS,
    WEATHER_COLUMNS,
    Wish,
    terms,
)
from huiqi.kernel.ids import ObjectType, check_object_id
from huiqi.kernel.text import Text

SAMPLES = Path(huiqi.__file__).parent / "samples"
LISTED = "listed"


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """One product of the demo."""

    table: str
    name: str
    abstract: str
    keywords: tuple[str, ...]
    wish: Wish


FLIGHTS = (
    Goods(
        table="flights",
        name="2013 年纽约三机场航班准点数据",
        abstract="33 万余个离港航班的时刻、延误、承运人与航线，可按机场与整点和逐时气象连接。",
        keywords=("航班", "准点", "延误", "机场", "flights", "delay", "airport", "punctuality"),
        wish=Wish(
            columns=OFFERED_FLIGHT_COLUMNS,
            uses=500,
            min_group=10,
            per_use_fen=500,
            per_row_fen=3,
            weight=3,
        ),
    ),
    Goods(
        table="routes",
        name="2013 年纽约三机场航线里程与飞行时长",
        abstract="每个航班的承运人、航线、里程与空中时间，适合航线网络研究。",
        keywords=("航线", "里程", "routes", "distance", "air time"),
        wish=Wish(columns=ROUTE_COLUMNS, uses=200, min_group=20, per_use_fen=300, per_row_fen=2),
    ),
)
WEATHER = (
    Goods(
        table="weather",
        name="2013 年纽约三机场逐时气象",
        abstract="26,115 条逐时气温、湿度、风、降水与能见度，键为机场与整点小时。",
        keywords=("气象", "天气", "降水", "风", "weather", "wind", "rain", "hourly"),
        wish=Wish(columns=WEATHER_COLUMNS, uses=300, min_group=5, per_use_fen=200, per_row_fen=2),
    ),
    Goods(
        table="visibility",
        name="2013 年纽约三机场能见度与气压",
        abstract="逐时能见度与海平面气压，适合低能见度运行研究。",
        keywords=("能见度", "气压", "visibility", "pressure"),
        wish=Wish(
            columns=VISIBILITY_COLUMNS, uses=200, min_group=5, per_use_fen=150, per_row_fen=1
        ),
    ),
)


class Publishing:
    """Both providers publish, the operator lists."""

    def __init__(self, people: Mapping[str, Api], progress: Progress) -> None:
        self._people, self._progress = people, progress

    def run(self) -> dict[str, dict[str, Any]]:
        """The listed product records by table name."""
        listed: dict[str, dict[str, Any]] = {}
        for prefix, sample, goods in (("p1", "flights", FLIGHTS), ("p2", "weather", WEATHER)):
            api = self._people[prefix]
            source = Text(
                f"{prefix} 登记数据源 {sample}.parquet", f"{prefix} registers {sample}.parquet"
            )
            resource = self._progress.step(source, partial(self._register, api, sample))
            for each in goods:
                offer = Text(f"{prefix} 发布“{each.name}”", f"{prefix} publishes {each.table}")
                self._progress.step(offer, partial(self._publish, api, resource, each))
        review = Text("平台审核并上架", "The platform reviews and lists")
        self._progress.step(review, self._review)
        for prefix, goods in (("p1", FLIGHTS), ("p2", WEATHER)):
            for each in goods:
                listed[each.table] = self._await_listing(self._people[prefix], each)
        return listed

    def _register(self, api: Api, sample: str) -> tuple[dict[str, Any], Text]:
        """The resource; a second run finds the one of the first."""
        known = [found for found in api.get("/resources") if found["name"] == sample]
        dictionary = msgspec.json.decode((SAMPLES / "dictionary.json").read_bytes())
        resource = (
            known[0]
            if known
            else api.post(
                "/resources",
                {
                    "name": sample,
                    "path": str(SAMPLES / f"{sample}.parquet"),
                    "meanings": dictionary[sample]["columns"],
                },
            )
        )
        check_object_id(resource["id"], ObjectType.RESOURCE)
        profile = resource["profile"]
        nulls = sum(1 for column in profile["columns"] if column["null_bp"] > 0)
        ranges = ", ".join(
            f"{c['name']} {c['least']}..{c['most']}" for c in profile["columns"] if c["least"]
        )
        shape = f"{profile['rows']:,} x {len(profile['columns'])}"
        digest, identifier, seen = profile["digest"][:16], resource["id"], ranges[:150]
        return resource, Text(
            f"{shape}，{nulls} 列有空值，SM3 {digest}…\n资源标识 {identifier}\n范围 {seen}…",
            f"{shape}, nulls in {nulls} columns, SM3 {digest}…\n"
            f"resource {identifier}\nranges {seen}…",
        )

    def _publish(
        self, api: Api, resource: dict[str, Any], goods: Goods
    ) -> tuple[dict[str, Any], Text]:
        known = [p for p in api.get("/products") if p["record"]["table"] == goods.table]
        product = (
            known[0]
            if known
            else api.post(
                "/products",
                {
                    "resource": resource["id"],
                    "name": goods.name,
                    "abstract": goods.abstract,
                    "keywords": goods.keywords,
                    "table": goods.table,
                    "columns": list(goods.wish.columns),
                    "licence": "CC0",
                    "terms": terms(goods.wish),
                },
            )
        )
        identifier = product["record"]["id"]
        check_object_id(identifier, ObjectType.PRODUCT)
        return product, Text(
            f"产品标识 {identifier}（MOD 37-2 校验通过），{len(goods.wish.columns)} 列",
            f"product {identifier} (MOD 37-2 holds), {len(goods.wish.columns)} columns",
        )

    def _review(self) -> tuple[None, Text]:
        operator = self._people["platform"]
        names = {goods.table for goods in (*FLIGHTS, *WEATHER)}

        def arrived() -> bool | None:
            there = {p["record"]["table"] for p in operator.get("/products")}
            return True if names <= there else None

        until(arrived, what="products have not arrived at the platform")
        pending = operator.get("/listing/pending")
        for product in pending:
            operator.post(f"/listing/{product['record']['id']}/approve")
        return None, Text(
            f"审核通过 {len(pending)} 个，目录共 {len(names)} 个本次产品",
            f"approved {len(pending)}; the catalogue holds all {len(names)} of this job",
        )

    def _await_listing(self, api: Api, goods: Goods) -> dict[str, Any]:
        def listed() -> dict[str, Any] | None:
            for product in api.get("/products"):
                if product["record"]["table"] == goods.table and product["state"] == LISTED:
                    record: dict[str, Any] = product["record"]
                    return record
            return None

        record = until(listed, what=f"{goods.table} was not listed")
        expect(holds=bool(record["columns"]), why=f"{goods.table} has no columns")
        return record
