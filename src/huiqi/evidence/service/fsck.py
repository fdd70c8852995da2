"""In which order is a whole log derived anew, without holding it in memory?

1. The checkpoint: form, origin, size, signatures.
2. Entries in batches: rows and chains (row_audit), leaves and tiles (tree_audit), the root.
3. The documents that other rooms keep.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

import msgspec

from huiqi.evidence.errors import BrokenNote
from huiqi.evidence.faults import Faults
from huiqi.evidence.notes import parse_checkpoint, parse_note, signature_fault
from huiqi.evidence.ports import EvidenceStore, Keys, SignatureCheck
from huiqi.evidence.row_audit import RowAudit
from huiqi.evidence.service.sealing import EMPTY_HEAD
from huiqi.evidence.tree import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, leaf_hash
from huiqi.evidence.tree_audit import TreeAudit
from huiqi.evidence.types import FsckReport, Head, Kept, Row
from huiqi.evidence.verification import read_entry
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.text import Text
from huiqi.kernel.work import Scope, Tx, Work

# Rows come with their documents; this many stay within some tens of megabytes.
BATCH = 512
_BELOW_EVERY_NUMBER = -(1 << 63)


class _Page(msgspec.Struct, frozen=True):
    """Rows of one snapshot; ``ends`` of the chains when these rows are the last."""

    rows: Sequence[Row]
    digests: Mapping[int, str]
    ends: Sequence[tuple[bytes, int, bytes]] | None
    count: int


class Fsck:
    """One check of one log; its three steps are called in order, then ``report``."""

    def __init__(self, scope: Scope, work: Work, store: EvidenceStore, origin: str) -> None:
        self._scope = scope
        self._work = work
        self._store = store
        self._origin = origin
        self._faults = Faults()
        self._rows = RowAudit(scope, self._faults)
        self._head, self._beyond = work.read(self._start)
        self._size = self._head.size
        self._root: bytes | None = EMPTY_ROOT
        self._tree = self._new_tree()
        self._unchecked: list[Text] = []
        self._looked_up = 0

    def checkpoint(self, keys: Keys, check: SignatureCheck | None) -> None:
        """Step 1: the note is a checkpoint of this log and this size, signed by its keys."""
        if self._beyond:
            self._faults.add(
                "checkpoint size", "瓦片比检查点更长", "the tiles go further than the checkpoint"
            )
        if self._head == EMPTY_HEAD:
            return
        try:
            note = parse_note(self._head.note)
            said = parse_checkpoint(note.text)
        except BrokenNote as error:
            self._root = None
            why = error.params["why"]
            self._faults.add("checkpoint", f"格式不正确：{why}", f"not a checkpoint: {why}")
            return
        self._root = said.root
        if said.origin != self._origin:
            self._faults.add("checkpoint origin", "属于另一个日志", "names another log")
        genuine = self._signed(keys, check)
        if said.size != self._size:
            self._faults.add(
                "checkpoint size", "与存储的大小不符", "differs from the size in its row"
            )
            self._size = said.size if genuine else self._size
            self._tree = self._new_tree()

    def entries(self, progress: Callable[[int, int], None] | None) -> None:
        """Step 2: every row, chain and tile."""
        after = _BELOW_EVERY_NUMBER
        while True:
            page = self._work.read(partial(self._page, after=after))
            for row in page.rows:
                self._take(row, page.digests.get(row.seq))
            if progress is not None:
                progress(self._rows.count, page.count)
            if page.ends is not None:
                break
            after = page.rows[-1].seq
        self._lose(self._size)
        self._root = self._root if self._size else EMPTY_ROOT
        found = self._tree.finish(self._root)
        self._root = self._root or found
        self._rows.judge(self._tree.bad_leaves, page.ends)

    def documents(self, documents: Iterable[Kept]) -> None:
        """Step 3: each kept document has its digest, and the log has it too.

        The documents are drawn outside of transactions, for their iterator opens its own.
        """
        source = iter(documents)
        while batch := list(islice(source, BATCH)):
            for kept in batch:
                if sha256_hex(kept.bytes) != kept.sha256:
                    self._faults.add(kept.where, "文档字节与其摘要不符", "differs from its digest")
            self._looked_up += len(batch)
            for where in self._work.read(partial(self._strangers, batch=batch)):
                self._faults.add(where, "存证日志中没有此文档", "is not in the evidence log")

    def report(self, at: datetime) -> FsckReport:
        """What was found."""
        return FsckReport(
            entries=self._rows.count,
            integrated=self._size,
            root=(self._root or b"").hex() if self._size else "",
            documents=self._looked_up,
            faults=self._faults.all(),
            fault_count=self._faults.count,
            unchecked=tuple(self._unchecked),
            checked_at=at,
        )

    def _start(self, tx: Tx) -> tuple[Head, bool]:
        """The checkpoint, and whether there are tiles beyond it: it is an old one, or lost."""
        head = self._store.head(self._scope, tx) or EMPTY_HEAD
        tile = self._store.tile(self._scope, tx, 0, head.size // TILE_WIDTH)
        return head, len(tile) > head.size % TILE_WIDTH * HASH_BYTES

    def _new_tree(self) -> TreeAudit:
        def tile(level: int, index: int) -> bytes:
            return self._work.read(lambda tx: self._store.tile(self._scope, tx, level, index))

        return TreeAudit(self._size, tile, self._faults)

    def _signed(self, keys: Keys, check: SignatureCheck | None) -> bool:
        if check is None:
            self._unchecked.append(Text("检查点签名未验证", "the checkpoint's signatures"))
            return True
        fault = signature_fault(parse_note(self._head.note), keys, check)
        if fault is not None:
            self._faults.add("checkpoint signature", fault.zh, fault.en)
        return fault is None

    def _page(self, tx: Tx, *, after: int) -> _Page:
        rows = self._store.rows(self._scope, tx, after, BATCH)
        first, past = (rows[0].seq, rows[-1].seq + 1) if rows else (0, 0)
        last = len(rows) < BATCH
        return _Page(
            rows=rows,
            digests=self._store.digests(self._scope, tx, first, past),
            ends=self._store.chain_ends(self._scope, tx) if last else None,
            count=self._store.count(self._scope, tx),
        )

    def _take(self, row: Row, remembered: str | None) -> None:
        self._lose(row.seq)
        self._rows.take(row, remembered, self._size)
        if 0 <= row.seq < self._size:
            self._tree.leaf(leaf_hash(row.leaf))

    def _lose(self, seq: int) -> None:
        """Note what is missing before ``seq``; the tree gets a blank for each of them."""
        for missing in self._rows.missing_before(seq):
            if missing < self._size:
                self._tree.leaf(None)

    def _strangers(self, tx: Tx, *, batch: Sequence[Kept]) -> list[str]:
        return [kept.where for kept in batch if not self._is_logged(tx, kept.sha256)]

    def _is_logged(self, tx: Tx, sha256: str) -> bool:
        if sha256 in self._rows.uncovered:
            return True
        seq = self._store.seq_of(self._scope, tx, sha256)
        rows = [] if seq is None else self._store.leaves(self._scope, tx, seq, seq + 1)
        entries = [read_entry(leaf) for _, leaf in rows]
        return any(entry is not None and entry.sha256 == sha256 for entry in entries)
