"""How failures look: problem details for programs, sentences for people."""

import pytest

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    HuiqiError,
    IllegalStep,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)
from huiqi.trust.errors import TooManyAttempts, WrongLogin
from huiqi.web.problems import problem_of, status_of
from huiqi.web.system import System
from huiqi.web.visit import NotLoggedIn
from tests.unit.trust.systems import P1
from tests.unit.web.house import PASSWORD, Browser


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidError(what="x"), 422),
        (DeniedError(what="x"), 403),
        (MissingError(what="x"), 404),
        (ConflictError(what="x"), 409),
        (IllegalStep(state="a", sender="b", message="c"), 409),
        (UnavailableError(what="x"), 503),
        (IntegrityError(what="x"), 422),
        (NotLoggedIn(), 401),
        (WrongLogin(), 401),
        (TooManyAttempts(minutes=15), 429),
        (HuiqiError(), 500),
    ],
)
def test_each_category_has_its_status(error: HuiqiError, status: int) -> None:
    assert status_of(error) == status


def test_problem_details_carry_code_and_sentence() -> None:
    problem = problem_of(MissingError(what="甲"), "zh", instance="/p1/api/v1/products/1")
    assert problem.status == 404
    assert problem.code == "kernel.missing"
    assert problem.detail == "找不到：甲"
    assert problem.params == {"what": "甲"}


def test_a_program_gets_problem_json(browser: Browser) -> None:
    answer = browser.client.get("/node/api/v1/me", headers={"accept-language": "en"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "web.not_logged_in"
    assert answer.json()["detail"] == "Log in first"


def test_unreadable_json_is_400(browser: Browser) -> None:
    answer = browser.client.post("/node/api/v1/login", content=b'{"login": 1}')
    assert answer.status_code == 400
    assert answer.json()["code"] == "http.400"


def test_an_unknown_system_is_404_for_both(browser: Browser) -> None:
    assert browser.client.get("/p9/api/v1/me").json()["status"] == 404
    page = browser.client.get("/p9/")
    assert page.status_code == 404
    assert "没有这个页面" in page.text


def test_an_unknown_error_is_500_with_an_id_and_no_text(
    browser: Browser, systems: dict[str, System], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret-detail")

    browser.log_in()
    monkeypatch.setattr(systems["node"].trust, "members", broken)
    page = browser.client.get("/node/members")
    assert page.status_code == 500
    assert "secret-detail" not in page.text
    assert "编号" in page.text


def test_what_a_system_does_not_do_is_404_in_words(browser: Browser) -> None:
    browser.log_in()
    page = browser.client.get("/node/contracts")
    assert page.status_code == 404
    assert "本系统不提供这项功能" in page.text


def test_a_refused_deed_comes_back_to_its_page_with_the_input(browser: Browser) -> None:
    browser.log_in()
    token = browser.token(browser.client.get("/node/members").text)
    data = {"kind": "connector", "note": "给庐州", "_token": token}
    page = browser.client.post("/node/members/invite", data=data)
    assert page.status_code == 403  # nodes invite platforms
    assert "本系统不能邀请" in page.text
    assert 'value="给庐州"' in page.text


def test_an_invitation_can_be_bound_to_one_organisation(browser: Browser) -> None:
    browser.log_in()
    page = browser.client.get("/node/members").text
    assert "统一社会信用代码" in page
    data = {"kind": "platform", "note": "给庐州", "_token": browser.token(page)}
    wrong = browser.client.post("/node/members/invite", data={**data, "subject": P1[:-1] + "Z"})
    assert wrong.status_code == 422
    assert f'value="{P1[:-1]}Z"' in wrong.text
    made = browser.client.post("/node/members/invite", data={**data, "subject": f" {P1} "})
    assert made.status_code == 200
    assert "只显示这一次" in made.text
    bearer = signed_in(browser)
    for subject, status in ((P1, 201), ("x", 422)):
        body = {"kind": "platform", "note": "x", "subject": subject}
        answer = browser.client.post("/node/api/v1/invitations", json=body, headers=bearer)
        assert answer.status_code == status, answer.text
    entries = browser.client.get("/node/api/v1/evidence", headers=bearer).json()
    bound = [e["entry"] for e in entries if e["entry"]["kind"] == "MemberInvited"]
    assert [entry["details"]["subject"] for entry in bound] == [P1, P1]


def signed_in(browser: Browser) -> dict[str, str]:
    """The header of a program that has logged in."""
    login = {"login": "fang", "password": PASSWORD}
    token = browser.client.post("/node/api/v1/login", json=login).json()["token"]
    return {"authorization": f"Bearer {token}"}


def test_the_api_does_the_same_verbs(browser: Browser) -> None:
    api = "/node/api/v1"
    login = {"login": "fang", "password": PASSWORD}
    token = browser.client.post(f"{api}/login", json=login).json()["token"]
    bearer = {"authorization": f"Bearer {token}"}
    me = browser.client.get(f"{api}/me", headers=bearer).json()
    assert me["name"] == "方岩"
    assert me["member"]["kind"] == "node"
    made = browser.client.post(
        f"{api}/invitations", json={"kind": "platform", "note": "x"}, headers=bearer
    )
    assert made.status_code == 201
    assert len(made.json()["code"]) > 40
    entries = browser.client.get(f"{api}/evidence", headers=bearer).json()
    assert entries[0]["entry"]["kind"] == "MemberInvited"
    assert browser.client.get(f"{api}/products", headers=bearer).json()["code"] == "web.not_here"
    assert browser.client.post(f"{api}/logout", headers=bearer).status_code == 204
    assert browser.client.get(f"{api}/me", headers=bearer).status_code == 401


def test_openapi_describes_every_verb(browser: Browser) -> None:
    paths = browser.client.get("/api/openapi.json").json()["paths"]
    for path in ("login", "products", "contracts/{contract}/sign", "uses", "settlement/close"):
        assert f"/{{prefix}}/api/v1/{path}" in paths
    assert not any("/login" in p and "/api/" not in p for p in paths)
