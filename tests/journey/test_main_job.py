"""Does the main job run on an empty directory, again on a used one, and is it provable after?"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import apsw
import pytest

from tests.support.space import Space, copied, huiqi

pytestmark = pytest.mark.slow

VERBS = ("1 Publish", "2 Discover", "3 Negotiate", "4 Sign", "5 Use", "6 Evidence", "7 Settle")
VERBS_ZH = ("一 发布", "二 发现", "三 协商", "四 签署", "五 使用", "六 存证", "七 结算")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, CompletedProcess[str]]]:
    """The data directory of a first run, and how it ended."""
    data = tmp_path_factory.mktemp("job") / "data"
    yield data, huiqi("demo", "--exit", data=data)
    shutil.rmtree(data)


@pytest.fixture
def after(first: tuple[Path, CompletedProcess[str]], tmp_path: Path) -> Path:
    """A copy of that data directory, to edit."""
    return copied(first[0], tmp_path / "copy")


def _receipts(data: Path) -> tuple[Path, Path]:
    keys = data / "receipts" / "keys.json"
    files = sorted(file for file in keys.parent.glob("*.json") if file != keys)
    assert len(files) == 3
    return files[0], keys


def test_the_first_run_shows_the_seven_verbs_and_ends_well(
    first: tuple[Path, CompletedProcess[str]],
) -> None:
    _data, done = first
    assert done.returncode == 0, done.stdout + done.stderr
    places = [done.stdout.index(verb) for verb in VERBS]
    assert places == sorted(places)
    assert "✗ " not in done.stdout.replace("✗ The", "")
    for forbidden in (
        "policy.data_field",
        "usage.group_too_small",
        "policy.purpose",
        "policy.count",
    ):
        assert f"[{forbidden}]" in done.stdout
    assert "usage.contract_not_in_force" in done.stdout
    assert "12.57 = 12.20 + 0.37" in done.stdout


def test_the_progress_display_is_not_mixed_with_log_lines(
    first: tuple[Path, CompletedProcess[str]],
) -> None:
    _data, done = first
    assert done.stderr == ""


def test_a_second_run_continues_on_the_same_directory_in_chinese(after: Path) -> None:
    again = huiqi("demo", "--exit", data=after, HUIQI_LANG="zh")
    assert again.returncode == 0, again.stdout + again.stderr
    places = [again.stdout.index(verb) for verb in VERBS_ZH]
    assert places == sorted(places)
    # The books go on: the second closing has the next number.
    assert "ST-000002-" in again.stdout
    checked = huiqi("fsck", data=after)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_fsck_finds_every_log_sound(first: tuple[Path, CompletedProcess[str]]) -> None:
    done = huiqi("fsck", data=first[0])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        [prefix, "sound"] for prefix in ("node", "platform", "p1", "p2", "c1")
    ]


def test_a_genuine_receipt_verifies_with_public_keys_alone(
    first: tuple[Path, CompletedProcess[str]], tmp_path: Path
) -> None:
    receipt, keys = _receipts(first[0])
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    shutil.copy(receipt, alone / "receipt.json")
    shutil.copy(keys, alone / "keys.json")
    nowhere = tmp_path / "no-data"
    done = huiqi(
        "verify", str(alone / "receipt.json"), "--keys", str(alone / "keys.json"), data=nowhere
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The receipt is genuine" in done.stdout
    assert not nowhere.exists()


def test_an_edited_receipt_fails_and_the_step_is_named(
    first: tuple[Path, CompletedProcess[str]], tmp_path: Path
) -> None:
    receipt, keys = _receipts(first[0])
    text = receipt.read_text()
    value = text.split('"provider_signature"')[1].split('"value":')[1].split('"')[1]
    forged = ("0" if value[0] != "0" else "1") + value[1:]
    edited = tmp_path / "edited.json"
    edited.write_text(text.replace(value, forged))
    done = huiqi("verify", str(edited), "--keys", str(keys), data=tmp_path / "no-data")
    assert done.returncode == 1
    (failed,) = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert failed.startswith("✗ 4 Provider's signature")
    assert "The receipt did not pass" in done.stdout


def test_the_ledger_replays_to_the_same_bytes(first: tuple[Path, CompletedProcess[str]]) -> None:
    done = huiqi("replay", "platform", data=first[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("✓ period 1 to ")


def test_one_flipped_byte_of_a_store_is_located(after: Path) -> None:
    store = after / "p1" / "store.db"
    connection = apsw.Connection(str(store))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows = connection.execute("SELECT seq, leaf FROM evidence_entry ORDER BY seq").fetchall()
    connection.close()
    seq, leaf = rows[len(rows) // 3]
    assert isinstance(leaf, bytes)
    data = bytearray(store.read_bytes())
    at = data.find(leaf)
    assert at > 0
    data[at + len(leaf) // 2] ^= 1
    store.write_bytes(data)
    done = huiqi("fsck", data=after)
    assert done.returncode == 1
    assert f"✗ entry {seq}" in done.stdout, done.stdout + done.stderr
    assert "c1         sound" in done.stdout


def test_reset_without_yes_keeps_everything(after: Path) -> None:
    before = {file: file.stat().st_size for file in after.rglob("*") if file.is_file()}
    for typed in ("n\n", "\n", ""):
        done = huiqi("reset", data=after, typed=typed)
        assert done.returncode == (0 if typed else 130)
        now = {file: file.stat().st_size for file in after.rglob("*") if file.is_file()}
        assert {f: s for f, s in now.items() if f.name != "lock"} == {
            f: s for f, s in before.items() if f.name != "lock"
        }


def test_reset_with_yes_deletes_the_directory(after: Path) -> None:
    done = huiqi("reset", "--yes", data=after)
    assert done.returncode == 0, done.stderr
    assert not after.exists()


def test_reset_deletes_nothing_that_is_not_a_data_directory(tmp_path: Path) -> None:
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "one.jpg").write_bytes(b"x")
    done = huiqi("reset", "--yes", data=precious)
    assert done.returncode == 1
    assert "[bootstrap.data_directory_damaged]" in done.stderr
    assert (precious / "one.jpg").read_bytes() == b"x"


def test_reset_of_a_served_directory_is_refused(space: Space) -> None:
    done = huiqi("reset", "--yes", data=space.data)
    assert done.returncode == 1
    assert "[bootstrap.data_directory_in_use]" in done.stderr
    assert space.api("c1").get("/me")["login"] == "consumer"
