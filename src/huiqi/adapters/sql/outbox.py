"""Which messages are due, and what became of the others?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, select, update

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
_older = outbox.alias("older")
_waits_behind = exists().where(
    _older.c.space == _O.space,
    _older.c.participant == _O.participant,
    _older.c.state == OutboxState.READY.value,
    _older.c.key == _O.key,
    _older.c.id < _O.id,
)
_is_due = (*_OWN, _READY, _O.due_at <= bindparam("now"), ~_waits_behind)
_ANY_DUE = prepare(select(_O.id).where(*_is_due).limit(bindparam("most")))
_DUE = prepare(select(outbox).where(*_is_due).order_by(_O.due_at, _O.id).limit(bindparam("most")))
_LEASE = prepare(
    update(outbox)
    .where(*_OWN, _O.id == bindparam("message_id"))
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
        """Up to ``limit`` due messages; a crash makes them due again when the lease ends.

        Nothing is written when nothing is due: a commit wakes the worker, and claiming would
        wake it again without end.
        """
        due = {**_own(scope), "now": iso(now), "most": limit}
        until = iso(now + timedelta(seconds=lease_s))
        if not self._database.read(lambda connection: connection.rows(_ANY_DUE, due)):
            return []

        def unit(tx: SqlTx) -> Sequence[Queued]:
            rows = tx.rows(_DUE, **due)
            for row in rows:
                tx.change(_LEASE, **_own(scope), message_id=row[0], until=until)
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
