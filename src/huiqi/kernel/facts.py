"""What does the house write down for ever, and in which bytes?

A verb records a ``Fact`` inside its transaction; the store numbers it and turns it into an
``Entry``, whose canonical bytes are one leaf of the participant's evidence log. Per subject
(contract, product, use) the entries form a counted hash chain, so that a dossier is visibly whole.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import digests, sha256_hex
from huiqi.kernel.errors import InvalidError

# An entry bundle frames each leaf behind a 16-bit length (C2SP tlog-tiles, "Log Entries").
LONGEST_LEAF = 0xFFFF


class FactTooLong(InvalidError):
    """A fact holds more details than an entry of the evidence log can carry; nothing was written.

    Put the text into a document, of which only the digest is logged, or make it shorter.
    """

    code = "kernel.fact_too_long"
    zh = "存证“{kind}”的条目有 {bytes} 字节，超过 {limit} 字节上限，没有写入任何内容"
    en = "The entry for '{kind}' has {bytes} bytes, over the limit of {limit}; nothing was written"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened: ``kind`` to ``subject``, done by ``actor``, with small details.

    ``details`` hold identifiers, counts and digests, never data rows or personal data; they obey
    the limits of canonical documents. ``document`` are the exact bytes of what was exchanged or
    signed; only their two digests enter the log.
    """

    kind: str
    subject: str
    actor: str
    at: datetime
    details: Mapping[str, Any] = {}
    document: bytes | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf of an evidence log; the field names are the bytes' names."""

    v: int
    seq: int
    space: str
    owner: str
    kind: str
    subject: str
    n: int
    prev: str
    actor: str
    at: str
    details: Mapping[str, Any]
    sha256: str
    sm3: str

    def leaf(self) -> bytes:
        """The canonical bytes that are hashed into the tree."""
        return canonical_bytes(self)


# The chain of a subject begins here.
NO_PREVIOUS = "0" * 64


def entry_of(
    fact: Fact, *, space: str, owner: str, seq: int, chain: tuple[int, str]
) -> tuple[Entry, str]:
    """The entry for ``fact`` as number ``seq`` of the log of ``owner`` (0-based).

    ``chain`` is (count, hash) of the subject's last entry, (0, NO_PREVIOUS) when there is none.
    Returns the entry and the hash that the subject's next entry will carry as ``prev``.

    Raises:
        FactTooLong: the entry's bytes would not fit into an entry bundle.
        NotCanonical: the details hold something that has no single byte form.
    """
    document = digests(fact.document) if fact.document is not None else None
    entry = Entry(
        v=1,
        seq=seq,
        space=space,
        owner=owner,
        kind=fact.kind,
        subject=fact.subject,
        n=chain[0] + 1,
        prev=chain[1],
        actor=fact.actor,
        at=iso(fact.at),
        details=fact.details,
        sha256=document.sha256 if document else "",
        sm3=document.sm3 if document else "",
    )
    leaf = entry.leaf()
    if len(leaf) > LONGEST_LEAF:
        raise FactTooLong(kind=fact.kind[:64], bytes=len(leaf), limit=LONGEST_LEAF)
    return entry, sha256_hex(leaf)
