"""How do consumer and providers come to signed contracts?"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress, expect, until
from huiqi.cli.demo.terms import FLIGHT_COLUMNS, WEATHER_COLUMNS, Wish, terms
from huiqi.kernel.ids import check_contract_id
from huiqi.kernel.text import Text
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE

PERFORMING = "05"
SYMBOLS = {"enforced": "■", "detected": "◧", "promised": "□", None: "✗"}


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of the demo: what the consumer asks for and what the provider counters."""

    table: str
    provider: str
    asked: Wish
    countered: Wish
    suite: str


def deals(first_provider_node: str) -> tuple[Deal, ...]:
    """The two contracts of a joint use: flights, and weather that may be lent to flights' node."""
    flights = Wish(
        columns=FLIGHT_COLUMNS, uses=100, min_group=10, per_use_fen=400, per_row_fen=3, weight=3
    )
    weather = Wish(
        columns=WEATHER_COLUMNS,
        uses=100,
        min_group=5,
        per_use_fen=150,
        per_row_fen=2,
        executors=[first_provider_node],
    )
    fewer = msgspec.structs.replace
    return (
        Deal(
            table="flights",
            provider="p1",
            asked=flights,
            countered=fewer(flights, uses=2, per_use_fen=500),
            suite=NATIONAL_SUITE,
        ),
        Deal(
            table="weather",
            provider="p2",
            asked=weather,
            countered=fewer(weather, uses=20, per_use_fen=200),
            suite=INTERNATIONAL_SUITE,
        ),
    )


