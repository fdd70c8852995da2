"""The log: entries come under a signed checkpoint, are proved, and history cannot change."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from huiqi.evidence.errors import (
    BrokenNote,
    DamagedEntry,
    HistoryRewritten,
    LeafTooLong,
    NotIntegratedYet,
    UnknownEntry,
    UnknownTile,
    WrongSigner,
    WrongTreeSize,
)
from huiqi.evidence.notes import ED25519, parse_checkpoint, parse_note, signature_fault
from huiqi.evidence.tiles import unbundle
from huiqi.evidence.tree import consistent, leaf_hash, split_hashes
from huiqi.evidence.verification import verify_proof
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.facts import Fact
from tests.unit.evidence.logs import (
    NOW,
    ORIGIN,
    SCOPE,
    KeySigner,
    Log,
    check_signature,
    fact,
    open_log,
    reopen_log,
)
from tests.unit.evidence.test_tree import naive_root


def leaves(log: Log) -> list[bytes]:
    return [leaf for _, leaf in log.work.read(lambda tx: log.store.leaves(SCOPE, tx, 0, 1_000_000))]


def root_of(note: str | None) -> bytes:
    assert note is not None
    return parse_checkpoint(parse_note(note).text).root


def test_an_empty_log_has_no_checkpoint_and_is_sound(log: Log) -> None:
    assert log.evidence.integrate() == 0
    assert log.evidence.checkpoint() is None
    assert log.evidence.size() == 0
    report = log.evidence.check([])
    assert report.sound
    assert report.root == ""


def test_integration_signs_the_root_of_every_entry_with_both_suites(log: Log) -> None:
    log.record(*range(3))
    assert log.evidence.integrate() == 3
    assert log.evidence.integrate() == 0
    log.record(*range(3, 301))
    assert log.evidence.integrate() == 298
    note = parse_note(log.evidence.checkpoint() or "")
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 301)
    assert checkpoint.root == naive_root([leaf_hash(leaf) for leaf in leaves(log)])
    assert len(note.signatures) == 2
    assert signature_fault(note, log.signer.known(), check_signature) is None


def test_more_entries_than_one_round_takes_are_all_integrated(log: Log) -> None:
    log.record(*range(1100))
    assert log.evidence.integrate() == 1100
    assert log.evidence.integrated() == log.evidence.size() == 1100
    assert log.evidence.check([]).sound


def test_entries_are_shown_newest_first_and_by_subject_and_kind(log: Log) -> None:
    log.record(*range(10))
    log.evidence.integrate()
    log.record(10)
    assert [s.seq for s in log.evidence.entries()] == list(range(10, -1, -1))
    assert [s.integrated for s in log.evidence.entries(limit=2)] == [False, True]
    of_one = log.evidence.entries(subject="contract-1")
    assert [s.seq for s in of_one] == [6, 1]
    assert [s.entry.n for s in of_one] == [2, 1]
    assert [s.seq for s in log.evidence.entries(kind="UseGranted", before=9)] == [6, 3, 0]
    assert [s.seq for s in log.evidence.entries(subject="contract-1", kind="UseGranted")] == [6]


def test_every_entry_has_a_proof_that_holds_offline(log: Log) -> None:
    log.record(*range(270))
    log.evidence.integrate()
    for seq in (0, 1, 255, 256, 269):
        proof = log.evidence.proof(seq)
        entry = verify_proof(proof, log.signer.known(), check=check_signature, origin=ORIGIN)
        assert entry.seq == seq
        assert entry.details["rows"] == seq


def test_a_proof_waits_for_the_checkpoint(log: Log) -> None:
    log.record(0)
    with pytest.raises(NotIntegratedYet):
        log.evidence.proof(0)
    with pytest.raises(UnknownEntry):
        log.evidence.proof(1)
    with pytest.raises(UnknownEntry):
        log.evidence.proof(-1)


def test_a_document_is_proved_by_its_newest_entry(log: Log) -> None:
    digest = sha256_hex(b"same")
    log.work.run(lambda tx: [tx.record(fact(i, document=b"same")) for i in range(3)])
    with pytest.raises(NotIntegratedYet):
        log.evidence.proof_of_document(digest)
    log.evidence.integrate()
    assert log.evidence.proof_of_document(digest).index == 2
    with pytest.raises(UnknownEntry):
        log.evidence.proof_of_document(sha256_hex(b"never logged"))


def test_an_entry_without_document_is_not_found_by_an_empty_digest(log: Log) -> None:
    log.work.run(lambda tx: tx.record(Fact(kind="A", subject="s", actor="a", at=NOW)))
    log.evidence.integrate()
    with pytest.raises(UnknownEntry):
        log.evidence.proof_of_document("")
    assert log.evidence.check([]).sound


def test_a_later_checkpoint_is_consistent_with_an_earlier_one(log: Log) -> None:
    log.record(*range(200))
    log.evidence.integrate()
    old = root_of(log.evidence.checkpoint())
    log.record(*range(200, 600))
    log.evidence.integrate()
    new = root_of(log.evidence.checkpoint())
    path = [bytes.fromhex(step) for step in log.evidence.consistency(200, 600)]
    assert consistent((200, 600), (old, new), path)
    for wrong in ((201, 200), (-1, 5), (5, 601)):
        with pytest.raises(WrongTreeSize):
            log.evidence.consistency(*wrong)


def test_tiles_and_bundles_hold_what_the_specification_says(log: Log) -> None:
    log.record(*range(300))
    log.evidence.integrate()
    hashes = [leaf_hash(leaf) for leaf in leaves(log)]
    assert split_hashes(log.evidence.tile(0, 0, 256)) == hashes[:256]
    assert split_hashes(log.evidence.tile(0, 1, 44)) == hashes[256:]
    assert log.evidence.tile(0, 1, 10) == b"".join(hashes[256:266])
    assert log.evidence.tile(1, 0, 1) == naive_root(hashes[:256])
    assert unbundle(log.evidence.entry_bundle(0, 256)) == leaves(log)[:256]
    assert unbundle(log.evidence.entry_bundle(1, 44)) == leaves(log)[256:]
    assert unbundle(log.evidence.entry_bundle(1, 44)[:-1]) is None


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(0, 1, 45), (0, 2, 1), (1, 0, 2), (2, 0, 1), (0, -1, 1), (0, 0, 0), (64, 0, 1), (0, 0, 257)],
)
def test_a_tile_that_the_checkpoint_does_not_cover_is_unknown(
    log: Log, level: int, index: int, width: int
) -> None:
    log.record(*range(300))
    log.evidence.integrate()
    with pytest.raises(UnknownTile):
        log.evidence.tile(level, index, width)


def test_a_bundle_that_the_checkpoint_does_not_cover_is_unknown(log: Log) -> None:
    log.record(0, 1)
    log.evidence.integrate()
    log.record(2)
    with pytest.raises(UnknownTile):
        log.evidence.entry_bundle(0, 3)


def test_an_entry_too_long_for_a_bundle_is_refused_there_and_reported(tmp_path: Path) -> None:
    """No verb can record such an entry; it can only be put there behind the software's back."""
    with open_log(tmp_path) as log:
        log.record(0)
        entry = json.loads(log.get("SELECT leaf FROM evidence_entry"))
        entry["details"] = {"text": "x" * 70_000}
        log.put("UPDATE evidence_entry SET leaf = ?", canonical_bytes(entry))
        log.evidence.integrate()
        with pytest.raises(LeafTooLong):
            log.evidence.entry_bundle(0, 1)
        assert "entry 0 leaf" in log.places()


