"""The desk: the same identifier for a request, the same answer to a filing, after crashes too."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import read_body
from huiqi.contracts.errors import (
    AgreementUnreadable,
    ConflictingFiling,
    PartyNotMember,
    WrongParty,
)
from huiqi.contracts.types import (
    ContractStatus,
    CreateRequest,
    PartyRole,
)
from huiqi.kernel.clock import iso
from huiqi.kernel.errors import IllegalStep, UnavailableError
from huiqi.kernel.ids import check_contract_id
from tests.unit.contracts.filings import both_sign, file, filing_of
from tests.unit.contracts.world import PRODUCT, World, power_cut, terms

S = ContractStatus


def test_the_same_request_gets_the_same_identifier(world: World) -> None:
    consumer = world.o.trust.member(world.c.me.id)
    request = CreateRequest(
        key="00000000-0000-0000-0000-0000000000aa",
        product=PRODUCT,
        provider=world.p.me.subject,
        provider_node=world.p.me.id,
        issuer_id=world.c.me.id,
        issuer_entity_id=world.c.me.subject,
        issue_time=iso(world.clock.now()),
    )
    first = world.desk.create(consumer, request)
    check_contract_id(first)
    assert world.desk.create(consumer, request) == first
    other = replace(request, key=request.key[:-1] + "b")
    assert world.desk.create(consumer, other) != first
    with pytest.raises(WrongParty):
        world.desk.create(world.o.trust.member(world.x.me.id), request)
    stranger = replace(request, issuer_id=world.x.me.id, issuer_entity_id=world.x.me.subject)
    assert world.desk.create(world.o.trust.member(world.x.me.id), stranger) != first


def test_a_repeat_gets_the_same_answer(world: World) -> None:
    filing = filing_of(world)
    first = file(world, filing)
    world.pass_time(minutes=5)
    assert file(world, filing) == first
    assert first.status == "0"
    assert first.sm3 == world.desk.contract(filing.contract_id).agreement.sm3
    assert world.o.facts(filing.contract_id).count("ContractFiled") == 1
    assert len([m for m in world.o.queued() if m.code == "ContractFiled"]) == 1


def test_a_repeat_after_the_end_still_gets_the_answer(world: World) -> None:
    filing = filing_of(world)
    first = file(world, filing)
    world.deliver()
    world.consumer.terminate(filing.contract_id, reason="完成")
    world.deliver()
    assert world.desk.contract(filing.contract_id).status is S.TERMINATED
    assert file(world, filing) == first


def test_another_text_under_a_filed_identifier_is_refused(world: World) -> None:
    filing = filing_of(world)
    file(world, filing)
    other = both_sign(world, replace(read_body(filing.body), rounds=9))
    with pytest.raises(ConflictingFiling):
        file(world, other)


def test_after_a_refusal_the_parties_negotiate_again_and_file_the_new_text(world: World) -> None:
    id_ = world.accepted()
    world.provider.sign(id_, by="wang")
    world.consumer.sign(id_, by="li")
    world.o.trust.suspend(world.p.me.id, "逾期未整改")
    filings = [m for m in world.c.queued() if m.code == "ContractRegistrate"]
    assert not filings
    world._pass_on(world.p)
    filing = next(m for m in world.c.queued() if m.code == "ContractRegistrate")
    with pytest.raises(PartyNotMember):
        world.hand_over(world.c, filing)
    world.o.trust.resume(world.p.me.id)
    world.pass_time(minutes=10)
    world.deliver()
    assert {world.provider.contract(id_).status, world.consumer.contract(id_).status} == {
        S.SIGNING_FAILED
    }
    assert world.provider.contract(id_).waiting_for == PartyRole.CONSUMER.value
    world.consumer.counter(id_, terms(uses=3))
    world.deliver()
    assert world.provider.contract(id_).agreement is None
    world.provider.accept(id_)
    world.deliver()
    world.provider.sign(id_, by="wang")
    world.consumer.sign(id_, by="li")
    world.deliver()
    assert {each.status for each in world.everywhere(id_)} == {S.PERFORMING}
    assert world.desk.contract(id_).terms == terms(uses=3)


def test_a_refusal_of_another_text_changes_nothing_at_the_provider(world: World) -> None:
    filing = filing_of(world)
    with pytest.raises(AgreementUnreadable):
        file(world, replace(filing, body=b"{}"))
    world.deliver()
    assert world.provider.contract(filing.contract_id).status is S.PERFORMING


def test_a_crash_between_intent_and_signature_of_the_platform_is_finished_at_start(
    world: World,
) -> None:
    filing = filing_of(world)
    with power_cut(world.o), pytest.raises(UnavailableError):
        file(world, filing)
    assert world.o.facts(filing.contract_id)[-1] == "SigningIntended"
    assert world.desk.contract(filing.contract_id).status is S.SIGNED
    assert (world.desk.recover(), world.desk.recover()) == (1, 0)
    assert file(world, filing).status == "0"
    world.deliver()
    assert {each.status for each in world.everywhere(filing.contract_id)} == {S.PERFORMING}


def test_a_repeat_finishes_what_a_crash_left(world: World) -> None:
    filing = filing_of(world)
    with power_cut(world.o), pytest.raises(UnavailableError):
        file(world, filing)
    assert file(world, filing).status == "0"
    assert world.desk.recover() == 0


def test_the_platform_away_holds_up_nothing_but_the_filing(world: World) -> None:
    filing = filing_of(world)
    keys = {message.code: message.key for message in world.c.queued()}
    assert keys["ContractSignature"] != keys["ContractRegistrate"]
    assert filing.contract_id in keys["ContractRegistrate"]
    assert len(keys["ContractRegistrate"]) <= 80


def test_a_contract_ended_before_its_filing_is_not_filed(world: World) -> None:
    filing = filing_of(world)
    world.provider.terminate(filing.contract_id, reason="撤回")
    notice = next(m for m in world.p.queued() if m.to == world.o.me.id)
    world.hand_over(world.p, notice)
    with pytest.raises(IllegalStep):
        file(world, filing)
    assert not world.desk.contracts()


def test_the_same_filing_twice_at_once_is_filed_once(world: World) -> None:
    filing = filing_of(world)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: file(world, filing), range(8)))
    assert len(set(map(msgspec.json.encode, answers))) == 1
    assert world.o.facts(filing.contract_id).count("ContractFiled") == 1


def test_an_end_that_arrives_while_a_filing_is_checked_stops_it(world: World) -> None:
    filing = filing_of(world)
    world.provider.terminate(filing.contract_id, reason="撤回")
    notice = next(m for m in world.p.queued() if m.to == world.o.me.id)
    checks = world.desk._check_signature

    def ends_first(*parts: object) -> None:
        checks(*parts)
        world.desk._check_signature = checks
        world.hand_over(world.p, notice)

    world.desk._check_signature = ends_first
    with pytest.raises(IllegalStep):
        file(world, filing)
    assert not world.desk.contracts()
