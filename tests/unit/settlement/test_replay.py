"""A closing can be computed again, and what was tampered with is named."""

import json

import msgspec
import pytest

from huiqi.kernel.canonical import LARGEST_INTEGER, canonical_bytes
from huiqi.policy.types import Price
from huiqi.settlement.errors import UnknownStatement
from huiqi.settlement.types import Deposit, Replay, Statement
from tests.unit.settlement.world import C1, C2, OTHER, P1, World, body_of, price


@pytest.fixture
def closed(world: World) -> World:
    """One use of each of two contracts that share nobody, closed."""
    world.use(world.contract(world.p1, world.c1, price(100, 10, fee_bp=500)), rows=3)
    world.use(world.contract(world.p2, world.c2, price(50)), rows=1)
    world.close()
    return world


def replayed(world: World) -> Replay:
    (run,) = world.settlement.runs()
    return world.settlement.replay(run.id)


def of(*parties: str) -> tuple[str, ...]:
    return tuple(sorted(f"ST-000001-{party}" for party in parties))


def rebook(world: World, place: int, body: bytes) -> None:
    """Somebody writes other bytes over a booked receipt."""
    deposit = world.settlement.deposited()[place]
    receipt = msgspec.structs.replace(deposit.receipt, body=body)
    changed: Deposit = msgspec.structs.replace(deposit, receipt=receipt)
    world.sql(
        "UPDATE settlement_deposit SET document=? WHERE receipt_id=?",
        msgspec.json.encode(changed),
        deposit.receipt_id,
    )


def place_of(world: World, consumer: str) -> int:
    bodies = [body_of(d.receipt) for d in world.settlement.deposited()]
    return next(i for i, body in enumerate(bodies) if body.consumer == consumer)


def test_an_untouched_closing_gives_the_same_bytes(closed: World) -> None:
    found = replayed(closed)
    assert (found.same, found.differing, found.suspect, found.sum_fen) == (True, (), (), 0)
    assert found.statements == 4


def test_an_unknown_closing_is_said_so(world: World) -> None:
    with pytest.raises(UnknownStatement):
        world.settlement.replay("none")
    with pytest.raises(UnknownStatement):
        world.settlement.statement("none")


def test_a_receipt_with_other_rows_names_the_statements_it_is_on(closed: World) -> None:
    place = place_of(closed, C1)
    body = body_of(closed.settlement.deposited()[place].receipt)
    rebook(closed, place, canonical_bytes(msgspec.structs.replace(body, rows=4)))
    found = replayed(closed)
    assert (found.same, found.differing) == (False, of(P1, C1))
    assert body.receipt_id in found.suspect


def test_a_receipt_changed_where_no_amount_depends_on_it_is_named_too(closed: World) -> None:
    place = place_of(closed, C2)
    body = body_of(closed.settlement.deposited()[place].receipt)
    rebook(closed, place, canonical_bytes(msgspec.structs.replace(body, purpose="advertising")))
    found = replayed(closed)
    assert (found.same, found.differing) == (False, of(OTHER, C2))
    assert found.suspect == (body.receipt_id,)


def test_a_receipt_that_is_no_receipt_any_more_names_its_statements(closed: World) -> None:
    rebook(closed, place_of(closed, C2), b"garbage")
    assert replayed(closed).differing == of(OTHER, C2)


@pytest.mark.parametrize(
    "changed",
    [price(101, 10, fee_bp=500), price(100, 10, fee_bp=501), Price(plan="flat@9")],
    ids=["price", "fee", "plan"],
)
def test_a_changed_contract_price_names_the_statements_it_is_on(
    closed: World, changed: Price
) -> None:
    contract = next(c for c in closed.shelf.held.values() if c.consumer.subject == C1)
    closed.shelf.reprice(contract, changed)
    found = replayed(closed)
    assert (found.same, found.differing) == (False, of(P1, C1))


def test_a_price_beyond_exact_integers_or_a_lost_contract_is_no_match(closed: World) -> None:
    contract = next(c for c in closed.shelf.held.values() if c.consumer.subject == C1)
    closed.shelf.reprice(contract, price(LARGEST_INTEGER, LARGEST_INTEGER))
    assert set(replayed(closed).differing) >= set(of(P1, C1))
    del closed.shelf.held[contract.id]
    assert replayed(closed).differing == of(P1, C1)


def test_changed_postings_name_the_statements_even_when_they_balance(closed: World) -> None:
    for account, amount in ((f"party:{C1}", 10), (f"party:{P1}", -10)):
        closed.sql(
            "UPDATE ledger_posting SET amount_fen=amount_fen+? WHERE account=?", amount, account
        )
    found = replayed(closed)
    assert (found.same, found.sum_fen) == (False, 0)
    assert found.differing == of(P1, C1)


def test_a_statement_that_was_rewritten_with_its_contract_fails_by_its_signature(
    closed: World,
) -> None:
    contract = next(c for c in closed.shelf.held.values() if c.consumer.subject == C2)
    closed.shelf.reprice(contract, price(60))
    for party in (OTHER, C2):
        key = f"ST-000001-{party}"
        held = closed.settlement.statement(key)
        text = held.signed.body.decode().replace(":50,", ":60,").replace(":-50,", ":-60,")
        signed = msgspec.structs.replace(held.signed, body=text.encode())
        changed: Statement = msgspec.structs.replace(
            held, signed=signed, document=msgspec.json.decode(text, type=type(held.document))
        )
        closed.sql(
            "UPDATE settlement_statement SET document=? WHERE id=?",
            msgspec.json.encode(changed),
            key,
        )
    closed.sql("UPDATE ledger_posting SET amount_fen=60 WHERE amount_fen=50")
    closed.sql("UPDATE ledger_posting SET amount_fen=-60 WHERE amount_fen=-50")
    found = replayed(closed)
    assert found.suspect == ()
    assert found.differing == of(OTHER, C2)


def test_a_lost_statement_is_named(closed: World) -> None:
    closed.sql("DELETE FROM settlement_statement WHERE id=?", f"ST-000001-{C2}")
    assert replayed(closed).differing == of(C2)


def test_the_documents_are_those_whose_digests_were_noted(closed: World) -> None:
    documents = list(closed.settlement.documents())
    assert len(documents) == 6
    statements = [json.loads(body) for where, _sha, body in documents if "/ST-" in where]
    assert {statement["party"] for statement in statements} == {P1, OTHER, C1, C2}
