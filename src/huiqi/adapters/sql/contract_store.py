"""Where are contracts kept, and how are they found by status, product and end?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import Prepared, prepare
from huiqi.adapters.sql.schema import metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.contracts.types import Allotment, Contract, ContractStatus
from huiqi.kernel.clock import iso
from huiqi.kernel.work import Scope, Tx

contract = Table(
    "contract",
    metadata,
    *scope_columns(),
    Column("id", String(47), nullable=False),
    Column("status", String(4), nullable=False),
    Column("product", String(80), nullable=False),
    Column("created_at", String(32), nullable=False),
    # Empty until something is agreed, and again once the contract has ended: nothing is due.
    Column("due_at", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)
Index("ix_contract_status", *contract.c["space", "participant", "status", "created_at"])
Index("ix_contract_product", *contract.c["space", "participant", "product", "created_at"])
Index("ix_contract_due", *contract.c["space", "participant", "due_at"])

contract_allotment = Table(
    "contract_allotment",
    metadata,
    *scope_columns(),
    Column("id", String(47), nullable=False),
    Column("issuer", String(80), nullable=False),
    Column("request_key", String(36), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
    UniqueConstraint("space", "participant", "issuer", "request_key"),
)

_C, _A = contract.c, contract_allotment.c
_OWN = (_C.space == bindparam("space"), _C.participant == bindparam("participant"))
_OWN_ALLOTMENT = (_A.space == bindparam("space"), _A.participant == bindparam("participant"))


def _put(table: Table, *changing: str) -> Prepared:
    row = upsert(table)
    return prepare(
        row.on_conflict_do_update(
            index_elements=[table.c.space, table.c.participant, table.c.id],
            set_={name: row.excluded[name] for name in changing},
        )
    )


_PUT = _put(contract, "status", "due_at", "document")
_GET = prepare(select(_C.document).where(*_OWN, _C.id == bindparam("wanted")))
_newest = (_C.created_at.desc(), _C.id.desc())
_ALL = prepare(select(_C.document).where(*_OWN).order_by(*_newest))
_IN_STATUS = prepare(
    select(_C.document).where(*_OWN, _C.status == bindparam("wanted")).order_by(*_newest)
)
_OF_PRODUCT = prepare(
    select(_C.document).where(*_OWN, _C.product == bindparam("wanted")).order_by(*_newest)
)
_PAST_END = prepare(
    select(_C.document)
    .where(*_OWN, _C.due_at > bindparam("nothing"), _C.due_at <= bindparam("now"))
    .order_by(_C.due_at)
)
_PUT_ALLOTMENT = _put(contract_allotment, "document")
_ALLOTMENT = prepare(select(_A.document).where(*_OWN_ALLOTMENT, _A.id == bindparam("wanted")))
_ALLOTMENT_FOR = prepare(
    select(_A.document).where(
        *_OWN_ALLOTMENT,
        _A.issuer == bindparam("by_issuer"),
        _A.request_key == bindparam("by_key"),
    )
)


class SqlContractStore:
    """``contracts.ports.ContractStore`` on SQL tables."""

    def put(self, scope: Scope, tx: Tx, contract: Contract) -> None:
        """Keep ``contract`` in place of its former state."""
        ended = contract.status is ContractStatus.TERMINATED
        due = "" if ended or contract.ends_at is None else iso(contract.ends_at)
        sql(tx).change(
            _PUT,
            **_own(scope),
            id=contract.id,
            status=contract.status.value,
            product=contract.product,
            created_at=iso(contract.created_at),
            due_at=due,
            document=msgspec.json.encode(contract),
        )

    def get(self, scope: Scope, tx: Tx, contract_id: str) -> Contract | None:
        """The contract of that identifier, None when these books have none."""
        row = sql(tx).row(_GET, **_own(scope), wanted=contract_id)
        return None if row is None else _contract(row)

    def all(self, scope: Scope, tx: Tx) -> Sequence[Contract]:
        """Every contract, newest first."""
        return [_contract(row) for row in sql(tx).rows(_ALL, **_own(scope))]

    def in_status(self, scope: Scope, tx: Tx, status: str) -> Sequence[Contract]:
        """The contracts in one status, newest first."""
        return [_contract(row) for row in sql(tx).rows(_IN_STATUS, **_own(scope), wanted=status)]

    def of_product(self, scope: Scope, tx: Tx, product: str) -> Sequence[Contract]:
        """The contracts about one product, newest first."""
        return [_contract(row) for row in sql(tx).rows(_OF_PRODUCT, **_own(scope), wanted=product)]

    def past_end(self, scope: Scope, tx: Tx, now: datetime) -> Sequence[Contract]:
        """Contracts whose agreed end has come, the longest overdue first."""
        rows = sql(tx).rows(_PAST_END, **_own(scope), nothing="", now=iso(now))
        return [_contract(row) for row in rows]

    def put_allotment(self, scope: Scope, tx: Tx, allotment: Allotment) -> None:
        """Keep ``allotment`` in place of its former state."""
        sql(tx).change(
            _PUT_ALLOTMENT,
            **_own(scope),
            id=allotment.id,
            issuer=allotment.request.issuer_id,
            request_key=allotment.request.key,
            document=msgspec.json.encode(allotment),
        )

    def allotment(self, scope: Scope, tx: Tx, contract_id: str) -> Allotment | None:
        """To whom that identifier was given, None when it was not."""
        row = sql(tx).row(_ALLOTMENT, **_own(scope), wanted=contract_id)
        return None if row is None else _allotment(row)

    def allotment_for(self, scope: Scope, tx: Tx, issuer: str, key: str) -> Allotment | None:
        """What ``issuer`` was given for its request ``key``."""
        row = sql(tx).row(_ALLOTMENT_FOR, **_own(scope), by_issuer=issuer, by_key=key)
        return None if row is None else _allotment(row)


def _own(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}


def _contract(row: tuple[Any, ...]) -> Contract:
    return msgspec.json.decode(row[0], type=Contract)


def _allotment(row: tuple[Any, ...]) -> Allotment:
    return msgspec.json.decode(row[0], type=Allotment)
