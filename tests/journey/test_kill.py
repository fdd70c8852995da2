"""Is nothing lost, doubled or over-issued when the process dies at any numbered step?"""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from huiqi.cli.demo.progress import until
from huiqi.kernel.steps import PLACES
from tests.journey.walking import (
    ANSWER,
    IN_FORCE,
    agreed,
    ask,
    await_status,
    in_force,
    published,
    wish,
)
from tests.support.space import KILLED, Space, copied, quiet, serving, sound

pytestmark = pytest.mark.slow

USES = 3
PARTIES = ("p1", "c1")
ROWS = len(ANSWER)
# Each completed use costs 5.00 yuan and 0.03 per row.
CHARGE_FEN = 500 + 3 * ROWS


class Prepared(msgspec.Struct, frozen=True):
    """A data directory at rest, with a contract at each of three points of its life."""

    data: Path
    unsigned: str
    fresh: str
    used: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """One agreed contract, one in force, and one with a use that waits for settlement."""
    data = tmp_path_factory.mktemp("template") / "data"
    with serving(data) as space:
        product = published(space, "trips", asked=wish(USES), salt=1)
        ready = Prepared(
            data=data,
            unsigned=agreed(space, product),
            fresh=in_force(space, product),
            used=in_force(space, product),
        )
        assert ask(space, ready.used)["decision"] == "allowed"
        quiet(space, "c1", "p1", "platform")
        space.stop()
        yield ready


def _drive(deed: Callable[[], object]) -> None:
    """Do what will kill the process; the answer is lost with it, or came just before."""
    with contextlib.suppress(httpx.TransportError):
        deed()


def _revived(prepared: Prepared, target: Path, place: str, deed: Callable[[Space], None]) -> Space:
    """The space after it died at ``place`` while doing ``deed``, and was started again."""
    space = Space(copied(prepared.data, target))
    try:
        space.start(HUIQI_KILL_AT=place)
        _drive(lambda: deed(space))
        assert space.died() == KILLED, f"{place} was never reached:\n{space.said()}"
        return space.start()
    except BaseException:
        space.end()
        raise


def _ends_sound(space: Space) -> None:
    space.stop()
    for prefix, report in sound(space.data).items():
        assert report.sound, f"{prefix}: {report.faults}"
        assert report.entries > 0


# --- signing


def _sign_both(prepared: Prepared, order: Sequence[str] = PARTIES) -> Callable[[Space], None]:
    def deed(space: Space) -> None:
        for party in order:
            space.api(party).post(f"/contracts/{prepared.unsigned}/sign")
        quiet(space, *PARTIES)
        await_status(space, prepared.unsigned, IN_FORCE, *PARTIES)

    return deed


def _signed_after(space: Space, prepared: Prepared) -> None:
    """Whoever had not signed signs now; signing again is harmless."""
    contract = prepared.unsigned
    for party in PARTIES:
        space.api(party).post(f"/contracts/{contract}/sign")
    await_status(space, contract, IN_FORCE, "p1", "c1", "platform")
    held = [space.api(p).get(f"/contracts/{contract}")["agreement"] for p in ("p1", "c1")]
    filed = space.api("platform").get(f"/contracts/{contract}")["agreement"]
    for agreement in (*held, filed):
        assert agreement["sm3"] == filed["sm3"]
        assert sorted(s["role"] for s in agreement["signatures"]) == ["01", "02", "04"]
        assert _by_role(agreement) == _by_role(filed)
    for prefix, kind in (
        ("p1", "AgreementSigned"),
        ("c1", "AgreementSigned"),
        ("p1", "SigningIntended"),
        ("c1", "SigningIntended"),
        ("platform", "SigningIntended"),
        ("platform", "ContractFiled"),
        ("p1", "ContractFiled"),
        ("c1", "ContractFiled"),
    ):
        assert _facts(space, prefix, contract, kind) == 1, f"{kind} at {prefix}"
    assert [c["id"] for c in space.api("platform").get("/contracts")].count(contract) == 1


def _by_role(agreement: Mapping[str, Any]) -> dict[str, Any]:
    return {each["role"]: each for each in agreement["signatures"]}


def _facts(space: Space, prefix: str, subject: str, kind: str) -> int:
    return len(space.api(prefix).get("/evidence", subject=subject, kind=kind))


# --- using


def _use_until_refused(space: Space, contract: str) -> int:
    """How many more uses complete before the contract refuses."""
    for done in range(USES + 2):
        outcome = ask(space, contract)
        if outcome["decision"] != "allowed":
            assert [reason["code"] for reason in outcome["reasons"]] == ["policy.count"]
            return done
        assert outcome["rows"] == ANSWER
        assert not outcome["error"]
    raise AssertionError("over-issued")


def _used_after(space: Space, prepared: Prepared, use_id: str, *, completed: bool) -> None:
    contract = prepared.fresh
    # The consumer's answer was lost; the same use id again is the same use.
    first = ask(space, contract, use_id=use_id)
    again = ask(space, contract, use_id=use_id)
    assert len(first["receipts"]) == 1
    assert first["receipts"] == again["receipts"]
    assert first["receipts"][0]["consumer_signature"]
    outcome = first["receipts"][0]["body"]["outcome"]
    assert outcome == ("completed" if completed else "failed")
    if completed:
        assert first["decision"] == "allowed"
        # Only after the countersignature may the provider have forgotten the rows.
        assert first["rows"] in (ANSWER, [])
    else:
        assert first["rows"] == []
    quiet(space, *PARTIES)
    taken = 1 if completed else 0
    counters = space.api("p1").get(f"/contracts/{contract}/counters")
    assert counters == {"count": taken, "rows": ROWS * taken, "reserved": 0}
    assert _use_until_refused(space, contract) == USES - taken
    counters = space.api("p1").get(f"/contracts/{contract}/counters")
    assert counters == {"count": USES, "rows": ROWS * USES, "reserved": 0}
    _receipts_agree(space, contract, use_id)
    _settles(space, completed_uses=USES + 1)


