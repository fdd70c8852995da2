"""Knowing others: learned from the issuer, believed only with its signature, and up to date."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from time import monotonic, sleep

import msgspec
import pytest

from huiqi.kernel.errors import UnavailableError
from huiqi.trust.errors import (
    ForgedSignature,
    MemberSuspended,
    OwnStanding,
    UnknownMember,
    WrongAddress,
)
from huiqi.trust.service import Trust
from huiqi.trust.service.learning import PATIENCE_S
from huiqi.trust.service.questions import ASK_AGAIN
from huiqi.trust.types import MemberCredential, SystemKind
from huiqi.wire.errors import PeerRefused
from tests.unit.trust.systems import C1, OTHER, P1, PLATFORM, At, House

replace = msgspec.structs.replace
LATER = timedelta(seconds=61)


@pytest.fixture
def platform(house: House) -> Trust:
    return house.platform(house.node())


@pytest.fixture
def provider(house: House, platform: Trust) -> Trust:
    return house.connector(platform, P1)


@pytest.fixture
def directory(platform: Trust) -> At:
    return At(platform)


@pytest.fixture
def consumer(house: House, platform: Trust, directory: At) -> Trust:
    return house.connector(platform, C1, directory=directory)


def test_an_unknown_member_is_learned_from_the_issuer_once(
    provider: Trust, consumer: Trust, directory: At
) -> None:
    me = provider.me()
    assert consumer.standing(me.id) == "unknown"
    assert consumer.member(me.id) == me
    assert consumer.member(me.id) == me
    assert directory.asked == 1
    assert consumer.member_of(P1) == me
    assert consumer.standing(me.id) == "active"


@pytest.mark.parametrize(
    "id_", ["", "x" * 500, "591349900MAXXXX0P1L34017Q2M9K4XW", "691349900MAXXXX0P1L340100000123*"]
)
def test_whom_the_issuer_does_not_know_nobody_knows(consumer: Trust, id_: str) -> None:
    with pytest.raises(UnknownMember):
        consumer.member(id_)


def test_only_the_identifier_of_a_system_is_asked_for(consumer: Trust, directory: At) -> None:
    for no_system in (
        "",
        "x",
        "691349900MAXXXX0P1L340100000123*",
        "591349900MAXXXX0P1L34017Q2M9K4XX",
    ):
        with pytest.raises(UnknownMember):
            consumer.member(no_system)
    assert directory.asked == 0


def test_without_a_directory_only_own_books_count(house: House, provider: Trust) -> None:
    with pytest.raises(UnknownMember):
        house.bare(OTHER).member(provider.me().id)
    with pytest.raises(UnknownMember):
        provider.member_of("91349900MA8TE3T078")


@pytest.mark.parametrize(
    "forge",
    [
        lambda c: replace(c, member=replace(c.member, address="http://evil.example")),
        lambda c: replace(c, issuer=c.member.id),
        lambda c: replace(c, signature=replace(c.signature, value="0" * 128)),
        lambda c: replace(c, signature=replace(c.signature, key_id="0" * 16)),
    ],
)
def test_a_forged_answer_of_the_directory_is_not_learned(
    provider: Trust,
    consumer: Trust,
    directory: At,
    forge: Callable[[MemberCredential], MemberCredential],
) -> None:
    directory.answers = forge
    with pytest.raises(ForgedSignature):
        consumer.member(provider.me().id)
    assert consumer.standing(provider.me().id) == "unknown"


def test_the_credential_of_somebody_else_is_not_taken(
    platform: Trust, provider: Trust, consumer: Trust, directory: At
) -> None:
    directory.answers = lambda _: platform.credential(consumer.me().id)
    with pytest.raises(ForgedSignature):
        consumer.member(provider.me().id)


def test_members_are_listed_by_kind_in_order_of_joining(
    house: House, platform: Trust, provider: Trust
) -> None:
    house.clock.advance(timedelta(seconds=1))
    second = house.connector(platform, OTHER).me()
    assert platform.members(SystemKind.CONNECTOR) == [provider.me(), second]
    assert {m.kind for m in platform.members()} == set(SystemKind)


def test_a_moved_member_is_found_at_its_new_address(
    house: House, platform: Trust, provider: Trust
) -> None:
    id_, new = provider.me().id, "http://127.0.0.1:9/p1"
    provider.moved(id_, new)
    platform.moved(id_, f"{new}/")
    platform.moved(id_, new)
    assert provider.me().address == platform.member(id_).address == new
    assert platform.credential(id_).member.address == new
    moves = [fact for fact in house.facts(PLATFORM) if fact.kind == "AddressMoved"]
    assert len(moves) == 1
    assert moves[0].details == {}


def test_others_hear_of_a_move_within_a_minute(
    house: House, platform: Trust, provider: Trust, consumer: Trust, directory: At
) -> None:
    id_ = provider.me().id
    old = consumer.member(id_)
    platform.moved(id_, "http://127.0.0.1:9/p1")
    assert consumer.member(id_) == old
    house.clock.advance(LATER)
    directory.away = True
    assert consumer.member(id_) == old
    directory.away = False
    house.clock.advance(ASK_AGAIN)
    assert consumer.member(id_).address == "http://127.0.0.1:9/p1"


def test_a_move_to_no_address_or_of_nobody_is_refused(platform: Trust, provider: Trust) -> None:
    with pytest.raises(WrongAddress):
        platform.moved(provider.me().id, "javascript:alert(1)")
    with pytest.raises(UnknownMember):
        platform.moved("591349900MAXXXX0P1L34017Q2M9K4XW", "http://localhost:1")


def test_an_issuer_vouches_for_nobody_it_has_suspended(
    house: House, platform: Trust, provider: Trust
) -> None:
    id_ = provider.me().id
    platform.suspend(id_, "整改：张三")
    platform.suspend(id_, "again")
    assert platform.standing(id_) == "suspended"
    with pytest.raises(MemberSuspended):
        platform.credential(id_)
    platform.resume(id_)
    platform.resume(id_)
    assert platform.standing(id_) == "active"
    assert platform.credential(id_).member == provider.me()
    facts = house.facts(PLATFORM)
    assert [f.kind for f in facts][-2:] == ["MemberSuspended", "MemberResumed"]
    assert all("张三" not in f.leaf().decode() for f in facts)


def test_nobody_suspends_itself_or_a_stranger(platform: Trust) -> None:
    with pytest.raises(OwnStanding):
        platform.suspend(platform.me().id, "x")
    with pytest.raises(UnknownMember):
        platform.resume("591349900MAXXXX0P1L34017Q2M9K4XW")


def test_others_hear_of_a_suspension_and_of_its_end(
    house: House, platform: Trust, provider: Trust, consumer: Trust
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    platform.suspend(id_, "x")
    house.clock.advance(LATER)
    consumer.member(id_)
    assert consumer.standing(id_) == "suspended"
    platform.resume(id_)
    house.clock.advance(LATER)
    consumer.member(id_)
    assert consumer.standing(id_) == "active"


def test_what_was_suspended_here_stays_so_whatever_the_issuer_says(
    house: House, platform: Trust, provider: Trust, consumer: Trust
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    consumer.suspend(id_, "own decision")
    house.clock.advance(LATER)
    consumer.member(id_)
    platform.suspend(id_, "x")
    house.clock.advance(LATER)
    consumer.member(id_)
    platform.resume(id_)
    house.clock.advance(LATER)
    consumer.member(id_)
    assert consumer.standing(id_) == "suspended"


def test_a_suspension_is_known_at_once_to_who_asks_now(
    house: House, platform: Trust, provider: Trust, consumer: Trust, directory: At
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    platform.suspend(id_, "x")
    asked = directory.asked
    assert consumer.standing_now(id_, older_than_s=2) == "active"
    assert directory.asked == asked
    house.clock.advance(timedelta(seconds=3))
    assert consumer.standing_now(id_, older_than_s=2) == "suspended"
    assert directory.asked == asked + 1
    platform.resume(id_)
    house.clock.advance(timedelta(seconds=3))
    assert consumer.standing_now(id_, older_than_s=2) == "active"


def test_a_resumed_member_is_heard_again_within_seconds(
    house: House, platform: Trust, provider: Trust, consumer: Trust
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    platform.suspend(id_, "x")
    house.clock.advance(LATER)
    consumer.member(id_)
    platform.resume(id_)
    house.clock.advance(timedelta(seconds=3))
    consumer.member(id_)
    assert consumer.standing(id_) == "active"


def test_while_the_issuer_is_away_the_own_record_stands_and_one_question_is_asked(
    house: House, provider: Trust, consumer: Trust, directory: At
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    directory.away, asked = True, directory.asked
    house.clock.advance(timedelta(seconds=3))
    for _ in range(5):
        assert consumer.standing_now(id_, older_than_s=2) == "active"
    assert directory.asked == asked + 1
    house.clock.advance(ASK_AGAIN)
    consumer.standing_now(id_, older_than_s=2)
    assert directory.asked == asked + 2


def test_who_waits_for_nothing_reads_the_answer_at_the_next_call(
    house: House, platform: Trust, provider: Trust, consumer: Trust, directory: At
) -> None:
    id_, go = provider.me().id, Event()
    consumer.member(id_)
    platform.suspend(id_, "x")
    ask = directory.lookup
    asking: list[str] = []

    def slow(wanted: str) -> MemberCredential:
        asking.append(wanted)
        assert go.wait(10)
        return ask(wanted)

    directory.lookup = slow  # type: ignore[assignment, method-assign] # the line is slow
    house.clock.advance(timedelta(seconds=3))
    began = monotonic()
    for _ in range(5):
        assert consumer.standing_now(id_, older_than_s=2, wait_s=0) == "active"
    assert consumer.standing_now(id_, older_than_s=2, wait_s=0.1) == "active"
    house.clock.advance(LATER)
    assert consumer.member(id_) == provider.me()
    assert monotonic() - began < PATIENCE_S + 0.5
    go.set()
    until = monotonic() + 10
    while consumer.standing(id_) != "suspended":
        assert monotonic() < until
        sleep(0.01)
    assert len(asking) == 1


def test_whom_the_issuer_knows_no_more_is_unknown_and_a_forged_answer_is_an_error(
    house: House, provider: Trust, consumer: Trust, directory: At
) -> None:
    id_ = provider.me().id
    assert consumer.standing_now(id_, older_than_s=2) == "unknown"
    consumer.member(id_)
    consumer._directory = _Refusing(
        PeerRefused(peer="p", zh="", en="", reason="trust.unknown_member")
    )
    house.clock.advance(timedelta(seconds=3))
    assert consumer.standing_now(id_, older_than_s=2) == "unknown"
    directory.answers = lambda c: replace(c, member=replace(c.member, name="x"))
    consumer._directory = directory
    house.clock.advance(timedelta(seconds=3))
    for _ in range(2):
        with pytest.raises(ForgedSignature):
            consumer.standing_now(id_, older_than_s=2)


def test_members_that_nobody_vouches_for_from_above_are_judged_by_the_own_books(
    house: House, platform: Trust, provider: Trust
) -> None:
    house.clock.advance(LATER)
    assert platform.standing_now(provider.me().id, older_than_s=2) == "active"
    platform.suspend(provider.me().id, "x")
    assert platform.standing_now(provider.me().id, older_than_s=2) == "suspended"


class _Refusing:
    """A directory whose answers come from afar."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002, ARG002 - the port's form
        raise self.error


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (PeerRefused(peer="p", zh="", en="", reason="trust.unknown_member"), UnknownMember),
        (PeerRefused(peer="p", zh="", en="", reason="trust.member_suspended"), MemberSuspended),
        (PeerRefused(peer="p", zh="", en="", reason="trust.stale_message"), PeerRefused),
        (UnavailableError(what="issuer"), UnavailableError),
    ],
)
def test_a_refusal_from_afar_keeps_its_meaning(
    consumer: Trust, provider: Trust, given: Exception, raised: type[Exception]
) -> None:
    consumer._directory = _Refusing(given)
    with pytest.raises(raised):
        consumer.member(provider.me().id)


