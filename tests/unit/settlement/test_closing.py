"""A period is closed once, whole and to the fen, whatever happens in between."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.clock import iso
from huiqi.policy.types import Price
from huiqi.settlement.errors import WrongPeriod
from huiqi.settlement.service import closing
from huiqi.settlement.types import Deposit, RunState, SignedStatement
from huiqi.settlement.uses import Choice, choose
from huiqi.usage.types import GrantState
from tests.unit.settlement.world import C1, C2, HOUR, OTHER, P1, PLATFORM, World, body_of, price

STEPS = ("settlement.taken", "settlement.priced", "settlement.posted", "settlement.issued")
AMOUNTS = st.integers(0, 10**6)
PRICES = st.builds(
    price, AMOUNTS, AMOUNTS, fee_bp=st.integers(0, 10_000), weight=st.integers(1, 1000)
)
# Per use: the rows, and which of the three contracts of the first consumer it draws on.
USES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sets(st.integers(0, 2), min_size=1)), min_size=1, max_size=4
)


class PowerGone(Exception):
    """The process has died."""


@given(prices=st.lists(PRICES, min_size=3, max_size=3), uses=USES)
@settings(max_examples=30, deadline=None)
def test_every_entry_every_closing_and_all_statements_with_fees_sum_to_zero(
    shared: World, prices: list[Price], uses: list[tuple[int, set[int]]]
) -> None:
    books = shared.fresh()
    providers = (shared.p1, shared.p2, shared.p1)
    contracts = [
        shared.contract(provider, shared.c1, each)
        for provider, each in zip(providers, prices, strict=True)
    ]
    for rows, drawn in uses:
        shared.deposit(*shared.joint(*(contracts[i] for i in drawn), rows=rows), books=books)

    statements = books.settlement.close_period()

    entries: dict[str, int] = {}
    for posting in books.settlement.ledger(limit=1000):
        entries[posting.entry] = entries.get(posting.entry, 0) + posting.amount_fen
    assert len(entries) == sum(len(drawn) for _rows, drawn in uses)
    assert set(entries.values()) == {0}
    fees = books.settlement.balances()[f"fees:{PLATFORM}"]
    assert sum(s.document.balance_fen for s in statements) + fees == 0
    assert sum(s.document.fee_fen for s in statements) == fees
    owed = sum(_due([prices[i] for i in drawn], rows) for rows, drawn in uses)
    consumer = next(s for s in statements if s.document.party == C1)
    assert consumer.document.owed_fen == owed
    (run,) = books.settlement.runs()
    replay = books.settlement.replay(run.id)
    assert (replay.same, replay.sum_fen) == (True, 0)


def _due(prices: Sequence[Price], rows: int) -> int:
    each = sum(p.parameters["per_use_fen"] for p in prices)
    return each + rows * max(p.parameters["per_row_fen"] for p in prices)


def test_a_use_costs_its_use_and_its_rows_less_the_fee_rounded_half_up(world: World) -> None:
    world.use(world.contract(world.p1, world.c1, price(100, 7, fee_bp=250)), rows=3)
    statements = world.close()
    assert statements[C1].document.balance_fen == -121
    assert statements[P1].document.balance_fen == 118  # 121 less 3.025
    assert world.settlement.balances() == {
        f"fees:{PLATFORM}": 3,
        f"party:{C1}": -121,
        f"party:{P1}": 118,
    }


def test_rows_of_a_joint_use_cost_the_highest_price_once_and_are_split_to_the_fen(
    world: World,
) -> None:
    one = world.contract(world.p1, world.c1, price(5, 10, weight=1))
    two = world.contract(world.p2, world.c1, price(0, 4, weight=2))
    world.deposit(*world.joint(one, two, rows=10))
    statements = world.close()
    assert statements[C1].document.owed_fen == 105
    assert statements[P1].document.earned_fen == 5 + 33
    assert statements[OTHER].document.earned_fen == 67


def test_refused_and_failed_uses_are_kept_but_not_charged(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    for outcome in (GrantState.REFUSED, GrantState.FAILED, GrantState.REVOKED):
        world.use(contract, rows=0, outcome=outcome.value)
    assert world.close() == {}
    assert [deposit.charged for deposit in world.settlement.deposited()] == [False] * 3
    assert world.settlement.runs() == []


def test_closing_twice_doubles_nothing(world: World) -> None:
    world.use(world.contract(world.p1, world.c1, price(100)))
    assert len(world.close()) == 2
    before, sent = world.settlement.balances(), len(world.books.outbox())
    assert world.close() == {}
    assert world.settlement.balances() == before
    assert len(world.books.outbox()) == sent == 2
    assert len(world.settlement.runs()) == 1


@pytest.mark.parametrize("place", STEPS)
def test_a_crash_after_any_step_loses_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    one = world.contract(world.p1, world.c1, price(100, 10, fee_bp=500))
    two = world.contract(world.p2, world.c1, price(50, 20, fee_bp=500))
    world.use(one)
    world.deposit(*world.joint(one, two, rows=7))

    def dies(reached: str) -> None:
        if reached == place:
            raise PowerGone

    with monkeypatch.context() as patched:
        patched.setattr(closing, "reached", dies)
        with pytest.raises(PowerGone):
            world.settlement.close_period()
    late = world.use(one, rows=1)

    world.settlement.recover()

    (run,) = world.settlement.runs()
    assert run.state is RunState.ISSUED
    assert world.settlement.recover() == 0
    statements = {s.document.party: s.document for s in world.settlement.statements()}
    assert statements[C1].owed_fen == (100 + 30) + (100 + 50 + 140)
    assert sum(s.balance_fen for s in statements.values()) == -_fees(world)
    assert sum(world.settlement.balances().values()) == 0
    assert len(world.settlement.ledger()) == 9
    assert len(world.books.outbox()) == len(statements) == 3
    assert world.settlement.replay(run.id).same
    kinds = world.books.kinds()
    for kind in ("SettlementTaken", "SettlementPriced", "SettlementPosted", "SettlementClosed"):
        assert kinds.count(kind) == 1
    again = world.close()[C1].document
    assert [line.receipt_id for line in again.lines] == [body_of(late).receipt_id]


def _fees(world: World) -> int:
    return world.settlement.balances()[f"fees:{PLATFORM}"]


@pytest.mark.parametrize("place", STEPS[:3])
def test_the_next_closing_finishes_what_was_cut_off_first(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    world.use(contract)

    def dies(reached: str) -> None:
        if reached == place:
            raise PowerGone

    with monkeypatch.context() as patched:
        patched.setattr(closing, "reached", dies)
        with pytest.raises(PowerGone):
            world.settlement.close_period()
    world.clock.advance(HOUR)
    world.use(contract)
    issued = world.settlement.close_period()
    assert {(s.document.number, s.document.party) for s in issued} == {
        (1, P1),
        (1, C1),
        (2, P1),
        (2, C1),
    }
    assert len(issued) == 4
    assert world.settlement.balances()[f"party:{C1}"] == -200


@pytest.mark.parametrize("place", [*STEPS[:3], "chosen"])
def test_two_closings_at_once_give_one(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The second one runs in whole between two steps of the first."""
    world.use(world.contract(world.p1, world.c1, price(100)))
    inner: list[int] = []

    def meanwhile(reached: str) -> None:
        if reached == place and not inner:
            inner.append(0)
            inner[0] = len(world.settlement.close_period())

    def chosen(waiting: Sequence[Deposit], prices: Mapping[str, Price]) -> Choice:
        choice = choose(waiting, prices)
        meanwhile("chosen")
        return choice

    monkeypatch.setattr(closing, "reached", meanwhile)
    monkeypatch.setattr(closing, "choose", chosen)
    outer = world.settlement.close_period()
    assert inner == [2]
    assert {s.id for s in outer} <= {s.id for s in world.settlement.statements()}
    assert len(world.settlement.runs()) == 1
    assert world.settlement.balances()[f"party:{C1}"] == -100
    assert len(world.books.outbox()) == len(world.settlement.statements()) == 2


