"""Do the stored rows say what their leaves say, without gaps, each subject's chain whole?

One pass in order of numbers. Memory holds one small record per subject, not per entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huiqi.evidence.faults import Faults
from huiqi.evidence.tiles import LONGEST_LEAF
from huiqi.evidence.types import Row
from huiqi.evidence.verification import read_entry
from huiqi.kernel.digests import digests, sha256_hex
from huiqi.kernel.facts import NO_PREVIOUS, Entry
from huiqi.kernel.work import Scope

_NOWHERE = -1


@dataclass(slots=True)
class _Link:
    """The last entry of a subject: its count, hash and number; not ``sure`` after damage."""

    n: int
    hash: str
    seq: int
    sure: bool


class RowAudit:
    """Takes every row of a log in order; afterwards judges the chains."""

    def __init__(self, scope: Scope, faults: Faults) -> None:
        self._scope = scope
        self._faults = faults
        self._chains: dict[str, _Link] = {}
        # (number, number before it in its chain) of entries that do not continue their chain.
        self._broken: list[tuple[int, int]] = []
        self._next = 0
        self._last_gap = _NOWHERE
        # Digests of documents at entries that no checkpoint covers yet.
        self.uncovered: set[str] = set()

    @property
    def count(self) -> int:
        """The number that the next row must have."""
        return self._next

    def missing_before(self, seq: int) -> range:
        """The numbers that are missing before ``seq``, noted as faults; then expects ``seq``."""
        gap = range(self._next, max(self._next, seq))
        if gap:
            where = f"entry {gap[0]} missing" if len(gap) == 1 else f"entries {gap[0]}-{gap[-1]}"
            self._faults.add(where, "存证记录缺失", "the rows are missing")
            self._last_gap = gap[-1]
        self._next = max(self._next, seq)
        return gap

    def take(self, row: Row, remembered: str | None, covered: int) -> None:
        """Check the row that comes next; ``remembered`` is the digest kept for its number.

        ``covered`` is the size of the checkpoint: below it the digest must be remembered.
        """
        self._next = row.seq + 1
        place = f"entry {row.seq}"
        entry = read_entry(row.leaf)
        if entry is None:
            self._faults.add(f"{place} leaf", "叶子字节不是规范的存证条目", "not a canonical entry")
            self._unsure(row.subject.decode("utf-8", "replace"), row.seq)
            return
        if len(row.leaf) > LONGEST_LEAF:
            self._faults.add(f"{place} leaf", "条目超过 65535 字节", "longer than 65535 bytes")
        self._compare(place, row, entry)
        self._document(place, row.document, entry)
        wrong = remembered is not None or row.seq < covered
        if wrong and (remembered or "") != entry.sha256:
            self._faults.add(f"{place} document index", "摘要索引不符", "the digest index differs")
        if row.seq >= covered and entry.sha256:
            self.uncovered.add(entry.sha256)
        self._chain(row, entry)

    def judge(self, bad_leaves: set[int], ends: Sequence[tuple[bytes, int, bytes]]) -> None:
        """Note broken chains that no damaged entry explains, and chain ends that differ.

        ``bad_leaves`` are the entries whose bytes the tree refutes; ``ends`` the chain table.
        """
        for seq, before in self._broken:
            if seq not in bad_leaves and before not in bad_leaves:
                after = f"entry {before}" if before != _NOWHERE else "the beginning"
                self._faults.add(
                    f"entry {seq} chain",
                    f"没有接续同一主体的上一条（{after}）",
                    f"does not continue {after} of the same subject",
                )
        table = {
            subject.decode("utf-8", "replace"): (n, end.decode("utf-8", "replace"))
            for subject, n, end in ends
        }
        for subject, link in self._chains.items():
            excused = not self._sure(link) or link.seq in bad_leaves
            if not excused and table.get(subject) != (link.n, link.hash):
                self._faults.add(f"chain {subject}", "链尾不符", "the chain's end differs")
        self._strangers(table)

    def _strangers(self, table: Mapping[str, tuple[int, str]]) -> None:
        if self._last_gap != _NOWHERE:
            return
        for subject in table.keys() - self._chains.keys():
            self._faults.add(f"chain {subject}", "主体没有任何存证", "the subject has no entries")

    def _compare(self, place: str, row: Row, entry: Entry) -> None:
        said = {
            "seq": (entry.seq, row.seq),
            "kind": (entry.kind.encode(), row.kind),
            "subject": (entry.subject.encode(), row.subject),
            "at": (entry.at.encode(), row.at),
            "space": (entry.space, self._scope.space),
            "owner": (entry.owner, self._scope.participant),
        }
        for field, (leaf, column) in said.items():
            if leaf != column:
                self._faults.add(f"{place} {field}", "与叶子不符", "differs from the leaf")

    def _document(self, place: str, document: bytes | None, entry: Entry) -> None:
        if document is None:
            same = (entry.sha256, entry.sm3) == ("", "")
        else:
            found = digests(document)
            same = (entry.sha256, entry.sm3) == (found.sha256, found.sm3)
        if not same:
            self._faults.add(
                f"{place} document",
                "文档与叶子中的摘要不符",
                "differs from the digests in the leaf",
            )

    def _chain(self, row: Row, entry: Entry) -> None:
        column = row.subject.decode("utf-8", "replace")
        if column != entry.subject:  # noted already; whose chain it belongs to is open
            self._unsure(column, row.seq)
            self._unsure(entry.subject, row.seq)
            return
        link = self._chains.get(entry.subject) or _Link(0, NO_PREVIOUS, _NOWHERE, sure=True)
        if self._sure(link) and (entry.n, entry.prev) != (link.n + 1, link.hash):
            self._broken.append((row.seq, link.seq))
        self._chains[entry.subject] = _Link(entry.n, sha256_hex(row.leaf), row.seq, sure=True)

    def _sure(self, link: _Link) -> bool:
        """Whether the link is known to be its subject's last: intact, and no gap behind it."""
        return link.sure and link.seq >= self._last_gap

    def _unsure(self, subject: str, seq: int) -> None:
        link = self._chains.setdefault(subject, _Link(0, NO_PREVIOUS, seq, sure=False))
        link.seq, link.sure = seq, False