def _receipts_agree(space: Space, contract: str, use_id: str) -> None:
    quiet(space, *PARTIES)
    mine, theirs = (
        {r["body"]["receiptId"]: r for r in space.api(p).get("/receipts", contract=contract)}
        for p in PARTIES
    )
    assert mine == theirs
    assert [r["body"]["useId"] for r in mine.values()].count(use_id) == 1
    assert sum(r["body"]["outcome"] == "completed" for r in mine.values()) == USES
    assert len({r["body"]["useId"] for r in mine.values()}) == len(mine)
    deposited = space.api("platform").get("/receipts", contract=contract)
    assert sorted(r["body"]["receiptId"] for r in deposited) == sorted(mine)


# --- settling


def _settles(space: Space, *, completed_uses: int) -> None:
    """Everything is charged once, to the fen, and every party agrees."""
    operator = space.api("platform")
    operator.post("/settlement/close")
    assert operator.post("/settlement/close") == []
    statements = operator.get("/statements")
    assert len(statements) == len(PARTIES)
    owed = sum(each["document"]["owedFen"] for each in statements)
    assert owed == CHARGE_FEN * completed_uses
    ledger = operator.get("/settlement/ledger", limit=1000)
    assert sum(posting["amountFen"] for posting in ledger) == 0
    assert len(ledger) == 3 * completed_uses
    assert sum(operator.get("/settlement/balances").values()) == 0
    assert len({each["document"]["statementId"] for each in statements}) == len(statements)
    replay = operator.get(f"/settlement/replay/{statements[0]['document']['run']}")
    assert replay["same"]
    assert replay["sum_fen"] == 0
    for prefix in PARTIES:
        _party_agrees(space, prefix)


def _party_agrees(space: Space, prefix: str) -> None:
    api = space.api(prefix)

    def arrived() -> list[Any] | None:
        return list(api.get("/statements")) or None

    mine = until(arrived, what=f"no statement at {prefix}", seconds=30)
    assert len(mine) == 1
    assert api.get(f"/statements/{mine[0]['id']}/check") == []


def _close(space: Space) -> None:
    space.api("platform").post("/settlement/close")


# --- every place


@pytest.mark.parametrize(
    ("place", "order"),
    [
        *[(place, ("p1", "c1")) for place in PLACES if place.startswith("contracts.")],
        ("contracts.sign.signed", ("c1", "p1")),
        ("contracts.signature.kept", ("c1", "p1")),
    ],
)
def test_a_kill_while_signing_ends_in_one_contract_in_force(
    prepared: Prepared, tmp_path: Path, place: str, order: tuple[str, ...]
) -> None:
    space = _revived(prepared, tmp_path / "data", place, _sign_both(prepared, order))
    try:
        _signed_after(space, prepared)
        _ends_sound(space)
    finally:
        space.end()


@pytest.mark.parametrize(
    ("place", "completed"),
    [
        ("usage.opened", False),
        ("usage.answered", False),
        ("usage.closed", True),
        ("usage.countersigned", True),
    ],
)
def test_a_kill_while_using_neither_loses_nor_doubles_a_use(
    prepared: Prepared, tmp_path: Path, place: str, *, completed: bool
) -> None:
    use_id = str(uuid.uuid4())  # noqa: TID251 - as a consumer chooses one

    def deed(space: Space) -> None:
        ask(space, prepared.fresh, use_id=use_id)
        quiet(space, "c1")

    space = _revived(prepared, tmp_path / "data", place, deed)
    try:
        _used_after(space, prepared, use_id, completed=completed)
        _ends_sound(space)
    finally:
        space.end()


@pytest.mark.parametrize("place", [p for p in PLACES if p.startswith("settlement.")])
def test_a_kill_while_settling_issues_every_statement_once(
    prepared: Prepared, tmp_path: Path, place: str
) -> None:
    space = _revived(prepared, tmp_path / "data", place, _close)
    try:
        _settles(space, completed_uses=1)
        _ends_sound(space)
    finally:
        space.end()


def test_a_second_kill_while_recovering_changes_nothing(prepared: Prepared, tmp_path: Path) -> None:
    space = Space(copied(prepared.data, tmp_path / "data"))
    try:
        for first, second, deed in (
            ("contracts.sign.intent", "contracts.sign.signed", _sign_both(prepared)),
            ("settlement.taken", "settlement.posted", _close),
        ):
            space.start(HUIQI_KILL_AT=first)
            _drive(partial(deed, space))
            assert space.died() == KILLED, first
            # It finishes what was cut off before it serves, and dies there once more.
            space.begin(HUIQI_KILL_AT=second)
            assert space.died() == KILLED, second
            assert not (space.data / "address").exists()
        space.start()
        _signed_after(space, prepared)
        _settles(space, completed_uses=1)
        _ends_sound(space)
    finally:
        space.end()


def test_every_place_is_killed_at() -> None:
    """A place of a new verb needs a test of its own."""
    rooms = {place.split(".")[0] for place in PLACES}
    assert rooms == {"contracts", "usage", "settlement"}
    used = {"usage.opened", "usage.answered", "usage.closed", "usage.countersigned"}
    assert {p for p in PLACES if p.startswith("usage.")} == used
