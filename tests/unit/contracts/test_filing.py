"""The platform files what is whole, and says why it does not file the rest."""

import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import read_body
from huiqi.contracts.errors import (
    AgreementOver,
    AgreementUnreadable,
    FilingRefused,
    ImplausibleTime,
    InvalidTerms,
    MissingSignature,
    NotAllotted,
    NotSignable,
    PartyNotMember,
    ProductNotOffered,
    SameParty,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.types import (
    AgreementBody,
    ContractStatus,
    Filing,
    Party,
    PartyRole,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import WrongIdentifier
from huiqi.trust.errors import ForgedSignature, UnknownSuite
from huiqi.trust.types import INTERNATIONAL_SUITE
from tests.unit.contracts.filings import both_sign, file, filing_of
from tests.unit.contracts.world import MISFIT, NOT_HELD, PRODUCT, UNKNOWN, World, later, terms

S = ContractStatus


def refused(world: World, filing: Filing, error: type[HuiqiError]) -> HuiqiError:
    """The filing is refused with ``error``, for good, and the provider is told."""
    with pytest.raises(error) as caught:
        file(world, filing)
    with pytest.raises(FilingRefused):
        file(world, filing)
    assert world.o.facts(filing.contract_id) == ["ContractAllotted", "FilingRefused"]
    told = [m for m in world.o.queued() if m.code == "ContractFiled"]
    assert [m.to for m in told] == [world.p.me.id]
    assert not world.desk.contracts()
    return caught.value


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_signature_makes_signing_fail_with_the_reason(world: World, missing: int) -> None:
    filing = filing_of(world)
    one = tuple(each for i, each in enumerate(filing.signatures) if i != missing)
    error = refused(world, replace(filing, signatures=one), MissingSignature)
    world.consumer.refused(filing.contract_id, error.text("zh"))
    world.deliver()
    for side in (world.provider, world.consumer):
        held = side.contract(filing.contract_id)
        assert held.status is S.SIGNING_FAILED
        assert "签名不齐" in held.end_reason
    assert world.c.facts(filing.contract_id)[-1] == "FilingRefused"
    world.consumer.refused(filing.contract_id, "again")
    assert world.c.facts(filing.contract_id).count("FilingRefused") == 1


def test_two_signatures_of_one_party_are_not_both(world: World) -> None:
    filing = filing_of(world)
    twice = (filing.signatures[0], filing.signatures[0])
    refused(world, replace(filing, signatures=twice), MissingSignature)


def test_a_third_signature_is_refused(world: World) -> None:
    filing = filing_of(world)
    third = (*filing.signatures, replace(filing.signatures[0], role=PartyRole.SERVICE))
    refused(world, replace(filing, signatures=third), MissingSignature)


@pytest.mark.parametrize("which", [0, 1])
def test_a_forged_signature_is_refused(world: World, which: int) -> None:
    filing = filing_of(world)
    each = filing.signatures[which]
    forged = replace(each, signature=world.x.trust.sign(b"x", each.signature.suite))
    some = tuple(forged if i == which else s for i, s in enumerate(filing.signatures))
    refused(world, replace(filing, signatures=some), ForgedSignature)


def test_an_edited_body_is_refused(world: World) -> None:
    filing = filing_of(world)
    body = read_body(filing.body)
    longer = replace(body, terms=replace(body.terms, mode=body.terms.mode, days=29))
    refused(world, replace(filing, body=canonical_bytes(longer)), HuiqiError)


def test_one_edited_digit_of_the_price_breaks_the_signatures(world: World) -> None:
    filing = filing_of(world)
    cheaper = filing.body.replace(b'"per_use_fen":200', b'"per_use_fen":100')
    assert cheaper != filing.body
    refused(world, replace(filing, body=cheaper), ForgedSignature)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body + b" ",
        lambda body: body.replace(b'"v":1', b'"v":1,"extra":1'),
        lambda body: body.replace(b'"rounds":2', b'"rounds":2.0'),
        lambda body: b"\xff" + body,
        lambda _: b"[" * 100_000,
        lambda _: b"",
        lambda body: body.replace(b'"v":1', b'"v":2'),
    ],
)
def test_a_body_that_is_not_canonical_is_refused(world: World, spoil) -> None:
    filing = filing_of(world)
    refused(world, replace(filing, body=spoil(filing.body)), AgreementUnreadable)


