"""An old copy of a store that is put back is noticed, at the start and by the check."""

from pathlib import Path

import pytest

from huiqi.bootstrap.audit import check_log
from huiqi.bootstrap.folder import Site
from huiqi.bootstrap.parts import Parts, assemble
from huiqi.evidence.errors import HistoryRewritten
from huiqi.kernel.ids import SystemId
from huiqi.trust.types import SystemKind

SITE = Site(
    prefix="node",
    kind=SystemKind.NODE,
    subject="1234990057TE5TA08U",
    name="节点",
    name_en="node",
    area="3400",
    space="test",
)
STORE = ("store.db", "store.db-wal", "store.db-shm")


def _open(folder: Path) -> Parts:
    return assemble(SITE, folder, "a passphrase")


def _files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in STORE if (folder / name).exists()}


def _put_back(folder: Path, files: dict[str, bytes]) -> None:
    for name in STORE:
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.fixture
def rolled_back(tmp_path: Path) -> Path:
    """A system whose store is of the day before its newest checkpoint."""
    parts = _open(tmp_path)
    node = SystemId("21234990057TE5TA08U340000000002Y")
    about = {"subject": SITE.subject, "name": SITE.name, "area": SITE.area, "address": "http://x"}
    parts.trust.found(id=node, kind=SITE.kind, **about)
    parts.anchor.integrate()
    parts.close()
    yesterday = _files(tmp_path)
    parts = _open(tmp_path)
    parts.anchor.check()
    parts.trust.invite(SystemKind.PLATFORM, note="for somebody")
    parts.anchor.integrate()
    parts.close()
    _put_back(tmp_path, yesterday)
    return tmp_path


def test_a_store_of_yesterday_is_refused_at_the_start(rolled_back: Path) -> None:
    parts = _open(rolled_back)
    try:
        with pytest.raises(HistoryRewritten):
            parts.anchor.check()
    finally:
        parts.close()


def test_the_check_reports_it_and_signs_nothing_more(rolled_back: Path) -> None:
    parts = _open(rolled_back)
    try:
        kept = (rolled_back / "checkpoint").read_text()
        report = check_log(parts, lambda _done, _all: None)
        assert [fault.where for fault in report.faults] == ["checkpoint file"]
        assert not report.sound
        assert (rolled_back / "checkpoint").read_text() == kept
    finally:
        parts.close()


def test_a_log_that_goes_on_is_accepted(tmp_path: Path) -> None:
    parts = _open(tmp_path)
    try:
        parts.anchor.check()
        assert parts.anchor.integrate() == 0
        assert check_log(parts, lambda _done, _all: None).sound
    finally:
        parts.close()
