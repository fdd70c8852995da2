"""People: who logs in, how often one may fail, and how long a session lasts."""

from datetime import timedelta

import pytest

from huiqi.trust.errors import (
    DuplicateLogin,
    TooManyAttempts,
    WeakPassword,
    WrongLogin,
    WrongUser,
)
from huiqi.trust.service import Trust
from huiqi.trust.types import Role
from tests.unit.trust.systems import C1, P1, House

PASSWORD = "黄山-Huizhou-1"


@pytest.fixture
def trust(house: House) -> Trust:
    made = house.bare(P1)
    made.add_user(login="Anna", name="安娜", password=PASSWORD, roles=[Role.ADMIN, Role.ADMIN])
    return made


def test_the_right_password_opens_a_session(trust: Trust) -> None:
    session = trust.log_in(" anna ", PASSWORD, source="127.0.0.1")
    assert session.user.login == "anna"
    assert session.user.roles == (Role.ADMIN,)
    assert trust.session(session.token) == session
    assert session.csrf != session.token
    other = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    assert other.token != session.token
    assert other.csrf != session.csrf


def test_neither_token_nor_password_is_kept(house: House, trust: Trust) -> None:
    session = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    with pytest.raises(WrongLogin):
        trust.log_in(PASSWORD, "mistyped", source="127.0.0.1")
    everything = b"".join(
        path.read_bytes() for path in house.database.path.parent.glob("store.db*")
    )
    assert b"anna" in everything
    for secret in (session.token, session.csrf, PASSWORD, PASSWORD.lower()):
        assert secret.encode() not in everything


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("anna", PASSWORD + "x" * 10_000),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("a" * 1000, PASSWORD),
    ],
)
def test_anything_else_is_one_and_the_same_refusal(trust: Trust, login: str, password: str) -> None:
    with pytest.raises(WrongLogin) as caught:
        trust.log_in(login, password, source="127.0.0.1")
    assert caught.value.params == {}


def test_an_unknown_login_costs_a_password_check_too(house: House, trust: Trust) -> None:
    asked: list[str] = []

    class Counting:
        def hash(self, password: str) -> str:
            return house.passwords.hash(password)

        def verify(self, encoded: str, password: str) -> bool:
            asked.append(encoded)
            return house.passwords.verify(encoded, password)

        def decoy(self) -> str:
            return house.passwords.decoy()

    trust._passwords = Counting()
    for login in ("anna", "nobody"):
        with pytest.raises(WrongLogin):
            trust.log_in(login, "wrong", source="127.0.0.1")
    known, unknown = asked
    assert known.split("$")[:4] == unknown.split("$")[:4]
    assert len(known) == len(unknown)


def test_the_sixth_attempt_of_a_login_has_to_wait(house: House, trust: Trust) -> None:
    for place in range(5):
        with pytest.raises(WrongLogin):
            trust.log_in("anna", "wrong", source=f"10.0.0.{place}")
    with pytest.raises(TooManyAttempts) as caught:
        trust.log_in("anna", PASSWORD, source="10.0.0.9")
    assert "15" in caught.value.text("zh")
    house.clock.advance(timedelta(minutes=15))
    assert trust.log_in("anna", PASSWORD, source="10.0.0.9").user.name == "安娜"


