"""Coming into force: the platform's answer is checked like everything else, and kept."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import body_bytes, read_body
from huiqi.contracts.errors import (
    EarlierMessageMissing,
    EditedAgreement,
    MissingSignature,
    WrongParty,
)
from huiqi.contracts.service import Contracts
from huiqi.contracts.types import (
    ContractStatus,
    Filed,
    PartyRole,
)
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.service import verify_with
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE
from tests.unit.contracts.signing import made
from tests.unit.contracts.world import PRODUCT, World, terms

S = ContractStatus
SUITES = [NATIONAL_SUITE, INTERNATIONAL_SUITE]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("rounds", [2, 3])
def test_a_contract_comes_into_force(world: World, suite: str, rounds: int) -> None:
    id_ = world.requested(suite=suite)
    if rounds == 3:
        world.provider.counter(id_, terms(uses=10))
        world.deliver()
        world.consumer.accept(id_)
    else:
        world.provider.accept(id_)
    world.deliver()
    world.pass_time(minutes=3)
    world.provider.sign(id_, by="wang")
    world.consumer.sign(id_, by="li")
    world.deliver()
    p, c, o = world.everywhere(id_)
    assert (p.status, c.status, o.status) == (S.PERFORMING,) * 3
    assert p.agreement == c.agreement == o.agreement
    assert [each.role.value for each in p.agreement.signatures] == ["01", "02", "04"]
    assert {each.signature.suite for each in p.agreement.signatures} == {suite}
    assert p.starts_at == c.starts_at == o.starts_at == p.filed_at == world.clock.now()
    assert iso(p.ends_at) == world.provider.body(id_).indate
    assert p.terms == c.terms == o.terms
    assert read_body(p.agreement.body).rounds == rounds
    assert (p.waiting_for, c.waiting_for, o.waiting_for) == ("", "", "")
    assert not world.refusals


@pytest.mark.parametrize("order", ["pc", "cp"])
def test_the_parties_sign_in_any_order(world: World, order: str) -> None:
    id_ = world.accepted()
    for name in order:
        world.side(name).sign(id_, by="someone")
        world.deliver()
    assert {each.status for each in world.everywhere(id_)} == {S.PERFORMING}


def test_both_may_sign_before_either_notice_arrives(world: World) -> None:
    id_ = world.performing()
    assert {each.status for each in world.everywhere(id_)} == {S.PERFORMING}


def test_every_signature_holds_over_the_kept_bytes(world: World) -> None:
    id_ = world.performing()
    agreement = world.consumer.contract(id_).agreement
    assert (agreement.sm3, agreement.sha256) == (
        sm3_hex(agreement.body),
        sha256_hex(agreement.body),
    )
    for each in agreement.signatures:
        keys = world.o.trust.member(each.node).keys
        text = agreement.body + b"|" + id_.encode() + b"|" + each.sign_time.encode()
        verify_with(keys, text, each.signature)


def test_a_page_can_say_who_is_waited_for(world: World) -> None:
    id_ = world.accepted()
    assert world.provider.contract(id_).waiting_for == PartyRole.PROVIDER.value
    assert world.consumer.contract(id_).waiting_for == PartyRole.CONSUMER.value
    world.provider.sign(id_, by="wang")
    assert world.provider.contract(id_).waiting_for == PartyRole.CONSUMER.value
    world.deliver()
    signed = world.consumer.sign(id_, by="li")
    assert (signed.status, signed.waiting_for) == (S.SIGNED, PartyRole.OTHER.value)


def filed_answer(world: World, id_: str) -> Filed:
    message = next(m for m in world.o.queued() if m.code == "ContractFiled")
    filed = msgspec.json.decode(message.body, type=Filed)
    assert filed.contract_id == id_
    return filed


def half_way(world: World) -> str:
    """Both signed and the platform filed; the provider has not heard of either yet."""
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    world._pass_on(world.p)
    world.consumer.sign(id_, by="li")
    filing = next(m for m in world.c.queued() if m.code == "ContractRegistrate")
    world.hand_over(world.c, filing)
    return id_


def provider_hears(world: World, filed: Filed, *, sender: str = "o") -> None:
    member = world.p.trust.member(world.systems[sender].me.id)
    world.provider.filed(member, filed)


def test_the_filing_may_overtake_the_other_partys_signature(world: World) -> None:
    id_ = half_way(world)
    assert world.provider.contract(id_).signature_of(PartyRole.CONSUMER) is None
    filed = filed_answer(world, id_)
    for _ in range(2):
        provider_hears(world, filed)
    held = world.provider.contract(id_)
    assert held.status is S.PERFORMING
    assert held.agreement == world.consumer.contract(id_).agreement
    world.deliver()
    assert not world.refusals
    assert world.p.facts(id_).count("SignatureReceived") == 1


def test_only_ones_own_platform_puts_a_contract_in_force(world: World) -> None:
    id_ = half_way(world)
    with pytest.raises(WrongParty):
        provider_hears(world, filed_answer(world, id_), sender="c")
    assert world.provider.contract(id_).status is S.SIGNING


def test_an_answer_about_another_text_is_refused(world: World) -> None:
    id_ = half_way(world)
    filed = filed_answer(world, id_)
    with pytest.raises(EditedAgreement):
        provider_hears(world, replace(filed, sm3="0" * 64))


def test_an_answer_with_a_missing_signature_is_refused(world: World) -> None:
    id_ = half_way(world)
    filed = filed_answer(world, id_)
    for left in range(3):
        some = tuple(each for i, each in enumerate(filed.signatures) if i != left)
        with pytest.raises(MissingSignature):
            provider_hears(world, replace(filed, signatures=some))


@pytest.mark.parametrize("which", [1, 2])
def test_an_answer_with_a_forged_signature_is_refused(world: World, which: int) -> None:
    id_ = half_way(world)
    filed = filed_answer(world, id_)
    each = filed.signatures[which]
    bad = replace(each, signature=world.x.trust.sign(b"anything", NATIONAL_SUITE))
    signatures = tuple(bad if i == which else s for i, s in enumerate(filed.signatures))
    with pytest.raises(ForgedSignature):
        provider_hears(world, replace(filed, signatures=signatures))
    assert world.provider.contract(id_).status is S.SIGNING


def test_an_answer_without_my_own_signature_is_refused(world: World) -> None:
    id_ = half_way(world)
    filed = filed_answer(world, id_)
    other = made(
        world,
        "p",
        world.provider.contract(id_).agreement.body,
        world.provider.contract(id_),
        iso(world.clock.now()),
    )
    with pytest.raises(EditedAgreement):
        provider_hears(world, replace(filed, signatures=(other, *filed.signatures[1:])))


def test_an_answer_with_another_filing_time_is_refused(world: World) -> None:
    id_ = half_way(world)
    later = iso(world.clock.now() + timedelta(seconds=5))
    with pytest.raises(WrongParty):
        provider_hears(world, replace(filed_answer(world, id_), filed_at=later))


def test_an_answer_before_the_acceptance_waits(world: World) -> None:
    id_ = world.requested()
    filed = Filed(contract_id=id_, status="0", sm3="0" * 64)
    with pytest.raises(EarlierMessageMissing):
        provider_hears(world, filed)
    provider_hears(world, replace(filed, status="1", reason="x"))
    assert world.provider.contract(id_).status is S.INITIATED


def test_documents_are_the_kept_agreements_with_their_digest(world: World) -> None:
    assert not list(world.provider.documents())
    id_ = world.performing()
    world.consumer.request(PRODUCT)
    for books in (world.provider, world.consumer, world.desk):
        ((where, sha256, body),) = list(books.documents())
        assert id_ in where
        assert sha256 == sha256_hex(body)
        assert body == body_bytes(world.consumer.contract(id_))


def test_books_survive_a_restart(world: World) -> None:
    id_ = world.performing()
    again: Contracts = world.contracts("c")
    assert again.contract(id_) == world.consumer.contract(id_)
