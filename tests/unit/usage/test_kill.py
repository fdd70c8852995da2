"""What was decided before a kill -9 is there after it, and nothing is half there."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.usage_store import SqlUsageStore
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.ids import ContractId
from huiqi.kernel.work import Scope
from huiqi.usage.ports import WHOLE, KeptReceipt, Tally, Use
from tests.unit.usage.world import PROVIDER, START

ROOT = Path(__file__).parents[3]
SCOPE = Scope(space="demo", participant=PROVIDER)


@dataclass
class Left:
    """What the provider's store holds after the kill."""

    tally: Tally
    uses: list[Use]
    open: list[Use]
    unsigned: list[KeptReceipt]
    receipts: list[KeptReceipt]
    sending: list[str]


@contextmanager
def killed_at(place: str, folder: Path) -> Iterator[Left]:
    died = subprocess.run(
        [sys.executable, "-m", "tests.unit.usage.dying", str(folder), place],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    contract = ContractId((folder / "contract").read_text())
    database = Database(folder / "store.db", clock=FixedClock(START))
    work, store = SqlWork(database, SCOPE), SqlUsageStore()
    yield Left(
        tally=work.read(lambda tx: store.tally(SCOPE, tx, contract, WHOLE)),
        uses=list(work.read(lambda tx: store.uses(SCOPE, tx, None, None, 9))),
        open=list(work.read(lambda tx: store.open_uses(SCOPE, tx, None))),
        unsigned=list(work.read(lambda tx: store.unsigned(SCOPE, tx))),
        receipts=list(work.read(lambda tx: store.receipts(SCOPE, tx, None, 9))),
        sending=[queued.message.code for queued in SqlOutbox(database).waiting(SCOPE)],
    )
    database.close()


def test_a_grant_survives_with_its_reservation(tmp_path: Path) -> None:
    with killed_at("usage.opened", tmp_path) as left:
        assert left.tally == Tally(reserved=1)
        assert len(left.open) == 1
        assert left.receipts == left.unsigned == []


def test_a_closed_use_survives_counted_and_waits_for_its_signature(tmp_path: Path) -> None:
    with killed_at("usage.closed", tmp_path) as left:
        assert left.tally == Tally(used=1, rows=2)
        assert left.open == []
        assert [kept.receipt_id for kept in left.unsigned] == [left.uses[0].receipt_id]


def test_a_countersigned_receipt_survives_with_its_deposit(tmp_path: Path) -> None:
    with killed_at("usage.countersigned", tmp_path) as left:
        assert left.receipts[0].consumer_signature is not None
        assert left.sending == ["ReceiptDeposit"]


def test_a_place_that_does_not_exist_is_not_passed_silently(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), killed_at("usage.nowhere", tmp_path):
        pass
