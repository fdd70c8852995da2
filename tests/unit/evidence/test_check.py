"""The check of the log: every byte that is changed behind the software is found and named."""

# ruff: noqa: S608 - these tests forge rows; no text from outside gets into the statements

import pytest

from huiqi.evidence.errors import HistoryRewritten
from huiqi.evidence.service import Evidence
from huiqi.evidence.tree import leaf_hash
from huiqi.evidence.types import Kept
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.facts import Fact
from tests.unit.evidence.logs import NOW, ORIGIN, SCOPE, KeySigner, Log, fact

ENTRIES = 600  # two full tiles and an unfinished one, and a tile above them
TAIL = 4  # recorded, but not integrated yet


@pytest.fixture
def full(log: Log) -> Log:
    log.record(*range(ENTRIES))
    log.evidence.integrate()
    log.record(*range(ENTRIES, ENTRIES + TAIL))
    return log


def flip(log: Log, table: str, column: str, row: str, place: int) -> None:
    """Flip the lowest bit of one byte of a stored value."""
    where = f"FROM {table} WHERE {row}"
    value = log.get(f"SELECT CAST({column} AS BLOB) {where}")
    place %= len(value)
    changed = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
    kind = log.get(f"SELECT typeof({column}) {where}")
    assert log.put(f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE {row}", changed) == 1


def test_a_whole_log_is_sound_and_says_so(full: Log) -> None:
    told: list[tuple[int, int]] = []
    documents = [Kept("contract 5", sha256_hex(b"document 5"), b"document 5")]
    report = full.evidence.check(documents, progress=lambda done, of: told.append((done, of)))
    assert report.sound
    assert report.faults == ()
    assert report.unchecked == ()
    assert (report.entries, report.integrated, report.documents) == (ENTRIES + TAIL, ENTRIES, 1)
    assert told[-1] == (ENTRIES + TAIL, ENTRIES + TAIL)
    assert len(told) > 1
    assert report.checked_at == NOW


@pytest.mark.parametrize("seq", [0, 17, 255, 256, 513, ENTRIES - 1])
@pytest.mark.parametrize("place", [0, 1, 40, -1, -20])
def test_a_flipped_bit_of_a_leaf_names_the_entry(full: Log, seq: int, place: int) -> None:
    flip(full, "evidence_entry", "leaf", f"seq = {seq}", place)
    places = full.places()
    assert f"entry {seq} leaf" in places
    assert {p.split()[1] for p in places if p.startswith("entry")} == {str(seq)}


@pytest.mark.parametrize("seq", [0, 300, ENTRIES - 1, ENTRIES + 1])
def test_a_flipped_bit_of_a_document_names_the_document(full: Log, seq: int) -> None:
    flip(full, "evidence_entry", "document", f"seq = {seq}", 3)
    assert full.places() == [f"entry {seq} document"]


@pytest.mark.parametrize("column", ["kind", "subject", "at"])
def test_a_flipped_bit_of_a_column_names_the_column(full: Log, column: str) -> None:
    flip(full, "evidence_entry", column, "seq = 17", 2)
    assert full.places() == [f"entry 17 {column}"]


@pytest.mark.parametrize("column", ["kind", "subject", "at"])
def test_text_that_is_no_longer_utf8_is_reported_and_not_stumbled_over(
    full: Log, column: str
) -> None:
    full.put(f"UPDATE evidence_entry SET {column} = CAST(x'ff61' AS TEXT) WHERE seq = 17")
    assert full.places() == [f"entry 17 {column}"]


@pytest.mark.parametrize(
    ("level", "number", "offset"),
    [(0, 0, 0), (0, 0, 255), (0, 1, 7), (0, 2, 3), (0, 2, 87), (1, 0, 0), (1, 0, 1)],
)
def test_a_flipped_bit_of_a_tile_names_the_hash(
    full: Log, level: int, number: int, offset: int
) -> None:
    row = f"level = {level} AND number = {number}"
    flip(full, "evidence_tile", "hashes", row, offset * 32 + 5)
    assert full.places() == [f"tile {level}/{number} hash {offset}"]


def test_a_flipped_bit_anywhere_in_the_checkpoint_is_found(full: Log) -> None:
    note = full.get("SELECT note FROM evidence_checkpoint")
    for place in range(0, len(note), 7):
        flip(full, "evidence_checkpoint", "note", "size > 0", place)
        places = full.places()
        assert places, place
        assert all(p.startswith("checkpoint") for p in places), (place, places)
        full.put("UPDATE evidence_checkpoint SET note = ?", note)
    assert full.places() == []


def test_an_edited_root_and_an_edited_signature_are_named(full: Log) -> None:
    note = full.get("SELECT note FROM evidence_checkpoint").decode()
    origin, size, root, rest = note.split("\n", 3)
    other = ("B" if root[0] == "A" else "A") + root[1:]
    edited = f"{origin}\n{size}\n{other}\n{rest}"
    full.put("UPDATE evidence_checkpoint SET note = ?", edited.encode())
    assert full.places() == ["checkpoint signature", "checkpoint root"]
    national_alone = "\n".join(line for line in note.split("\n") if line != note.split("\n")[4])
    full.put("UPDATE evidence_checkpoint SET note = ?", national_alone.encode())
    assert full.places() == ["checkpoint signature"]


def test_a_changed_size_of_the_checkpoint_is_named(full: Log) -> None:
    full.put("UPDATE evidence_checkpoint SET size = 601")
    assert full.places() == ["checkpoint size"]


def test_a_lost_checkpoint_and_an_older_one_are_named_and_stop_the_signing(log: Log) -> None:
    log.record(*range(300))
    log.evidence.integrate()
    note = log.get("SELECT note FROM evidence_checkpoint")
    log.record(*range(300, 320))
    log.evidence.integrate()
    log.put("UPDATE evidence_checkpoint SET size = 300, note = ?", note)
    assert log.places() == ["checkpoint size"]
    with pytest.raises(HistoryRewritten):
        log.evidence.integrate()
    log.put("DELETE FROM evidence_checkpoint")
    assert log.places() == ["checkpoint size"]
    with pytest.raises(HistoryRewritten):
        log.evidence.integrate()


@pytest.mark.parametrize("column", ["n", "hash"])
def test_a_changed_end_of_a_chain_names_the_subject(full: Log, column: str) -> None:
    value = "n + 1" if column == "n" else "'" + "0" * 64 + "'"
    full.put(f"UPDATE evidence_chain SET {column} = {value} WHERE subject = 'contract-2'")
    assert full.places() == ["chain contract-2"]


def test_chains_without_entries_and_entries_without_a_chain_are_named(full: Log) -> None:
    full.put("UPDATE evidence_chain SET subject = 'stranger' WHERE subject = 'contract-2'")
    assert full.places() == ["chain contract-2", "chain stranger"]


def test_a_flipped_digest_of_the_index_names_the_entry(full: Log) -> None:
    flip(full, "evidence_digest", "sha256", "seq = 17", 4)
    assert full.places() == ["entry 17 document index"]
    full.put("DELETE FROM evidence_digest WHERE seq = 17")
    assert full.places() == ["entry 17 document index"]


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ("seq = 17", "entry 17 missing"),
        ("seq BETWEEN 200 AND 300", "entries 200-300"),
        ("seq = 0", "entry 0 missing"),
        (f"seq = {ENTRIES + 1}", f"entry {ENTRIES + 1} missing"),
        ("seq >= 590", "entries 590-599"),
    ],
)
def test_deleted_rows_are_named_and_nothing_else(full: Log, rows: str, where: str) -> None:
    full.put(f"DELETE FROM evidence_entry WHERE {rows}")
    assert full.places() == [where]


