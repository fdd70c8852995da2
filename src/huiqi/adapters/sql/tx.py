"""What does a verb hold while its transaction is open?"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.connection import Connection
from huiqi.adapters.sql.prepared import Prepared, prepare
from huiqi.adapters.sql.schema import evidence_chain, evidence_entry, outbox
from huiqi.kernel.clock import Clock, iso
from huiqi.kernel.facts import NO_PREVIOUS, Fact, entry_of
from huiqi.kernel.work import OutboxState, Outgoing, Scope, Tx

_E, _C = evidence_entry.c, evidence_chain.c
_OWN = (_E.space == bindparam("space"), _E.participant == bindparam("participant"))
_NEXT_SEQ = prepare(select(func.coalesce(func.max(_E.seq) + 1, 0)).where(*_OWN))
_CHAIN = prepare(
    select(_C.n, _C.hash).where(
        _C.space == bindparam("space"),
        _C.participant == bindparam("participant"),
        _C.subject == bindparam("subject"),
    )
)
_PUT_ENTRY = prepare(insert(evidence_entry))
_chain_row = upsert(evidence_chain)
_PUT_CHAIN = prepare(
    _chain_row.on_conflict_do_update(
        index_elements=[_C.space, _C.participant, _C.subject],
        set_={"n": _chain_row.excluded.n, "hash": _chain_row.excluded.hash},
    )
)
_PUT_OUTGOING = prepare(
    insert(outbox).values(
        {column.name: bindparam(column.name) for column in outbox.c if column.name != "id"}
    )
)


class SqlTx:
    """``kernel.work.Tx`` on a SQLite connection: facts, messages, and rows for the stores."""

    def __init__(self, connection: Connection, scope: Scope, clock: Clock) -> None:
        self._connection = connection
        self._scope = scope
        self._clock = clock

    def rows(self, statement: Prepared, **params: Any) -> Sequence[tuple[Any, ...]]:
        """Every row of a prepared query."""
        return self._connection.rows(statement, params)

    def row(self, statement: Prepared, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self._connection.rows(statement, params)
        return found[0] if found else None

    def change(self, statement: Prepared, **params: Any) -> int:
        """Run a prepared write; the number of rows touched."""
        return self._connection.change(statement, params)

    def record(self, fact: Fact) -> int:
        """Number ``fact`` in the owner's log, without gaps, inside this transaction.

        Raises:
            FactTooLong: its entry would be over 65 535 bytes.
            NotCanonical: its details have no single byte form.
        """
        own = {"space": self._scope.space, "participant": self._scope.participant}
        (seq,) = self._connection.rows(_NEXT_SEQ, own)[0]
        chain = self._connection.rows(_CHAIN, {**own, "subject": fact.subject})
        entry, digest = entry_of(
            fact,
            space=self._scope.space,
            owner=self._scope.participant,
            seq=seq,
            chain=(chain[0][0], chain[0][1]) if chain else (0, NO_PREVIOUS),
        )
        row: Mapping[str, Any] = {
            "seq": seq,
            "kind": fact.kind,
            "subject": fact.subject,
            "at": entry.at,
            "leaf": entry.leaf(),
            "document": fact.document,
        }
        self._connection.change(_PUT_ENTRY, {**own, **row})
        link = {"subject": fact.subject, "n": entry.n, "hash": digest}
        self._connection.change(_PUT_CHAIN, {**own, **link})
        return int(seq)

    def send(self, message: Outgoing) -> None:
        """Put ``message`` into the outbox, due at once."""
        now = iso(self._clock.now())
        self._connection.change(
            _PUT_OUTGOING,
            {
                "space": self._scope.space,
                "participant": self._scope.participant,
                "key": message.key,
                "recipient": message.to,
                "code": message.code,
                "body": message.body,
                "state": OutboxState.READY.value,
                "due_at": now,
                "tries": 0,
                "last_error": "",
                "created_at": now,
            },
        )


def sql(tx: Tx) -> SqlTx:
    """The SQL side of a transaction, for stores of this adapter only."""
    if not isinstance(tx, SqlTx):
        raise TypeError("this store needs a transaction of the SQL adapter")
    return tx