def test_a_process_that_died_before_integration_integrates_later(tmp_path: Path) -> None:
    signer = KeySigner()
    with open_log(tmp_path, signer) as log:
        log.record(*range(5))
        log.evidence.integrate()
        log.record(*range(5, 9))
        batch = log.work.read(log.evidence._sealing.next_batch)
        assert batch is not None
        signed = log.evidence._sealing.signed(batch)  # signed, and here the process ends
    with reopen_log(tmp_path, signer) as log:
        assert (log.evidence.integrated(), log.evidence.size()) == (5, 9)
        assert log.evidence.check([]).sound
        log.record(9)
        assert log.evidence.integrate() == 5
        log.evidence.continues(signed.note)  # what the dead process signed is a prefix
        assert log.evidence.check([]).sound


def test_a_process_killed_outright_leaves_a_log_that_integrates(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; "
        "from tests.unit.evidence.logs import open_log; "
        "opened = open_log(Path(sys.argv[1])); log = opened.__enter__(); "
        "log.record(*range(300)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    ended = subprocess.run(command, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    with reopen_log(tmp_path, KeySigner()) as log:
        assert log.evidence.integrate() == 300
        assert log.evidence.check([]).sound


def test_of_two_rounds_at_once_one_wins_and_the_other_changes_nothing(log: Log) -> None:
    log.record(*range(4))
    slow = log.work.read(log.evidence._sealing.next_batch)
    assert slow is not None
    log.record(4)
    assert log.evidence.integrate() == 5
    note = log.evidence.checkpoint()
    head = log.evidence._sealing.signed(slow)
    assert not log.work.run(partial(log.evidence._sealing.keep, batch=slow, head=head))
    assert log.evidence.checkpoint() == note
    assert log.evidence.check([]).sound


def test_a_rewritten_leaf_stops_the_signing(log: Log) -> None:
    log.record(*range(20))
    log.evidence.integrate()
    note = log.evidence.checkpoint()
    log.put(
        "UPDATE evidence_entry SET leaf = (SELECT leaf FROM evidence_entry WHERE seq = 3)"
        " WHERE seq = 7"
    )
    log.record(20)
    with pytest.raises(HistoryRewritten):
        log.evidence.integrate()
    with pytest.raises(HistoryRewritten):
        log.evidence.proof(7)
    assert log.evidence.checkpoint() == note


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE evidence_tile SET hashes = zeroblob(length(hashes)) WHERE level = 0",
        "DELETE FROM evidence_tile WHERE level = 0 AND number = 1",
        "DELETE FROM evidence_entry WHERE seq = 290",
        "UPDATE evidence_checkpoint SET size = 299",
        "UPDATE evidence_checkpoint SET note = CAST('nonsense' AS BLOB)",
        "DELETE FROM evidence_entry WHERE seq >= 290",
    ],
)
def test_a_damaged_edge_stops_the_signing(log: Log, damage: str) -> None:
    log.record(*range(300))
    log.evidence.integrate()
    assert log.put(damage) > 0
    log.record(300)
    with pytest.raises(HistoryRewritten):
        log.evidence.integrate()


