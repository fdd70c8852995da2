"""What may come in: logins, forms, roles; and what every answer carries."""

import pytest
from litestar.routes import HTTPRoute

from huiqi.trust.types import Role
from huiqi.web.app import build_app
from huiqi.web.system import System
from tests.unit.web.house import PASSWORD, Browser


def test_a_page_without_login_leads_to_the_login_and_back(browser: Browser) -> None:
    answer = browser.client.get("/node/members?x=1", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/node/login?next=%2Fnode%2Fmembers%3Fx%3D1"
    page = browser.client.get(answer.headers["location"]).text
    assert 'name="next" value="/node/members?x=1"' in page


def test_a_right_login_opens_a_session_in_a_strict_cookie(browser: Browser) -> None:
    token = browser.token(browser.client.get("/node/login").text)
    answer = browser.client.post(
        "/node/login",
        data={"login": "fang", "password": PASSWORD, "_token": token, "next": "//evil.example/"},
        follow_redirects=False,
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "hq_node=" in cookie
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/node" in cookie
    assert answer.headers["location"] == "/node/"
    assert "方岩" in browser.client.get("/node/").text


def test_a_wrong_password_says_so_and_keeps_the_login_only(browser: Browser) -> None:
    token = browser.token(browser.client.get("/node/login").text)
    answer = browser.client.post(
        "/node/login", data={"login": "fang", "password": "wrong-word-1", "_token": token}
    )
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text
    assert 'value="fang"' in answer.text
    assert "wrong-word-1" not in answer.text


def test_too_many_attempts_are_told_in_words(browser: Browser) -> None:
    token = browser.token(browser.client.get("/node/login").text)
    for _ in range(6):
        answer = browser.client.post(
            "/node/login", data={"login": "fang", "password": "wrong-word-1", "_token": token}
        )
    assert answer.status_code == 429
    assert "登录失败次数过多" in answer.text


@pytest.mark.parametrize("token", ["", "another-token"])
def test_a_form_without_its_token_is_refused(browser: Browser, token: str) -> None:
    browser.log_in()
    answer = browser.client.post(
        "/node/members/invite", data={"kind": "platform", "note": "x", "_token": token}
    )
    assert answer.status_code == 403
    assert "表单已失效" in answer.text


def test_an_anonymous_form_needs_the_token_of_its_own_browser(
    browser: Browser, systems: dict[str, System]
) -> None:
    stolen = browser.token(browser.client.get("/node/login").text)
    other = Browser(systems)
    with other.client:
        other.client.get("/node/login")
        answer = other.client.post(
            "/node/login", data={"login": "fang", "password": PASSWORD, "_token": stolen}
        )
    assert answer.status_code == 403


def test_logging_out_ends_the_session_in_the_books(browser: Browser) -> None:
    browser.log_in()
    page = browser.client.get("/node/").text
    kept = browser.client.cookies.get("hq_node", path="/node")
    browser.client.post("/node/logout", data={"_token": browser.token(page)})
    browser.client.cookies.set("hq_node", str(kept), path="/node")
    assert browser.client.get("/node/", follow_redirects=False).status_code == 303


def test_a_deed_needs_its_role(browser: Browser) -> None:
    browser.log_in("an")
    page = browser.client.get("/node/members").text
    assert "生成邀请码" not in page
    answer = browser.client.post(
        "/node/members/invite",
        data={"kind": "platform", "note": "x", "_token": browser.token(page)},
    )
    assert answer.status_code == 403
    assert "operator" in answer.text


def test_language_and_theme_work_without_script(browser: Browser) -> None:
    page = browser.client.get("/").text
    assert 'lang="zh-CN"' in page
    assert "data-theme" not in page
    data = {"_token": browser.token(page), "next": "/", "language": "en", "theme": "dark"}
    page = browser.client.post("/preferences", data=data).text
    assert 'lang="en"' in page
    assert 'data-theme="dark"' in page
    assert "Data under contract" in page


@pytest.mark.parametrize("path", ["/", "/node/login", "/nothing", "/node/api/v1/me", "/static/x"])
def test_every_answer_carries_the_security_headers(browser: Browser, path: str) -> None:
    answer = browser.client.get(path)
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_are_kept_by_no_cache_and_load_nothing_from_elsewhere(browser: Browser) -> None:
    browser.log_in()
    for path in ("/", "/node/", "/node/members", "/node/evidence", "/node/identifiers?q=1"):
        answer = browser.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text
        assert ' style="' not in answer.text
        assert 'src="http' not in answer.text
        assert "url(http" not in answer.text


def test_a_session_cookie_does_not_open_the_api(browser: Browser) -> None:
    browser.log_in()
    assert browser.client.get("/node/api/v1/me").status_code == 401


def test_deny_by_default(systems: dict[str, System]) -> None:
    """Every handler of ours says who may call it; every deed of a page names a role or is open."""
    open_posts = {"/preferences", "/{prefix:str}/preferences", "/{prefix:str}/login"}
    open_posts |= {"/{prefix:str}/api/v1/login"}
    any_person = {"/{prefix:str}/logout", "/{prefix:str}/api/v1/logout"}
    checked = 0
    for route in build_app(systems).routes:
        if not isinstance(route, HTTPRoute) or route.path.startswith(("/static", "/api")):
            continue
        for handler in route.route_handlers:
            if "roles" not in handler.opt:
                assert handler.http_methods == {"OPTIONS"} or "GET" in handler.http_methods
            if "POST" in handler.http_methods:
                checked += 1
                if route.path_format.replace("{prefix}", "{prefix:str}") in open_posts:
                    continue
                if route.path_format.replace("{prefix}", "{prefix:str}") in any_person:
                    continue
                assert handler.opt["roles"], route.path
                assert all(isinstance(role, Role) for role in handler.opt["roles"])
    assert checked > 30