def test_a_row_slipped_in_before_the_first_is_named(full: Log) -> None:
    full.put(
        "INSERT INTO evidence_entry SELECT space, participant, -1, kind, subject, at, leaf,"
        " document FROM evidence_entry WHERE seq = 3"
    )
    assert "entry -1 seq" in full.places()


def test_a_missing_tile_is_named(full: Log) -> None:
    full.put("DELETE FROM evidence_tile WHERE level = 0 AND number = 1")
    assert full.places() == ["tile 0/1"]


def test_entries_rewritten_together_with_their_tile_are_found_by_the_tile_above(full: Log) -> None:
    _rewrite(full, 17)
    assert "entries 0-255" in full.places()
    report = full.evidence.check([])
    assert any("tile 0/0" in fault.what.en for fault in report.faults)


def test_a_rewritten_end_is_found_by_the_signed_root(full: Log) -> None:
    _rewrite(full, ENTRIES - 1)
    assert "checkpoint root" in full.places()


def test_an_edited_entry_that_no_checkpoint_covers_breaks_its_chain(full: Log) -> None:
    last = ENTRIES + TAIL - 1
    edit = "CAST(replace(CAST(leaf AS TEXT), '\"rows\":', '\"rows\":9') AS BLOB)"
    full.put(f"UPDATE evidence_entry SET leaf = {edit} WHERE seq = {last}")
    assert full.places() == [f"chain contract-{last % 5}"]
    full.record(last + 5)
    assert full.places() == [f"entry {last + 1} chain"]