def test_a_source_that_tries_many_logins_has_to_wait(trust: Trust) -> None:
    for number in range(30):
        with pytest.raises(WrongLogin):
            trust.log_in(f"user{number}", "wrong", source="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        trust.log_in("anna", PASSWORD, source="10.0.0.1")
    assert trust.log_in("anna", PASSWORD, source="10.0.0.2").user.login == "anna"


def test_a_success_clears_the_failures_of_its_login_only(trust: Trust) -> None:
    for number in range(26):
        with pytest.raises(WrongLogin):
            trust.log_in(f"user{number}", "wrong", source="10.0.0.1")
    for _ in range(3):
        with pytest.raises(WrongLogin):
            trust.log_in("anna", "wrong", source="10.0.0.1")
    trust.log_in("anna", PASSWORD, source="10.0.0.1")
    for _ in range(4):
        with pytest.raises(WrongLogin):
            trust.log_in("anna", "wrong", source="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        trust.log_in("nobody", "wrong", source="10.0.0.1")


def test_attempts_are_counted_before_they_are_checked(house: House, trust: Trust) -> None:
    inside: list[type[Exception]] = []
    started: list[str] = []

    class Nested:
        """While one password is checked, more are tried."""

        def hash(self, password: str) -> str:
            return house.passwords.hash(password)

        def verify(self, encoded: str, password: str) -> bool:
            if len(started) < 8:
                started.append(password)
                try:
                    trust.log_in("anna", "wrong", source="10.0.0.1")
                except (WrongLogin, TooManyAttempts) as error:
                    inside.append(type(error))
            return house.passwords.verify(encoded, password)

        def decoy(self) -> str:
            return house.passwords.decoy()

    trust._passwords = Nested()
    with pytest.raises(WrongLogin):
        trust.log_in("anna", "wrong", source="10.0.0.1")
    assert TooManyAttempts in inside


def test_a_session_ends_after_twelve_hours(house: House, trust: Trust) -> None:
    session = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    house.clock.advance(timedelta(hours=11, minutes=59))
    assert trust.session(session.token) is not None
    house.clock.advance(timedelta(minutes=1))
    assert trust.session(session.token) is None
    trust.log_in("anna", PASSWORD, source="127.0.0.1")
    assert house.count("trust_session") == 1


def test_logging_out_ends_the_session(trust: Trust) -> None:
    session = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    other = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    trust.log_out(session.token)
    trust.log_out("no such token")
    assert trust.session(session.token) is None
    assert trust.session(other.token) == other


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000])
def test_a_foreign_token_is_no_session(trust: Trust, token: str) -> None:
    assert trust.session(token) is None


def test_a_session_of_one_system_is_none_at_another(house: House, trust: Trust) -> None:
    session = trust.log_in("anna", PASSWORD, source="127.0.0.1")
    other = house.bare(C1)
    assert other.session(session.token) is None
    assert other.users() == []
    with pytest.raises(WrongLogin):
        other.log_in("anna", PASSWORD, source="127.0.0.1")


def test_a_login_is_taken_once_whatever_its_case(trust: Trust) -> None:
    with pytest.raises(DuplicateLogin):
        trust.add_user(login="ANNA", name="x", password=PASSWORD, roles=[Role.AUDITOR])
    assert [user.name for user in trust.users()] == ["安娜"]


@pytest.mark.parametrize(
    ("part", "login", "name", "roles"),
    [
        ("login", "", "x", [Role.ADMIN]),
        ("login", "a b", "x", [Role.ADMIN]),
        ("login", "a" * 65, "x", [Role.ADMIN]),
        ("name", "b", " ", [Role.ADMIN]),
        ("name", "b", "x" * 101, [Role.ADMIN]),
        ("roles", "b", "x", []),
    ],
)
def test_a_user_out_of_form_is_refused(
    trust: Trust, part: str, login: str, name: str, roles: list[Role]
) -> None:
    with pytest.raises(WrongUser) as caught:
        trust.add_user(login=login, name=name, password=PASSWORD, roles=roles)
    assert caught.value.params == {"part": part}


@pytest.mark.parametrize(
    "password", ["", "Ab1-", "abcdefgh-", "12345678-", "abcdefg1", "Ab1-" * 65]
)
def test_a_weak_password_is_refused(trust: Trust, password: str) -> None:
    with pytest.raises(WeakPassword):
        trust.add_user(login="b", name="x", password=password, roles=[Role.ADMIN])


def test_the_fact_of_a_new_user_names_no_person(house: House, trust: Trust) -> None:
    (fact,) = house.facts(P1)
    assert fact.kind == "UserAdded"
    assert fact.details == {"roles": "admin"}
    assert fact.subject == trust.users()[0].id
    assert fact.sha256 == ""