def test_a_joint_use_waits_for_its_second_receipt(world: World) -> None:
    one = world.contract(world.p1, world.c1, price(10))
    two = world.contract(world.p2, world.c1, price(20))
    first, second = world.joint(one, two)
    world.deposit(first)
    assert world.close() == {}
    (deposit,) = world.settlement.deposited()
    assert two.id in deposit.held
    assert two.id in deposit.held_zh
    world.deposit(second)
    assert world.close()[C1].document.owed_fen == 30
    assert [(d.held, d.held_zh) for d in world.settlement.deposited()] == [("", "")] * 2


def test_a_joint_use_whose_receipts_state_other_rows_is_held_with_its_reason(world: World) -> None:
    one = world.contract(world.p1, world.c1, price(10))
    two = world.contract(world.p2, world.c1, price(20))
    first, second = world.joint(one, two)
    world.deposit(first)
    world.close()
    world.deposit(world.signed(msgspec.structs.replace(body_of(second), rows=4)))
    assert world.close() == {}
    assert {d.held for d in world.settlement.deposited()} == {
        "the receipts of one use state different rows"
    }


def test_a_joint_use_whose_receipts_name_other_contracts_is_held(world: World) -> None:
    one = world.contract(world.p1, world.c1, price(10))
    two = world.contract(world.p2, world.c1, price(20))
    first, second = world.joint(one, two)
    alone = msgspec.structs.replace(body_of(second), joint=(two.id,))
    world.deposit(first, world.signed(alone))
    assert world.close() == {}
    assert all("different contracts" in d.held for d in world.settlement.deposited())


