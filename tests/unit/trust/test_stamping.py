"""Messages between systems: genuine, for us, fresh, and only once."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from huiqi.trust.errors import (
    ForgedSignature,
    MalformedStamp,
    MemberSuspended,
    NotEnrolled,
    ReplayedMessage,
    StaleMessage,
    UnknownMember,
    UnknownSuite,
    WrongReceiver,
    WrongReply,
)
from huiqi.trust.service import Trust
from huiqi.trust.stamps import stamp_text, stamped
from huiqi.trust.types import Stamp
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from tests.unit.trust.systems import C1, OTHER, P1, At, House

replace = msgspec.structs.replace
BODY = '{"name":"徽契"}'.encode()


@pytest.fixture
def platform(house: House) -> Trust:
    return house.platform(house.node())


@pytest.fixture
def sender(house: House, platform: Trust) -> Trust:
    return house.connector(platform, P1)


@pytest.fixture
def receiver(house: House, platform: Trust) -> Trust:
    return house.connector(platform, C1)


@pytest.fixture
def stamp(sender: Trust, receiver: Trust) -> Stamp:
    return sender.stamp("UseQuery", receiver.me().id, BODY)


def test_the_signed_text_is_the_lines_that_the_document_promises(stamp: Stamp) -> None:
    lines = stamp_text(stamp, b"abc").decode().split("\n")
    assert lines[:2] == ["UseQuery", "1.0"]
    assert lines[2] == "1795482123000"
    assert len(lines[3]) == 32
    assert lines[4:6] == [stamp.sender, stamp.receiver]
    assert lines[6:] == ["66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"]
    reply = replace(stamp, in_reply_to="77")
    assert stamp_text(reply, b"").decode().split("\n")[7:] == ["77"]


def test_an_unknown_sender_is_looked_up_and_accepted(
    sender: Trust, receiver: Trust, stamp: Stamp
) -> None:
    assert receiver.standing(sender.me().id) == "unknown"
    assert receiver.check_request(stamp, BODY) == sender.me()


def test_a_stamp_survives_its_headers(receiver: Trust, sender: Trust, stamp: Stamp) -> None:
    assert receiver.check_request(stamp_of(headers_of(stamp)), BODY) == sender.me()


def test_a_message_counts_once_even_after_a_restart(
    house: House, platform: Trust, receiver: Trust, stamp: Stamp
) -> None:
    receiver.check_request(stamp, BODY)
    with pytest.raises(ReplayedMessage):
        receiver.check_request(stamp, BODY)
    again = house.bare(C1, directory=At(platform))
    house.clock.advance(timedelta(seconds=300))
    with pytest.raises(ReplayedMessage):
        again.check_request(stamp, BODY)


def test_the_sequence_numbers_of_two_senders_do_not_collide(
    house: House, platform: Trust, receiver: Trust, stamp: Stamp
) -> None:
    other = house.connector(platform, OTHER)
    theirs = replace(stamp, sender=other.me().id)
    receiver.check_request(stamp, BODY)
    receiver.check_request(stamped(theirs, BODY, other.sign), BODY)


def test_what_was_seen_is_forgotten_when_its_window_is_over(
    house: House, sender: Trust, receiver: Trust, stamp: Stamp
) -> None:
    receiver.check_request(stamp, BODY)
    house.clock.advance(timedelta(seconds=301))
    fresh = sender.stamp("UseQuery", receiver.me().id, BODY)
    receiver.check_request(fresh, BODY)
    assert house.count("trust_seen") == 1


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_message_outside_the_window_is_stale(
    house: House, receiver: Trust, stamp: Stamp, seconds: int
) -> None:
    house.clock.advance(timedelta(seconds=seconds))
    with pytest.raises(StaleMessage):
        receiver.check_request(stamp, BODY)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_message_at_the_edge_of_the_window_is_fresh(
    house: House, receiver: Trust, stamp: Stamp, seconds: int
) -> None:
    house.clock.advance(timedelta(seconds=seconds))
    receiver.check_request(stamp, BODY)
    with pytest.raises(ReplayedMessage):
        receiver.check_request(stamp, BODY)


def test_a_message_for_somebody_else_is_refused(
    platform: Trust, sender: Trust, stamp: Stamp
) -> None:
    for other in (platform, sender):
        with pytest.raises(WrongReceiver):
            other.check_request(stamp, BODY)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, code="UseLend"),
        lambda s: replace(s, version="1.1"),
        lambda s: replace(s, timestamp=str(int(s.timestamp) + 1)),
        lambda s: replace(s, sequence="0" * 32),
        lambda s: replace(s, in_reply_to="1"),
        lambda s: replace(s, signature=replace(s.signature, value="0" * 128)),
        lambda s: replace(s, signature=replace(s.signature, value="zz")),
        lambda s: replace(s, signature=replace(s.signature, value=s.signature.value.upper())),
        lambda s: replace(s, signature=replace(s.signature, key_id="0" * 16)),
    ],
)
def test_a_changed_stamp_is_forged_and_leaves_no_trace(
    house: House, receiver: Trust, stamp: Stamp, change: Callable[[Stamp], Stamp]
) -> None:
    with pytest.raises(ForgedSignature):
        receiver.check_request(change(stamp), BODY)
    assert house.count("trust_seen") == 0
    receiver.check_request(stamp, BODY)


def test_a_changed_body_is_forged(receiver: Trust, stamp: Stamp) -> None:
    with pytest.raises(ForgedSignature):
        receiver.check_request(stamp, BODY + b" ")


def test_nobody_speaks_for_somebody_else(
    house: House, platform: Trust, sender: Trust, receiver: Trust
) -> None:
    other = house.connector(platform, OTHER)
    own = other.stamp("UseQuery", receiver.me().id, BODY)
    posed = stamped(replace(own, sender=sender.me().id), BODY, other.sign)
    with pytest.raises(ForgedSignature):
        receiver.check_request(posed, BODY)


def test_an_unknown_suite_is_named(receiver: Trust, stamp: Stamp) -> None:
    posed = replace(stamp, signature=replace(stamp.signature, suite="none"))
    with pytest.raises(UnknownSuite):
        receiver.check_request(posed, BODY)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("code", ""),
        ("code", "Use\nQuery"),
        ("version", "1 0"),
        ("sequence", "9" * 81),
        ("sequence", "码"),
        ("sender", ""),
        ("receiver", "a b"),
        ("in_reply_to", "\n"),
        ("timestamp", "2026-11-24"),
        ("timestamp", "²" * 13),
        ("timestamp", "179548212300"),
    ],
)
def test_a_stamp_out_of_form_is_refused(
    receiver: Trust, stamp: Stamp, part: str, value: str
) -> None:
    with pytest.raises(MalformedStamp):
        receiver.check_request(replace(stamp, **{part: value}), BODY)


def test_a_sender_nobody_knows_is_refused(receiver: Trust, stamp: Stamp) -> None:
    stranger = replace(stamp, sender="591349900MAXXXX0P1L34017Q2M9K4XW")
    with pytest.raises(UnknownMember):
        receiver.check_request(stranger, BODY)


def test_a_suspended_sender_is_refused_at_once(
    platform: Trust, sender: Trust, receiver: Trust, stamp: Stamp
) -> None:
    report = sender.stamp("AddressReport", platform.me().id, BODY)
    platform.suspend(sender.me().id, "x")
    with pytest.raises(MemberSuspended):
        platform.check_request(report, BODY)
    with pytest.raises(MemberSuspended):
        receiver.check_request(stamp, BODY)  # not known here: the issuer says so
    platform.resume(sender.me().id)
    assert platform.check_request(report, BODY) == sender.me()


def test_who_has_not_joined_accepts_nothing(house: House, stamp: Stamp) -> None:
    with pytest.raises(NotEnrolled):
        house.bare(OTHER).check_request(stamp, BODY)


def test_a_reply_belongs_to_its_request(
    house: House, platform: Trust, sender: Trust, receiver: Trust, stamp: Stamp
) -> None:
    answer = b'{"ok":true}'
    reply = receiver.stamp_reply(stamp, answer)
    sender.check_reply(reply, answer, stamp)
    sender.check_reply(stamp_of(headers_of(reply)), answer, stamp)
    with pytest.raises(ForgedSignature):
        sender.check_reply(reply, b"{}", stamp)
    with pytest.raises(WrongReceiver):
        platform.check_reply(reply, answer, stamp)
    other = sender.stamp("UseQuery", receiver.me().id, BODY)
    with pytest.raises(WrongReply):
        sender.check_reply(reply, answer, other)
    with pytest.raises(WrongReply):
        sender.check_reply(reply, answer, replace(stamp, code="UseLend"))
    with pytest.raises(WrongReply):
        sender.check_reply(reply, answer, replace(stamp, receiver=platform.me().id))
    house.clock.advance(timedelta(seconds=301))
    with pytest.raises(StaleMessage):
        sender.check_reply(reply, answer, stamp)


def test_a_request_is_no_reply_and_a_reply_no_request(
    sender: Trust, receiver: Trust, stamp: Stamp
) -> None:
    back = receiver.stamp("UseQuery", sender.me().id, BODY)
    with pytest.raises(WrongReply):
        sender.check_reply(back, BODY, stamp)


def test_a_stamp_cannot_be_made_for_a_broken_receiver(sender: Trust) -> None:
    with pytest.raises(MalformedStamp):
        sender.stamp("UseQuery", "a\nb", BODY)
