"""Which tables does every participant's store have?

Each room's store file declares its own tables on ``metadata``; the ones that every transaction
touches (evidence entries, chains, outbox) stand here. Times are ISO 8601 text in UTC, so that
they sort as text and read the same everywhere; documents are JSON bytes.
"""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def scope_columns() -> tuple[Column[str], Column[str]]:
    """The two columns that every table starts with: whose row this is."""
    return (
        Column("space", String(64), nullable=False),
        Column("participant", String(18), nullable=False),
    )


# One row per fact, numbered without gaps per log: written by ``SqlTx.record`` alone.
evidence_entry = Table(
    "evidence_entry",
    metadata,
    *scope_columns(),
    Column("seq", Integer, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("at", String(32), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("document", LargeBinary),
    PrimaryKeyConstraint("space", "participant", "seq"),
)
Index("ix_evidence_entry_subject", *evidence_entry.c["space", "participant", "subject", "seq"])

# The end of each subject's chain: count and hash of its newest entry.
evidence_chain = Table(
    "evidence_chain",
    metadata,
    *scope_columns(),
    Column("subject", String(80), nullable=False),
    Column("n", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("space", "participant", "subject"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("key", String(80), nullable=False),
    Column("recipient", String(80), nullable=False),
    Column("code", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),
    Column("due_at", String(32), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
)
Index(
    "ix_outbox_due",
    *outbox.c["space", "participant", "state", "due_at", "id"],
    sqlite_where=text("state = 'ready'"),
    postgresql_where=text("state = 'ready'"),
)
# Which message of a key is the oldest: asked for every due one, so sent ones must not weigh on it.
Index(
    "ix_outbox_key",
    *outbox.c["space", "participant", "key", "id"],
    sqlite_where=text("state = 'ready'"),
    postgresql_where=text("state = 'ready'"),
)
