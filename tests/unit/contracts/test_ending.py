"""The end: by either side at any time, or by the clock."""

import msgspec
import pytest
from msgspec.structs import replace

from huiqi.contracts.agreements import voucher_bytes
from huiqi.contracts.errors import (
    ImplausibleTime,
    NotAllotted,
    UnknownContract,
    WrongParty,
    WrongText,
)
from huiqi.contracts.types import ContractStatus, TerminationNotice
from huiqi.kernel.errors import IllegalStep
from huiqi.kernel.ids import check_character
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import INTERNATIONAL_SUITE
from tests.unit.contracts.world import World, later, terms

S = ContractStatus


def at(world: World, status: S) -> str:
    """A contract in ``status`` on both sides."""
    if status is S.PERFORMING:
        return world.performing()
    id_ = world.requested()
    if status is S.INITIATED:
        return id_
    world.provider.counter(id_, terms(uses=5))
    world.deliver()
    if status is S.NEGOTIATING:
        return id_
    world.consumer.accept(id_)
    world.deliver()
    if status is S.SIGNING:
        return id_
    world.provider.sign(id_, by="wang")
    world.deliver()
    world.consumer.sign(id_, by="li")
    signature = next(m for m in world.c.queued() if m.code == "ContractSignature")
    world.hand_over(world.c, signature)
    if status is S.SIGNING_FAILED:
        for side in (world.provider, world.consumer):
            side.refused(id_, "平台拒绝")
    return id_


ALIVE = [status for status in S if status is not S.TERMINATED]


@pytest.mark.parametrize("status", ALIVE)
@pytest.mark.parametrize("who", ["p", "c"])
def test_either_side_ends_a_contract_in_every_status(world: World, status: S, who: str) -> None:
    id_ = at(world, status)
    assert {side.contract(id_).status for side in (world.provider, world.consumer)} == {status}
    ended = world.side(who).terminate(id_, reason="业务结束")
    assert ended.status is S.TERMINATED
    assert (ended.end_type, ended.end_reason, ended.waiting_for) == ("01", "业务结束", "")
    assert ended.ended_at == world.clock.now()
    world.deliver()
    other = world.side("c" if who == "p" else "p").contract(id_)
    assert (other.status, other.end_reason) == (S.TERMINATED, "业务结束")
    assert other.termination == ended.termination
    assert world.side(who).contract(id_).status is S.TERMINATED
    assert "ContractTerminated" in world.o.facts(id_)
    assert world.p.facts(id_)[-1] == world.c.facts(id_)[-1] == "ContractTerminated"
    if status is S.PERFORMING:
        assert world.desk.contract(id_).status is S.TERMINATED


def test_the_end_is_the_end(world: World) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="下线")
    for act in (
        lambda: world.provider.terminate(id_, reason="又一次"),
        lambda: world.provider.sign(id_, by="wang") and world.provider.accept(id_),
        lambda: world.provider.counter(id_, terms()),
        lambda: world.provider.decline(id_, reason="x"),
    ):
        with pytest.raises(IllegalStep):
            act()


@pytest.mark.parametrize("reason", ["", " \n", "长" * 257])
def test_an_end_needs_a_reason_that_fits(world: World, reason: str) -> None:
    id_ = world.performing()
    with pytest.raises(WrongText):
        world.provider.terminate(id_, reason=reason)
    assert world.provider.contract(id_).status is S.PERFORMING


def test_a_reason_of_256_characters_is_allowed(world: World) -> None:
    id_ = world.requested()
    assert len(world.provider.terminate(id_, reason="长" * 256).end_reason) == 256


def notice_from(world: World, name: str = "p") -> TerminationNotice:
    message = next(m for m in world.systems[name].queued() if m.code == "ContractTerminate")
    return msgspec.json.decode(message.body, type=TerminationNotice)


def take(world: World, notice: TerminationNotice, *, sender: str = "p") -> None:
    world.consumer.receive_termination(world.c.trust.member(world.systems[sender].me.id), notice)


def signed(world: World, notice: TerminationNotice, *, by: str = "p") -> TerminationNotice:
    return replace(notice, signature=world.systems[by].trust.sign(voucher_bytes(notice)))


def test_the_voucher_is_signed_and_kept_with_reason_and_time(world: World) -> None:
    id_ = world.performing(suite=INTERNATIONAL_SUITE)
    world.pass_time(hours=1)
    notice = world.provider.terminate(id_, reason="下线").termination
    assert notice.reason == "下线"
    assert notice.issue_time == later(world, 0)
    assert notice.scheduled_end_time == world.consumer.body(id_).indate
    assert notice.signature.suite == INTERNATIONAL_SUITE
    world.c.trust.verify(world.p.me, voucher_bytes(notice), notice.signature)


def test_a_repeated_notice_changes_nothing(world: World) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="下线")
    notice = notice_from(world)
    member = world.o.trust.member(world.p.me.id)
    for _ in range(3):
        take(world, notice)
        world.desk.terminated(member, notice)
    assert world.c.facts(id_).count("ContractTerminated") == 1
    assert world.o.facts(id_).count("ContractTerminated") == 1


