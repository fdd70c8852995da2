"""How are uses, counters, receipts and results kept in SQL?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, bindparam, delete, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.tx import sql
from huiqi.adapters.sql.usage_tables import (
    usage_order,
    usage_receipt,
    usage_result,
    usage_tally,
    usage_use,
)
from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.ids import ContractId
from huiqi.kernel.work import Scope, Tx
from huiqi.trust.types import Signature
from huiqi.usage.ports import WHOLE, Document, KeptReceipt, Tally, Use
from huiqi.usage.types import Side, SignedOrder

_AMOUNTS = ("used", "reserved", "rows", "rows_reserved")


def _own(table: Table) -> tuple[ColumnElement[bool], ...]:
    return (table.c.space == bindparam("space"), table.c.participant == bindparam("participant"))


def _values(table: Table, *without: str) -> dict[str, Any]:
    names = (column.name for column in table.c)
    return {name: bindparam(name) for name in names if name not in {"number", *without}}


_O, _U, _T = usage_order.c, usage_use.c, usage_tally.c
_R, _S = usage_receipt.c, usage_result.c

_PUT_ORDER = prepare(upsert(usage_order).values(_values(usage_order)).on_conflict_do_nothing())
_ORDERS = prepare(
    select(_O.document)
    .where(*_own(usage_order), _O.use_id == bindparam("of_use"))
    .order_by(_O.number)
)

_use_row = upsert(usage_use).values(_values(usage_use))
_PUT_USE = prepare(
    _use_row.on_conflict_do_update(
        index_elements=[_U.space, _U.participant, _U.side, _U.use_id, _U.contract],
        set_={
            name: _use_row.excluded[name]
            for name in ("grant_id", "state", "leased_until", "document")
        },
    )
)
_uses = select(_U.number, _U.document).where(*_own(usage_use))
_USE = prepare(
    _uses.where(
        _U.side == bindparam("of_side"),
        _U.use_id == bindparam("of_use"),
        _U.contract == bindparam("of_contract"),
    )
)
_USE_OF_GRANT = prepare(_uses.where(_U.grant_id == bindparam("of_grant")))
# Spelled out, because a partial index is only used for the very words it was made with.
_open = _uses.where(text("usage_use.state = 'open'"), _U.side == Side.PROVIDER.value)
_OPEN = prepare(_open.order_by(_U.number))
_OPEN_BEFORE = prepare(_open.where(_U.leased_until < bindparam("until")).order_by(_U.number))
_below = _uses.where(_U.number < bindparam("below")).order_by(_U.number.desc())
_PAGE = prepare(_below.limit(bindparam("most")))
_PAGE_OF = prepare(_below.where(_U.contract == bindparam("of_contract")).limit(bindparam("most")))

_one_tally = (
    *_own(usage_tally),
    _T.contract == bindparam("of_contract"),
    _T.unit == bindparam("of_unit"),
    _T.place == bindparam("of_place"),
)
_TALLY = prepare(select(*(_T[name] for name in _AMOUNTS)).where(*_one_tally))
_FIRST = prepare(select(_T.first_at).where(*_one_tally))
_PUT_TALLY = prepare(
    upsert(usage_tally)
    .values({**_values(usage_tally, "first_at"), **dict.fromkeys(_AMOUNTS, 0)})
    .on_conflict_do_nothing()
)
_CHANGE = prepare(
    update(usage_tally)
    .where(*_one_tally)
    .values({name: _T[name] + bindparam(f"by_{name}") for name in _AMOUNTS})
)
_PUT_FIRST = prepare(
    update(usage_tally)
    .where(*_one_tally, _T.first_at.is_(None))
    .values(first_at=bindparam("first_at"))
)

_receipt_row = upsert(usage_receipt).values(_values(usage_receipt))
_PUT_RECEIPT = prepare(
    _receipt_row.on_conflict_do_update(
        index_elements=[_R.space, _R.participant, _R.receipt_id, _R.side],
        set_={
            name: _receipt_row.excluded[name]
            for name in ("provider_signature", "consumer_signature")
        },
    )
)
_receipts = select(usage_receipt).where(*_own(usage_receipt))
_RECEIPT = prepare(_receipts.where(_R.receipt_id == bindparam("of_receipt")).order_by(_R.number))
_UNSIGNED = prepare(_receipts.where(_R.provider_signature.is_(None)).order_by(_R.number))
_signed = _receipts.where(_R.provider_signature.is_not(None)).order_by(_R.number.desc())
_RECEIPTS = prepare(_signed.limit(bindparam("most")))
_RECEIPTS_OF = prepare(
    _signed.where(_R.contract == bindparam("of_contract")).limit(bindparam("most"))
)
_DOCUMENTS = prepare(
    select(_R.number, _R.contract, _R.receipt_id, _R.sha256, _R.body)
    .where(*_own(usage_receipt), _R.number > bindparam("after"))
    .order_by(_R.number)
    .limit(bindparam("most"))
)

_PUT_RESULT = prepare(upsert(usage_result).values(_values(usage_result)).on_conflict_do_nothing())
_one_result = (
    *_own(usage_result),
    _S.use_id == bindparam("of_use"),
    _S.contract == bindparam("of_contract"),
)
_RESULT = prepare(select(_S.body).where(*_one_result, _S.at >= bindparam("since")))
_DROP_RESULT = prepare(delete(usage_result).where(*_one_result))
_old = (*_own(usage_result), _S.at < bindparam("until"))
_STALE = prepare(select(_S.use_id).where(*_old).limit(1))
_DROP_RESULTS = prepare(delete(usage_result).where(*_old))


class SqlUsageStore:
    """``usage.ports.UsageStore`` on one database."""

    def put_order(self, scope: Scope, tx: Tx, use_id: str, order: SignedOrder) -> bool:
        """Keep a signed order; False when the same bytes are kept already."""
        changed = sql(tx).change(
            _PUT_ORDER,
            **_mine(scope),
            use_id=use_id,
            digest=sm3_hex(order.body),
            document=msgspec.json.encode(order),
        )
        return changed > 0

    def orders(self, scope: Scope, tx: Tx, use_id: str) -> Sequence[SignedOrder]:
        """The orders kept under a use id, oldest first."""
        rows = sql(tx).rows(_ORDERS, **_mine(scope), of_use=use_id)
        return [msgspec.json.decode(row[0], type=SignedOrder) for row in rows]

    def put_use(self, scope: Scope, tx: Tx, use: Use) -> None:
        """Keep a use or its new state."""
        sql(tx).change(
            _PUT_USE,
            **_mine(scope),
            side=use.side.value,
            use_id=use.use_id,
            contract=use.contract,
            grant_id=use.grant.id if use.grant else None,
            state=use.state.value,
            leased_until=iso(use.leased_until) if use.leased_until else "",
            document=msgspec.json.encode(use),
        )

    def use(self, scope: Scope, tx: Tx, side: Side, key: tuple[str, ContractId]) -> Use | None:
        """The use with this (use id, contract) on one side."""
        params = {"of_side": side.value, "of_use": key[0], "of_contract": key[1]}
        row = sql(tx).row(_USE, **_mine(scope), **params)
        return _use(row) if row else None

    def use_of_grant(self, scope: Scope, tx: Tx, grant_id: str) -> Use | None:
        """The use that a grant belongs to."""
        row = sql(tx).row(_USE_OF_GRANT, **_mine(scope), of_grant=grant_id)
        return _use(row) if row else None

    def open_uses(self, scope: Scope, tx: Tx, lease_before: datetime | None) -> Sequence[Use]:
        """Granted uses that have not ended; only those whose lease ended earlier, when given."""
        if lease_before is None:
            rows = sql(tx).rows(_OPEN, **_mine(scope))
        else:
            rows = sql(tx).rows(_OPEN_BEFORE, **_mine(scope), until=iso(lease_before))
        return [_use(row) for row in rows]

    def uses(
        self, scope: Scope, tx: Tx, contract: str | None, before: int | None, limit: int
    ) -> Sequence[Use]:
        """Uses of both sides with a number below ``before``, newest first."""
        params = {"below": LARGEST_INTEGER if before is None else before, "most": limit}
        if contract is None:
            rows = sql(tx).rows(_PAGE, **_mine(scope), **params)
        else:
            rows = sql(tx).rows(_PAGE_OF, **_mine(scope), **params, of_contract=contract)
        return [_use(row) for row in rows]

    def tally(self, scope: Scope, tx: Tx, contract: ContractId, window: tuple[str, int]) -> Tally:
        """The amounts in one window; zeros when there are none."""
        row = sql(tx).row(_TALLY, **_mine(scope), **_window(contract, window))
        return Tally(*row) if row else Tally()

    def change(
        self, scope: Scope, tx: Tx, contract: ContractId, window: tuple[str, int], by: Tally
    ) -> None:
        """Add ``by`` (negative to take away) to the amounts of one window."""
        new = {"contract": contract, "unit": window[0], "place": window[1]}
        sql(tx).change(_PUT_TALLY, **_mine(scope), **new)
        steps = {f"by_{name}": getattr(by, name) for name in _AMOUNTS}
        sql(tx).change(_CHANGE, **_mine(scope), **_window(contract, window), **steps)

    def first_use(self, scope: Scope, tx: Tx, contract: ContractId) -> datetime | None:
        """When data was first used under the contract."""
        row = sql(tx).row(_FIRST, **_mine(scope), **_window(contract, WHOLE))
        return parse_instant(row[0]) if row and row[0] else None

    def put_first_use(self, scope: Scope, tx: Tx, contract: ContractId, at: datetime) -> None:
        """Note the first use; later calls change nothing."""
        where = _window(contract, WHOLE)
        sql(tx).change(_PUT_FIRST, **_mine(scope), **where, first_at=iso(at))

    def put_receipt(self, scope: Scope, tx: Tx, receipt: KeptReceipt) -> None:
        """Keep a receipt, or the signatures it has gained."""
        sql(tx).change(
            _PUT_RECEIPT,
            **_mine(scope),
            side=receipt.side.value,
            receipt_id=receipt.receipt_id,
            use_id=receipt.use_id,
            contract=receipt.contract,
            body=receipt.body,
            sha256=receipt.sha256,
            at=iso(receipt.at),
            provider_signature=_signature_bytes(receipt.provider_signature),
            consumer_signature=_signature_bytes(receipt.consumer_signature),
        )

    def receipt(
        self, scope: Scope, tx: Tx, receipt_id: str, side: Side | None = None
    ) -> KeptReceipt | None:
        """The receipt with this id, of one side or any."""
        rows = sql(tx).rows(_RECEIPT, **_mine(scope), of_receipt=receipt_id)
        found = (_receipt(row) for row in rows)
        return next((kept for kept in found if side in {None, kept.side}), None)

    def receipts(
        self, scope: Scope, tx: Tx, contract: str | None, limit: int
    ) -> Sequence[KeptReceipt]:
        """Signed receipts, newest first."""
        if contract is None:
            rows = sql(tx).rows(_RECEIPTS, **_mine(scope), most=limit)
        else:
            rows = sql(tx).rows(_RECEIPTS_OF, **_mine(scope), most=limit, of_contract=contract)
        return [_receipt(row) for row in rows]

    def unsigned(self, scope: Scope, tx: Tx) -> Sequence[KeptReceipt]:
        """Receipts whose signing was intended and did not come to pass."""
        return [_receipt(row) for row in sql(tx).rows(_UNSIGNED, **_mine(scope))]

    def put_result(
        self, scope: Scope, tx: Tx, key: tuple[str, ContractId], body: bytes, at: datetime
    ) -> None:
        """Keep a result for an idempotent repeat."""
        new = {"use_id": key[0], "contract": key[1], "body": body, "at": iso(at)}
        sql(tx).change(_PUT_RESULT, **_mine(scope), **new)

    def result(
        self, scope: Scope, tx: Tx, key: tuple[str, ContractId], since: datetime
    ) -> bytes | None:
        """A kept result that is not older than ``since``."""
        params = {"of_use": key[0], "of_contract": key[1], "since": iso(since)}
        row = sql(tx).row(_RESULT, **_mine(scope), **params)
        return bytes(row[0]) if row else None

    def drop_result(self, scope: Scope, tx: Tx, key: tuple[str, ContractId]) -> None:
        """Forget a result."""
        sql(tx).change(_DROP_RESULT, **_mine(scope), of_use=key[0], of_contract=key[1])

    def stale_results(self, scope: Scope, tx: Tx, before: datetime) -> bool:
        """Whether there are results kept before an instant."""
        return sql(tx).row(_STALE, **_mine(scope), until=iso(before)) is not None

    def drop_results(self, scope: Scope, tx: Tx, before: datetime) -> int:
        """Forget results kept before an instant; how many."""
        return sql(tx).change(_DROP_RESULTS, **_mine(scope), until=iso(before))

    def documents(self, scope: Scope, tx: Tx, after: int, limit: int) -> Sequence[Document]:
        """Kept receipt bodies with a number above ``after``, oldest first."""
        rows = sql(tx).rows(_DOCUMENTS, **_mine(scope), after=after, most=limit)
        return [
            Document(number, f"usage/{contract}/{receipt_id}", sha256, bytes(body))
            for number, contract, receipt_id, sha256, body in rows
        ]


def _mine(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}


def _window(contract: ContractId, window: tuple[str, int]) -> dict[str, str | int]:
    return {"of_contract": contract, "of_unit": window[0], "of_place": window[1]}


def _use(row: tuple[Any, ...]) -> Use:
    number, document = row
    return msgspec.structs.replace(msgspec.json.decode(document, type=Use), number=number)


def _signature_bytes(signature: Signature | None) -> bytes | None:
    return None if signature is None else msgspec.json.encode(signature)


def _signature(document: bytes | None) -> Signature | None:
    return None if document is None else msgspec.json.decode(document, type=Signature)


def _receipt(row: tuple[Any, ...]) -> KeptReceipt:
    (_number, _space, _who, side, receipt_id, use_id, contract, body, sha256, at, mine, theirs) = (
        row
    )
    return KeptReceipt(
        side=Side(side),
        receipt_id=receipt_id,
        use_id=use_id,
        contract=contract,
        body=bytes(body),
        sha256=sha256,
        at=parse_instant(at),
        provider_signature=_signature(mine),
        consumer_signature=_signature(theirs),
    )