def test_two_faults_in_different_places_are_both_named(full: Log) -> None:
    flip(full, "evidence_entry", "document", "seq = 5", 0)
    flip(full, "evidence_entry", "leaf", "seq = 400", 60)
    flip(full, "evidence_tile", "hashes", "level = 0 AND number = 2", 64)
    assert set(full.places()) >= {"entry 5 document", "entry 400 leaf", "tile 0/2 hash 2"}


def test_a_leaf_of_another_log_is_named(full: Log) -> None:
    full.put(
        "UPDATE evidence_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'huizhou', 'wuhu')"
        f" AS BLOB) WHERE seq = {ENTRIES + 2}"
    )
    assert f"entry {ENTRIES + 2} space" in full.places()


def test_documents_that_other_rooms_keep_must_be_in_the_log(full: Log) -> None:
    def kept(where: str, data: bytes) -> Kept:
        return Kept(where, sha256_hex(data), data)

    newest = f"document {ENTRIES + 1}".encode()
    documents = [
        kept("contract a", b"document 3"),
        kept("contract b", b"never logged"),
        Kept("contract c", sha256_hex(b"document 4"), b"document 4 edited"),
        kept("receipt not integrated yet", newest),
    ]
    report = full.evidence.check(iter(documents))
    assert [fault.where for fault in report.faults] == ["contract c", "contract b"]
    assert report.documents == 4


def test_kept_documents_may_be_read_from_the_same_store(full: Log) -> None:
    def documents() -> list[Kept]:
        size = full.evidence.size()  # opens a transaction of its own
        return [Kept(f"d{size}", sha256_hex(b"document 1"), b"document 1")]

    assert full.evidence.check(k for _ in range(3) for k in documents()).sound


def test_a_check_without_a_verifier_says_that_signatures_were_left_out(full: Log) -> None:
    evidence = Evidence(
        scope=SCOPE,
        work=full.work,
        clock=FixedClock(NOW),
        store=full.store,
        signer=full.signer,
        origin=ORIGIN,
    )
    report = evidence.check([])
    assert report.sound
    assert len(report.unchecked) == 1


def test_a_checkpoint_of_other_keys_does_not_pass(full: Log) -> None:
    full.signer._pairs = KeySigner()._pairs
    assert full.places() == ["checkpoint signature"]


def test_a_checkpoint_of_another_log_is_named(full: Log) -> None:
    note = full.get("SELECT note FROM evidence_checkpoint").decode().replace(ORIGIN, "x/y")
    full.put("UPDATE evidence_checkpoint SET note = ?", note.encode())
    assert "checkpoint origin" in full.places()


def test_only_the_first_thousand_faults_are_listed_and_all_are_counted(log: Log) -> None:
    log.record(*range(1050))
    log.put("UPDATE evidence_entry SET document = x'00'")
    report = log.evidence.check([])
    assert (len(report.faults), report.fault_count) == (1000, 1050)


def test_entries_recorded_during_a_check_do_not_disturb_it(full: Log) -> None:
    def go_on(_done: int, _all: int) -> None:
        if full.evidence.size() < 2000:
            full.work.run(lambda tx: [tx.record(fact(i)) for i in range(300)])
            full.evidence.integrate()

    assert full.evidence.check([], progress=go_on).sound


def _rewrite(log: Log, seq: int) -> None:
    """What an insider would do: another fact at ``seq``, and its tile made to fit."""
    leaf = log.get("SELECT leaf FROM evidence_entry WHERE seq = ?", seq)
    forged = leaf.replace(b'"rows":', b'"rows":9')
    log.put("UPDATE evidence_entry SET leaf = ? WHERE seq = ?", forged, seq)
    tile = log.get("SELECT hashes FROM evidence_tile WHERE level = 0 AND number = ?", seq // 256)
    start = seq % 256 * 32
    tile = tile[:start] + leaf_hash(forged) + tile[start + 32 :]
    log.put("UPDATE evidence_tile SET hashes = ? WHERE level = 0 AND number = ?", tile, seq // 256)


def test_a_fact_without_document_may_not_gain_one(log: Log) -> None:
    log.work.run(lambda tx: tx.record(Fact(kind="A", subject="s", actor="a", at=NOW)))
    log.evidence.integrate()
    log.put("UPDATE evidence_entry SET document = x'00'")
    assert log.places() == ["entry 0 document"]
    log.put("UPDATE evidence_entry SET document = NULL")
    assert log.places() == []
