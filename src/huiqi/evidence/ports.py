"""What does the evidence log need from outside: rows, and somebody who signs?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from huiqi.evidence.types import Head, Row, Wanted
from huiqi.kernel.work import Scope, Tx

# (suite, public key hex, signed bytes, signature hex r||s) -> whether the signature holds.
# Malformed keys and signatures give False, never an exception.
SignatureCheck = Callable[[str, str, bytes, str], bool]
# suite -> (key id, public key hex) of every key that may have signed.
Keys = Mapping[str, Sequence[tuple[str, str]]]


class Signer(Protocol):
    """Signs checkpoints with the keys of the system whose log this is."""

    def sign(self, data: bytes, suite: str) -> tuple[str, str]:
        """(key id, signature hex r||s) of the suite's key over ``data``."""
        ...

    def keys(self) -> Mapping[str, tuple[str, str]]:
        """Suite -> (key id, public key hex) of the keys that sign now."""
        ...


class EvidenceStore(Protocol):
    """The log's rows, tiles and checkpoint. Entries themselves are written by ``Tx.record``."""

    def count(self, scope: Scope, tx: Tx) -> int:
        """One more than the highest entry number."""
        ...

    def leaves(self, scope: Scope, tx: Tx, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        """(number, leaf) of the entries in [start, end), ascending."""
        ...

    def page(self, scope: Scope, tx: Tx, wanted: Wanted) -> Sequence[tuple[int, bytes]]:
        """(number, leaf) of wanted entries, newest first."""
        ...

    def rows(self, scope: Scope, tx: Tx, after: int, limit: int) -> Sequence[Row]:
        """Up to ``limit`` whole rows with numbers above ``after``, ascending."""
        ...

    def chain_ends(self, scope: Scope, tx: Tx) -> Sequence[tuple[bytes, int, bytes]]:
        """(subject, count, hash) as the chain table has them, raw."""
        ...

    def head(self, scope: Scope, tx: Tx) -> Head | None:
        """The newest checkpoint."""
        ...

    def put_head(self, scope: Scope, tx: Tx, head: Head, *, after: int) -> bool:
        """Replace the checkpoint of size ``after`` (0: the first); False when it is another."""
        ...

    def tile(self, scope: Scope, tx: Tx, level: int, index: int) -> bytes:
        """The hashes of a tile as far as they are stored; empty when there is none."""
        ...

    def put_tile(self, scope: Scope, tx: Tx, place: tuple[int, int], hashes: bytes) -> None:
        """Keep the tile at ``place`` (level, index) in place of a shorter one."""
        ...

    def put_digest(self, scope: Scope, tx: Tx, seq: int, sha256: str) -> None:
        """Remember which document digest entry ``seq`` carries."""
        ...

    def seq_of(self, scope: Scope, tx: Tx, sha256: str) -> int | None:
        """The newest integrated entry that carries this document digest."""
        ...

    def digests(self, scope: Scope, tx: Tx, start: int, end: int) -> Mapping[int, str]:
        """Number -> remembered digest for the entries in [start, end)."""
        ...
