"""How is shown that what happened stands written, for good?"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import apsw
import msgspec

from huiqi.bootstrap.audit import check_log
from huiqi.bootstrap.house import House
from huiqi.bootstrap.parts import assemble
from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress, expect, until
from huiqi.kernel.text import Text

KEYS_FILE = "keys.json"


class Proving:
    """Logs, countersigned receipts, an offline check, and a planted fault that is found."""

    def __init__(self, people: Mapping[str, Api], progress: Progress, house: House) -> None:
        self._people, self._progress, self._house = people, progress, house
        self._folder = house.folder.path / "receipts"

    def run(self, receipts: Sequence[str]) -> None:
        """Show the evidence for ``receipts``, those of the answered uses."""
        both = Text("双方都持有会签回执", "Both sides hold countersigned receipts")
        self._progress.step(both, partial(self._countersigned, receipts))
        logs = Text("每方日志入树并签发检查点", "Every log is integrated and signed")
        self._progress.step(logs, self._logs)
        verify = Text("离线验证一张回执", "Verify a receipt offline")
        self._progress.step(verify, partial(self._verify, receipts))
        fsck = Text("重新推导全部日志 (fsck)", "Derive every log anew (fsck)")
        self._progress.step(fsck, self._fsck)
        flip = Text("在副本中改动一个字节并定位", "Flip one byte in a copy and find it")
        self._progress.step(flip, self._flip)

    def _countersigned(self, receipts: Sequence[str]) -> tuple[None, Text]:
        for prefix in ("c1", "p1", "p2"):
            until(partial(self._all_sent, prefix), what=f"messages of {prefix} have not arrived")
        held = 0
        for receipt in receipts:
            mine = self._people["c1"].get(f"/receipts/{receipt}")
            expect(holds=bool(mine["consumer_signature"]), why=f"{receipt} is not countersigned")
            provider = next(
                api
                for api in (self._people["p1"], self._people["p2"])
                if api.get("/me")["member"]["id"] == mine["body"]["providerNode"]
            )
            theirs = provider.get(f"/receipts/{receipt}")
            expect(holds=theirs == mine, why=f"the two sides hold different receipts {receipt}")
            held += 1
        return None, Text(f"{held} 张，两边逐字节相同", f"{held}, byte for byte the same")

    def _all_sent(self, prefix: str) -> bool | None:
        waiting = any(m["state"] == "ready" for m in self._people[prefix].get("/outbox"))
        return None if waiting else True

    def _logs(self) -> tuple[None, Text]:
        lines: list[str] = []
        for parts in self._house.systems:
            evidence = parts.system.evidence
            evidence.integrate()
            note = evidence.checkpoint() or ""
            _origin, size, root = note.splitlines()[:3]
            expect(holds=int(size) == evidence.integrated(), why=f"{parts.site.prefix}: size")
            lines.append(f"{parts.site.prefix:9} {int(size):4}  {root}")
        text = "\n".join(lines)
        return None, Text(text, text)

    def _verify(self, receipts: Sequence[str]) -> tuple[None, Text]:
        """In a process of its own, with the file and the public keys and nothing else."""
        self._folder.mkdir(exist_ok=True)
        members = [
            member
            for member in self._people["platform"].get("/members")
            if member["kind"] == "connector"
        ]
        keys = self._folder / KEYS_FILE
        keys.write_bytes(msgspec.json.format(msgspec.json.encode(members), indent=2))
        for receipt in receipts:
            file = self._folder / f"{receipt}.json"
            file.write_bytes(self._people["c1"].file(f"/receipts/{receipt}/file"))
        chosen = self._folder / f"{receipts[0]}.json"
        done = subprocess.run(  # noqa: S603 - our own command, on files written just now
            [sys.executable, "-m", "huiqi", "verify", str(chosen), "--keys", str(keys)],
            capture_output=True,
            text=True,
            check=False,
            env={"HUIQI_LANG": self._progress.language},
        )
        expect(holds=done.returncode == 0, why=done.stdout + done.stderr)
        command = f"huiqi verify {chosen} --keys {keys}"
        said = f"{command}\n{done.stdout.strip()}"
        return None, Text(said, said)

    def _fsck(self) -> tuple[None, Text]:
        entries = documents = 0
        for parts in self._house.systems:
            report = check_log(parts, lambda _done, _all: None)
            faults = ", ".join(fault.where for fault in report.faults)
            expect(holds=report.sound, why=f"{parts.site.prefix}: {faults}")
            entries += report.entries
            documents += report.documents
        return None, Text(
            f"五方共 {entries} 条存证、{documents} 份文件，全部一致",
            f"{entries} entries and {documents} documents of five systems, all sound",
        )

    def _flip(self) -> tuple[None, Text]:
        original = self._house.part("p1")
        with tempfile.TemporaryDirectory(prefix="huiqi-flip-") as scratch:
            folder = Path(scratch) / "p1"
            folder.mkdir()
            shutil.copytree(original.folder / "keys", folder / "keys")
            place = _copy_with_a_flip(original.folder / "store.db", folder / "store.db")
            passphrase = self._house.folder.passphrase(self._house.settings.passphrase)
            copy = assemble(original.site, folder, passphrase)
            try:
                report = copy.system.evidence.check(())
            finally:
                copy.close()
        found = ", ".join(fault.where for fault in report.faults)
        expect(holds=not report.sound, why="the flipped byte was not noticed")
        expect(holds=any(place in fault.where for fault in report.faults), why=found)
        return None, Text(f"发现并定位：{found}", f"found at: {found}")


def _copy_with_a_flip(source: Path, target: Path) -> str:
    """Copy the store and change one byte of one entry in the copy's file; the entry's name."""
    connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    connection.execute("VACUUM INTO ?", (str(target),))
    entries = connection.execute("SELECT seq, leaf FROM evidence_entry ORDER BY seq").fetchall()
    connection.close()
    seq, leaf = entries[len(entries) // 2]
    expect(holds=isinstance(leaf, bytes), why="the entry is no text")
    needle = bytes(leaf) if isinstance(leaf, bytes) else b""
    data = bytearray(target.read_bytes())
    start = data.find(needle)
    expect(holds=start >= 0, why="the entry was not found in the copy's file")
    data[start + len(needle) // 2] ^= 1
    target.write_bytes(data)
    return f"entry {seq}"
