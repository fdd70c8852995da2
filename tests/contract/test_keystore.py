"""The key file: only the passphrase opens it, no edit goes unseen, and destroyed means gone."""

import stat
from pathlib import Path

import msgspec
import pytest

from huiqi.adapters.keys import file_keystore, files
from huiqi.adapters.keys.file_keystore import FileKeyStore, open_keystore
from huiqi.trust.errors import (
    DataKeyGone,
    KeyStoreLocked,
    KeyStoreUnwritable,
    SealBroken,
    UnknownSuite,
)
from huiqi.trust.service import suites, verify_with

PHRASE = "一句长长的口令 with blanks"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is 0.2 s each time; one test below pays it."""
    monkeypatch.setattr(file_keystore, "_SCRYPT_N", 2**4)


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return open_keystore(tmp_path, PHRASE)


def the_file(folder: Path) -> Path:
    return folder / "keys" / "keystore.json"


def test_the_cost_of_a_guess_is_what_the_file_says() -> None:
    from importlib import reload  # noqa: PLC0415 - only here

    real = reload(file_keystore)
    cost = (real._SCRYPT_N, real._SCRYPT_R, real._SCRYPT_P)
    assert real._Head.__annotations__["kdf"].__args__ == ("scrypt-{}-{}-{}".format(*cost),)


def test_keys_stay_the_same_after_a_restart(tmp_path: Path, keys: FileKeyStore) -> None:
    again = open_keystore(tmp_path, PHRASE)
    assert again.public() == keys.public()
    assert [key.suite for key in keys.public()] == list(suites())
    for key in keys.public():
        signature = again.sign(key.suite, b"data")
        assert signature.key_id == key.key_id
        verify_with(keys.public(), b"data", signature)


def test_two_systems_have_different_keys(tmp_path: Path, keys: FileKeyStore) -> None:
    other = open_keystore(tmp_path / "other", PHRASE)
    assert not set(other.public()) & set(keys.public())


def test_a_suite_without_a_key_is_named(keys: FileKeyStore) -> None:
    with pytest.raises(UnknownSuite):
        keys.sign("rot13", b"")


def test_only_the_owner_may_read(tmp_path: Path, keys: FileKeyStore) -> None:
    keys.wrap_key("k")
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) == 2
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (tmp_path / "keys", tmp_path / "keys" / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_secret_stands_in_the_file(tmp_path: Path, keys: FileKeyStore) -> None:
    text = the_file(tmp_path).read_text()
    assert PHRASE not in text
    for private in keys._private.values():
        assert private.hex()[:64] not in text


@pytest.mark.parametrize("phrase", ["", PHRASE + " ", PHRASE.upper()])
def test_another_passphrase_does_not_open(tmp_path: Path, keys: FileKeyStore, phrase: str) -> None:
    assert keys.public()
    with pytest.raises(KeyStoreLocked) as caught:
        open_keystore(tmp_path, phrase)
    assert "口令" in caught.value.text("zh")
    assert "keystore.json" in caught.value.text("en")


def test_no_edit_of_the_file_goes_unseen(tmp_path: Path, keys: FileKeyStore) -> None:
    path = the_file(tmp_path)
    whole = path.read_bytes()
    plain = msgspec.json.decode(whole)
    swapped = {**plain, "head": {**plain["head"], "public": plain["head"]["public"][::-1]}}
    added = {**plain, "head": {**plain["head"], "more": 1}}
    newer = {**plain, "head": {**plain["head"], "v": 2}}
    edits = [msgspec.json.encode(edit) for edit in (swapped, added, newer)]
    edits += [b"", b"{}", whole[:-10], b"\xff\xfe", whole.replace(b"a", b"b", 1)]
    step = max(1, len(whole) // 60)
    edits += [
        whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(0, len(whole), step)
    ]
    for edit in edits:
        if _same_document(edit, whole):
            continue
        path.write_bytes(edit)
        with pytest.raises(KeyStoreLocked):
            open_keystore(tmp_path, PHRASE)
    path.write_bytes(whole)
    assert open_keystore(tmp_path, PHRASE).public() == keys.public()


def _same_document(edit: bytes, whole: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(edit) == msgspec.json.decode(whole))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def test_a_half_made_file_is_never_seen(tmp_path: Path, keys: FileKeyStore) -> None:
    assert keys.public()
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["keystore.json"]
    assert not files.create(the_file(tmp_path), b"second")
    assert open_keystore(tmp_path, PHRASE).public() == keys.public()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(KeyStoreUnwritable):
        open_keystore(tmp_path, PHRASE)


def test_a_seal_opens_for_its_purpose_only(tmp_path: Path, keys: FileKeyStore) -> None:
    sealed = keys.seal(b"rows", "projection")
    assert b"rows" not in sealed
    assert keys.seal(b"rows", "projection") != sealed
    assert open_keystore(tmp_path, PHRASE).open_sealed(sealed, "projection") == b"rows"
    other = open_keystore(tmp_path / "other", PHRASE)
    edited = sealed[:-1] + bytes([sealed[-1] ^ 1])
    attempts = [(keys, sealed, "result"), (other, sealed, "projection")]
    attempts += [
        (keys, edited, "projection"),
        (keys, b"", "projection"),
        (keys, sealed[:12], "projection"),
    ]
    for store, data, purpose in attempts:
        with pytest.raises(SealBroken):
            store.open_sealed(data, purpose)


def test_a_data_key_is_made_once_and_kept(tmp_path: Path, keys: FileKeyStore) -> None:
    key = keys.wrap_key("C49…/1")
    assert len(key) == 32
    assert keys.wrap_key("C49…/1") == key
    assert keys.wrap_key("C49…/2") != key
    assert open_keystore(tmp_path, PHRASE).unwrap_key("C49…/1") == key
    assert all(key not in path.read_bytes() for path in tmp_path.rglob("*.key"))


def test_an_id_is_never_a_path(tmp_path: Path, keys: FileKeyStore) -> None:
    keys.wrap_key("../../escape")
    assert [path.parent.name for path in tmp_path.rglob("*.key")] == ["data"]


def test_a_destroyed_key_is_gone_for_good(tmp_path: Path, keys: FileKeyStore) -> None:
    before = keys.wrap_key("a")
    keys.wrap_key("b")
    keys.destroy_key("a")
    keys.destroy_key("a")
    assert len(list(tmp_path.rglob("*.key"))) == 1
    with pytest.raises(DataKeyGone):
        keys.unwrap_key("a")
    with pytest.raises(DataKeyGone):
        open_keystore(tmp_path, PHRASE).unwrap_key("a")
    assert keys.wrap_key("a") != before


def test_the_bytes_of_a_destroyed_key_are_overwritten_before_it_is_removed(
    tmp_path: Path, keys: FileKeyStore
) -> None:
    keys.wrap_key("a")
    (path,) = tmp_path.rglob("*.key")
    second_name = tmp_path / "second"
    second_name.hardlink_to(path)
    before = second_name.read_bytes()
    keys.destroy_key("a")
    after = second_name.read_bytes()
    assert not path.exists()
    assert len(after) == len(before)
    assert after != before


def test_an_edited_or_exchanged_key_file_is_refused(tmp_path: Path, keys: FileKeyStore) -> None:
    keys.wrap_key("a")
    (first,) = tmp_path.rglob("*.key")
    keys.wrap_key("b")
    (second,) = set(tmp_path.rglob("*.key")) - {first}
    second.write_bytes(first.read_bytes())
    with pytest.raises(SealBroken):
        keys.unwrap_key("b")
    with pytest.raises(SealBroken):
        keys.wrap_key("b")
    first.write_bytes(b"")
    with pytest.raises(SealBroken):
        keys.unwrap_key("a")


def test_a_key_that_cannot_be_destroyed_is_said(tmp_path: Path, keys: FileKeyStore) -> None:
    keys.wrap_key("a")
    (path,) = tmp_path.rglob("*.key")
    path.unlink()
    path.mkdir()
    with pytest.raises(KeyStoreUnwritable):
        keys.destroy_key("a")