def test_one_use_id_of_two_consumers_is_two_uses(world: World) -> None:
    mine = world.contract(world.p1, world.c1, price(10, 1))
    theirs = world.contract(world.p1, world.c2, price(20, 1))
    world.use(mine, rows=3, use_id="the same")
    world.use(theirs, rows=5, use_id="the same")
    statements = world.close()
    assert statements[C1].document.owed_fen == 13
    assert statements[C2].document.owed_fen == 25
    assert [line.joint for line in statements[C1].document.lines] == [(mine.id,)]


def test_late_receipts_go_into_the_next_period(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    on_time, late = world.receipt(contract), world.receipt(contract)
    world.deposit(on_time)
    world.clock.advance(HOUR)
    first = world.close()[C1].document
    world.deposit(late)
    world.clock.advance(HOUR)
    second = world.close()[C1].document
    assert [line.receipt_id for line in first.lines] == [body_of(on_time).receipt_id]
    assert [line.receipt_id for line in second.lines] == [body_of(late).receipt_id]
    assert (first.since, second.since, second.number) == ("", first.until, 2)
    assert second.lines[0].closed_at < second.since


def test_a_period_takes_what_closed_at_its_end_and_leaves_what_closed_after(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    end = world.clock.now()
    at_the_end = world.use(contract)
    world.clock.advance(timedelta(microseconds=1))
    after = world.use(contract)
    first, second = world.close(end)[C1].document, world.close()[C1].document
    assert [line.receipt_id for line in first.lines] == [body_of(at_the_end).receipt_id]
    assert [line.receipt_id for line in second.lines] == [body_of(after).receipt_id]
    assert first.until == second.since == iso(end)


def test_a_period_ends_neither_in_the_future_nor_before_the_last(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    world.use(contract)
    start = world.clock.now()
    world.clock.advance(HOUR)
    world.close()
    world.use(contract)
    for wrong in (start, world.clock.now() + HOUR):
        with pytest.raises(WrongPeriod) as caught:
            world.settlement.close_period(until=wrong)
        assert caught.value.code == "settlement.wrong_period"
        assert iso(wrong) in caught.value.text("zh")
    assert len(world.settlement.runs()) == 1


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Price(plan="flat@9"), "flat@9"),
        (Price(parameters={"per_month_fen": 1}), "per_month_fen"),
        (Price(joint_weight=0), "joint_weight"),
        (price(LARGEST_INTEGER, 1), "beyond"),
    ],
)
def test_one_bad_contract_holds_its_own_uses_and_nobody_elses(
    world: World, bad: Price, why: str
) -> None:
    world.use(world.contract(world.p2, world.c2, bad))
    world.use(world.contract(world.p1, world.c1, price(100)))
    assert set(world.close()) == {P1, C1}
    held = [d.held for d in world.settlement.deposited() if d.held]
    assert len(held) == 1
    assert why in held[0]
    assert world.close() == {}


def test_a_contract_that_vanished_holds_its_uses(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    world.use(contract)
    del world.shelf.held[contract.id]
    assert world.close() == {}
    assert "is not filed" in world.settlement.deposited()[0].held


def test_sums_beyond_exact_integers_are_left_for_the_next_closing(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(LARGEST_INTEGER // 2 + 1))
    world.use(contract)
    world.use(contract)
    first, second = world.close()[C1].document, world.close()[C1].document
    assert first.owed_fen == second.owed_fen == LARGEST_INTEGER // 2 + 1
    assert (first.number, second.number) == (1, 2)


def test_an_organisation_that_buys_from_itself_owes_itself_only_the_fee(world: World) -> None:
    world.use(world.contract(world.p1, world.p1, price(100, fee_bp=1000)))
    (statement,) = world.close().values()
    assert statement.document.balance_fen == -10
    assert world.settlement.balances() == {f"fees:{PLATFORM}": 10, f"party:{P1}": -10}


def test_each_party_is_sent_its_own_signed_statement_in_order(world: World) -> None:
    world.use(world.contract(world.p1, world.c1, price(100)))
    world.close()
    for queued in world.books.outbox():
        message = queued.message
        assert message.code == "StatementIssued"
        signed = msgspec.json.decode(message.body, type=SignedStatement)
        world.platform.verify(world.platform.me(), signed.body, signed.signature)
        party = msgspec.json.decode(signed.body)["party"]
        assert message.key == f"statements/{party}"
        assert world.by(message.to).me().subject == party


def test_a_receipt_that_must_wait_is_in_the_log_once_with_the_reason(world: World) -> None:
    one = world.contract(world.p1, world.c1, price(10))
    two = world.contract(world.p2, world.c1, price(20))
    first, _ = world.joint(one, two)
    world.deposit(first)
    world.close()
    world.close()
    assert world.books.kinds() == ["ReceiptDeposited", "ReceiptHeld"]