def test_a_suspension_reported_from_afar_is_kept(
    house: House, consumer: Trust, provider: Trust
) -> None:
    id_ = provider.me().id
    consumer.member(id_)
    house.clock.advance(LATER)
    consumer._directory = _Refusing(
        PeerRefused(peer="p", zh="", en="", reason="trust.member_suspended")
    )
    consumer.member(id_)
    assert consumer.standing(id_) == "suspended"
    consumer._directory = _Refusing(PeerRefused(peer="p", zh="", en="", reason="x.y"))
    house.clock.advance(LATER)
    with pytest.raises(PeerRefused):
        consumer.member(id_)


def test_signatures_of_a_member_are_checked_with_its_own_keys(
    provider: Trust, consumer: Trust
) -> None:
    for suite in (None, "ed25519-sha256-aes"):
        signature = provider.sign(b"data", suite)
        consumer.verify(consumer.member(provider.me().id), b"data", signature)
        with pytest.raises(ForgedSignature):
            consumer.verify(consumer.me(), b"data", signature)
        with pytest.raises(ForgedSignature):
            consumer.verify(provider.me(), b"date", signature)


def test_each_system_has_its_own_books(house: House, provider: Trust, consumer: Trust) -> None:
    assert provider.me() != consumer.me()
    assert consumer.me() not in provider.members()
    assert house.bare(OTHER).members() == []
