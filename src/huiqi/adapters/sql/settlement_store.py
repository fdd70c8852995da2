"""Where are deposited receipts, closings, charges, postings and statements kept?"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.kernel.clock import iso
from huiqi.kernel.work import Scope, Tx
from huiqi.settlement.types import Charge, Deposit, Posting, Run, Statement

settlement_deposit = Table(
    "settlement_deposit",
    metadata,
    *scope_columns(),
    Column("receipt_id", String(64), nullable=False),
    Column("use_id", String(64), nullable=False),
    Column("contract", String(80), nullable=False),
    Column("closed_at", String(32), nullable=False),
    Column("charged", Boolean, nullable=False),
    Column("run", String(36), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "receipt_id"),
)
Index(
    "ix_settlement_deposit_run", *settlement_deposit.c["space", "participant", "run", "closed_at"]
)
Index(
    "ix_settlement_deposit_use", *settlement_deposit.c["space", "participant", "use_id", "contract"]
)

settlement_run = Table(
    "settlement_run",
    metadata,
    *scope_columns(),
    Column("id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)
# One closing of a number: two processes cannot take the same period.
Index(
    "uq_settlement_run_number",
    *settlement_run.c["space", "participant", "number"],
    unique=True,
)

settlement_charge = Table(
    "settlement_charge",
    metadata,
    *scope_columns(),
    Column("run", String(36), nullable=False),
    Column("receipt_id", String(64), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "run", "receipt_id"),
)

ledger_posting = Table(
    "ledger_posting",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("run", String(36), nullable=False),
    Column("entry", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("at", String(32), nullable=False),
)
# A charge is booked once, whatever was repeated.
Index(
    "uq_ledger_posting_entry",
    *ledger_posting.c["space", "participant", "entry", "account"],
    unique=True,
)
Index("ix_ledger_posting_run", *ledger_posting.c["space", "participant", "run"])
Index("ix_ledger_posting_account", *ledger_posting.c["space", "participant", "account", "id"])

settlement_statement = Table(
    "settlement_statement",
    metadata,
    *scope_columns(),
    Column("id", String(64), nullable=False),
    Column("issued_at", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)

_D, _R, _C = settlement_deposit.c, settlement_run.c, settlement_charge.c
_P, _S = ledger_posting.c, settlement_statement.c


def _own(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        table.c.space == bindparam("space"),
        table.c.participant == bindparam("participant"),
    )


_deposit_row = upsert(settlement_deposit)
_PUT_DEPOSIT = prepare(
    _deposit_row.on_conflict_do_update(
        index_elements=[_D.space, _D.participant, _D.receipt_id],
        set_={"run": _deposit_row.excluded.run, "document": _deposit_row.excluded.document},
    )
)
_DEPOSIT = prepare(
    select(_D.document).where(*_own(settlement_deposit), _D.receipt_id == bindparam("receipt_id"))
)
_DEPOSITS = prepare(
    select(_D.document).where(*_own(settlement_deposit)).order_by(_D.closed_at, _D.receipt_id)
)
_DEPOSITS_OF_RUN = prepare(
    select(_D.document)
    .where(*_own(settlement_deposit), _D.run == bindparam("run"))
    .order_by(_D.closed_at, _D.receipt_id)
)
_DEPOSITS_OF_USE = prepare(
    select(_D.document)
    .where(
        *_own(settlement_deposit),
        _D.use_id == bindparam("use_id"),
        _D.contract == bindparam("contract"),
    )
    .order_by(_D.receipt_id)
)
_OPEN = prepare(
    select(_D.document)
    .where(
        *_own(settlement_deposit),
        _D.run == "",
        _D.charged.is_(True),
        _D.closed_at <= bindparam("until"),
    )
    .order_by(_D.closed_at, _D.receipt_id)
)
_run_row = upsert(settlement_run)
_PUT_RUN = prepare(
    _run_row.on_conflict_do_update(
        index_elements=[_R.space, _R.participant, _R.id],
        set_={"document": _run_row.excluded.document},
    )
)
_RUNS = prepare(select(_R.document).where(*_own(settlement_run)).order_by(_R.number))
_PUT_CHARGE = prepare(insert(settlement_charge))
_CHARGES = prepare(
    select(_C.document)
    .where(*_own(settlement_charge), _C.run == bindparam("run"))
    .order_by(_C.receipt_id)
)
_POST = prepare(
    insert(ledger_posting).values(
        {column.name: bindparam(column.name) for column in ledger_posting.c if column.name != "id"}
    )
)
_POSTING = (_P.run, _P.entry, _P.account, _P.amount_fen, _P.at)
_POSTINGS = prepare(
    select(*_POSTING).where(*_own(ledger_posting)).order_by(_P.id.desc()).limit(bindparam("most"))
)
_POSTINGS_OF = prepare(
    select(*_POSTING)
    .where(*_own(ledger_posting), _P.account == bindparam("of_account"))
    .order_by(_P.id.desc())
    .limit(bindparam("most"))
)
_POSTINGS_OF_RUN = prepare(
    select(*_POSTING).where(*_own(ledger_posting), _P.run == bindparam("of_run")).order_by(_P.id)
)
_BALANCES = prepare(
    select(_P.account, func.sum(_P.amount_fen))
    .where(*_own(ledger_posting))
    .group_by(_P.account)
    .order_by(_P.account)
)
_SUM = prepare(
    select(func.coalesce(func.sum(_P.amount_fen), 0)).where(
        *_own(ledger_posting),
        _P.run == bindparam("of_run"),
    )
)
_PUT_STATEMENT = prepare(insert(settlement_statement))
_STATEMENT = prepare(
    select(_S.document).where(*_own(settlement_statement), _S.id == bindparam("statement_id"))
)
_STATEMENTS = prepare(
    select(_S.document).where(*_own(settlement_statement)).order_by(_S.issued_at.desc(), _S.id)
)


class SqlSettlementStore:
    """``settlement.ports.SettlementStore`` on SQL."""

    def put_deposit(self, scope: Scope, tx: Tx, deposit: Deposit) -> None:
        """Keep a receipt, or what has become of it."""
        sql(tx).change(
            _PUT_DEPOSIT,
            **_of(scope),
            receipt_id=deposit.receipt_id,
            use_id=deposit.use_id,
            contract=deposit.contract,
            closed_at=deposit.closed_at,
            charged=deposit.charged,
            run=deposit.run,
            document=msgspec.json.encode(deposit),
        )

    def deposit(self, scope: Scope, tx: Tx, receipt_id: str) -> Deposit | None:
        """The receipt of that id."""
        row = sql(tx).row(_DEPOSIT, **_of(scope), receipt_id=receipt_id)
        return msgspec.json.decode(row[0], type=Deposit) if row else None

    def deposits(self, scope: Scope, tx: Tx, run: str | None = None) -> Sequence[Deposit]:
        """Receipts in the order of closing: of one closing, or all of them."""
        if run is None:
            rows = sql(tx).rows(_DEPOSITS, **_of(scope))
        else:
            rows = sql(tx).rows(_DEPOSITS_OF_RUN, **_of(scope), run=run)
        return [msgspec.json.decode(row[0], type=Deposit) for row in rows]

    def deposits_of_use(
        self, scope: Scope, tx: Tx, use_id: str, contract: str
    ) -> Sequence[Deposit]:
        """Every receipt of one use under one contract."""
        rows = sql(tx).rows(_DEPOSITS_OF_USE, **_of(scope), use_id=use_id, contract=contract)
        return [msgspec.json.decode(row[0], type=Deposit) for row in rows]

    def open_deposits(self, scope: Scope, tx: Tx, until: str) -> Sequence[Deposit]:
        """Charged receipts closed up to ``until`` that no closing has taken."""
        rows = sql(tx).rows(_OPEN, **_of(scope), until=until)
        return [msgspec.json.decode(row[0], type=Deposit) for row in rows]

    def put_run(self, scope: Scope, tx: Tx, run: Run) -> None:
        """Keep a closing or its new state."""
        document = msgspec.json.encode(run)
        sql(tx).change(_PUT_RUN, **_of(scope), id=run.id, number=run.number, document=document)

    def runs(self, scope: Scope, tx: Tx) -> Sequence[Run]:
        """Every closing, oldest first."""
        return [msgspec.json.decode(r[0], type=Run) for r in sql(tx).rows(_RUNS, **_of(scope))]

    def put_charge(self, scope: Scope, tx: Tx, run: str, charge: Charge) -> None:
        """Keep one charge of a closing."""
        document = msgspec.json.encode(charge)
        row = {"run": run, "receipt_id": charge.receipt_id, "document": document}
        sql(tx).change(_PUT_CHARGE, **_of(scope), **row)

    def charges(self, scope: Scope, tx: Tx, run: str) -> Sequence[Charge]:
        """The charges of a closing, by receipt."""
        rows = sql(tx).rows(_CHARGES, **_of(scope), run=run)
        return [msgspec.json.decode(row[0], type=Charge) for row in rows]

    def post(self, scope: Scope, tx: Tx, posting: Posting) -> None:
        """Add one posting; a repeat of (entry, account) is refused by the store."""
        sql(tx).change(_POST, **_of(scope), **msgspec.structs.asdict(posting))

    def postings(self, scope: Scope, tx: Tx, account: str | None, limit: int) -> Sequence[Posting]:
        """Postings, newest first, of one account or all."""
        if account is None:
            rows = sql(tx).rows(_POSTINGS, **_of(scope), most=limit)
        else:
            rows = sql(tx).rows(_POSTINGS_OF, **_of(scope), of_account=account, most=limit)
        return _postings(rows)

    def postings_of_run(self, scope: Scope, tx: Tx, run: str) -> Sequence[Posting]:
        """Every posting of a closing, oldest first."""
        return _postings(sql(tx).rows(_POSTINGS_OF_RUN, **_of(scope), of_run=run))

    def balances(self, scope: Scope, tx: Tx) -> Mapping[str, int]:
        """The sum of every account, in fen."""
        return {account: int(total) for account, total in sql(tx).rows(_BALANCES, **_of(scope))}

    def sum_of_run(self, scope: Scope, tx: Tx, run: str) -> int:
        """The sum of all postings of a closing."""
        row = sql(tx).row(_SUM, **_of(scope), of_run=run)
        return int(row[0]) if row else 0

    def put_statement(self, scope: Scope, tx: Tx, statement: Statement) -> None:
        """Keep a statement."""
        sql(tx).change(
            _PUT_STATEMENT,
            **_of(scope),
            id=statement.id,
            issued_at=iso(statement.issued_at),
            document=msgspec.json.encode(statement),
        )

    def statement(self, scope: Scope, tx: Tx, statement_id: str) -> Statement | None:
        """The statement of that id."""
        row = sql(tx).row(_STATEMENT, **_of(scope), statement_id=statement_id)
        return msgspec.json.decode(row[0], type=Statement) if row else None

    def statements(self, scope: Scope, tx: Tx) -> Sequence[Statement]:
        """Every statement, newest first."""
        rows = sql(tx).rows(_STATEMENTS, **_of(scope))
        return [msgspec.json.decode(row[0], type=Statement) for row in rows]


def _postings(rows: Sequence[tuple[Any, ...]]) -> list[Posting]:
    return [
        Posting(run=run, entry=entry, account=to, amount_fen=amount, at=at)
        for run, entry, to, amount, at in rows
    ]


def _of(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}
