"""One data directory serves one process, and its files are whole or as they were."""

import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from huiqi.bootstrap.errors import (
    DataDirectoryDamaged,
    DataDirectoryInUse,
    DataDirectoryUnwritable,
    SystemExists,
)
from huiqi.bootstrap.folder import DataFolder, Site, erase, write_whole
from huiqi.trust.types import SystemKind

ROOT = Path(__file__).parents[3]
SITE = Site(
    prefix="p1",
    kind=SystemKind.CONNECTOR,
    subject="52349900MAHU1Q01X9",
    name="供方",
    name_en="Provider",
    area="3401",
    space="demo",
    invitation="code",
)


@contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(path)
    yield folder
    folder.release()


def other_process(folder: Path) -> subprocess.Popen[str]:
    """Another process that opens the directory, and keeps it when it could."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.writing", str(folder), "lock"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_is_refused_while_the_first_serves(tmp_path: Path) -> None:
    with opened(tmp_path):
        answer, _ = other_process(tmp_path).communicate(timeout=20)
        assert answer == "bootstrap.data_directory_in_use\n"


def test_a_process_that_was_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    other = other_process(tmp_path)
    assert other.stdout is not None
    assert other.stdout.readline() == "opened\n"
    with pytest.raises(DataDirectoryInUse) as caught:
        DataFolder(tmp_path)
    assert caught.value.params["path"] == tmp_path.name
    other.send_signal(signal.SIGKILL)
    other.communicate()
    with opened(tmp_path):
        pass


def test_what_a_process_serves_is_not_deleted_under_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with opened(data) as folder:
        folder.add(SITE)
        with pytest.raises(DataDirectoryInUse):
            erase(data)
        assert folder.sites() == (SITE,)
    erase(data)
    assert not data.exists()


def test_only_a_data_directory_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataDirectoryDamaged):
        erase(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_sites_are_kept_in_order_and_a_prefix_is_used_once(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        folder.add(SITE)
        folder.add(Site(**{**_fields(SITE), "prefix": "p2"}))
        folder.joined("p1")
        with pytest.raises(SystemExists):
            folder.add(SITE)
    with opened(tmp_path) as folder:
        assert [(site.prefix, site.invitation) for site in folder.sites()] == [
            ("p1", ""),
            ("p2", "code"),
        ]


def test_a_system_that_has_not_joined_takes_a_new_invitation_in_its_place(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        folder.add(SITE)
        folder.add(Site(**{**_fields(SITE), "prefix": "p2"}))
        folder.add(Site(**{**_fields(SITE), "invitation": "another"}))
        assert [(site.prefix, site.invitation) for site in folder.sites()] == [
            ("p1", "another"),
            ("p2", "code"),
        ]
        with pytest.raises(SystemExists):
            folder.add(Site(**{**_fields(SITE), "kind": SystemKind.PLATFORM}))


def _fields(site: Site) -> dict[str, object]:
    return {name: getattr(site, name) for name in site.__struct_fields__}


@pytest.mark.parametrize(
    "content", [b"", b"{", b'[{"prefix":1}]', b"\xff\xfe", b'[{"prefix":"a"}]', b"[" * 100_000]
)
def test_a_list_of_systems_that_cannot_be_read_is_said_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "systems.json").write_bytes(content)
    with opened(tmp_path) as folder:
        with pytest.raises(DataDirectoryDamaged):
            folder.sites()
        with pytest.raises(DataDirectoryDamaged):
            folder.add(SITE)
    assert (tmp_path / "systems.json").read_bytes() == content


def test_the_passphrase_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        made = folder.passphrase("")
        assert len(made) == 64
        assert folder.passphrase("") == made
        assert folder.passphrase("chosen") == "chosen"
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.of("p1").stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirectoryUnwritable):
            DataFolder(path)


def test_a_file_that_could_not_be_written_whole_is_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "systems.json"
    write_whole(file, b"old")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(DataDirectoryUnwritable, match="too large"):
            write_whole(file, b"x" * 5_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert file.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["systems.json"]
