"""How quickly does a running query stop when what allowed it ends?"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from huiqi.cli.demo.progress import until
from tests.journey.walking import ENDED, await_status, in_force, listed, offer, question, wish
from tests.support.space import Space, quiet, serving

pytestmark = pytest.mark.slow

MOST_S = 2.0
# Every row of a month with every row of that month: 13 billion pairs, half a minute and more.
ROWS = 400_000
LONG = (
    "SELECT a.month, COUNT(*) AS n, SUM(b.load) AS total FROM {one} a JOIN {two} b"
    " ON a.month = b.month GROUP BY a.month ORDER BY a.month"
)
COLUMNS = ("month", "load")


class Goods(msgspec.Struct, frozen=True):
    """A running space and the listed products of the long query, by table."""

    space: Space
    products: Mapping[str, str]
    provider_of: Mapping[str, str]

    def contracts(self, *tables: str) -> dict[str, str]:
        """A fresh contract in force for each table."""
        return {
            table: in_force(self.space, self.products[table], provider=self.provider_of[table])
            for table in tables
        }


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Goods]:
    """Two large products of provider 1, and one of provider 2 that may be lent to it."""
    with serving(tmp_path_factory.mktemp("revoked") / "data") as space:
        node = space.api("p1").get("/me")["member"]["id"]
        own, lent = wish(50, columns=COLUMNS), wish(50, columns=COLUMNS, executors=[node])
        first, second = _resource(space, "p1"), _resource(space, "p2")
        products = {
            "one": _product(space, "p1", first, "one", own),
            "two": _product(space, "p1", first, "two", own),
            "lent": _product(space, "p2", second, "lent", lent),
        }
        yield Goods(space, products, {"one": "p1", "two": "p1", "lent": "p2"})


def _resource(space: Space, provider: str) -> str:
    file: Path = space.data / provider / "inbox" / "large.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("month,load\n" + "".join(f"{i % 12 + 1},{i * 7 % 1013}\n" for i in range(ROWS)))
    body = {"name": "large", "path": str(file)}
    return str(space.api(provider).post("/resources", body)["id"])


def _product(space: Space, provider: str, resource: str, table: str, asked: Any) -> str:
    made = space.api(provider).post("/products", offer(resource, table, asked))
    return listed(space, made, provider=provider)


def _engines(space: Space) -> list[psutil.Process]:
    """The engine processes that work hard now, below the serving process."""
    server = psutil.Process(space.pid)
    return [
        child
        for child in server.children(recursive=True)
        if any("engines" in word for word in child.cmdline())
    ]


def _interrupted(
    goods: Goods, contracts: Mapping[str, str], deed: Callable[[], object]
) -> tuple[dict[str, Any], float]:
    """The outcome of the long query that ``deed`` interrupts, and how long it took to stop."""
    space = goods.space
    one, two = contracts
    body = question(contracts, LONG.format(one=one, two=two))
    consumer = space.api("c1")
    with ThreadPoolExecutor(1) as pool:
        asked: Future[dict[str, Any]] = pool.submit(consumer.post, "/uses", body)
        until(lambda: _busy(space), what="no engine works", seconds=20)
        time.sleep(1.0)
        assert not asked.done(), asked.result()
        began = time.monotonic()
        deed()
        outcome = asked.result(timeout=60)
        return outcome, time.monotonic() - began


def _busy(space: Space) -> bool | None:
    """Whether an engine has been computing for a while, so that nothing is being prepared."""
    for process in _engines(space):
        try:
            if process.cpu_percent(interval=0.3) > 30:
                return True
        except psutil.NoSuchProcess:
            continue
    return None


def _is_stopped(
    goods: Goods, contracts: Mapping[str, str], outcome: Mapping[str, Any], took_s: float
) -> None:
    assert took_s < MOST_S, f"{took_s:.2f} s"
    assert outcome["decision"] == "denied", outcome
    assert outcome["rows"] == []
    assert outcome["columns"] == []
    assert outcome["reasons"]
    assert {r["body"]["outcome"] for r in outcome["receipts"]} == {"revoked"}
    space = goods.space
    quiet(space, "c1", "p1", "p2")
    for table, contract in contracts.items():
        counters = space.api(goods.provider_of[table]).get(f"/contracts/{contract}/counters")
        assert counters == {"count": 0, "rows": 0, "reserved": 0}, table
    assert _busy(space) is None


def _kept(space: Space) -> set[str]:
    """The contracts in force whose projections provider 1 keeps."""
    files = (space.data / "p1" / "projections").rglob("*.json")
    return {str(msgspec.json.decode(file.read_bytes())["contract"]) for file in files}


def _terminate(space: Space, who: str, contract: str) -> Callable[[], object]:
    reason = {"reason": "数据源停更，提供方撤销"}
    return lambda: space.api(who).post(f"/contracts/{contract}/terminate", reason)


def test_a_provider_stops_a_running_query_by_revoking_its_contract(goods: Goods) -> None:
    contracts, space = goods.contracts("one", "two"), goods.space
    deed = _terminate(space, "p1", contracts["two"])
    outcome, took_s = _interrupted(goods, contracts, deed)
    _is_stopped(goods, contracts, outcome, took_s)
    await_status(space, contracts["two"], ENDED, "p1", "c1", "platform")
    # Its data is gone from the disk, that of the other contract is not.
    until(lambda: contracts["two"] not in _kept(space) or None, what="a projection was kept")
    assert contracts["one"] in _kept(space)
    # The other contract is still good.
    sql = "SELECT month, COUNT(*) AS n FROM one GROUP BY month"
    after = space.api("c1").post("/uses", question({"one": contracts["one"]}, sql))
    assert after["decision"] == "allowed", after["reasons"]
    refused = space.api("c1").post("/uses", question(contracts, LONG.format(one="one", two="two")))
    assert refused["decision"] == "denied"


def test_a_lender_stops_a_query_that_runs_at_another_connector(goods: Goods) -> None:
    contracts, space = goods.contracts("one", "lent"), goods.space
    deed = _terminate(space, "p2", contracts["lent"])
    outcome, took_s = _interrupted(goods, contracts, deed)
    _is_stopped(goods, contracts, outcome, took_s)


def test_the_consumer_may_end_its_own_query(goods: Goods) -> None:
    contracts, space = goods.contracts("one", "two"), goods.space
    outcome, took_s = _interrupted(goods, contracts, _terminate(space, "c1", contracts["one"]))
    _is_stopped(goods, contracts, outcome, took_s)
