"""Who is let in, what may they do, and can a browser be made to do it for them?"""

from collections.abc import Iterator

import httpx
import pytest

from huiqi.cli.demo.space import PASSWORD
from tests.journey.walking import is_chinese, sizes, token
from tests.support.space import Space, huiqi, raw

ALL = ("node", "platform", "p1", "c1")


def test_calls_without_a_token_are_refused(space: Space) -> None:
    before = sizes(space, ALL)
    for headers in ({}, {"authorization": "Bearer forged"}, {"authorization": "Basic eDp5"}):
        for method, path in (
            ("GET", "/p1/api/v1/resources"),
            ("POST", "/p1/api/v1/resources"),
            ("POST", "/c1/api/v1/uses"),
            ("POST", "/platform/api/v1/settlement/close"),
            ("GET", "/c1/api/v1/evidence"),
            ("GET", "/platform/api/v1/users"),
        ):
            for language, words in (("zh", "请先登录"), ("en", "Log in first")):
                sent = {**headers, "accept-language": language}
                body = {} if method == "POST" else None
                answer = raw(space, method, path, headers=sent, json=body)
                assert answer.status_code == 401, (path, answer.text)
                assert answer.json()["code"] == "web.not_logged_in"
                assert answer.json()["detail"] == words
    assert sizes(space, ALL) == before


def test_a_token_of_another_system_is_none_here(space: Space) -> None:
    answer = raw(space, "GET", "/p1/api/v1/resources", headers=token(space, "c1"))
    assert answer.status_code == 401


def test_a_wrong_password_is_refused_and_then_slowed_down(space: Space) -> None:
    login = {"login": "nobody", "password": "wrong"}
    codes = []
    for _attempt in range(7):
        answer = raw(space, "POST", "/p2/api/v1/login", json=login)
        codes.append((answer.status_code, answer.json()["code"]))
    assert codes[0] == (401, "trust.wrong_login")
    assert codes[-1] == (429, "trust.too_many_attempts")
    # Others still come in.
    assert raw(
        space, "POST", "/p2/api/v1/login", json={"login": "provider2", "password": PASSWORD}
    ).is_success


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """A space with a person at p1 who may only provide, and one at c1 who may only consume."""
    data = tmp_path_factory.mktemp("limited") / "data"
    space = Space(data)
    try:
        space.start()
        space.stop()
        for prefix, role in (("p1", "provider"), ("c1", "consumer")):
            person = ("user", prefix, "only", "--name", "only", "--role", role)
            done = huiqi(*person, "--password", PASSWORD, data=data)
            assert done.returncode == 0, done.stderr
        yield space.start()
    finally:
        space.end()


def test_a_wrong_role_is_refused(limited: Space) -> None:
    for prefix, path, body in (
        ("p1", "/uses", {"tables": {}, "purpose": "x", "sql": "x"}),
        ("p1", "/contracts", {"product": "x"}),
        ("c1", "/resources", {"name": "x", "path": "x"}),
        ("c1", "/invitations", {"kind": "connector", "note": "x"}),
    ):
        login = {"login": "only", "password": PASSWORD}
        bearer = raw(limited, "POST", f"/{prefix}/api/v1/login", json=login).json()["token"]
        for language in ("zh", "en"):
            headers = {"authorization": f"Bearer {bearer}", "accept-language": language}
            url = f"/{prefix}/api/v1{path}"
            answer = raw(limited, "POST", url, headers=headers, json=body)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (403, "web.role_missing"), problem
            assert is_chinese(problem["detail"]) == (language == "zh")
    answer = raw(limited, "GET", "/c1/api/v1/users", headers={"authorization": f"Bearer {bearer}"})
    assert answer.status_code == 403


def test_a_form_without_the_token_of_its_session_is_refused(space: Space) -> None:
    before = sizes(space, ALL)
    with httpx.Client(base_url=space.base, trust_env=False, timeout=30.0) as browser:
        page = browser.get("/p1/login")
        form = page.text.split('name="_token"')[1].split('value="')[1].split('"')[0]
        login = {"login": "provider1", "password": PASSWORD}
        # Not even the login comes in without it.
        assert browser.post("/p1/login", data=login).status_code == 403
        assert browser.post("/p1/login", data={**login, "_token": form}).status_code == 303
        for path in ("/p1/logout", "/p1/publish"):
            for stolen in ({}, {"_token": ""}, {"_token": "x" * 43}, {"_token": form}):
                answer = browser.post(path, data=stolen)
                assert answer.status_code in {403, 404, 405}, (path, answer.status_code)
        answer = browser.post("/p1/logout", headers={"accept-language": "zh"})
        assert "表单已失效" in answer.text
        answer = browser.post("/p1/logout", headers={"accept-language": "en"})
        assert "This form has expired" in answer.text
        # Still logged in: nothing was done.
        assert browser.get("/p1/").status_code == 200
        # A cookie alone opens no API.
        assert browser.post("/p1/api/v1/resources", json={}).status_code == 401
    assert sizes(space, ALL) == before
