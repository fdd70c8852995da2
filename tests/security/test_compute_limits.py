"""A member of a contract that asks too much, too often, or in a form that makes no sense."""
# ruff: noqa: S608 - the texts under test are put together here on purpose

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from huiqi.compute.errors import EngineBusy, OrderUnreadable, QueryRefused, RowFilterUnreadable
from huiqi.compute.guard import LONGEST_QUERY, read_query, read_row_filter
from huiqi.compute.service.room import LONGEST_ORDER, MOST_AT_ONCE, Places
from huiqi.compute.types import LendRequest, UseRequest
from huiqi.policy.types import Decision
from huiqi.trust.types import Signature
from huiqi.usage.types import SignedOrder
from tests.unit.compute.test_compute import BY_ORIGIN, FIELDS
from tests.unit.compute.world import ComputeWorld, open_compute_world

NO_SIGNATURE = Signature(suite="sm2-sm3-sm4", key_id="", value="")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ComputeWorld]:
    with open_compute_world(tmp_path) as made:
        yield made


@contextlib.contextmanager
def all_taken(places: Places) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_AT_ONCE):
            stack.enter_context(places.taken())
        yield


def test_who_asks_when_every_place_is_taken_is_told_at_once_and_nothing_is_counted(
    world: ComputeWorld,
) -> None:
    contract = world.flights_contract(FIELDS)
    for places in (world.asker.compute._asked, world.flights.compute._worked):
        with all_taken(places), pytest.raises(EngineBusy):
            world.ask(BY_ORIGIN, contract)
    assert world.provider.usage.counters(contract.id)["count"] == 0
    assert world.ask(BY_ORIGIN, contract).decision is Decision.ALLOWED


def test_a_lender_lends_to_so_many_at_once(world: ComputeWorld) -> None:
    contract = world.flights_contract(FIELDS)
    order = SignedOrder(body=b"{}", signature=NO_SIGNATURE)
    with all_taken(world.flights.compute._loaned), pytest.raises(EngineBusy):
        world.flights.compute.lend(
            world.consumer.trust.me(), LendRequest(order=order, contract=contract.id)
        )


def test_a_place_is_free_again_after_a_failure() -> None:
    places = Places(1)
    for _ in range(3):
        with pytest.raises(OrderUnreadable), places.taken():
            raise OrderUnreadable
    with places.taken(), pytest.raises(EngineBusy), places.taken():
        pass


def test_an_endless_order_is_refused_before_it_fills_the_books(world: ComputeWorld) -> None:
    order = UseRequest(body=b" " * LONGEST_ORDER + b"{}", signature=NO_SIGNATURE)
    with pytest.raises(OrderUnreadable):
        world.flights.compute.run(world.consumer.trust.me(), order)
    assert list(world.provider.usage.uses()) == []


@pytest.mark.parametrize("more", [{"tables": {}}, {"tables": {f"t{n}": "C" for n in range(5)}}])
def test_a_question_without_tables_or_with_too_many_is_not_sent(
    world: ComputeWorld, more: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(QueryRefused):
        world.asker.compute.ask(purpose="research", sql=BY_ORIGIN, **more)
    assert world.asker.wires.calls == []


@pytest.mark.parametrize("part", ["sql", "purpose", "table"])
def test_an_endless_question_is_not_signed(world: ComputeWorld, part: str) -> None:
    contract, much = world.flights_contract(FIELDS), "x" * (LONGEST_QUERY + 1)
    asked = {"sql": BY_ORIGIN, "purpose": "research", "table": "flights"} | {part: much}
    with pytest.raises(QueryRefused):
        world.asker.compute.ask(
            tables={asked["table"]: contract.id}, purpose=asked["purpose"], sql=asked["sql"]
        )
    assert list(world.consumer.usage.uses()) == []


@pytest.mark.parametrize(
    "text",
    [
        "DELETE{a,:1} @①M flights",
        "x = 1 AND MAP{a}",
        "x = ²",
        "x = １",
        "x = 1 LIMIT ²",
        "\ud800",
        "x = '\ud800'",
        "'" * 99,
        "(" * 5_000,
        "x IN (" + "(" * 500,
        "x = 1\0",
        "x = 1; DROP TABLE t",
        "x = 1 --",
        'x" = 1 OR "x',
        "x = '' OR ''=''",
        "x = E'\\'' OR 1=1 --'",
        "x = $$a$$ OR true",
    ],
)
def test_a_row_filter_that_makes_no_sense_is_refused_in_its_own_words(text: str) -> None:
    with pytest.raises(RowFilterUnreadable):
        read_row_filter(text)
    with pytest.raises(QueryRefused):
        read_query(f"SELECT x FROM t WHERE {text}", ("t",))


def test_an_order_is_never_deeper_than_it_is_long(world: ComputeWorld) -> None:
    body = msgspec.json.encode("x").replace(b"x", b"[" * 10_000)
    with pytest.raises(OrderUnreadable):
        world.flights.compute.run(
            world.consumer.trust.me(), UseRequest(body=body[1:], signature=NO_SIGNATURE)
        )
