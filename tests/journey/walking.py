"""How do tests come quickly to a listed product, a contract in force, an answered use?"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huiqi.cli.demo.progress import until
from huiqi.cli.demo.space import PASSWORD
from huiqi.cli.demo.terms import Wish, terms
from tests.support.space import LOGINS, Space, raw

AGREED_ROUNDS = 2
IN_FORCE, ENDED = "05", "06"
COLUMNS = ("station", "month", "load")
STATIONS, MONTHS, DAYS = ("HFE", "WHU", "AQG"), 12, 20
COUNTS = "SELECT station, COUNT(*) AS n FROM {table} GROUP BY station ORDER BY station"
ANSWER = [[station, MONTHS * DAYS] for station in sorted(STATIONS)]

Document = dict[str, Any]


def write_trips(file: Path, salt: int = 0) -> Path:
    """A small data file: 720 rows of three stations; another ``salt`` gives other bytes."""
    lines = ["station,month,load"]
    lines += [
        f"{station},{month},{salt + day * 7 % 13}"
        for station in STATIONS
        for month in range(1, MONTHS + 1)
        for day in range(DAYS)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def wish(uses: int = 3, **more: Any) -> Wish:
    """Terms over the small data set."""
    given = {"columns": COLUMNS, "min_group": 5, "per_use_fen": 500, "per_row_fen": 3}
    return Wish(uses=uses, **{**given, **more})


def offer(resource: str, table: str, asked: Wish) -> Document:
    """What the API wants to know for a publication."""
    return {
        "resource": resource,
        "name": f"皖江公路站点客流 {table}",
        "abstract": "三个站点逐日客流，用于测试。",
        "keywords": ["客流", "stations"],
        "table": table,
        "columns": list(asked.columns),
        "licence": "CC0",
        "terms": terms(asked),
    }


def published(space: Space, table: str, *, asked: Wish, salt: int, provider: str = "p1") -> str:
    """The identifier of a new product that the platform has listed."""
    file = write_trips(space.data / provider / "inbox" / f"{table}.csv", salt)
    api = space.api(provider)
    resource = api.post("/resources", {"name": table, "path": str(file)})["id"]
    return listed(space, api.post("/products", offer(resource, table, asked)), provider=provider)


def listed(space: Space, product: Document, *, provider: str = "p1") -> str:
    """Let the operator list a product; its identifier once its provider knows."""
    identifier = str(product["record"]["id"])
    operator, owner = space.api("platform"), space.api(provider)

    def arrived() -> bool | None:
        there = [p["record"]["id"] for p in operator.get("/listing/pending")]
        return True if identifier in there else None

    until(arrived, what="the product has not arrived", seconds=30)
    operator.post(f"/listing/{identifier}/approve")

    def known() -> bool | None:
        return True if owner.get(f"/products/{identifier}")["state"] == "listed" else None

    until(known, what="the provider does not know of the listing", seconds=30)
    return identifier


def requested(space: Space, product: str, *, provider: str = "p1", **body: Any) -> str:
    """The identifier of a contract that was asked for and has arrived at the provider."""
    asked = space.api("c1").post("/contracts", {"product": product, **body})
    contract = str(asked["id"])
    await_rounds(space, provider, contract, 1)
    return contract


def agreed(space: Space, product: str, *, provider: str = "p1", **body: Any) -> str:
    """The identifier of a contract that nobody has signed yet."""
    contract = requested(space, product, provider=provider, **body)
    space.api(provider).post(f"/contracts/{contract}/accept")
    await_rounds(space, "c1", contract, AGREED_ROUNDS)
    return contract


def signed(space: Space, contract: str, *, provider: str = "p1") -> str:
    """Let both parties sign and wait until both know that it is in force."""
    space.api(provider).post(f"/contracts/{contract}/sign")
    space.api("c1").post(f"/contracts/{contract}/sign")
    await_status(space, contract, IN_FORCE, "c1", provider)
    return contract


def in_force(space: Space, product: str, *, provider: str = "p1", **body: Any) -> str:
    """The identifier of a new contract that may be used."""
    return signed(space, agreed(space, product, provider=provider, **body), provider=provider)


def await_rounds(space: Space, prefix: str, contract: str, rounds: int) -> None:
    """Wait until so many rounds stand in these books."""
    api = space.api(prefix)

    def there() -> bool | None:
        for held in api.get("/contracts"):
            if held["id"] == contract and len(held["proposals"]) >= rounds:
                return True
        return None

    until(there, what=f"round {rounds} has not arrived at {prefix}", seconds=30)


def await_status(space: Space, contract: str, status: str, *prefixes: str) -> None:
    """Wait until the contract has this status in the books of all ``prefixes``."""
    for prefix in prefixes:
        api = space.api(prefix)

        def has(api: Any = api) -> bool | None:
            return True if api.get(f"/contracts/{contract}")["status"] == status else None

        until(has, what=f"{contract} is not {status} at {prefix}", seconds=30)


def question(tables: Mapping[str, str], sql: str = "", **more: Any) -> Document:
    """The body of a use; without ``sql`` the rows of each station are counted."""
    text = sql or COUNTS.format(table=next(iter(tables)))
    return {"tables": dict(tables), "purpose": "research", "sql": text, **more}


def ask(
    space: Space, contract: str, sql: str = "", *, table: str = "trips", **more: Any
) -> Document:
    """One use of one contract."""
    outcome: Document = space.api("c1").post("/uses", question({table: contract}, sql, **more))
    return outcome


def sizes(space: Space, prefixes: Sequence[str] = ("platform", "p1", "c1")) -> dict[str, int]:
    """How many facts each log holds, once nothing is under way any more."""
    before: dict[str, int] = {}
    end = time.monotonic() + 20
    while time.monotonic() < end:
        now = {p: space.api(p).get("/evidence/checkpoint")["entries"] for p in prefixes}
        if now == before:
            return now
        before = now
        time.sleep(0.25)
    raise AssertionError(before)


def token(space: Space, prefix: str) -> dict[str, str]:
    """The header with which the person of a demo system is let in."""
    login = {"login": LOGINS[prefix], "password": PASSWORD}
    answer = raw(space, "POST", f"/{prefix}/api/v1/login", json=login)
    return {"authorization": f"Bearer {answer.json()['token']}"}


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
