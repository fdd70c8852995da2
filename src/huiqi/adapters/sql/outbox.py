"""Which messages are due, and what became of the others?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.sql import func

from huiqi.adapters.sql.driver import Database
from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import outbox
from huiqi.adapters.sql.tx import SqlTx, sql
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.work import OutboxState, Outgoing, Queued, Scope, Tx

_O = outbox.c
_OWN = (_O.space == bindparam("space"), _O.participant == bindparam("participant"))
_READY = _O.state == OutboxState.READY.value
# Only the oldest unsent message of a key is due, so that a peer sees them in order.
_heads = select(func.min(_O.id)).where(*_OWN, _READY).group_by(_O.key)
_DUE = prepare(
    select(outbox)
    .where(*_OWN, _READY, _O.due_at <= bindparam("now"), _O.id.in_(_heads))
    .order_by(_O.due_at, _O.id)
    .limit(bindparam("most"))
)
_LEASE = prepare(
    update(outbox)
    .where(_O.id == bindparam("message_id"))
    .values(due_at=bindparam("until"), tries=_O.tries + 1)
)
_SENT = prepare(
    update(outbox)
    .where(*_OWN, _O.id == bindparam("message_id"))
    .values(state=OutboxState.SENT.value, last_error="")
)
_RETRY = prepare(
    update(outbox)
    .where(*_OWN, _O.id == bindparam("message_id"))
    .values(
        state=bindparam("new_state"), due_at=bindparam("next_due"), last_error=bindparam("error")
    )
)
_WAITING = prepare(
    select(outbox).where(*_OWN, _O.state != OutboxState.SENT.value).order_by(_O.id).limit(200)
)
_WAITING_KEY = prepare(
    select(outbox)
    .where(*_OWN, _O.state != OutboxState.SENT.value, _O.key == bindparam("of_key"))
    .order_by(_O.id)
)


class SqlOutbox:
    """``kernel.work.Outbox`` on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, scope: Scope, now: datetime, lease_s: int, limit: int) -> Sequence[Queued]:
        """Up to ``limit`` due messages; a crash makes them due again when the lease ends."""
        own = _own(scope)
        until = iso(now + timedelta(seconds=lease_s))

        def unit(tx: SqlTx) -> Sequence[Queued]:
            rows = tx.rows(_DUE, **own, now=iso(now), most=limit)
            for row in rows:
                tx.change(_LEASE, message_id=row[0], until=until)
            return [_queued(row) for row in rows]

        return self._database.submit(
            lambda connection: unit(SqlTx(connection, scope, self._database.clock))
        ).result()

    def sent(self, scope: Scope, tx: Tx, message_id: int) -> None:
        """Mark a message as delivered, in the transaction that took the peer's answer."""
        sql(tx).change(_SENT, **_own(scope), message_id=message_id)

    def retry(
        self, scope: Scope, message_id: int, due_at: datetime, error: str, *, dead: bool
    ) -> None:
        """Remember why an attempt failed and when the next one is due."""
        state = OutboxState.DEAD if dead else OutboxState.READY
        params = {
            **_own(scope),
            "message_id": message_id,
            "new_state": state.value,
            "next_due": iso(due_at),
            "error": error[:500],
        }
        self._database.submit(lambda connection: connection.change(_RETRY, params)).result()

    def waiting(self, scope: Scope, key: str | None = None) -> Sequence[Queued]:
        """Unsent messages, oldest first."""
        own = _own(scope)
        if key is None:
            rows = self._database.read(lambda connection: connection.rows(_WAITING, own))
        else:
            keyed = {**own, "of_key": key}
            rows = self._database.read(lambda connection: connection.rows(_WAITING_KEY, keyed))
        return [_queued(row) for row in rows]


def _own(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}


def _queued(row: tuple[Any, ...]) -> Queued:
    (message_id, _space, _who, key, to, code, body, state, due_at, tries, error, created) = row
    return Queued(
        id=message_id,
        message=Outgoing(key=key, to=to, code=code, body=body),
        state=OutboxState(state),
        due_at=parse_instant(due_at),
        tries=tries,
        last_error=error,
        created_at=parse_instant(created),
    )
