"""Signing: intent first, both parties, any order; nothing forged or edited gets through."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import body_bytes
from huiqi.contracts.errors import (
    AgreementOver,
    ConflictingSignature,
    EarlierMessageMissing,
    EditedAgreement,
    ImplausibleTime,
    InvalidTerms,
    NotSignable,
    ProductNotOffered,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.types import (
    Contract,
    ContractStatus,
    PartyRole,
    SignatureNotice,
)
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import digests, sm3_hex
from huiqi.kernel.errors import IllegalStep, UnavailableError
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE, Signature
from tests.unit.contracts.signing import made, notice_from
from tests.unit.contracts.world import MISFIT, NOT_HELD, UNKNOWN, World, power_cut, terms

S = ContractStatus
SUITES = [NATIONAL_SUITE, INTERNATIONAL_SUITE]


def take(world: World, notice: SignatureNotice, *, sender: str = "p") -> None:
    world.consumer.receive_signature(world.c.trust.member(world.systems[sender].me.id), notice)


def test_the_intent_is_recorded_before_the_signature(world: World) -> None:
    id_ = world.performing()
    assert world.p.facts(id_) == [
        "OfferMade",
        "OfferAccepted",
        "SigningIntended",
        "AgreementSigned",
        "SignatureReceived",
        "ContractFiled",
    ]
    assert world.o.facts(id_) == ["ContractAllotted", "SigningIntended", "ContractFiled"]
    filed = world.o.entries(id_)[-1]
    assert filed.sha256 == world.provider.contract(id_).agreement.sha256
    intent = world.p.entries(id_)[2]
    assert (intent.actor, intent.sm3) == ("wang", filed.sm3)


def test_signing_twice_is_harmless(world: World) -> None:
    id_ = world.accepted()
    first = world.provider.sign(id_, by="wang")
    assert world.provider.sign(id_, by="wang") == first
    assert world.p.facts(id_).count("AgreementSigned") == 1
    assert len(world.p.queued()) == 1


def test_a_repeated_notice_is_harmless(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    notice = notice_from(world, "p")
    for _ in range(3):
        take(world, notice)
    world.consumer.sign(id_, by="li")
    world.deliver()
    take(world, notice)
    assert world.c.facts(id_).count("SignatureReceived") == 1
    assert world.consumer.contract(id_).status is S.PERFORMING


def test_only_what_was_accepted_can_be_signed(world: World) -> None:
    id_ = world.requested()
    with pytest.raises(IllegalStep):
        world.provider.sign(id_, by="wang")


def test_terms_that_cannot_be_held_are_not_signed(world: World) -> None:
    id_ = world.accepted()
    unheld = replace_terms(world, id_, terms(NOT_HELD))
    with pytest.raises((NotSignable, InvalidTerms)) as caught:
        world.provider.sign(unheld.id, by="wang")
    assert caught.value.findings
    assert world.p.facts(id_)[-1] == "OfferAccepted"


def test_unknown_terms_are_refused_again_at_signing(world: World) -> None:
    id_ = world.accepted()
    replace_terms(world, id_, terms(UNKNOWN))
    with pytest.raises(InvalidTerms):
        world.provider.sign(id_, by="wang")


def test_a_literal_that_a_column_does_not_take_is_shown_and_not_signed(world: World) -> None:
    id_ = world.accepted()
    replace_terms(world, id_, terms(MISFIT))
    report = world.provider.report(id_)
    assert not report.signable
    assert [each.code for each in report.findings] == ["policy.wrong_literal"]
    with pytest.raises(InvalidTerms):
        world.provider.sign(id_, by="wang")


def test_both_sides_and_the_platform_keep_the_types_of_the_listing(world: World) -> None:
    id_ = world.performing()
    for held in world.everywhere(id_):
        assert held.types == {"carrier": "VARCHAR", "delay": "BIGINT"}


def test_a_contract_kept_before_types_were_is_still_read_and_judged_without_them(
    world: World,
) -> None:
    id_ = world.accepted()
    held = replace_terms(world, id_, terms(MISFIT))
    old = {k: v for k, v in msgspec.to_builtins(held).items() if k != "types"}
    read = msgspec.json.decode(msgspec.json.encode(old), type=Contract)
    assert read == replace(held, types={})
    world.p.work.run(lambda tx: world.p.store.put(world.p.scope, tx, read))
    assert world.provider.report(id_).signable


def replace_terms(world: World, id_: str, wanted: object) -> Contract:
    """As if another version of the software had let these terms in."""
    held = world.provider.contract(id_)
    rounds = tuple(replace(each, terms=wanted) for each in held.proposals)
    changed = replace(held, proposals=rounds)
    world.p.work.run(lambda tx: world.p.store.put(world.p.scope, tx, changed))
    return changed


def test_a_withdrawn_product_is_not_signed_by_its_provider(world: World) -> None:
    id_ = world.accepted()
    world.withdraw()
    with pytest.raises(ProductNotOffered):
        world.provider.sign(id_, by="wang")


def test_an_agreed_period_that_is_over_is_not_signed(world: World) -> None:
    id_ = world.accepted()
    world.pass_time(days=31)
    with pytest.raises(AgreementOver):
        world.provider.sign(id_, by="wang")


@pytest.mark.parametrize("suite", SUITES)
def test_a_signature_over_an_edited_body_is_refused_and_recorded(world: World, suite: str) -> None:
    id_ = world.accepted(suite=suite)
    contract = world.provider.contract(id_)
    body = body_bytes(contract).replace(b'"days":30', b'"days":90')
    signature = made(world, "p", body, contract, iso(world.clock.now()))
    stated = (digests(body).sm3, digests(body_bytes(contract)).sm3)
    for sm3, error in zip(stated, (EditedAgreement, ForgedSignature), strict=True):
        notice = SignatureNotice(contract_id=contract.id, sm3=sm3, signature=signature)
        with pytest.raises(error):
            take(world, notice)
    assert world.c.facts(id_)[-2:] == ["SignatureRefused"] * 2
    last = world.c.entries(id_)[-1]
    assert (last.actor, last.details["code"]) == (world.p.me.id, "trust.forged_signature")
    held = world.consumer.contract(id_)
    assert (held.status, held.agreement) == (S.SIGNING, None)


def test_a_forged_signature_is_refused_and_recorded(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    notice = notice_from(world, "p")
    value = notice.signature.signature.value
    turned = ("0" if value[0] != "0" else "1") + value[1:]
    broken = replace(notice.signature.signature, value=turned)
    forged = replace(notice, signature=replace(notice.signature, signature=broken))
    with pytest.raises(ForgedSignature):
        take(world, forged)
    assert world.c.facts(id_)[-1] == "SignatureRefused"
    take(world, notice)
    assert world.consumer.contract(id_).agreement is not None


def test_a_sign_time_cannot_be_moved(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    notice = notice_from(world, "p")
    moved = iso(world.clock.now() + timedelta(seconds=1))
    with pytest.raises(ForgedSignature):
        take(world, replace(notice, signature=replace(notice.signature, sign_time=moved)))


@pytest.mark.parametrize("at", ["2030-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z", "x"])
def test_a_sign_time_must_be_plausible(world: World, at: str) -> None:
    id_ = world.accepted()
    contract = world.provider.contract(id_)
    body = body_bytes(contract)
    signature = made(world, "p", body, contract, at)
    with pytest.raises(ImplausibleTime):
        take(world, SignatureNotice(contract_id=id_, sm3=sm3_hex(body), signature=signature))


def test_the_agreed_suite_must_be_used_for_signing(world: World) -> None:
    id_ = world.accepted(suite=NATIONAL_SUITE)
    contract = world.provider.contract(id_)
    body = body_bytes(contract)
    other = replace(contract, suite=INTERNATIONAL_SUITE)
    signature = made(world, "p", body, other, iso(world.clock.now()))
    with pytest.raises(WrongSuite):
        take(world, SignatureNotice(contract_id=id_, sm3=sm3_hex(body), signature=signature))
    assert world.c.facts(id_)[-1] == "SignatureRefused"


def test_only_the_party_itself_hands_in_its_signature(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    notice = notice_from(world, "p")
    with pytest.raises(WrongParty):
        take(world, notice, sender="x")
    stolen = replace(notice.signature, role=PartyRole.CONSUMER)
    with pytest.raises(WrongParty):
        take(world, replace(notice, signature=stolen))


def test_a_second_signature_does_not_replace_the_first(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    notice = notice_from(world, "p")
    take(world, notice)
    contract = world.provider.contract(id_)
    again = made(world, "p", body_bytes(contract), contract, iso(world.clock.now()))
    with pytest.raises(ConflictingSignature):
        take(world, replace(notice, signature=again))
    assert world.consumer.contract(id_).signature_of(PartyRole.PROVIDER) == notice.signature


def test_a_signature_after_the_end_is_refused(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    world.consumer.terminate(id_, reason="不需要了")
    with pytest.raises(IllegalStep):
        take(world, notice_from(world, "p"))


def test_a_crash_between_intent_and_signature_is_finished_at_start(world: World) -> None:
    id_ = world.accepted()
    with power_cut(world.p), pytest.raises(UnavailableError):
        world.provider.sign(id_, by="wang")
    assert world.p.facts(id_)[-1] == "SigningIntended"
    intended = world.provider.contract(id_).intent_at
    world.pass_time(minutes=1)
    world.provider = world.contracts("p")
    assert (world.provider.recover(), world.provider.recover()) == (1, 0)
    signed = world.provider.contract(id_)
    assert signed.signature_of(PartyRole.PROVIDER).sign_time == intended
    assert signed.intent_at == ""
    world.consumer.sign(id_, by="li")
    world.deliver()
    assert {each.status for each in world.everywhere(id_)} == {S.PERFORMING}


def test_nothing_is_signed_at_start_that_ended_or_ran_out_meanwhile(world: World) -> None:
    ended, over = world.accepted(), world.accepted()
    for id_ in (ended, over):
        contract = world.provider.contract(id_)
        world.p.work.run(lambda tx, c=contract: world.provider._intend(tx, c, "wang"))
    world.provider.terminate(ended, reason="不再提供")
    world.pass_time(days=40)
    assert world.provider.recover() == 0


def test_a_signature_is_not_kept_when_the_contract_ended_while_it_was_made(world: World) -> None:
    id_ = world.accepted()
    signing = world.p.trust.sign

    def ends_first(data: bytes, suite: str | None = None) -> Signature:
        world.p.trust.sign = signing
        world.provider.terminate(id_, reason="同时终止")
        return signing(data, suite)

    world.p.trust.sign = ends_first
    with pytest.raises(IllegalStep):
        world.provider.sign(id_, by="wang")
    assert world.provider.contract(id_).agreement is None


def test_a_signature_before_the_acceptance_waits(world: World) -> None:
    id_ = world.requested()
    world.provider.accept(id_)
    world.provider.sign(id_, by="wang")
    with pytest.raises(EarlierMessageMissing):
        take(world, notice_from(world, "p"))
