"""Where do tiles, document digests and the checkpoint of a log lie, next to its entries?

Entries and chain ends are written by ``SqlTx.record``; this file only reads them. A tile has one
row: an unfinished tile is a prefix of the finished one and is replaced by it. What the check of
the log reads is cast to raw bytes, so that damaged text is reported and not stumbled over.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import evidence_chain, evidence_entry, metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.evidence.types import Head, Row, Wanted
from huiqi.kernel.work import Scope, Tx

evidence_tile = Table(
    "evidence_tile",
    metadata,
    *scope_columns(),
    Column("level", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "level", "number"),
)

# The newest checkpoint alone: its tree holds every older one, as a consistency proof shows.
evidence_checkpoint = Table(
    "evidence_checkpoint",
    metadata,
    *scope_columns(),
    Column("size", Integer, nullable=False),
    Column("note", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant"),
)

# Which document digest an integrated entry carries: found by digest when a proof is asked for.
evidence_digest = Table(
    "evidence_digest",
    metadata,
    *scope_columns(),
    Column("seq", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    PrimaryKeyConstraint("space", "participant", "seq"),
)
Index("ix_evidence_digest_sha256", *evidence_digest.c["space", "participant", "sha256", "seq"])


def _own(table: Table) -> tuple:  # type: ignore[type-arg]  # SQLAlchemy's element type has no short name
    return (
        table.c.space == bindparam("space"),
        table.c.participant == bindparam("participant"),
    )


_E, _C, _T = evidence_entry.c, evidence_chain.c, evidence_tile.c
_P, _D = evidence_checkpoint.c, evidence_digest.c
_IN_RANGE = (_E.seq >= bindparam("first"), _E.seq < bindparam("past"))

_COUNT = prepare(select(func.coalesce(func.max(_E.seq) + 1, 0)).where(*_own(evidence_entry)))
_LEAVES = prepare(
    select(_E.seq, cast(_E.leaf, LargeBinary))
    .where(*_own(evidence_entry), *_IN_RANGE)
    .order_by(_E.seq)
)
_page = (
    select(_E.seq, cast(_E.leaf, LargeBinary))
    .where(*_own(evidence_entry), _E.seq < bindparam("below"))
    .order_by(_E.seq.desc())
    .limit(bindparam("most"))
)
_of_subject, _of_kind = _E.subject == bindparam("of_subject"), _E.kind == bindparam("of_kind")
# (with a subject, with a kind) -> statement
_PAGES = {
    (False, False): prepare(_page),
    (True, False): prepare(_page.where(_of_subject)),
    (False, True): prepare(_page.where(_of_kind)),
    (True, True): prepare(_page.where(_of_subject, _of_kind)),
}
_ROWS = prepare(
    select(
        _E.seq,
        *(cast(_E[name], LargeBinary) for name in ("kind", "subject", "at", "leaf", "document")),
    )
    .where(*_own(evidence_entry), _E.seq > bindparam("after"))
    .order_by(_E.seq)
    .limit(bindparam("most"))
)
_CHAIN_ENDS = prepare(
    select(cast(_C.subject, LargeBinary), _C.n, cast(_C.hash, LargeBinary)).where(
        *_own(evidence_chain)
    )
)
_HEAD = prepare(select(_P.size, cast(_P.note, LargeBinary)).where(*_own(evidence_checkpoint)))
_FIRST_HEAD = prepare(upsert(evidence_checkpoint).on_conflict_do_nothing())
_NEXT_HEAD = prepare(
    update(evidence_checkpoint)
    .where(*_own(evidence_checkpoint), _P.size == bindparam("old_size"))
    .values(size=bindparam("new_size"), note=bindparam("new_note"))
)
_TILE = prepare(
    select(cast(_T.hashes, LargeBinary)).where(
        *_own(evidence_tile), _T.level == bindparam("at_level"), _T.number == bindparam("at_number")
    )
)
_tile_row = upsert(evidence_tile)
_PUT_TILE = prepare(
    _tile_row.on_conflict_do_update(
        index_elements=[_T.space, _T.participant, _T.level, _T.number],
        set_={"hashes": _tile_row.excluded.hashes},
    )
)
_PUT_DIGEST = prepare(insert(evidence_digest))
_SEQ_OF = prepare(
    select(func.max(_D.seq)).where(*_own(evidence_digest), _D.sha256 == bindparam("digest"))
)
_DIGESTS = prepare(
    select(_D.seq, cast(_D.sha256, LargeBinary)).where(
        *_own(evidence_digest), _D.seq >= bindparam("first"), _D.seq < bindparam("past")
    )
)


class SqlEvidenceStore:
    """``evidence.ports.EvidenceStore`` in the participant's own database."""

    def count(self, scope: Scope, tx: Tx) -> int:
        """One more than the highest entry number."""
        (count,) = sql(tx).rows(_COUNT, **_scope(scope))[0]
        return int(count)

    def leaves(self, scope: Scope, tx: Tx, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        """(number, leaf) of the entries in [start, end), ascending."""
        rows = sql(tx).rows(_LEAVES, **_scope(scope), first=start, past=end)
        return [(seq, leaf) for seq, leaf in rows]

    def page(self, scope: Scope, tx: Tx, wanted: Wanted) -> Sequence[tuple[int, bytes]]:
        """(number, leaf) of wanted entries, newest first."""
        chosen: dict[str, str | int] = {"below": wanted.before, "most": wanted.limit}
        if wanted.subject is not None:
            chosen["of_subject"] = wanted.subject
        if wanted.kind is not None:
            chosen["of_kind"] = wanted.kind
        statement = _PAGES[wanted.subject is not None, wanted.kind is not None]
        rows = sql(tx).rows(statement, **_scope(scope), **chosen)
        return [(seq, leaf) for seq, leaf in rows]

    def rows(self, scope: Scope, tx: Tx, after: int, limit: int) -> Sequence[Row]:
        """Whole rows with numbers above ``after``, ascending, as raw bytes."""
        found = sql(tx).rows(_ROWS, **_scope(scope), after=after, most=limit)
        return [Row(*row) for row in found]

    def chain_ends(self, scope: Scope, tx: Tx) -> Sequence[tuple[bytes, int, bytes]]:
        """(subject, count, hash) as the chain table has them, raw."""
        return [(subject, n, end) for subject, n, end in sql(tx).rows(_CHAIN_ENDS, **_scope(scope))]

    def head(self, scope: Scope, tx: Tx) -> Head | None:
        """The newest checkpoint; bytes of its note that are not UTF-8 are shown as U+FFFD."""
        row = sql(tx).row(_HEAD, **_scope(scope))
        return None if row is None else Head(row[0], row[1].decode("utf-8", "replace"))

    def put_head(self, scope: Scope, tx: Tx, head: Head, *, after: int) -> bool:
        """Replace the checkpoint of size ``after`` (0: the first); False when it is another."""
        note = head.note.encode()
        if after == 0:
            changed = sql(tx).change(_FIRST_HEAD, **_scope(scope), size=head.size, note=note)
        else:
            changed = sql(tx).change(
                _NEXT_HEAD, **_scope(scope), old_size=after, new_size=head.size, new_note=note
            )
        return changed == 1

    def tile(self, scope: Scope, tx: Tx, level: int, index: int) -> bytes:
        """The hashes of a tile as far as they are stored; empty when there is none."""
        row = sql(tx).row(_TILE, **_scope(scope), at_level=level, at_number=index)
        return b"" if row is None else bytes(row[0])

    def put_tile(self, scope: Scope, tx: Tx, place: tuple[int, int], hashes: bytes) -> None:
        """Keep the tile at ``place`` (level, index) in place of a shorter one."""
        level, number = place
        sql(tx).change(_PUT_TILE, **_scope(scope), level=level, number=number, hashes=hashes)

    def put_digest(self, scope: Scope, tx: Tx, seq: int, sha256: str) -> None:
        """Remember which document digest entry ``seq`` carries."""
        sql(tx).change(_PUT_DIGEST, **_scope(scope), seq=seq, sha256=sha256)

    def seq_of(self, scope: Scope, tx: Tx, sha256: str) -> int | None:
        """The newest integrated entry that carries this document digest."""
        (seq,) = sql(tx).rows(_SEQ_OF, **_scope(scope), digest=sha256)[0]
        return None if seq is None else int(seq)

    def digests(self, scope: Scope, tx: Tx, start: int, end: int) -> Mapping[int, str]:
        """Number -> remembered digest for the entries in [start, end)."""
        rows = sql(tx).rows(_DIGESTS, **_scope(scope), first=start, past=end)
        return {seq: digest.decode("utf-8", "replace") for seq, digest in rows}


def _scope(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}