def test_both_may_end_it_at_the_same_time(world: World) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="提供方下线")
    world.consumer.terminate(id_, reason="使用方完成")
    world.deliver()
    assert not world.refusals
    assert {each.status for each in world.everywhere(id_)} == {S.TERMINATED}


def test_a_forged_notice_changes_nothing(world: World) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="下线")
    notice = notice_from(world)
    member = world.o.trust.member(world.p.me.id)
    for forged in (replace(notice, reason="别的原因"), signed(world, notice, by="x")):
        with pytest.raises(ForgedSignature):
            take(world, forged)
        with pytest.raises(ForgedSignature):
            world.desk.terminated(member, forged)
    assert world.consumer.contract(id_).status is S.PERFORMING
    assert world.desk.contract(id_).status is S.PERFORMING


def test_only_a_party_ends_a_contract(world: World) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="下线")
    notice = notice_from(world)
    strange = signed(
        world,
        replace(notice, issuer_id=world.x.me.id, issuer_entity_id=world.x.me.subject),
        by="x",
    )
    for wrong in (notice, strange):
        with pytest.raises(WrongParty):
            take(world, wrong, sender="x")
        with pytest.raises(WrongParty):
            world.desk.terminated(world.o.trust.member(world.x.me.id), wrong)
    assert world.desk.contract(id_).status is S.PERFORMING


def test_nobody_ends_it_in_the_name_of_the_receiver(world: World) -> None:
    world.performing()
    id_ = world.consumer.contracts()[0].id
    world.consumer.terminate(id_, reason="完成")
    with pytest.raises(WrongParty):
        take(world, notice_from(world, "c"), sender="c")


def test_a_stranger_cannot_close_an_identifier_that_is_not_filed(world: World) -> None:
    id_ = world.requested()
    world.provider.terminate(id_, reason="不提供")
    notice = notice_from(world)
    strange = signed(
        world,
        replace(notice, issuer_id=world.x.me.id, issuer_entity_id=world.x.me.subject),
        by="x",
    )
    with pytest.raises(WrongParty):
        world.desk.terminated(world.o.trust.member(world.x.me.id), strange)
    unknown = id_[:-2] + ("0" if id_[-2] != "0" else "1")
    unknown += check_character(unknown)
    foreign = signed(world, replace(notice, contract_id=unknown))
    with pytest.raises(NotAllotted):
        world.desk.terminated(world.o.trust.member(world.p.me.id), foreign)
    with pytest.raises(UnknownContract):
        take(world, foreign)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("reason", "", WrongText),
        ("reason", "长" * 257, WrongText),
        ("terminate_type", "02", WrongParty),
        ("issue_time", "2030-01-01T00:00:00.000000Z", ImplausibleTime),
        ("issue_time", "now", ImplausibleTime),
        ("scheduled_end_time", "never", ImplausibleTime),
        ("issuer_entity_id", "x", WrongParty),
    ],
)
def test_a_notice_must_be_well_formed(
    world: World, field: str, value: str, error: type[Exception]
) -> None:
    id_ = world.performing()
    world.provider.terminate(id_, reason="下线")
    wrong = signed(world, replace(notice_from(world), **{field: value}))
    with pytest.raises(error):
        take(world, wrong)
    assert world.consumer.contract(id_).status is S.PERFORMING


def test_a_contract_ends_by_itself_everywhere(world: World) -> None:
    id_ = world.performing()
    books = (world.provider, world.consumer, world.desk)
    world.pass_time(days=29, hours=23, minutes=59)
    assert [each.expire_due() for each in books] == [0, 0, 0]
    world.pass_time(minutes=1)
    assert [each.expire_due() for each in books] == [1, 1, 1]
    assert [each.expire_due() for each in books] == [0, 0, 0]
    for contract in world.everywhere(id_):
        assert (contract.status, contract.end_type) == (S.TERMINATED, "02")
        assert contract.ended_at == contract.ends_at
    assert world.p.facts(id_)[-1] == "ContractExpired"


@pytest.mark.parametrize("status", [S.SIGNING, S.SIGNED, S.SIGNING_FAILED])
def test_what_was_agreed_but_never_came_into_force_ends_too(world: World, status: S) -> None:
    id_ = at(world, status)
    world.pass_time(days=31)
    assert world.provider.expire_due() == 1
    assert world.provider.contract(id_).status is S.TERMINATED


def test_a_negotiation_has_no_end_by_the_clock(world: World) -> None:
    id_ = at(world, S.NEGOTIATING)
    world.pass_time(days=3_650)
    assert world.provider.expire_due() == 0
    assert world.provider.contract(id_).status is S.NEGOTIATING


def test_the_filing_of_an_ended_contract_does_not_revive_it(world: World) -> None:
    id_ = at(world, S.SIGNED)
    world.provider.terminate(id_, reason="撤回")
    for message in world.c.queued():
        if message.code == "ContractRegistrate":
            world.hand_over(world.c, message)
    world.deliver()
    assert {each.status for each in world.everywhere(id_)} == {S.TERMINATED}


def test_after_the_end_a_refusal_changes_nothing(world: World) -> None:
    id_ = at(world, S.SIGNED)
    world.consumer.terminate(id_, reason="撤回")
    world.consumer.refused(id_, "平台拒绝")
    assert world.consumer.contract(id_).end_reason == "撤回"
