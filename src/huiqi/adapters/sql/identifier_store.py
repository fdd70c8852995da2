"""Which identifiers were given out, and which answers about others are still good?"""

from datetime import datetime

import msgspec
from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    bindparam,
    delete,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.catalog.types import Allotted, Resolution
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.work import Scope, Tx

# The parts of an identifier stand alone so that the database itself keeps them unique (N04 s. 5).
identifier_table = Table(
    "identifier_allotted",
    metadata,
    *scope_columns(),
    Column("identifier", String(65), nullable=False),
    Column("type", String(1), nullable=False),
    Column("subject", String(18), nullable=False),
    Column("area", String(4), nullable=False),
    Column("random", String(8), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "identifier"),
)
Index(
    "uq_identifier_allotted_parts",
    *identifier_table.c["space", "participant", "type", "subject", "area", "random"],
    unique=True,
)

resolution_table = Table(
    "identifier_resolution",
    metadata,
    *scope_columns(),
    Column("identifier", String(65), nullable=False),
    Column("until", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "identifier"),
)

_I, _A = identifier_table.c, resolution_table.c
_OWN_I = (_I.space == bindparam("space"), _I.participant == bindparam("participant"))
_OWN_A = (_A.space == bindparam("space"), _A.participant == bindparam("participant"))
_KEEP = prepare(upsert(identifier_table).on_conflict_do_nothing())
_ALLOTTED = prepare(select(_I.document).where(*_OWN_I, _I.identifier == bindparam("of_id")))
_answer_row = upsert(resolution_table)
_REMEMBER = prepare(
    _answer_row.on_conflict_do_update(
        index_elements=[_A.space, _A.participant, _A.identifier],
        set_={"until": _answer_row.excluded.until, "document": _answer_row.excluded.document},
    )
)
_FORGET = prepare(delete(resolution_table).where(*_OWN_A, _A.until <= bindparam("now")))
_REMEMBERED = prepare(
    select(_A.document, _A.until).where(
        *_OWN_A, _A.identifier == bindparam("of_id"), _A.until > bindparam("now")
    )
)


class SqlIdentifierStore:
    """``catalog.ports.IdentifierStore`` on the SQL schema."""

    def keep(self, scope: Scope, tx: Tx, allotted: Allotted) -> bool:
        """Keep a new identifier; False when (type, subject, area, random) is taken."""
        identifier = allotted.identifier
        kept = sql(tx).change(
            _KEEP,
            **_own(scope),
            identifier=identifier,
            type=identifier[0],
            subject=identifier[1:19],
            area=identifier[19:23],
            random=identifier[23:31],
            document=msgspec.json.encode(allotted),
        )
        return kept == 1

    def allotted(self, scope: Scope, tx: Tx, identifier: str) -> Allotted | None:
        """The identifier's entry in these books."""
        row = sql(tx).row(_ALLOTTED, **_own(scope), of_id=identifier)
        return msgspec.json.decode(row[0], type=Allotted) if row else None

    def remember(self, scope: Scope, tx: Tx, resolution: Resolution, until: datetime) -> None:
        """Keep an answer until ``until``."""
        sql(tx).change(
            _REMEMBER,
            **_own(scope),
            identifier=resolution.identifier,
            until=iso(until),
            document=msgspec.json.encode(resolution),
        )

    def forget_before(self, scope: Scope, tx: Tx, now: datetime) -> None:
        """Drop answers whose time is over."""
        sql(tx).change(_FORGET, **_own(scope), now=iso(now))

    def remembered(
        self, scope: Scope, tx: Tx, identifier: str, now: datetime
    ) -> tuple[Resolution, datetime] | None:
        """A kept answer that is still good at ``now``, and until when it is."""
        row = sql(tx).row(_REMEMBERED, **_own(scope), of_id=identifier, now=iso(now))
        if row is None:
            return None
        document, until = row
        return msgspec.json.decode(document, type=Resolution), parse_instant(until)


def _own(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}