def test_an_identifier_must_be_ours_and_the_senders(world: World) -> None:
    filing = filing_of(world)
    for sender in ("x", "p"):
        with pytest.raises(NotAllotted):
            file(world, filing, sender=sender)
    with pytest.raises(WrongIdentifier):
        file(world, replace(filing, contract_id="C" * 47))
    world.consumer.request(PRODUCT)
    other = world.consumer.contracts()[0].id
    assert other != filing.contract_id
    with pytest.raises(NotAllotted):
        file(world, replace(filing, contract_id=other))


def other_party(body: AgreementBody, world: World, at: int) -> tuple[Party, ...]:
    stranger = world.x.me
    swapped = replace(
        body.parties[at], subject=stranger.subject, node=stranger.id, name=stranger.name
    )
    return tuple(swapped if i == at else each for i, each in enumerate(body.parties))


@pytest.mark.parametrize("at", [0, 1])
def test_another_party_than_at_the_beginning_is_refused(world: World, at: int) -> None:
    body = read_body(filing_of(world).body)
    swapped = replace(body, parties=other_party(body, world, at))
    refused(world, both_sign(world, swapped), WrongParty)


def test_parties_in_other_roles_are_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, replace(body, parties=body.parties[::-1])), WrongParty)


def test_one_organisation_on_both_sides_is_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    provider, consumer = body.parties
    same = replace(provider, subject=consumer.subject)
    refused(world, both_sign(world, replace(body, parties=(same, consumer))), SameParty)


def test_a_wrong_name_is_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    provider, consumer = body.parties
    renamed = (provider, replace(consumer, name="国家数据局"))
    refused(world, both_sign(world, replace(body, parties=renamed)), WrongParty)


def test_a_suspended_party_is_refused(world: World) -> None:
    filing = filing_of(world)
    world.o.trust.suspend(world.p.me.id, "逾期未整改")
    refused(world, filing, PartyNotMember)


@pytest.mark.parametrize("field", ["table", "product_name"])
def test_another_listing_than_ours_is_refused(world: World, field: str) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, replace(body, **{field: "other"})), WrongParty)


def test_another_space_is_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, replace(body, space="other")), WrongParty)


def test_another_digest_of_the_listing_is_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, replace(body, product_digest="0" * 64)), ProductNotOffered)


def test_a_withdrawn_product_is_refused(world: World) -> None:
    filing = filing_of(world)
    world.withdraw()
    refused(world, filing, ProductNotOffered)


def test_terms_that_cannot_be_held_are_refused(world: World) -> None:
    body = read_body(filing_of(world).body)
    unheld = both_sign(world, replace(body, terms=terms(NOT_HELD)))
    with pytest.raises((NotSignable, InvalidTerms)):
        file(world, unheld)
    unknown = both_sign(world, replace(body, terms=terms(UNKNOWN)))
    with pytest.raises(InvalidTerms):
        file(world, unknown)
    misfit = both_sign(world, replace(body, terms=terms(MISFIT)))
    with pytest.raises(InvalidTerms):
        file(world, misfit)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("indate", "2031-01-01T00:00:00.000000Z"),
        ("indate", "9999-12-31T23:59:59.000000Z"),
        ("indate", "20261231000000"),
        ("create_time", "2026-12-24T01:00:00.000000Z"),
        ("create_time", "soon"),
    ],
)
def test_a_period_that_does_not_fit_is_refused(world: World, field: str, value: str) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, replace(body, **{field: value})), ImplausibleTime)


@pytest.mark.parametrize("seconds", [3_600, -3_600])
def test_a_sign_time_outside_the_period_is_refused(world: World, seconds: int) -> None:
    body = read_body(filing_of(world).body)
    refused(world, both_sign(world, body, at=later(world, seconds)), ImplausibleTime)


def test_a_filing_after_the_agreed_end_is_refused(world: World) -> None:
    filing = filing_of(world)
    world.pass_time(days=31)
    refused(world, filing, AgreementOver)


def test_a_suite_nobody_has_is_refused(world: World) -> None:
    filing = filing_of(world)
    body = read_body(filing.body)
    other = canonical_bytes(replace(body, suite="rot13"))
    with pytest.raises((WrongSuite, UnknownSuite)):
        file(world, replace(filing, body=other))
    named = replace(body, suite=INTERNATIONAL_SUITE)
    with pytest.raises(WrongSuite):
        file(world, replace(filing, body=canonical_bytes(named)))
