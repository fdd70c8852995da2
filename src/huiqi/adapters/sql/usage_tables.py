"""Which tables hold uses, counters, receipts and results?"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from huiqi.adapters.sql.schema import metadata, scope_columns

usage_order = Table(
    "usage_order",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("use_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("space", "participant", "use_id", "digest"),
)

usage_use = Table(
    "usage_use",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("side", String(8), nullable=False),
    Column("use_id", String(64), nullable=False),
    Column("contract", String(47), nullable=False),
    Column("grant_id", String(36)),
    Column("state", String(12), nullable=False),
    Column("leased_until", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("space", "participant", "side", "use_id", "contract"),
)
Index("ix_usage_use_grant", *usage_use.c["space", "participant", "grant_id"])
Index("ix_usage_use_contract", *usage_use.c["space", "participant", "contract", "number"])
Index(
    "ix_usage_use_open",
    *usage_use.c["space", "participant", "leased_until"],
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)

# One row per contract and counting window; the unit '' is the whole life of the contract.
usage_tally = Table(
    "usage_tally",
    metadata,
    *scope_columns(),
    Column("contract", String(47), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("place", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("rows_reserved", Integer, nullable=False),
    Column("first_at", String(32)),
    PrimaryKeyConstraint("space", "participant", "contract", "unit", "place"),
    CheckConstraint(
        "used >= 0 AND reserved >= 0 AND rows >= 0 AND rows_reserved >= 0", name="not_negative"
    ),
)

usage_receipt = Table(
    "usage_receipt",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("side", String(8), nullable=False),
    Column("receipt_id", String(64), nullable=False),
    Column("use_id", String(64), nullable=False),
    Column("contract", String(47), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("provider_signature", LargeBinary),
    Column("consumer_signature", LargeBinary),
    UniqueConstraint("space", "participant", "receipt_id", "side"),
)
Index("ix_usage_receipt_contract", *usage_receipt.c["space", "participant", "contract", "number"])
Index(
    "ix_usage_receipt_unsigned",
    *usage_receipt.c["space", "participant", "number"],
    sqlite_where=text("provider_signature IS NULL"),
    postgresql_where=text("provider_signature IS NULL"),
)

usage_result = Table(
    "usage_result",
    metadata,
    *scope_columns(),
    Column("use_id", String(64), nullable=False),
    Column("contract", String(47), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", String(32), nullable=False),
    PrimaryKeyConstraint("space", "participant", "use_id", "contract"),
)
