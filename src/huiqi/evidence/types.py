"""Which documents does the evidence log give away, and in which does it report on itself?"""

from datetime import datetime

import msgspec

from huiqi.kernel.facts import Entry
from huiqi.kernel.text import Text

PROOF_FORMAT = "huiqi-proof/1"


class Sealed(msgspec.Struct, frozen=True):
    """One entry of the log; ``integrated`` once a signed checkpoint covers it."""

    seq: int
    entry: Entry
    integrated: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries a page asks for: newest first, numbers below ``before``."""

    subject: str | None
    kind: str | None
    before: int
    limit: int


class Head(msgspec.Struct, frozen=True):
    """The newest checkpoint: how many entries it covers, and the signed note itself."""

    size: int
    note: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """That one entry stands in the log of one signer: JSON, checked without any network.

    ``leaf`` are the entry's canonical bytes (base64 in JSON), ``index`` its 0-based number,
    ``path`` the RFC 6962 audit path from the leaf upwards (64 hex characters each),
    ``checkpoint`` the signed note (C2SP tlog-checkpoint).
    """

    format: str = PROOF_FORMAT
    index: int
    leaf: bytes
    path: tuple[str, ...]
    checkpoint: str


class Kept(msgspec.Struct, frozen=True):
    """A document that another room keeps: ``where`` for the reader, its SHA-256 hex, its bytes."""

    where: str
    sha256: str
    bytes: bytes


class Row(msgspec.Struct, frozen=True):
    """One stored row of the log as raw bytes, so that damaged text can be read and named."""

    seq: int
    kind: bytes
    subject: bytes
    at: bytes
    leaf: bytes
    document: bytes | None


class Fault(msgspec.Struct, frozen=True):
    """One place that is not what it was. ``where`` names it, e.g. ``entry 17 document``.

    Places: ``entry N leaf|seq|kind|subject|at|space|owner|document|document index|chain``,
    ``entry N missing``, ``entries A-B``, ``tile L/N``, ``tile L/N hash I``, ``checkpoint``,
    ``checkpoint size|root|signature``, ``chain S``, or the ``where`` of a kept document.
    """

    where: str
    what: Text


class FsckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the whole log found.

    ``entries`` were read, ``integrated`` of them are under the checkpoint ``root`` (hex, empty
    when there is none). ``documents`` of other rooms were looked up. ``faults`` are the places
    found, at most 1000; ``fault_count`` counts all. ``unchecked`` says what was left out.
    """

    entries: int
    integrated: int
    root: str
    documents: int
    faults: tuple[Fault, ...]
    fault_count: int
    unchecked: tuple[Text, ...]
    checked_at: datetime

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.fault_count == 0
