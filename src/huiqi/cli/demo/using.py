"""How is data used under the contracts, and how are forbidden uses refused?"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress, expect, until
from huiqi.kernel.text import Text

JOINT = """
SELECT f.origin, COUNT(*) AS flights, ROUND(AVG(f.dep_delay), 1) AS delay_min,
       ROUND(AVG(w.wind_speed), 1) AS wind_mph
FROM flights f JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour
WHERE w.precip > 0
GROUP BY f.origin ORDER BY f.origin
"""
ALONE = "SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier HAVING COUNT(*) >= 10"
FORBIDDEN = (
    (
        Text("未授权的列 tailnum", "a column that is not granted (tailnum)"),
        "SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum",
        "research",
        ("policy.data_field",),
    ),
    (
        Text("过小的分组（LEX 只有 1 个航班）", "a group that is too small (LEX has one flight)"),
        "SELECT dest, AVG(dep_delay) AS d FROM flights WHERE dest = 'LEX' GROUP BY dest",
        "research",
        ("usage.group_too_small",),
    ),
    (
        Text("未授权的用途：营销", "a purpose that is not granted: marketing"),
        ALONE,
        "marketing",
        ("policy.purpose",),
    ),
)
ALLOWED = "allowed"
ENDED = "usage.contract_not_in_force"


class Using:
    """Answered uses, refused uses, revocation."""

    def __init__(
        self, people: Mapping[str, Api], progress: Progress, contracts: Mapping[str, str]
    ) -> None:
        self._people, self._progress, self._contracts = people, progress, contracts
        self.receipt_ids: list[str] = []

    def run(self) -> None:
        """Everything, in the order in which the contract's two uses are spent."""
        joint = Text("联合统计：航班 × 逐时气象", "A joint aggregate: flights x hourly weather")
        self._progress.step(joint, self._joint)
        for what, sql, purpose, codes in FORBIDDEN:
            title = Text(f"拒绝：{what.zh}", f"Refused: {what.en}")
            self._progress.step(title, partial(self._refused, "flights", sql, purpose, codes))
        second = Text("第 2 次使用：按承运人统计", "The second use: counts by carrier")
        self._progress.step(second, partial(self._allowed, "flights", ALONE))
        third = Text("拒绝：第 3 次使用，合约只有 2 次", "Refused: a third use of two")
        self._progress.step(
            third, partial(self._refused, "flights", ALONE, "research", ("policy.count",))
        )
        self._progress.step(
            Text("p2 撤销气象合约", "p2 revokes the weather contract"), self._revoke
        )
        after = Text("拒绝：撤销后的使用", "Refused: a use after the revocation")
        sql = "SELECT origin, AVG(temp) AS t FROM weather GROUP BY origin"
        self._progress.step(after, partial(self._refused, "weather", sql, "research", (ENDED,)))

    def _joint(self) -> tuple[None, Text]:
        outcome = self._ask(("flights", "weather"), JOINT, "research")
        expect(holds=outcome["decision"] == ALLOWED, why=_reasons(outcome, "en"))
        expect(holds=len(outcome["rows"]) == 3, why=f"{len(outcome['rows'])} rows")  # noqa: PLR2004 - three airports
        expect(holds=len(outcome["receipts"]) == 2, why="a receipt is missing")  # noqa: PLR2004 - one for each contract
        self._remember(outcome)
        lines = [" | ".join(outcome["columns"])]
        lines += [" | ".join(str(cell) for cell in row) for row in outcome["rows"]]
        text = "\n".join(lines)
        return None, Text(text, text)

    def _allowed(self, table: str, sql: str) -> tuple[None, Text]:
        outcome = self._ask((table,), sql, "research")
        expect(holds=outcome["decision"] == ALLOWED, why=_reasons(outcome, "en"))
        expect(holds=bool(outcome["rows"]) and not outcome["error"], why=str(outcome["error"]))
        self._remember(outcome)
        return None, Text(f"{len(outcome['rows'])} 行结果", f"{len(outcome['rows'])} rows")

    def _refused(
        self, table: str, sql: str, purpose: str, codes: tuple[str, ...]
    ) -> tuple[None, Text]:
        """A use that must be refused, and for one of these reasons."""
        outcome = self._ask((table,), sql, purpose)
        expect(holds=outcome["decision"] != ALLOWED, why="a forbidden use was answered")
        expect(holds=not outcome["rows"], why="rows came with a refusal")
        given = {each["code"] for each in outcome["reasons"]}
        expect(holds=bool(given & set(codes)), why=f"refused for another reason: {given}")
        return None, Text(_reasons(outcome, "zh"), _reasons(outcome, "en"))

    def _revoke(self) -> tuple[None, Text]:
        contract = self._contracts["weather"]
        reason = "数据源停更，提供方撤销"
        self._people["p2"].post(f"/contracts/{contract}/terminate", {"reason": reason})

        def ended() -> bool | None:
            held = self._people["c1"].get(f"/contracts/{contract}")
            return True if held["status"] == "06" else None

        until(ended, what="the consumer did not learn of the revocation")
        return None, Text(f"理由：{reason}；使用方已收到", f"reason: {reason}; the consumer knows")

    def _ask(self, tables: tuple[str, ...], sql: str, purpose: str) -> dict[str, Any]:
        body = {
            "tables": {table: self._contracts[table] for table in tables},
            "purpose": purpose,
            "sql": sql,
        }
        outcome: dict[str, Any] = self._people["c1"].post("/uses", body)
        return outcome

    def _remember(self, outcome: Mapping[str, Any]) -> None:
        self.receipt_ids += [each["body"]["receiptId"] for each in outcome["receipts"]]


def _reasons(outcome: Mapping[str, Any], language: str) -> str:
    return "\n".join(f"{each['text'][language]}  [{each['code']}]" for each in outcome["reasons"])
