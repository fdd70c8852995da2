"""What happened, in which order, and how can anybody check it?"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from huiqi.evidence.types import Proof, Sealed
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.facts import Entry
from huiqi.web.i18n import Tongue
from huiqi.web.pages.conditions import Fact
from huiqi.web.words import fact_name, short

# A checkpoint note begins with these lines (C2SP tlog-checkpoint).
_ORIGIN, _SIZE, _ROOT = 0, 1, 2
_LEAF_PREFIX = b"\x00"


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """One entry of the log."""

    seq: int
    href: str
    name: str
    kind: str
    subject: str
    actor: str
    at: str
    details: str
    integrated: bool


@dataclass(frozen=True, kw_only=True)
class EvidencePage:
    """The log, newest first; ``older`` continues it."""

    size: int
    sentence: str
    lines: tuple[EntryLine, ...]
    subject: str
    older: str
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class CheckpointFacts:
    """What the newest signed checkpoint says."""

    origin: str
    size: str
    root: str


@dataclass(frozen=True, kw_only=True)
class ProofPage:
    """One entry with the proof that it stands in the log; ``path`` runs from leaf to root."""

    seq: int
    name: str
    at: str
    facts: tuple[Fact, ...]
    details: tuple[Fact, ...]
    integrated: bool
    leaf_hash: str
    path: tuple[str, ...]
    root: str
    position: str
    checkpoint: str
    file: str
    command: str


def evidence_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    base: str,
    entries: Sequence[Sealed],
    *,
    size: int,
    subject: str = "",
    limit: int,
    checkpoint: str = "",
) -> EvidencePage:
    """The newest ``limit`` entries, of one subject or all."""
    lines = tuple(_line(tongue, base, sealed) for sealed in entries)
    narrowed = f"&subject={subject}" if subject else ""
    more = len(entries) >= limit and entries[-1].seq > 0
    return EvidencePage(
        size=size,
        sentence=tongue.count("共 %(n)s 条记录，按发生次序编号，改动任何一条都会被发现。", size),
        lines=lines,
        subject=subject,
        older=f"{base}/evidence?before={entries[-1].seq}{narrowed}" if more else "",
        checkpoint=checkpoint,
    )


def _line(tongue: Tongue, base: str, sealed: Sealed) -> EntryLine:
    entry = sealed.entry
    return EntryLine(
        seq=sealed.seq,
        href=f"{base}/evidence/{sealed.seq}",
        name=fact_name(tongue, entry.kind),
        kind=entry.kind,
        subject=entry.subject,
        actor=entry.actor,
        at=tongue.exactly(parse_instant(entry.at)),
        details="，".join(f"{k}={short(str(v))}" for k, v in list(entry.details.items())[:4]),
        integrated=sealed.integrated,
    )


def proof_page(tongue: Tongue, base: str, sealed: Sealed, proof: Proof | None) -> ProofPage:
    """One entry; ``proof`` is None until the next checkpoint covers it."""
    entry = sealed.entry
    note = checkpoint_facts(proof.checkpoint) if proof else None
    name = f"huiqi-entry-{sealed.seq}.json"
    return ProofPage(
        seq=sealed.seq,
        name=fact_name(tongue, entry.kind),
        at=tongue.exactly(parse_instant(entry.at)),
        facts=_facts(tongue, entry),
        details=tuple(Fact(key, str(value)) for key, value in entry.details.items()),
        integrated=sealed.integrated,
        leaf_hash=leaf_hash(proof.leaf) if proof else "",
        path=proof.path if proof else (),
        root=note.root if note else "",
        position=tongue.say(
            "第 %(index)s 条，共 %(size)s 条", index=f"{proof.index + 1:,}", size=note.size
        )
        if proof and note
        else "",
        checkpoint=proof.checkpoint if proof else "",
        file=f"{base}/evidence/{sealed.seq}/proof.json",
        command=f"huiqi verify {name} --keys keys.json",
    )


def leaf_hash(leaf: bytes) -> str:
    """The RFC 6962 hash of a leaf, hex: SHA-256 over a zero byte and the leaf."""
    return sha256_hex(_LEAF_PREFIX + leaf)


def entry_in(proof: Proof) -> Entry:
    """The entry whose canonical bytes a proof carries."""
    return msgspec.json.decode(proof.leaf, type=Entry)


def checkpoint_facts(note: str) -> CheckpointFacts:
    """The three lines of a checkpoint: origin, number of entries, root hash (base64)."""
    lines = [*note.splitlines(), "", "", ""]
    return CheckpointFacts(origin=lines[_ORIGIN], size=lines[_SIZE], root=lines[_ROOT])


def _facts(tongue: Tongue, entry: Entry) -> tuple[Fact, ...]:
    found = [
        Fact(tongue.say("事项"), f"{fact_name(tongue, entry.kind)} ({entry.kind})"),
        Fact(tongue.say("对象"), entry.subject),
        Fact(tongue.say("由谁"), entry.actor),
        Fact(tongue.say("时间"), tongue.exactly(parse_instant(entry.at))),
        Fact(tongue.say("账本"), f"{entry.space} / {entry.owner}"),
        Fact(tongue.say("对象内序号"), str(entry.n)),
        Fact(tongue.say("上一条摘要"), entry.prev),
    ]
    if entry.sha256:
        found.append(Fact(tongue.say("文件 SHA-256"), entry.sha256))
        found.append(Fact(tongue.say("文件 SM3"), entry.sm3))
    return tuple(found)