def test_entries_put_back_from_an_old_copy_are_noticed_without_new_ones(log: Log) -> None:
    log.record(*range(10))
    log.evidence.integrate()
    log.put("DELETE FROM evidence_entry WHERE seq >= 8")
    with pytest.raises(HistoryRewritten):
        log.evidence.integrate()


def test_an_unreadable_new_entry_is_never_signed(log: Log) -> None:
    log.record(0, 1)
    log.put("UPDATE evidence_entry SET leaf = CAST('{}' AS BLOB) WHERE seq = 1")
    with pytest.raises(DamagedEntry):
        log.evidence.integrate()
    with pytest.raises(DamagedEntry):
        log.evidence.entries()
    assert log.evidence.checkpoint() is None


def test_an_old_database_put_back_is_noticed_by_a_checkpoint_kept_elsewhere(
    tmp_path: Path,
) -> None:
    signer = KeySigner()
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with open_log(tmp_path / "old", signer) as old, open_log(tmp_path / "new", signer) as new:
        for log in (old, new):
            log.record(*range(10))
            log.evidence.integrate()
        new.evidence.continues(old.evidence.checkpoint() or "")
        new.record(*range(10, 20))
        new.evidence.integrate()
        new.evidence.continues(old.evidence.checkpoint() or "")
        with pytest.raises(HistoryRewritten):
            old.evidence.continues(new.evidence.checkpoint() or "")
        old.record(*range(110, 130))
        old.evidence.integrate()
        with pytest.raises(HistoryRewritten):
            old.evidence.continues(new.evidence.checkpoint() or "")


def test_a_checkpoint_of_another_log_or_signer_is_not_taken_for_ours(
    log: Log, tmp_path: Path
) -> None:
    log.record(0)
    log.evidence.integrate()
    (tmp_path / "other").mkdir()
    with open_log(tmp_path / "other") as other:
        other.record(0)
        other.evidence.integrate()
        with pytest.raises(BrokenNote):
            log.evidence.continues(other.evidence.checkpoint() or "")
    with pytest.raises(BrokenNote):
        log.evidence.continues((log.evidence.checkpoint() or "").replace(ORIGIN, "x/y"))


def test_a_signer_without_a_key_for_checkpoints_is_refused(log: Log) -> None:
    log.record(0)
    log.signer._pairs.clear()
    with pytest.raises(WrongSigner):
        log.evidence.integrate()
    assert log.evidence.checkpoint() is None


def test_a_key_that_changes_while_signing_is_noticed(log: Log) -> None:
    log.record(0)
    named = log.signer.keys()
    log.signer._pairs[ED25519] = KeySigner(ED25519)._pairs[ED25519]
    log.signer.keys = lambda: named  # type: ignore[method-assign]  # the moment between naming and signing
    with pytest.raises(WrongSigner):
        log.evidence.integrate()


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nfeed"])
def test_an_origin_that_no_note_can_carry_is_refused(log: Log, origin: str) -> None:
    with pytest.raises(BrokenNote):
        type(log.evidence)(
            scope=SCOPE,
            work=log.work,
            clock=FixedClock(NOW),
            store=log.store,
            signer=log.signer,
            origin=origin,
        )
