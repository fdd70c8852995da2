"""Negotiation: rounds alternate, repeats are harmless, nothing slips in."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from huiqi.catalog.types import ProductState
from huiqi.contracts.agreements import terms_digest
from huiqi.contracts.errors import (
    ConflictingRound,
    EarlierMessageMissing,
    InvalidTerms,
    NotAgreed,
    NotYourTurn,
    ProductNotOffered,
    SameParty,
    UnknownContract,
    WrongText,
)
from huiqi.contracts.types import (
    ContractStatus,
    PartyRole,
    ProposalKind,
)
from huiqi.kernel.errors import IllegalStep
from huiqi.trust.errors import UnknownSuite
from tests.unit.contracts.forging import negotiation, take
from tests.unit.contracts.world import (
    CONTRADICTION,
    MISFIT,
    PRODUCT,
    UNKNOWN,
    World,
    terms,
)

S = ContractStatus


def test_a_request_reaches_the_provider_and_waits_for_it(world: World) -> None:
    id_ = world.requested(note="三个月的准点率研究")
    ours, theirs = world.consumer.contract(id_), world.provider.contract(id_)
    assert (ours.status, theirs.status) == (S.INITIATED, S.INITIATED)
    assert (ours.mine, theirs.mine) == (PartyRole.CONSUMER, PartyRole.PROVIDER)
    assert ours.waiting_for == theirs.waiting_for == PartyRole.PROVIDER.value
    assert ours.proposals == theirs.proposals
    assert ours.terms == world.record.terms
    assert world.c.facts(id_) == world.p.facts(id_) == ["OfferMade"]


def test_counters_go_both_ways_until_one_is_accepted(world: World) -> None:
    id_ = world.requested(terms=terms(uses=500))
    world.provider.counter(id_, terms(uses=200), note="最多二百次")
    world.deliver()
    assert world.consumer.contract(id_).status is S.NEGOTIATING
    assert world.consumer.contract(id_).waiting_for == PartyRole.CONSUMER.value
    world.consumer.counter(id_, terms(uses=300))
    world.deliver()
    world.provider.counter(id_, terms(uses=250))
    world.deliver()
    world.consumer.accept(id_)
    world.deliver()
    ours, theirs = world.consumer.contract(id_), world.provider.contract(id_)
    assert (ours.status, theirs.status) == (S.SIGNING, S.SIGNING)
    assert [each.kind.value for each in theirs.proposals] == [
        "request",
        "offer",
        "request",
        "offer",
        "accept",
    ]
    assert ours.terms == terms(uses=250)
    assert world.consumer.body(id_) == world.provider.body(id_)
    assert world.p.facts(id_) == ["OfferMade", *["OfferCountered"] * 3, "OfferAccepted"]


def test_the_digest_of_the_facts_is_that_of_the_terms(world: World) -> None:
    id_ = world.requested()
    (entry,) = world.p.entries(id_)
    assert entry.sm3 == terms_digest(terms()) == entry.details["digest"]
    assert entry.actor == world.c.me.id


def test_rounds_alternate(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    for act in (world.provider.counter, lambda id_, _: world.provider.accept(id_)):
        with pytest.raises((NotYourTurn, IllegalStep)):
            act(id_, terms(uses=4))
    with pytest.raises(NotYourTurn):
        world.provider.decline(id_, reason="不再需要")


def test_the_consumer_cannot_accept_its_own_request(world: World) -> None:
    id_ = world.requested()
    with pytest.raises(IllegalStep):
        world.consumer.accept(id_)


def test_a_decline_ends_the_negotiation_on_both_sides(world: World) -> None:
    id_ = world.requested()
    world.provider.decline(id_, reason="用途不明")
    world.deliver()
    for side in (world.provider, world.consumer):
        contract = side.contract(id_)
        assert (contract.status, contract.end_reason) == (S.TERMINATED, "用途不明")
        assert contract.waiting_for == ""
    assert world.c.facts(id_)[-1] == "OfferDeclined"


@pytest.mark.parametrize("reason", ["", "  ", "长" * 257])
def test_a_decline_needs_a_reason_that_fits(world: World, reason: str) -> None:
    id_ = world.requested()
    with pytest.raises(WrongText) as caught:
        world.provider.decline(id_, reason=reason)
    assert "256" in caught.value.text("zh")


def test_a_note_has_an_end(world: World) -> None:
    with pytest.raises(WrongText):
        world.consumer.request(PRODUCT, note="长" * 1025)


def test_an_unknown_suite_is_refused_on_both_sides(world: World) -> None:
    with pytest.raises(UnknownSuite):
        world.consumer.request(PRODUCT, suite="rot13")
    world.consumer.request(PRODUCT)
    with pytest.raises(UnknownSuite):
        take(world, replace(negotiation(world.c), suite="rot13"))


@pytest.mark.parametrize("bad", [(UNKNOWN,), (MISFIT,), CONTRADICTION])
def test_terms_nobody_can_hold_are_refused_where_they_are_written(
    world: World, bad: tuple[object, ...]
) -> None:
    with pytest.raises(InvalidTerms) as caught:
        world.consumer.request(PRODUCT, terms(*bad))
    assert caught.value.findings
    assert caught.value.findings[0].text.zh in caught.value.text("zh")
    id_ = world.requested()
    with pytest.raises(InvalidTerms):
        world.provider.counter(id_, terms(*bad))


@pytest.mark.parametrize("days", [0, -1, 36_501, 2**40])
def test_a_length_without_sense_is_refused(world: World, days: int) -> None:
    with pytest.raises(InvalidTerms):
        world.consumer.request(PRODUCT, terms(days=days))


def test_ones_own_product_needs_no_contract(world: World) -> None:
    with pytest.raises(SameParty):
        world.provider.request(PRODUCT)


@pytest.mark.parametrize("taken_off", [World.withdraw, World.suspend])
def test_a_product_that_is_not_listed_cannot_be_agreed_on(
    world: World, taken_off: Callable[[World], None]
) -> None:
    first = world.requested()
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    taken_off(world)
    with pytest.raises(ProductNotOffered):
        take(world, message)
    with pytest.raises(ProductNotOffered):
        world.provider.accept(first)


def test_a_changed_product_cannot_be_agreed_on(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    with pytest.raises(ProductNotOffered):
        take(world, replace(message, product_digest="0" * 64))


def test_the_provider_sees_what_exceeds_its_listing_and_may_grant_it(world: World) -> None:
    id_ = world.requested(terms=terms(uses=5_000))
    mine = world.provider.report(id_)
    assert [each.severity for each in mine.findings] == ["warning"]
    assert mine.signable
    assert not world.consumer.report(id_).findings
    world.provider.accept(id_)
    assert world.provider.contract(id_).status is S.SIGNING


def test_differences_compare_the_last_two_rounds_and_first_the_listing(world: World) -> None:
    same = world.requested()
    assert world.provider.differences(same) == ()
    id_ = world.requested(terms=terms(uses=5))
    assert world.provider.differences(id_)
    world.provider.counter(id_, terms(uses=6))
    assert world.provider.differences(id_)
    world.deliver()
    world.consumer.accept(id_)
    assert world.consumer.differences(id_) == ()


def test_nothing_is_agreed_before_an_acceptance(world: World) -> None:
    id_ = world.requested()
    with pytest.raises(NotAgreed):
        world.provider.body(id_)


def test_an_unknown_contract_is_missing(world: World) -> None:
    for act in (
        world.provider.contract,
        world.provider.accept,
        world.provider.body,
        world.provider.report,
        lambda id_: world.provider.counter(id_, terms()),
        lambda id_: world.provider.decline(id_, reason="x"),
        lambda id_: world.provider.sign(id_, by="wang"),
        lambda id_: world.provider.terminate(id_, reason="x"),
        lambda id_: world.provider.refused(id_, "x"),
    ):
        with pytest.raises(UnknownContract):
            act("C" * 47)


def test_books_are_found_by_status_and_product_newest_first(world: World) -> None:
    first = world.requested()
    world.pass_time(seconds=1)
    second = world.requested()
    world.provider.accept(first)
    found = [each.id for each in world.provider.contracts()]
    assert found == [second, first]
    assert [each.id for each in world.provider.contracts(status="03")] == [first]
    assert [each.id for each in world.provider.contracts(product=PRODUCT)] == [second, first]
    assert [each.id for each in world.provider.contracts(product=PRODUCT, status="01")] == [second]
    assert not world.provider.contracts(product="6")


def test_two_answers_to_one_round_leave_one(world: World) -> None:
    id_ = world.requested()
    seen = world.provider.contract(id_)
    world.provider.counter(id_, terms(uses=5))
    with pytest.raises(ConflictingRound):
        world.provider._propose(seen, ProposalKind.ACCEPT, seen.terms, "")
    assert len(world.p.queued()) == 1


def test_a_request_that_is_faster_than_the_news_of_the_listing_waits(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    product = world.provider._catalog.product(PRODUCT)
    waiting = replace(product, state=ProductState.REVIEWING)
    world.provider._catalog.product = lambda _: waiting
    with pytest.raises(EarlierMessageMissing):
        take(world, message)
    del world.provider._catalog.product
    take(world, message)
