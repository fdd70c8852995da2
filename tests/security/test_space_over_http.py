"""A served space, attacked as anybody on the network could: every route, all kinds of nonsense."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from litestar.routes import HTTPRoute

from huiqi.adapters.keys.file_keystore import open_keystore
from huiqi.kernel.clock import SystemClock
from huiqi.kernel.ids import ObjectType, RandomIds, object_id
from huiqi.trust.stamps import milliseconds, stamped
from huiqi.trust.types import NATIONAL_SUITE, Signature, Stamp
from huiqi.web.app import build_app
from huiqi.web.console.use import file_name
from huiqi.web.public_log import log_routes
from huiqi.web.wire_endpoint import wire_routes
from huiqi.wire.huiqi.envelope import headers_of
from tests.support.space import LOGINS, PASSWORD, Space

# What is open to all, and why it may be.
OPEN = {
    "/": "which systems are hosted here",
    "/{prefix:str}/login": "how to get in",
    "/{prefix:str}/log/checkpoint": "meant for witnesses; holds a size and a digest",
    "/{prefix:str}/log/tile/{rest:path}": "platform and node only; identifiers and digests",
    "/api": "the description of the interfaces",
    "/api/openapi.json": "as above",
    "/api/{path:str}": "as above",
    "/static/{file_path:path}": "style sheets",
}
ANSWERED_BY_ITSELF = {"/{prefix:str}/api/v1/login", "/{prefix:str}/wire/{code:str}"}
HOSTED = ("p1", "platform")


def routes() -> list[tuple[str, str]]:
    app = build_app({}, extra=[*wire_routes({}), *log_routes({})])
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods - {"OPTIONS"})
    ]


ROUTES = routes()


def filled(path: str, prefix: str) -> str:
    path = path.replace("{prefix:str}", prefix)
    return re.sub(r"\{\w+:(str|path)\}", "x", re.sub(r"\{\w+:int\}", "1", path))


@pytest.fixture(scope="session")
def client(space: Space) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=space.base, trust_env=False, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="session")
def tokens(client: httpx.Client) -> dict[str, str]:
    found = {}
    for prefix, login in LOGINS.items():
        answer = client.post(f"/{prefix}/api/v1/login", json={"login": login, "password": PASSWORD})
        found[prefix] = answer.json()["token"]
    return found


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[1] not in OPEN])
def test_a_route_lets_in_neither_strangers_nor_people_of_another_system(
    client: httpx.Client, tokens: dict[str, str], method: str, path: str
) -> None:
    refused = {303, 401, 403} | ({400} if path in ANSWERED_BY_ITSELF else set())
    for prefix, other in zip(HOSTED, ("c1", "p2"), strict=True):
        strange = {
            "authorization": f"Bearer {tokens[other]}",
            "cookie": f"hq_{prefix}={tokens[other]}; hq_{other}={tokens[other]}",
        }
        for headers in ({}, strange):
            answer = client.request(method, filled(path, prefix), headers=headers)
            assert answer.status_code in refused, (method, path, answer.status_code)
            if answer.status_code == 303:
                assert "/login" in answer.headers["location"]


FORMS = sorted({p for m, p in ROUTES if m == "POST" and "/api/" not in p} - ANSWERED_BY_ITSELF)


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_does_nothing_whoever_is_logged_in(
    client: httpx.Client, tokens: dict[str, str], path: str
) -> None:
    for prefix in HOSTED:
        for form in ({}, {"_token": ""}, {"_token": "x" * 64}, {"_token": "\udcff"}):
            answer = client.post(
                filled(path, prefix),
                headers={"cookie": f"hq_{prefix}={tokens[prefix]}; hq_form="},
                data={
                    name: value.encode("utf-8", "surrogateescape") for name, value in form.items()
                },
            )
            assert answer.status_code == 403, (path, prefix, form)


@pytest.mark.parametrize("path", [p for m, p in ROUTES if m == "GET" and "/api/v1/" in p])
def test_a_cookie_is_no_token_for_programs(
    client: httpx.Client, tokens: dict[str, str], path: str
) -> None:
    for prefix in HOSTED:
        headers = {"cookie": f"hq_{prefix}={tokens[prefix]}"}
        assert client.get(filled(path, prefix), headers=headers).status_code == 401


STRANGE_PAGES = (
    "/evidence?before=²", f"/evidence?before={'9' * 40}", f"/evidence/{'9' * 20}",
    f"/evidence/{'9' * 20}/proof.json", "/evidence/-1", "/evidence?subject=%00",
    "/find?q=%00", "/find?q=%ff", "/find?q=%ed%a0%80", "/catalogue?q=%00", "/receipts/%00",
    "/receipts/..%2f..%2fetc%2fpasswd", "/statements/%2e%2e", "/products/%00", "/products/%ff",
    "/publish?resource=../../x", "/contracts/%0d%0a", "/identifiers?q=%00", "/?done=%3Cscript%3E",
)  # fmt: skip
STRANGE_CALLS = (
    f"/evidence?before={'9' * 20}", "/evidence?limit=-1", f"/evidence?limit={'9' * 20}",
    f"/evidence/{'9' * 20}/proof", "/evidence/documents/%00/proof", "/uses?limit=-1",
    f"/uses?limit={'9' * 20}", f"/receipts?limit={'9' * 20}", "/receipts?limit=-1",
    f"/catalogue?limit={'9' * 20}", "/contracts?status=%00", "/members/%00/standing",
    f"/settlement/ledger?limit={'9' * 20}", "/settlement/replay/%00", "/identifiers/%00",
)  # fmt: skip


@pytest.mark.parametrize("path", STRANGE_PAGES)
def test_a_strange_address_is_no_fault_of_ours(
    client: httpx.Client, tokens: dict[str, str], path: str
) -> None:
    for prefix in HOSTED:
        headers = {"cookie": f"hq_{prefix}={tokens[prefix]}"}
        answer = client.get(f"/{prefix}{path}", headers=headers)
        assert answer.status_code < 500, answer.status_code
        assert "\r" not in answer.headers.get("location", "")
        assert answer.headers.get("location", "/").startswith("/")
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", STRANGE_CALLS)
def test_a_strange_number_is_no_fault_of_ours(
    client: httpx.Client, tokens: dict[str, str], path: str
) -> None:
    for prefix in HOSTED:
        headers = {"authorization": f"Bearer {tokens[prefix]}"}
        assert client.get(f"/{prefix}/api/v1{path}", headers=headers).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b"",
        b"null",
        b'{"login":"\\ud800","password":"x"}',
        b'{"login":"\xed\xa0\x80","password":"x"}',
        b'{"login":1e999,"password":"x"}',
        b'{"login":"a","password":"x","more":1}',
    ],
)
def test_a_strange_body_is_refused_without_a_word_of_ours(
    client: httpx.Client, body: bytes
) -> None:
    answer = client.post("/p2/api/v1/login", content=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "huiqi" not in answer.text.replace("urn:huiqi", "")
    assert client.post("/p2/wire/SystemJoin", content=body).status_code < 500


def test_a_huge_body_is_not_read(client: httpx.Client) -> None:
    for path in ("/p1/api/v1/login", "/p1/wire/UseQuery", "/p1/login"):
        assert client.post(path, content=b"x" * 11_000_000).status_code in {400, 403, 413}


@pytest.mark.parametrize(
    "line",
    [
        "GET /static/..%2f..%2f..%2fetc/passwd",
        "GET /static/../app.py",
        "GET /static//etc/passwd",
        "GET /static/..%5capp.py",
        "GET /static/%00",
        "GET /static/huiqi.css/..",
        "GET /static/huiqi.css/x",
        "GET /static/" + "a" * 400,
        "GET /%ff/",
        "TRACE /p1/",
        "GET http://evil.example/p1/",
        "GET //evil.example/%2f..",
    ],
)
def test_a_crooked_request_line_gets_neither_a_file_nor_a_fault(space: Space, line: str) -> None:
    host, port = space.base.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as wire:
        wire.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: wire.recv(65_536), b""))
    status = int(said.split(b" ")[1])
    assert 300 <= status < 500
    assert b"root:" not in said
    assert b"build_app" not in said
    for found in re.findall(rb"(?i)\r\nlocation: *([^\r]*)", said):
        assert re.match(rb"/(?![/\\])", found)


def test_a_planted_form_cookie_is_not_taken_over(client: httpx.Client) -> None:
    for planted in ("short", "a" * 33, "%0d%0aSet-Cookie:a=b", "中" * 32):
        answer = client.get("/p1/login", headers={"cookie": f"hq_form={planted}".encode()})
        assert planted not in answer.text
        assert re.search(r"hq_form=[\w-]{32};", answer.headers["set-cookie"])


@pytest.mark.parametrize("login", ["nobody", "provider2", "a" * 5_000, "\0", "日本"])
def test_a_wrong_login_says_the_same_whether_it_is_known_or_not(
    client: httpx.Client, login: str
) -> None:
    answer = client.post("/p2/api/v1/login", json={"login": login, "password": "wrong-word-1"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "trust.wrong_login"
    assert login not in answer.text


def test_messages_in_unknown_names_do_not_stop_the_space(
    space: Space, client: httpx.Client, tokens: dict[str, str]
) -> None:
    """150 of them once froze every system of the process for 80 seconds."""
    secret = (space.data / "secret").read_text().strip()
    keys = open_keystore(space.data / "c1", secret)
    me = client.get("/p1/api/v1/me", headers={"authorization": f"Bearer {tokens['p1']}"})
    receiver, subject = me.json()["member"]["id"], me.json()["member"]["subject"]

    def headers() -> dict[str, str]:
        sender = object_id(
            ObjectType.CONNECTOR, subject=subject, area="3401", random=RandomIds().random_code()
        )
        draft = Stamp(
            code="UseRenew",
            version="1.0",
            timestamp=milliseconds(SystemClock().now()),
            sequence=RandomIds().uuid(),
            sender=sender,
            receiver=receiver,
            signature=Signature(suite="", key_id="", value=""),
        )
        return headers_of(stamped(draft, b"{}", lambda text: keys.sign(NATIONAL_SUITE, text)))

    floods = [headers() for _ in range(150)]
    with ThreadPoolExecutor(150) as threads:
        sent = [
            threads.submit(client.post, "/p1/wire/UseRenew", content=b"{}", headers=h)
            for h in floods
        ]
        started = time.monotonic()
        assert httpx.get(f"{space.base}/platform/login", trust_env=False).status_code == 200
        assert time.monotonic() - started < 5
        statuses = {each.result(30).status_code for each in sent}
    assert statuses <= {409, 503}


def test_no_password_token_or_secret_lies_about(space: Space, tokens: dict[str, str]) -> None:
    secret = (space.data / "secret").read_bytes().strip()
    hidden = [PASSWORD.encode(), secret, *(token.encode() for token in tokens.values())]
    for file in sorted(space.data.rglob("*")):
        if file.is_file() and file.name != "secret":
            data = file.read_bytes()
            assert not [word for word in hidden if word in data], file.name
    said = space.said()
    assert not [token for token in tokens.values() if token in said]
    assert secret.decode() not in said


def test_keys_and_data_can_be_entered_by_their_owner_alone(space: Space) -> None:
    for prefix in LOGINS:
        assert (space.data / prefix).stat().st_mode & 0o077 == 0
        for file in (space.data / prefix / "keys").rglob("*"):
            assert file.stat().st_mode & 0o077 == 0, file
    assert (space.data / "secret").stat().st_mode & 0o077 == 0


def test_who_hangs_up_in_the_middle_of_a_body_fills_no_log(space: Space) -> None:
    host, port = space.base.removeprefix("http://").split(":")
    before = len(space.said())
    for _ in range(20):
        with closing(socket.create_connection((host, int(port)), timeout=10)) as wire:
            wire.sendall(
                b"POST /p1/wire/UseQuery HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx"
            )
            time.sleep(0.01)
    time.sleep(0.3)
    assert httpx.get(f"{space.base}/p1/login", trust_env=False).status_code == 200
    assert "Traceback" not in space.said()[before:]
    assert len(space.said()) - before < 20 * 400


def test_a_session_that_was_ended_or_never_was_opens_nothing(client: httpx.Client) -> None:
    login = {"login": LOGINS["node"], "password": PASSWORD}
    first = client.post("/node/api/v1/login", json=login).json()["token"]
    again = client.post("/node/api/v1/login", json=login).json()["token"]
    assert first != again
    headers = {"authorization": f"Bearer {first}"}
    assert client.get("/node/api/v1/me", headers=headers).status_code == 200
    assert client.post("/node/api/v1/logout", headers=headers).status_code == 204
    for token in (first, first[:-1], "-", "x" * 43, "a" * 5_000):
        answer = client.get("/node/api/v1/me", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        page = client.get("/node/evidence", headers={"cookie": f"hq_node={token}"})
        assert page.status_code == 303


EVIL = "<script>alert(9)</script>'\"><img src=x onerror=alert(9)>"
EVIL_FILE = b'origin,"<script>alert(9)</script>"\nJFK,<b>1</b>\n'


def test_what_others_write_is_shown_as_text(client: httpx.Client, tokens: dict[str, str]) -> None:
    headers = {"authorization": f"Bearer {tokens['p1']}"}
    for name in (EVIL, "..", "a" * 400, "../../../x.csv", "C:\\x.csv", "甲\u202egnp.csv"):
        answer = client.post(
            "/p1/api/v1/resources/upload",
            params={"name": EVIL},
            files={"data": (name, EVIL_FILE, "text/csv")},
            headers=headers,
        )
        assert answer.status_code in {201, 409}, answer.text
    reasons = {"reason": EVIL + "\u202e"}
    member = next(
        one["id"]
        for one in client.get("/p1/api/v1/members", headers=headers).json()
        if one["kind"] == "connector"
    )
    operator = {"authorization": f"Bearer {tokens['platform']}"}
    client.post(f"/platform/api/v1/members/{member}/suspend", json=reasons, headers=operator)
    client.post(f"/platform/api/v1/members/{member}/resume", headers=operator)
    client.post(
        "/platform/api/v1/invitations", json={"kind": "connector", "note": EVIL}, headers=operator
    )
    for prefix in HOSTED:
        cookie = {"cookie": f"hq_{prefix}={tokens[prefix]}"}
        asked = (f"/catalogue?q={EVIL}", f"/identifiers?q={EVIL}", f"/login?next=/{prefix}/{EVIL}")
        pages = ("/", "/publish", "/products", "/members", "/evidence", "/review", *asked)
        for path in pages:
            page = client.get(f"/{prefix}{path}", headers=cookie).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            assert "\u202e" not in page, path


def test_a_number_that_a_provider_made_up_cannot_break_the_header_of_a_download() -> None:
    assert file_name("0b1c-2") == "receipt-0b1c-2.json"
    assert file_name('x"\r\nSet-Cookie: a=b/../徽') == "receipt-xSet-Cookieab.json"
    assert file_name("a" * 500) == f"receipt-{'a' * 64}.json"
