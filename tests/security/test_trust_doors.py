"""Strangers, members and guessers at the doors of the trust room."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from huiqi.kernel.ids import ObjectType, RandomIds, object_id
from huiqi.trust.addresses import clean_address
from huiqi.trust.errors import (
    DirectoryBusy,
    ForgedSignature,
    LoginBusy,
    MalformedStamp,
    UnknownMember,
    WrongAddress,
    WrongApplication,
    WrongLogin,
    WrongUser,
)
from huiqi.trust.service import Trust, people
from huiqi.trust.service.learning import MOST_LOOKUPS, MOST_PASSWORD_CHECKS
from huiqi.trust.stamps import stamped
from huiqi.trust.types import MemberCredential, Role, SystemKind
from tests.unit.trust.systems import C1, P1, At, House, open_house

BODY = b"{}"
replace = msgspec.structs.replace


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def platform(house: House) -> Trust:
    return house.platform(house.node())


class Slow(At):
    """An issuer that answers only when told to."""

    def __init__(self, issuer: Trust) -> None:
        super().__init__(issuer)
        self.go, self.waiting = threading.Event(), threading.Semaphore(0)

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
        self.waiting.release()
        assert self.go.wait(10)
        return super().lookup(id)


def nobody() -> str:
    return object_id(
        ObjectType.CONNECTOR, subject=P1, area="3401", random=RandomIds().random_code()
    )


def test_strangers_cannot_take_every_thread_by_naming_unknown_senders(
    house: House, platform: Trust
) -> None:
    slow = Slow(platform)
    receiver = house.connector(platform, C1, directory=slow)
    stamps = [
        replace(receiver.stamp("UseQuery", receiver.me().id, BODY), sender=nobody())
        for _ in range(MOST_LOOKUPS + 1)
    ]

    with ThreadPoolExecutor(MOST_LOOKUPS) as threads:
        asked = [threads.submit(receiver.check_request, s, BODY) for s in stamps[:MOST_LOOKUPS]]
        for _ in range(MOST_LOOKUPS):
            assert slow.waiting.acquire(timeout=5)
        with pytest.raises(DirectoryBusy):
            receiver.check_request(stamps[-1], BODY)
        slow.go.set()
        for each in asked:
            with pytest.raises(UnknownMember):
                each.result(5)
    with pytest.raises(UnknownMember):
        receiver.check_request(stamps[-1], BODY)


def test_a_forged_message_in_a_known_name_asks_nobody(house: House, platform: Trust) -> None:
    directory = At(platform)
    sender, receiver = (
        house.connector(platform, P1),
        house.connector(platform, C1, directory=directory),
    )
    receiver.check_request(sender.stamp("UseQuery", receiver.me().id, BODY), BODY)
    asked = directory.asked
    house.clock.advance(timedelta(minutes=6))
    genuine = sender.stamp("UseQuery", receiver.me().id, BODY)
    with pytest.raises(ForgedSignature):
        receiver.check_request(genuine, b"{ }")
    assert directory.asked == asked
    receiver.check_request(genuine, BODY)
    assert directory.asked == asked + 1


def test_a_busy_way_to_the_issuer_does_not_keep_a_suspended_member_acting(
    house: House, platform: Trust
) -> None:
    slow = Slow(platform)
    slow.go.set()
    sender, receiver = house.connector(platform, P1), house.connector(platform, C1, directory=slow)
    receiver.check_request(sender.stamp("UseQuery", receiver.me().id, BODY), BODY)
    platform.suspend(sender.me().id, "stolen keys")
    house.clock.advance(timedelta(minutes=6))
    held = [receiver._confirming.acquire(blocking=False) for _ in range(MOST_LOOKUPS)]
    assert all(held)
    with pytest.raises(DirectoryBusy):
        receiver.check_request(sender.stamp("UseQuery", receiver.me().id, BODY), BODY)


def test_a_reply_cannot_be_sent_on_as_a_request(house: House, platform: Trust) -> None:
    sender, receiver = house.connector(platform, P1), house.connector(platform, C1)
    request = receiver.stamp("ContractTerminate", sender.me().id, BODY)
    reply = sender.stamp_reply(request, BODY)
    assert reply.receiver == receiver.me().id
    with pytest.raises(MalformedStamp, match="inReplyTo"):
        receiver.check_request(reply, BODY)


def test_nobody_gets_a_request_signed_by_asking_without_a_sequence(
    house: House, platform: Trust
) -> None:
    victim = house.connector(platform, P1)
    draft = replace(victim.stamp("AddressReport", platform.me().id, BODY), sequence="")
    asked = replace(draft, sender=platform.me().id, receiver=victim.me().id)
    with pytest.raises(MalformedStamp, match="sequenceNum"):
        victim.stamp_reply(asked, BODY)


def test_a_stamp_signed_by_another_member_is_forged(house: House, platform: Trust) -> None:
    sender = house.connector(platform, P1)
    stamp = sender.stamp("CatalogSearch", platform.me().id, BODY)
    other = house.connector(platform, C1)
    with pytest.raises(ForgedSignature):
        platform.check_request(stamped(stamp, BODY, other.sign), BODY)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8600/p1",
        "http://localhost:8600/p1/",
        "https://huiqi.example.cn",
        "http://10.1.2.3/a/b-c_d~e.f",
        "http://[::1]:8600/p1",
        "http://[fd00::1]/p1",
        "http://node_1:80",
    ],
)
def test_an_address_of_a_system_is_taken(address: str) -> None:
    assert clean_address(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "HTTP://h",
        "http://",
        "http://user:word@h",
        "http://user@h",
        "http://h/#x",
        "http://h/?q",
        "http://h\n",
        " http://h",
        "http://h /x",
        "http://h\\x",
        "http://h/%2e%2e/x",
        "http://h/../x",
        "http://h/./x",
        "http://h//x",
        "http://[",
        "http://[::1",
        "http://[1.2.3.4]]",
        "http://[:::]",
        "http://:80",
        "http://h:0",
        "http://h:65536",
        "http://h:99999",
        "http://h:",
        "http://a:b:c",
        "http://..",
        "http://-",
        "http://a..b",
        f"http://{'a' * 64}.cn",
        "http://ｈ.cn",
        "http://0x7f000001",
        "http://127.0.0.0x1",
        "http://2130706433",
        "http://127.1",
        "http://0177.0.0.1",
        "http://1.2.3.4.5",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]",
        "http://[::ffff:169.254.169.254]",
        "http://224.0.0.1",
        "http://[ff02::1]",
        f"http://h/{'a' * 300}",
    ],
)
def test_an_address_that_is_none_or_leads_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(WrongAddress):
        clean_address(address)


@pytest.mark.parametrize("name", ["甲\u202e乙", "a\0b", "a\nb", "\u2066x", "x\u200by"])
def test_a_name_with_marks_that_nobody_sees_is_refused(
    house: House, platform: Trust, name: str
) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="")
    with pytest.raises(WrongApplication, match="name"):
        house.bare(P1, directory=At(platform)).apply(
            code, kind=SystemKind.CONNECTOR, subject=P1, name=name, area="3401", address="http://h"
        )
    with pytest.raises(WrongUser, match="name"):
        platform.add_user(login="x", name=name, password="correct-horse-7", roles=[Role.ADMIN])


def test_a_flood_of_logins_is_turned_away_before_it_costs_memory_or_an_attempt(
    platform: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.add_user(login="lan", name="周岚", password="correct-horse-7", roles=[Role.ADMIN])
    monkeypatch.setattr(people, "PATIENCE_S", 0.01)
    held = [platform._password_checks.acquire(blocking=False) for _ in range(MOST_PASSWORD_CHECKS)]
    assert all(held)
    for _ in range(6):
        with pytest.raises(LoginBusy):
            platform.log_in("lan", "correct-horse-7", source="s")
    for _ in held:
        platform._password_checks.release()
    assert platform.log_in("lan", "correct-horse-7", source="s").user.login == "lan"
    with pytest.raises(WrongLogin):
        platform.log_in("lan", "wrong-word-1", source="s")