class Agreeing:
    """Discover, negotiate and sign."""

    def __init__(
        self, people: Mapping[str, Api], progress: Progress, products: Mapping[str, dict[str, Any]]
    ) -> None:
        self._people, self._progress, self._products = people, progress, products
        self._deals = deals(products["flights"]["provider_node"])

    def discover(self) -> None:
        """Find the products by Chinese and by English keywords."""
        for words, table in (("航班延误", "flights"), ("hourly weather", "weather")):
            title = Text(f"使用方搜索“{words}”", f"The consumer searches for '{words}'")
            self._progress.step(title, partial(self._find, words, table))

    def negotiate(self) -> dict[str, str]:
        """Ask, counter, accept; the contract id by table name."""
        contracts: dict[str, str] = {}
        for deal in self._deals:
            who = deal.provider
            ask = Text(f"使用方请求 {deal.table}", f"The consumer asks for {deal.table}")
            contract = self._progress.step(ask, partial(self._ask, deal))
            counter = Text(f"{who} 还价一次", f"{who} counters once")
            self._progress.step(counter, partial(self._counter, deal, contract))
            accept = Text("使用方接受", "The consumer accepts")
            self._progress.step(accept, partial(self._accept, deal, contract))
            report = Text("双方查看可执行性报告", "Both look at the enforceability report")
            self._progress.step(report, partial(self._report, deal, contract))
            contracts[deal.table] = contract
        return contracts

    def sign(self, contracts: Mapping[str, str]) -> None:
        """Provider, consumer and platform sign; the platform files."""
        for deal in self._deals:
            title = Text(
                f"三方签署 {deal.table}（{deal.suite}）",
                f"All three sign {deal.table} ({deal.suite})",
            )
            contract = contracts[deal.table]
            self._progress.step(title, partial(self._sign, deal, contract))

    def _find(self, words: str, table: str) -> tuple[None, Text]:
        hits = self._people["c1"].get("/catalogue", q=words)
        expect(holds=bool(hits), why=f"nothing was found for {words}")
        best = hits[0]["record"]
        expect(holds=best["table"] == table, why=f"{words} found {best['table']} first")
        names = ", ".join(hit["record"]["table"] for hit in hits)
        return None, Text(
            f"{len(hits)} 个结果：{names}；命中 {', '.join(hits[0]['matched'])}",
            f"{len(hits)} found: {names}; matched in {', '.join(hits[0]['matched'])}",
        )

    def _ask(self, deal: Deal) -> tuple[str, Text]:
        contract = self._people["c1"].post(
            "/contracts",
            {
                "product": self._products[deal.table]["id"],
                "terms": terms(deal.asked),
                "note": "用于航班延误与天气关系的研究",
                "suite": deal.suite,
            },
        )
        identifier = str(contract["id"])
        check_contract_id(identifier)
        return identifier, Text(
            f"平台分配合约标识 {identifier}（47 位），请求 {deal.asked.uses} 次",
            f"the platform allots {identifier} (47 characters); {deal.asked.uses} uses asked for",
        )

    def _counter(self, deal: Deal, contract: str) -> tuple[None, Text]:
        provider = self._people[deal.provider]
        self._await_rounds(provider, contract, 1)
        note = "次数与单价按附件调整"
        body = {"terms": terms(deal.countered), "note": note}
        provider.post(f"/contracts/{contract}/counter", body)
        self._await_rounds(self._people["c1"], contract, 2)
        changed = self._people["c1"].get(f"/contracts/{contract}/differences")
        lines = [(_clause(each, "zh"), _clause(each, "en")) for each in changed]
        return None, Text("\n".join(zh for zh, _en in lines), "\n".join(en for _zh, en in lines))

    def _accept(self, deal: Deal, contract: str) -> tuple[None, Text]:
        self._people["c1"].post(f"/contracts/{contract}/accept")
        self._await_rounds(self._people[deal.provider], contract, 3)
        return None, Text("三轮协商，每轮由提出方签名并留存", "three rounds, each signed and kept")

    def _report(self, deal: Deal, contract: str) -> tuple[None, Text]:
        mine = self._people["c1"].get(f"/contracts/{contract}/report")
        theirs = self._people[deal.provider].get(f"/contracts/{contract}/report")
        expect(holds=mine["signable"] and theirs["signable"], why="the terms are not signable")
        expect(holds=mine["terms"] == theirs["terms"], why="the two reports differ")
        lines = {
            language: "\n".join(
                f"{SYMBOLS[term['strength']]} {term['term'][language]}: {term['reason'][language]}"
                for term in mine["terms"]
            )
            for language in ("zh", "en")
        }
        return None, Text(lines["zh"], lines["en"])

    def _sign(self, deal: Deal, contract: str) -> tuple[None, Text]:
        consumer, provider = self._people["c1"], self._people[deal.provider]
        provider.post(f"/contracts/{contract}/sign")
        consumer.post(f"/contracts/{contract}/sign")

        def in_force(api: Api) -> dict[str, Any] | None:
            found: dict[str, Any] = api.get(f"/contracts/{contract}")
            return found if found["status"] == PERFORMING else None

        held = until(lambda: in_force(consumer), what="the contract was not filed")
        until(lambda: in_force(provider), what="the provider did not learn of the filing")
        filed = self._people["platform"].get(f"/contracts/{contract}")
        signatures = held["agreement"]["signatures"]
        expect(holds=len(signatures) == 3, why=f"{len(signatures)} signatures")  # noqa: PLR2004 - both parties and the platform
        same = filed["agreement"]["sm3"] == held["agreement"]["sm3"]
        expect(holds=same, why="the platform filed other bytes")
        return None, Text(
            f"三个签名齐备，已备案，SM3 {held['agreement']['sm3'][:16]}…",
            f"three signatures, filed, SM3 {held['agreement']['sm3'][:16]}…",
        )

    def _await_rounds(self, api: Api, contract: str, rounds: int) -> None:
        def there() -> bool | None:
            for held in api.get("/contracts"):
                if held["id"] == contract and len(held["proposals"]) >= rounds:
                    return True
            return None

        until(there, what=f"round {rounds} of {contract} has not arrived")


def _clause(difference: Mapping[str, Any], language: str) -> str:
    before, after = difference["before"], difference["after"]
    return f"{before[language] if before else '-'}  →  {after[language] if after else '-'}"
