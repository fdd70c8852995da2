"""What does settlement need from its store?"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from huiqi.kernel.work import Scope, Tx
from huiqi.settlement.types import Charge, Deposit, Posting, Run, Statement


class SettlementStore(Protocol):
    """The books of receipts, closings, ledger and statements."""

    def put_deposit(self, scope: Scope, tx: Tx, deposit: Deposit) -> None:
        """Keep a receipt, or what has become of it."""
        ...

    def deposit(self, scope: Scope, tx: Tx, receipt_id: str) -> Deposit | None:
        """The receipt of that id."""
        ...

    def deposits(self, scope: Scope, tx: Tx, run: str | None = None) -> Sequence[Deposit]:
        """Receipts in the order of closing: of one closing, or all of them."""
        ...

    def open_deposits(self, scope: Scope, tx: Tx, until: str) -> Sequence[Deposit]:
        """Charged receipts closed up to ``until`` that no closing has taken."""
        ...

    def deposits_of_use(
        self, scope: Scope, tx: Tx, use_id: str, contract: str
    ) -> Sequence[Deposit]:
        """Every receipt of one use under one contract."""
        ...

    def put_run(self, scope: Scope, tx: Tx, run: Run) -> None:
        """Keep a closing or its new state."""
        ...

    def runs(self, scope: Scope, tx: Tx) -> Sequence[Run]:
        """Every closing, oldest first."""
        ...

    def put_charge(self, scope: Scope, tx: Tx, run: str, charge: Charge) -> None:
        """Keep one charge of a closing."""
        ...

    def charges(self, scope: Scope, tx: Tx, run: str) -> Sequence[Charge]:
        """The charges of a closing, by receipt."""
        ...

    def post(self, scope: Scope, tx: Tx, posting: Posting) -> None:
        """Add one posting; a repeat of (entry, account) is refused by the store."""
        ...

    def postings(self, scope: Scope, tx: Tx, account: str | None, limit: int) -> Sequence[Posting]:
        """Postings, newest first, of one account or all."""
        ...

    def postings_of_run(self, scope: Scope, tx: Tx, run: str) -> Sequence[Posting]:
        """Every posting of a closing, oldest first."""
        ...

    def balances(self, scope: Scope, tx: Tx) -> Mapping[str, int]:
        """The sum of every account, in fen."""
        ...

    def sum_of_run(self, scope: Scope, tx: Tx, run: str) -> int:
        """The sum of all postings of a closing: zero when the books are in order."""
        ...

    def put_statement(self, scope: Scope, tx: Tx, statement: Statement) -> None:
        """Keep a statement."""
        ...

    def statement(self, scope: Scope, tx: Tx, statement_id: str) -> Statement | None:
        """The statement of that id."""
        ...

    def statements(self, scope: Scope, tx: Tx) -> Sequence[Statement]:
        """Every statement, newest first."""
        ...
