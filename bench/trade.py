"""How do the measures get from a data file to a contract in force? Through the JSON API."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.space import Space
from huiqi.cli.demo.api import Api, Refused

LISTED, SIGNING, PERFORMING = "listed", "03", "05"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the terms that differ between measures; a unit of "" means rows are counted."""

    columns: Sequence[str]
    uses: int = 100_000
    min_group: int = 10
    unit: str = ""


def terms(wish: Wish) -> dict[str, Any]:
    """Aggregates only, for research, in groups that are large enough."""
    constraints = [
        _holds("count", "lteq", wish.uses),
        _holds("dateRecord", "lteq", 10_000_000),
        _holds("dataField", "isPartOf", list(wish.columns)),
        _holds("executionEnv", "isAnyOf", ["01"]),
        _holds("hq:purpose", "isAnyOf", ["research", "statistics"]),
        _holds("hq:minGroupSize", "gteq", wish.min_group),
        _holds("hq:outputKind", "isAnyOf", ["aggregate"]),
    ]
    if wish.unit:
        constraints.append(_holds("hq:privacyUnit", "eq", wish.unit))
    permission = {"kind": "permission", "actions": ["compute"], "constraints": constraints}
    return {
        "policy": {"rules": [permission, {"kind": "prohibition", "actions": ["read"]}]},
        "mode": "sql",
        "days": 30,
        "price": {
            "plan": "per-use-and-row@1",
            "parameters": {"per_use_fen": 200, "per_row_fen": 1},
            "platform_fee_bp": 300,
            "joint_weight": 1,
        },
    }


class Market:
    """The people of one space that trade: provider, operator, consumer."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.provider = space.person("p1")
        self.operator = space.person("platform")
        self.consumer = space.person("c1")

    def register(self, name: str, file: Path) -> str:
        """The id of a new resource; the file is laid into the provider's inbox."""
        laid = self.space.folder / "p1" / "inbox" / file.name
        shutil.copyfile(file, laid)
        made = self.provider.post("/resources", {"name": name, "path": str(laid)})
        return str(made["id"])

    def publish(self, resource: str, table: str, wish: Wish) -> str:
        """The id of a product that the platform has listed."""
        made = self.provider.post(
            "/products",
            {
                "resource": resource,
                "name": f"bench {table}",
                "abstract": "made by the benchmarks",
                "keywords": ["bench"],
                "table": table,
                "columns": [*wish.columns, *([wish.unit] if wish.unit else [])],
                "licence": "CC0",
                "terms": terms(wish),
            },
        )
        product = str(made["record"]["id"])
        wait = self.space.wait
        wait(lambda: self._pending(product), f"{table} did not reach the platform")
        self.operator.post(f"/listing/{product}/approve")
        wait(lambda: self._listed(product), f"{table} was not listed")
        return product

    def contract(self, product: str) -> str:
        """The id of a contract in force, on the listed terms."""
        contract = str(self.consumer.post("/contracts", {"product": product})["id"])
        self.wait_rounds(self.provider, contract, 1)
        self.provider.post(f"/contracts/{contract}/accept")
        self.wait_status(self.consumer, contract, SIGNING)
        self.provider.post(f"/contracts/{contract}/sign")
        self.consumer.post(f"/contracts/{contract}/sign")
        for party in (self.consumer, self.provider):
            self.wait_status(party, contract, PERFORMING)
        return contract

    def wait_rounds(self, party: Api, contract: str, rounds: int) -> None:
        """Until so many rounds of the negotiation have arrived at ``party``."""

        def there() -> bool | None:
            try:
                held = party.get(f"/contracts/{contract}")
            except Refused as refusal:
                if refusal.status == httpx.codes.NOT_FOUND:  # the first round is on its way
                    return None
                raise
            return True if len(held["proposals"]) >= rounds else None

        self.space.wait(there, f"round {rounds} did not arrive")

    def wait_status(self, party: Api, contract: str, status: str) -> None:
        """Until the contract has ``status`` in the books of ``party``."""

        def there() -> bool | None:
            return True if party.get(f"/contracts/{contract}")["status"] == status else None

        self.space.wait(there, f"the contract did not become {status}")

    def close(self) -> None:
        """End the connections."""
        for person in (self.provider, self.operator, self.consumer):
            person.close()

    def _pending(self, product: str) -> bool | None:
        pending = self.operator.get("/listing/pending")
        return True if any(each["record"]["id"] == product for each in pending) else None

    def _listed(self, product: str) -> bool | None:
        state = self.provider.get(f"/products/{product}")["state"]
        return True if state == LISTED else None


def _holds(operand: str, operator: str, value: object) -> dict[str, Any]:
    return {"operand": operand, "operator": operator, "value": value}
