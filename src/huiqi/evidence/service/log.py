"""What can one do with a participant's evidence log: seal, show, prove, serve and check it?"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

from huiqi.evidence.errors import (
    BrokenNote,
    DamagedEntry,
    HistoryRewritten,
    LeafTooLong,
    NotIntegratedYet,
    UnknownEntry,
    UnknownTile,
    WrongTreeSize,
)
from huiqi.evidence.notes import (
    is_name,
    parse_checkpoint,
    parse_note,
    signature_fault,
)
from huiqi.evidence.ports import EvidenceStore, SignatureCheck, Signer
from huiqi.evidence.service.fsck import Fsck
from huiqi.evidence.service.sealing import EMPTY_HEAD, LARGEST_BATCH, Sealing, whole
from huiqi.evidence.tiles import HIGHEST_LEVEL, LONGEST_LEAF, bundle, stored_width, tile_path
from huiqi.evidence.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    TileOf,
    consistency_path,
    inclusion_path,
    leaf_hash,
    nodes_from,
    range_root,
    root_from_path,
)
from huiqi.evidence.types import FsckReport, Head, Kept, Proof, Sealed, Wanted
from huiqi.evidence.verification import read_entry
from huiqi.kernel.clock import Clock
from huiqi.kernel.work import Scope, Tx, Work

LARGEST_PAGE = 1000
# Above every number a log can have (63 bits in tlog-tiles).
_NO_BOUND = (1 << 63) - 1


class Evidence:
    """The evidence log of one participant.

    ``origin`` names the log in its checkpoints and must never change. ``signatures`` verifies the
    log's own signatures in ``check`` and ``continues``; without it they say what was left out.

    Raises:
        BrokenNote: ``origin`` is empty or holds blanks, control characters or a plus sign.
    """

    def __init__(  # noqa: PLR0913 - the parts of a room are plugged in by name
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        store: EvidenceStore,
        signer: Signer,
        origin: str,
        signatures: SignatureCheck | None = None,
    ) -> None:
        if not is_name(origin):
            raise BrokenNote(why="origin")
        self._scope = scope
        self._work = work
        self._clock = clock
        self._store = store
        self._signer = signer
        self._sealing = Sealing(scope, store, signer, origin)
        self._origin = origin
        self._signatures = signatures

    def integrate(self) -> int:
        """Bring every recorded entry under a signed checkpoint; how many were new.

        Rounds of at most 1024 entries:

        1. On a snapshot: refuse when the right edge of the tree contradicts the checkpoint; read
           the new entries, hash them into tiles.
        2. Sign the new size and root.
        3. In one transaction: tiles, digests and checkpoint, on condition that the checkpoint is
           still the one of step 1.

        Hashing and signing stay outside the transaction because one writer serves the whole
        process, and a keystore may be slow. That is safe: entries are never changed, so whatever
        a lost or outrun round has signed is a prefix of what the next one signs. A process that
        dies anywhere in between leaves entries that the next round takes up.

        Raises:
            HistoryRewritten: stored leaves or tiles no longer give the signed root.
            DamagedEntry: a new entry cannot be read; nothing from it on is signed.
            WrongSigner: the keys changed between naming and signing.
        """
        total = 0
        while batch := self._work.read(self._sealing.next_batch):
            head = self._sealing.signed(batch)
            if not self._work.run(partial(self._sealing.keep, batch=batch, head=head)):
                break  # another round was faster and has integrated the same entries
            total += head.size - batch.after
        return total

    def checkpoint(self) -> str | None:
        """The newest signed note (C2SP tlog-checkpoint); None before the first integration."""
        head = self._work.read(lambda tx: self._store.head(self._scope, tx))
        return None if head is None else head.note

    def size(self) -> int:
        """How many entries are recorded, integrated or not."""
        return self._work.read(lambda tx: self._store.count(self._scope, tx))

    def integrated(self) -> int:
        """How many entries the newest checkpoint covers."""
        return self._work.read(self._head).size

    def entries(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Sealed]:
        """Entries of a subject and kind with numbers below ``before``, newest first.

        At most 1000 at once.

        Raises:
            DamagedEntry: one of them cannot be read.
        """
        wanted = Wanted(
            subject=subject,
            kind=kind,
            before=_NO_BOUND if before is None else before,
            limit=max(0, min(limit, LARGEST_PAGE)),
        )
        head, rows = self._work.read(
            lambda tx: (self._head(tx), self._store.page(self._scope, tx, wanted))
        )
        return [self._sealed(seq, leaf, head) for seq, leaf in rows]

    def proof(self, seq: int) -> Proof:
        """That entry ``seq`` stands under the newest checkpoint.

        Raises:
            UnknownEntry: there is no such entry.
            NotIntegratedYet: no checkpoint covers it yet.
            HistoryRewritten: the stored tree does not give the signed root.
        """
        return self._work.read(lambda tx: self._proof(tx, seq))

    def proof_of_document(self, sha256: str) -> Proof:
        """The proof of the newest entry whose document has this SHA-256 (hex).

        Raises:
            UnknownEntry: no entry carries the digest.
            NotIntegratedYet: one does, but no checkpoint covers it yet.
            HistoryRewritten: the stored tree does not give the signed root.
        """
        return self._work.read(lambda tx: self._proof(tx, self._seq_of(tx, sha256)))

    def consistency(self, old: int, new: int) -> tuple[str, ...]:
        """The hashes (hex) that show the tree of size ``new`` to continue that of ``old``.

        Raises:
            WrongTreeSize: not 0 <= old <= new <= the size of the newest checkpoint.
            HistoryRewritten: a tile is missing.
        """

        def path(tx: Tx) -> list[bytes]:
            size = self._head(tx).size
            if not 0 <= old <= new <= size:
                raise WrongTreeSize(old=old, new=new, size=size)
            return consistency_path(old, new, nodes_from(self._tiles(tx, size)))

        return tuple(step.hex() for step in self._work.read(path))

    def continues(self, note: str) -> None:
        """Accept a checkpoint of this log that somebody else has kept.

        This is how a restored old database is noticed: it is whole in itself, but shorter or
        other than what a peer, a witness or a file elsewhere remembers.

        Raises:
            BrokenNote: not a checkpoint of this log, or not signed by it.
            HistoryRewritten: the log does not hold the tree that this checkpoint covers.
        """
        kept = parse_note(note)
        checkpoint = parse_checkpoint(kept.text)
        if checkpoint.origin != self._origin:
            raise BrokenNote(why="origin")
        if self._signatures is not None:
            keys = {suite: [key] for suite, key in self._signer.keys().items()}
            if fault := signature_fault(kept, keys, self._signatures):
                raise BrokenNote(why=fault.en)

        def root(tx: Tx) -> bytes | None:
            size = self._head(tx).size
            if checkpoint.size > size:
                return None
            if checkpoint.size == 0:
                return EMPTY_ROOT
            return range_root(0, checkpoint.size, nodes_from(self._tiles(tx, size)))

        if self._work.read(root) != checkpoint.root:
            raise HistoryRewritten(where=f"size {checkpoint.size}")

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first ``width`` (1 to 256) hashes of a tile, 32 bytes each (C2SP tlog-tiles).

        Raises:
            UnknownTile: the tree under the checkpoint has no such tile.
            HistoryRewritten: the tile is missing from the store.
        """

        def hashes(tx: Tx) -> bytes:
            size = self._head(tx).size
            _check_tile(level, index, width, size)
            return self._tiles(tx, size)(level, index)[: width * HASH_BYTES]

        return self._work.read(hashes)

    def entry_bundle(self, index: int, width: int) -> bytes:
        """Entries 256 * index onwards, ``width`` of them, in 16-bit framing (C2SP tlog-tiles).

        Raises:
            UnknownTile: the checkpoint does not cover these entries.
            LeafTooLong: one of them does not fit the framing.
            HistoryRewritten: one of them is missing.
        """
        start = index * TILE_WIDTH

        def leaves(tx: Tx) -> Sequence[tuple[int, bytes]]:
            _check_tile(None, index, width, self._head(tx).size)
            return self._store.leaves(self._scope, tx, start, start + width)

        found = whole(self._work.read(leaves), start, start + width)
        for seq, leaf in enumerate(found, start):
            if len(leaf) > LONGEST_LEAF:
                raise LeafTooLong(seq=seq)
        return bundle(found)

    def check(
        self, documents: Iterable[Kept], *, progress: Callable[[int, int], None] | None = None
    ) -> FsckReport:
        """Derive the whole log anew and name every place that differs.

        Rows, chains, document digests, leaves, tiles, root, checkpoint and its signatures; then
        that every one of ``documents`` occurs in the log with its digest. Never stops at a fault.
        ``progress`` is told (entries done, entries in all) between batches. Reads in small
        snapshots, so that writers go on meanwhile.
        """
        fsck = Fsck(self._scope, self._work, self._store, self._origin)
        keys = {suite: [key] for suite, key in self._signer.keys().items()}
        fsck.checkpoint(keys, self._signatures)
        fsck.entries(progress)
        fsck.documents(documents)
        return fsck.report(self._clock.now())

    def _head(self, tx: Tx) -> Head:
        return self._store.head(self._scope, tx) or EMPTY_HEAD

    def _sealed(self, seq: int, leaf: bytes, head: Head) -> Sealed:
        entry = read_entry(leaf)
        if entry is None:
            raise DamagedEntry(seq=seq)
        return Sealed(seq, entry, seq < head.size)

    def _proof(self, tx: Tx, seq: int) -> Proof:
        head = self._head(tx)
        rows = self._store.leaves(self._scope, tx, seq, seq + 1)
        if not rows:
            raise UnknownEntry(what=seq)
        if seq >= head.size:
            raise NotIntegratedYet(seq=seq)
        leaf, root = rows[0][1], self._sealing.signed_root(head)
        path = inclusion_path(seq, head.size, nodes_from(self._tiles(tx, head.size)))
        if root_from_path(leaf_hash(leaf), seq, head.size, path) != root:
            raise HistoryRewritten(where=f"entry {seq}")
        steps = tuple(step.hex() for step in path)
        return Proof(index=seq, leaf=leaf, path=steps, checkpoint=head.note)

    def _seq_of(self, tx: Tx, sha256: str) -> int:
        """The newest entry with the digest; those not integrated yet are read in pages."""
        before, size = _NO_BOUND, self._head(tx).size
        while before > size:
            wanted = Wanted(subject=None, kind=None, before=before, limit=LARGEST_BATCH)
            page = self._store.page(self._scope, tx, wanted)
            for seq, leaf in page:
                entry = read_entry(leaf) if seq >= size else None
                if entry is not None and entry.sha256 == sha256:
                    raise NotIntegratedYet(seq=seq)
            before = page[-1][0] if page else size
        found = self._store.seq_of(self._scope, tx, sha256) if sha256 else None
        if found is None:
            raise UnknownEntry(what=sha256[:64])
        return found

    def _tiles(self, tx: Tx, size: int) -> TileOf:
        """Tiles as the tree of ``size`` has them; a stored one that is too short is a fault."""

        @cache
        def tile(level: int, index: int) -> bytes:
            hashes = self._store.tile(self._scope, tx, level, index)
            needed = stored_width(level, index, size) * HASH_BYTES
            if len(hashes) < needed:
                raise HistoryRewritten(where=f"tile {level}/{index}")
            return hashes[:needed]

        return tile


def _check_tile(level: int | None, index: int, width: int, size: int) -> None:
    known = 0 <= (level or 0) <= HIGHEST_LEVEL and index >= 0 and width >= 1
    if not known or width > stored_width(level or 0, index, size):
        raise UnknownTile(path=tile_path(level, max(index, 0), width))
