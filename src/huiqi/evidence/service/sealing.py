"""How do new entries come under a signed checkpoint, and when is that refused?"""

from collections.abc import Sequence
from functools import partial

import msgspec

from huiqi.evidence.errors import BrokenNote, DamagedEntry, HistoryRewritten, WrongSigner
from huiqi.evidence.notes import (
    SIGNATURE_TYPES,
    Checkpoint,
    Note,
    NoteSignature,
    checkpoint_text,
    key_hash,
    parse_checkpoint,
    parse_note,
    render_note,
)
from huiqi.evidence.ports import EvidenceStore, Signer
from huiqi.evidence.tree import HASH_BYTES, TILE_WIDTH, Frontier, leaf_hash
from huiqi.evidence.types import Head
from huiqi.evidence.verification import read_entry
from huiqi.kernel.work import Scope, Tx

# Entries under one checkpoint at most: some milliseconds of hashing, half a megabyte of leaves.
LARGEST_BATCH = 1024
EMPTY_HEAD = Head(0, "")


class Batch(msgspec.Struct, frozen=True):
    """What one round of integration adds to the tree of size ``after``, made on a snapshot."""

    after: int
    frontier: Frontier
    digests: Sequence[tuple[int, str]]


class Sealing:
    """The three steps of one round of integration; the service opens the transactions."""

    def __init__(self, scope: Scope, store: EvidenceStore, signer: Signer, origin: str) -> None:
        self._scope = scope
        self._store = store
        self._signer = signer
        self._origin = origin

    def next_batch(self, tx: Tx) -> Batch | None:
        """Step 1: the new entries hashed into the tree; None when there are none.

        Raises:
            HistoryRewritten: the right edge of the stored tree contradicts the checkpoint.
            DamagedEntry: a new entry cannot be read.
        """
        head = self._store.head(self._scope, tx) or EMPTY_HEAD
        count = self._store.count(self._scope, tx)
        if count < head.size:
            raise HistoryRewritten(where=f"entry {count}")
        if count == head.size:
            return None
        frontier = self._frontier(tx, head)
        end = min(count, head.size + LARGEST_BATCH)
        rows = self._store.leaves(self._scope, tx, head.size, end)
        digests = []
        for seq, leaf in enumerate(whole(rows, head.size, end), head.size):
            entry = read_entry(leaf)
            if entry is None or entry.seq != seq:
                raise DamagedEntry(seq=seq)
            if entry.sha256:
                digests.append((seq, entry.sha256))
            frontier.append(leaf_hash(leaf))
        return Batch(head.size, frontier, digests)

    def _frontier(self, tx: Tx, head: Head) -> Frontier:
        """The right edge of the tree, checked against the checkpoint and the newest leaves."""
        tiles = partial(self._store.tile, self._scope, tx)
        frontier = Frontier.of(head.size, tiles)
        # More hashes than the checkpoint covers: an older checkpoint was put back, or it was lost.
        if len(tiles(0, head.size // TILE_WIDTH)) > head.size % TILE_WIDTH * HASH_BYTES:
            raise HistoryRewritten(where="checkpoint size")
        if head.size == 0:
            return frontier
        if frontier.root() != self.signed_root(head):
            raise HistoryRewritten(where="checkpoint root")
        index = (head.size - 1) // TILE_WIDTH
        start = index * TILE_WIDTH
        rows = self._store.leaves(self._scope, tx, start, head.size)
        hashes = b"".join(leaf_hash(leaf) for leaf in whole(rows, start, head.size))
        if tiles(0, index)[: len(hashes)] != hashes:
            raise HistoryRewritten(where=f"entries {start}-{head.size - 1}")
        return frontier

    def signed_root(self, head: Head) -> bytes:
        """The root (32 bytes) that the checkpoint of this log signs.

        Raises:
            HistoryRewritten: it is not a checkpoint of this log and size.
        """
        try:
            checkpoint = parse_checkpoint(parse_note(head.note).text)
        except BrokenNote as error:
            raise HistoryRewritten(where="checkpoint") from error
        if (checkpoint.origin, checkpoint.size) != (self._origin, head.size):
            raise HistoryRewritten(where="checkpoint")
        return checkpoint.root

    def signed(self, batch: Batch) -> Head:
        """Step 2: the checkpoint over the batch, signed with every key of the signer.

        Raises:
            WrongSigner: the signer has no key for checkpoints, or changed it just now.
        """
        frontier = batch.frontier
        text = checkpoint_text(Checkpoint(self._origin, frontier.size, frontier.root()))
        keys = self._signer.keys()
        lines = []
        for suite in SIGNATURE_TYPES:
            if suite not in keys:
                continue
            key_id, public = keys[suite]
            signed_by, value = self._signer.sign(text.encode(), suite)
            if signed_by != key_id:
                raise WrongSigner
            name = key_hash(suite, self._origin, public)
            lines.append(NoteSignature(self._origin, name, bytes.fromhex(value)))
        if not lines:
            raise WrongSigner
        return Head(frontier.size, render_note(Note(text, tuple(lines))))

    def keep(self, tx: Tx, *, batch: Batch, head: Head) -> bool:
        """Step 3: write tiles, digests and checkpoint; False when another round was faster."""
        if not self._store.put_head(self._scope, tx, head, after=batch.after):
            return False
        for place, hashes in batch.frontier.tiles().items():
            self._store.put_tile(self._scope, tx, place, hashes)
        for seq, sha256 in batch.digests:
            self._store.put_digest(self._scope, tx, seq, sha256)
        return True


def whole(rows: Sequence[tuple[int, bytes]], start: int, end: int) -> list[bytes]:
    """The leaves of [start, end) when none is missing."""
    for expected, (seq, _) in zip(range(start, end), rows, strict=False):
        if seq != expected:
            raise HistoryRewritten(where=f"entry {expected}")
    if len(rows) != end - start:
        raise HistoryRewritten(where=f"entry {start + len(rows)}")
    return [leaf for _, leaf in rows]
