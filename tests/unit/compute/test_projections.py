"""The projection store keeps files and keys apart and destroys both for good."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from huiqi.adapters.projections import FileProjectionStore
from huiqi.compute.errors import ProjectionDamaged, ProjectionMissing
from huiqi.compute.types import Projection
from huiqi.kernel.ids import ContractId, ProductId
from huiqi.kernel.work import Scope
from tests.support.seals import FolderSeals

SCOPE = Scope(space="demo", participant="91340100MAHU1Q01XF")
OTHER = Scope(space="demo", participant="91340100MA2TE5TP35")


def described(name: str) -> Projection:
    return Projection(
        id=name,
        contract=ContractId("C1"),
        product=ProductId("P1"),
        data_version="v1",
        columns=(),
        has_unit=False,
        rows=1,
        bytes=5,
        digest="d",
        key_id="k",
        built_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def kept(store: FileProjectionStore, name: str = "abc") -> tuple[Path, bytes]:
    path, key = store.begin(SCOPE, name)
    path.write_bytes(b"noise")
    store.keep(SCOPE, described(name))
    return path, key


def test_a_kept_projection_is_found_again_after_a_restart(tmp_path: Path) -> None:
    path, key = kept(FileProjectionStore(tmp_path, FolderSeals(tmp_path)))
    again = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    assert again.find(SCOPE, "abc") == described("abc")
    assert again.open(SCOPE, "abc") == (path, key)
    assert again.find(OTHER, "abc") is None


def test_every_projection_has_a_key_of_its_own_and_none_lies_open(tmp_path: Path) -> None:
    store = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    (_, one), (_, other) = kept(store, "a1"), kept(store, "a2")
    assert one != other
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert one not in file.read_bytes()
            assert file.name.endswith(".hqp") or file.stat().st_mode & 0o077 == 0


def test_destruction_takes_the_file_and_the_key_and_may_be_repeated(tmp_path: Path) -> None:
    store = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    path, _ = kept(store)
    store.destroy(SCOPE, "abc")
    store.destroy(SCOPE, "abc")
    assert not path.exists()
    assert not list((tmp_path / "keys").rglob("abc.key"))
    assert store.find(SCOPE, "abc") is None
    with pytest.raises(ProjectionMissing):
        store.open(SCOPE, "abc")
    assert [p.id for p in FileProjectionStore(tmp_path, FolderSeals(tmp_path)).all(SCOPE)] == [
        "abc"
    ], "not yet recorded"
    store.forget(SCOPE, "abc")
    assert not FileProjectionStore(tmp_path, FolderSeals(tmp_path)).all(SCOPE)


def test_what_a_crash_left_unfinished_is_destroyed_at_the_next_start(tmp_path: Path) -> None:
    store = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    path, _ = store.begin(SCOPE, "half")
    path.with_suffix(".part").write_bytes(b"half a file")
    again = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    assert again.find(SCOPE, "half") is None
    assert not path.with_suffix(".part").exists()
    assert not list((tmp_path / "keys").rglob("half.key"))


def test_a_key_of_another_projection_or_store_does_not_open(tmp_path: Path) -> None:
    store = FileProjectionStore(tmp_path, FolderSeals(tmp_path))
    kept(store, "a1")
    kept(store, "a2")
    keys = next((tmp_path / "keys").rglob("a1.key")).parent
    (keys / "a1.key").write_bytes((keys / "a2.key").read_bytes())
    with pytest.raises(ProjectionDamaged):
        store.open(SCOPE, "a1")
    (keys / "a2.key").write_bytes(b"short")
    with pytest.raises(ProjectionDamaged):
        store.open(SCOPE, "a2")


def test_a_key_sealed_elsewhere_does_not_open(tmp_path: Path) -> None:
    kept(FileProjectionStore(tmp_path, FolderSeals(tmp_path)))
    stranger = FileProjectionStore(tmp_path, FolderSeals(tmp_path / "other"))
    with pytest.raises(ProjectionDamaged):
        stranger.open(SCOPE, "abc")


def test_an_id_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectionMissing):
        FileProjectionStore(tmp_path, FolderSeals(tmp_path)).begin(SCOPE, "../../evil")
