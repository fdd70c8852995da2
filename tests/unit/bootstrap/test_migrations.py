"""The migration tree gives exactly the tables that the rooms declare, whole or not at all."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

from huiqi.adapters.sql.all_tables import metadata
from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.errors import StoreDamaged, StoreLocked, StoreTooNew, StoreUnavailable
from huiqi.adapters.sql.migrations import FOLDER, HEAD
from huiqi.bootstrap.store import newest_instant, open_store, upgrade
from huiqi.kernel.clock import FixedClock
from tests.contract.writing import NOW, SCOPE, put

ROOT = Path(__file__).parents[3]
CLOCK = FixedClock(NOW)


@contextmanager
def database(folder: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{folder / 'plain.db'}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def shape(connection: Connection) -> list[tuple[str, str]]:
    """Every table and index with its words, blanks aside."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return sorted((name, " ".join(words.split())) for name, words in rows)


def test_the_tree_has_one_head_and_it_is_the_one_we_name() -> None:
    assert ScriptDirectory(str(FOLDER)).get_heads() == [HEAD]


def test_an_upgrade_gives_exactly_the_declared_tables(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        upgrade(connection)
        assert differences(connection) == []
        names = {name for name, _ in shape(connection)}
        assert set(metadata.tables) <= names
        declared = {index.name for table in metadata.tables.values() for index in table.indexes}
        assert declared <= names


def test_the_comparison_notices_a_missing_index(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        upgrade(connection)
        connection.exec_driver_sql("DROP INDEX ix_outbox_due")
        assert len(differences(connection)) == 1


def test_partial_indexes_are_as_declared(tmp_path: Path) -> None:
    """Alembic compares no conditions of indexes, so we do."""
    with database(tmp_path) as connection:
        upgrade(connection)
        migrated = [words for name, words in shape(connection) if name.startswith(("ix_", "uq_"))]
    with database(_sub(tmp_path)) as connection:
        metadata.create_all(connection)
        declared = [words for name, words in shape(connection) if name.startswith(("ix_", "uq_"))]
    assert migrated == declared


def _sub(folder: Path) -> Path:
    below = folder / "below"
    below.mkdir()
    return below


def test_up_down_up_ends_where_up_ends(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        upgrade(connection)
        once = shape(connection)
        downgrade(connection)
        assert [name for name, _ in shape(connection)] == ["alembic_version"]
        upgrade(connection)
        assert shape(connection) == once


def test_an_opened_store_works_and_opens_again_with_what_it_held(tmp_path: Path) -> None:
    store = open_store(tmp_path, CLOCK)
    assert newest_instant(store) is None
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    store.close()
    store = open_store(tmp_path, CLOCK)
    assert newest_instant(store) == NOW
    store.close()


def test_a_folder_with_marks_in_its_name_is_no_address(tmp_path: Path) -> None:
    folder = tmp_path / "数据 50%?mode=memory#1"
    folder.mkdir()
    store = open_store(folder, CLOCK)
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    store.close()
    open_store(folder, CLOCK).close()
    assert [entry.name for entry in folder.iterdir()] == ["store.db"]
    assert [entry.name for entry in tmp_path.iterdir()] == [folder.name]


def test_no_room_for_the_tables_leaves_none_behind_and_the_next_start_makes_them(
    tmp_path: Path,
) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.contract.writing", str(tmp_path), "full_at_birth"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert said.stdout == "store.full\n"
    store = open_store(tmp_path, CLOCK)
    SqlWork(store, SCOPE).run(lambda tx: put(tx, 1))
    store.close()


def test_an_upgrade_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """A table that is in the way stops it in the middle."""
    with _plain(tmp_path) as plain:
        plain.execute("CREATE TABLE outbox (id INTEGER)")
    with pytest.raises(StoreUnavailable):
        open_store(tmp_path, CLOCK)
    with _plain(tmp_path) as plain:
        assert plain.execute("SELECT name FROM sqlite_master").fetchall() == [("outbox",)]
        plain.execute("DROP TABLE outbox")
    open_store(tmp_path, CLOCK).close()


@contextmanager
def _plain(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "store.db", isolation_level=None)
    yield connection
    connection.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path, CLOCK).close()
    with _plain(tmp_path) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew) as caught:
        open_store(tmp_path, CLOCK)
    assert caught.value.params["version"] == "9999"


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreDamaged):
        open_store(tmp_path, CLOCK)
    assert (tmp_path / "store.db").read_bytes() == content


def test_an_upgrade_waits_for_nobody_who_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huiqi.bootstrap.store.LOCK_WAIT_S", 0.05)
    with _plain(tmp_path) as plain:
        plain.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreLocked):
            open_store(tmp_path, CLOCK)
        plain.execute("ROLLBACK")
    open_store(tmp_path, CLOCK).close()
