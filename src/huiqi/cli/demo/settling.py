"""How is the period settled, and do the books balance?"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress, expect, until
from huiqi.kernel.money import yuan
from huiqi.kernel.text import Text


class Settling:
    """Close, post, state, check, replay."""

    def __init__(self, people: Mapping[str, Api], progress: Progress) -> None:
        self._people, self._progress = people, progress

    def run(self) -> None:
        """The platform settles, every party checks."""
        close = Text("平台计量、计价、分账、记账、出单", "Meter, price, split, post, issue")
        statements = self._progress.step(close, self._close)
        books = Text("总账借贷相抵", "The ledger balances")
        self._progress.step(books, partial(self._balance, statements))
        check = Text("各方用自己的回执核对结算单", "Each party checks with its own receipts")
        self._progress.step(check, partial(self._check, statements))
        replay = Text("由回执与合约重算，字节相同", "Replay from receipts: the same bytes")
        self._progress.step(replay, partial(self._replay, statements))

    def _close(self) -> tuple[list[dict[str, Any]], Text]:
        statements = self._people["platform"].post("/settlement/close")
        documents = [statement["document"] for statement in statements]
        expect(holds=len(documents) == 3, why=f"{len(documents)} statements")  # noqa: PLR2004 - consumer and two providers
        lines_zh, lines_en = [], []
        for document in documents:
            fee, balance = yuan(document["feeFen"]), yuan(document["balanceFen"])
            name = f"{document['statementId']}  {len(document['lines'])}"
            lines_zh.append(f"{name} 行  应收付 {balance} 元  平台服务费 {fee} 元")
            lines_en.append(f"{name} lines  balance {balance} yuan  platform fee {fee} yuan")
        return documents, Text("\n".join(lines_zh), "\n".join(lines_en))

    def _balance(self, statements: list[dict[str, Any]]) -> tuple[None, Text]:
        balances = self._people["platform"].get("/settlement/balances")
        expect(
            holds=sum(balances.values()) == 0, why=f"the ledger is off by {sum(balances.values())}"
        )
        owed = sum(document["owedFen"] for document in statements)
        earned = sum(document["earnedFen"] for document in statements)
        fees = sum(document["feeFen"] for document in statements)
        expect(holds=owed == earned + fees, why=f"{owed} is not {earned} + {fees}")
        said = f"{yuan(owed)} = {yuan(earned)} + {yuan(fees)}"
        accounts = "\n".join(f"{account}  {yuan(fen)}" for account, fen in balances.items())
        return None, Text(
            f"使用方应付 = 提供方净额 + 服务费：{said}\n{accounts}",
            f"owed = net to providers + fees: {said}\n{accounts}",
        )

    def _check(self, statements: list[dict[str, Any]]) -> tuple[None, Text]:
        subjects = {self._people[p].get("/me")["member"]["subject"]: p for p in ("p1", "p2", "c1")}
        for document in statements:
            api = self._people[subjects[document["party"]]]
            number = document["statementId"]

            def there(a: Api = api, n: str = number) -> bool | None:
                return True if any(s["id"] == n for s in a.get("/statements")) else None

            until(there, what=f"{number} has not arrived")
            wrong = api.get(f"/statements/{number}/check")
            expect(holds=not wrong, why=f"{number}: {wrong}")
        return None, Text("三方核对一致，差异 0 处", "three parties agree, no differences")

    def _replay(self, statements: list[dict[str, Any]]) -> tuple[None, Text]:
        run = statements[0]["run"]
        replay = self._people["platform"].get(f"/settlement/replay/{run}")
        expect(holds=replay["same"] and replay["sum_fen"] == 0, why=str(replay))
        return None, Text(
            f"{replay['statements']} 份结算单逐字节相同",
            f"{replay['statements']} statements, byte for byte the same",
        )
