"""What arrives from the other party: repeats are harmless, nothing forged or edited slips in."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import terms_digest
from huiqi.contracts.errors import (
    ConflictingRound,
    EarlierMessageMissing,
    EditedTerms,
    ImplausibleTime,
    InvalidTerms,
    NotAllotted,
    ProductNotOffered,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.negotiation import proposal_bytes
from huiqi.contracts.types import (
    ContractStatus,
    PartyRole,
    ProposalKind,
)
from huiqi.kernel.errors import IllegalStep
from huiqi.kernel.ids import check_character
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE
from tests.unit.contracts.forging import edited, negotiation, negotiation_of, resigned, take
from tests.unit.contracts.world import (
    CONTRADICTION,
    PRODUCT,
    UNKNOWN,
    World,
    terms,
)

S = ContractStatus


def test_a_repeat_is_taken_silently(world: World) -> None:
    contract = world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    for _ in range(3):
        take(world, message)
    assert world.p.facts(contract.id) == ["OfferMade"]


def test_a_repeat_after_the_answer_is_taken_silently(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    world.deliver()
    world.provider.accept(message.contract_id)
    take(world, message)
    assert len(world.provider.contract(message.contract_id).proposals) == 2


@pytest.mark.parametrize("changes", [{"note": "别的"}, {"terms": terms(uses=9)}])
def test_another_content_in_a_round_that_is_there_is_refused(
    world: World, changes: dict[str, object]
) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    take(world, message)
    with pytest.raises(ConflictingRound):
        take(world, edited(message, **changes))


def test_a_later_round_waits_for_the_earlier_one(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.counter(id_, terms(uses=6))
    third = negotiation(world.c)
    with pytest.raises(EarlierMessageMissing):
        take(world, edited(third, round=4))
    never_begun = replace(third, contract_id=world.consumer.request(PRODUCT).id)
    with pytest.raises(EarlierMessageMissing):
        take(world, never_begun)
    take(world, third)
    assert len(world.provider.contract(id_).proposals) == 3


def test_messages_that_arrive_in_another_order_settle(world: World) -> None:
    id_ = world.requested()
    accepted = world.provider.accept(id_)
    signed = world.provider.sign(id_, by="wang")
    first, second = world.p.queued()
    with pytest.raises(EarlierMessageMissing):
        world.hand_over(world.p, second)
    world.hand_over(world.p, first)
    world.hand_over(world.p, second)
    assert world.consumer.contract(id_).proposals == accepted.proposals
    assert world.consumer.contract(id_).agreement == signed.agreement


def test_a_round_zero_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    take(world, message)
    with pytest.raises(ConflictingRound):
        take(world, edited(message, round=0))


def test_an_edited_digest_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    with pytest.raises(EditedTerms):
        take(world, edited(message, terms=terms(uses=100_000)))
    assert not world.provider.contracts()


def test_an_acceptance_of_other_terms_is_refused(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.accept(id_)
    other = terms(uses=100_000)
    forged = resigned(world.c, negotiation(world.c), terms=other, digest=terms_digest(other))
    with pytest.raises(EditedTerms):
        take(world, forged)
    assert world.provider.contract(id_).status is S.NEGOTIATING


def test_a_forged_proposal_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    forged = resigned(world.x, message)
    with pytest.raises(ForgedSignature):
        take(world, forged)
    assert not world.provider.contracts()


def test_a_signature_of_another_round_is_refused(world: World) -> None:
    id_ = world.requested(terms=terms(uses=7))
    old = world.consumer.contract(id_).proposals[0]
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.counter(id_, terms(uses=7))
    with pytest.raises(ForgedSignature):
        take(world, edited(negotiation(world.c), signature=old.signature))


def test_the_agreed_suite_must_be_used(world: World) -> None:
    world.consumer.request(PRODUCT, suite=NATIONAL_SUITE)
    message = negotiation(world.c)
    p = message.proposal
    data = proposal_bytes(message.contract_id, p.round, p.kind, p.digest)
    other = world.c.trust.sign(data, INTERNATIONAL_SUITE)
    with pytest.raises(WrongSuite):
        take(world, edited(message, signature=other))


def test_a_stranger_cannot_speak_for_a_party(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    with pytest.raises(WrongParty):
        take(world, message, sender="x")
    take(world, message)
    world.provider.counter(message.contract_id, terms(uses=1))
    answer = edited(message, round=3)
    with pytest.raises(WrongParty):
        take(world, answer, sender="x")


def test_a_party_cannot_speak_for_the_other(world: World) -> None:
    id_ = world.requested()
    contract = world.consumer.contract(id_)
    message = negotiation_of(world, id_)
    forged = resigned(
        world.c,
        edited(message, round=2),
        round=2,
        kind=ProposalKind.ACCEPT,
        by=PartyRole.PROVIDER,
    )
    with pytest.raises(WrongParty):
        take(world, forged)
    assert world.provider.contract(id_).proposals == contract.proposals


@pytest.mark.parametrize("field", ["space", "table", "product_name"])
def test_a_request_about_something_else_than_is_listed_is_refused(world: World, field: str) -> None:
    world.consumer.request(PRODUCT)
    with pytest.raises(WrongParty) as caught:
        take(world, replace(negotiation(world.c), **{field: "other"}))
    assert field in caught.value.text("en")


def test_a_request_in_another_name_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    renamed = replace(message, consumer=replace(message.consumer, name="国家数据局"))
    with pytest.raises(WrongParty):
        take(world, renamed)


def test_parties_and_product_cannot_change_between_rounds(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.counter(id_, terms(uses=6))
    with pytest.raises(WrongParty):
        take(world, replace(negotiation(world.c), product_digest="0" * 64))


@pytest.mark.parametrize("bad", [(UNKNOWN,), CONTRADICTION])
def test_terms_nobody_can_hold_are_refused_when_they_arrive(
    world: World, bad: tuple[object, ...]
) -> None:
    world.consumer.request(PRODUCT)
    wrong = terms(*bad)
    message = resigned(world.c, negotiation(world.c), terms=wrong, digest=terms_digest(wrong))
    with pytest.raises(InvalidTerms):
        take(world, message)
    assert not world.provider.contracts()


def test_a_proposal_from_the_future_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    ahead = message.proposal.at + timedelta(minutes=6)
    with pytest.raises(ImplausibleTime):
        take(world, resigned(world.c, message, at=ahead))
    with pytest.raises(ImplausibleTime):
        take(world, resigned(world.c, message, at=message.proposal.at.replace(tzinfo=None)))


def test_an_acceptance_that_is_older_than_the_offer_is_refused(world: World) -> None:
    id_ = world.requested()
    world.pass_time(minutes=10)
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.accept(id_)
    early = resigned(world.c, negotiation(world.c), at=world.consumer.contract(id_).created_at)
    with pytest.raises(ImplausibleTime):
        take(world, early)


def test_an_acceptance_after_the_end_is_refused(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.accept(id_)
    late = negotiation(world.c)
    world.provider.terminate(id_, reason="数据下线")
    with pytest.raises(IllegalStep):
        take(world, late)
    assert world.provider.contract(id_).status is S.TERMINATED


def test_an_acceptance_of_an_offer_that_was_answered_is_refused(world: World) -> None:
    id_ = world.requested()
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    world.consumer.counter(id_, terms(uses=6))
    world.deliver()
    stale = resigned(
        world.c,
        negotiation_of(world, id_),
        kind=ProposalKind.ACCEPT,
        terms=terms(uses=5),
        digest=terms_digest(terms(uses=5)),
    )
    with pytest.raises(ConflictingRound):
        take(world, stale)


def test_a_product_of_somebody_else_is_not_offered_here(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = replace(negotiation(world.c), product="6" + "0" * 31)
    with pytest.raises(ProductNotOffered):
        take(world, message)


def test_an_identifier_of_another_platform_is_refused(world: World) -> None:
    world.consumer.request(PRODUCT)
    message = negotiation(world.c)
    foreign = "C491349900MAXXXX0P1L3401202611230930000000002A"
    foreign += check_character(foreign)
    with pytest.raises(NotAllotted):
        take(world, replace(message, contract_id=foreign))
