"""Do systems in separate processes work together, and wait visibly for one that is away?"""

import http.server
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import httpx
import msgspec
import pytest

from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import until
from huiqi.cli.demo.space import PASSWORD
from tests.journey.forging import Forger
from tests.journey.walking import listed, offer, requested, wish, write_trips
from tests.support.space import Space, huiqi, serving

pytestmark = pytest.mark.slow

SERVE = ("serve",)
NODE, PLATFORM = "1234990057TE5TA08U", "91349900MA8TE3T079"
PROVIDER = "91349900MAXXXX0P1L"


def _made(data: Path, kind: str, prefix: str, subject: str, code: str = "") -> None:
    about = ("--prefix", prefix, "--subject", subject, "--name", f"测试 {prefix}", "--area", "3401")
    join = ("--join", code) if code else ()
    done = huiqi("init", kind, *about, *join, data=data)
    assert done.returncode == 0, done.stderr


def _person(data: Path, prefix: str, login: str, role: str) -> None:
    told = ("--name", login, "--role", role, "--password", PASSWORD)
    done = huiqi("user", prefix, login, *told, data=data)
    assert done.returncode == 0, done.stderr


def _invited(data: Path, prefix: str, kind: str) -> str:
    done = huiqi("invite", prefix, kind, data=data)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


class Apart:
    """A node with its platform in one process, a provider's connector in another."""

    def __init__(self, folder: Path) -> None:
        self.issuers = Space(folder / "issuers", command=SERVE)
        self.connector = Space(folder / "connector", command=SERVE)

    def arrive(self) -> None:
        """Everybody joins, as on separate machines: by invitation code."""
        above, below = self.issuers.data, self.connector.data
        _made(above, "node", "node", NODE)
        self.issuers.start()
        self.issuers.stop()
        _made(above, "platform", "platform", PLATFORM, _invited(above, "node", "platform"))
        _person(above, "platform", "operator", "operator")
        # The code names the address at which the node was last; it has to be there again.
        self.issuers.start(HUIQI_PORT=self._port(above, "node"))
        self.issuers.stop()
        code = _invited(above, "platform", "connector")
        self.issuers.start(HUIQI_PORT=self._port(above, "node"))
        _made(below, "connector", "p1", PROVIDER, code)
        _person(below, "p1", "provider1", "provider")
        self.connector.start()

    def _port(self, data: Path, prefix: str) -> str:
        store = apsw.Connection(str(data / prefix / "store.db"), flags=apsw.SQLITE_OPEN_READONLY)
        (document,) = next(store.execute("SELECT document FROM trust_member WHERE tie = 'self'"))
        store.close()
        address = str(msgspec.json.decode(document)["address"])
        return address.rsplit(":", 1)[1].split("/", 1)[0]

    def api(self, prefix: str) -> Api:
        """The person of one of the two processes."""
        return (self.connector if prefix == "p1" else self.issuers).api(prefix)

    def end(self) -> None:
        """Both processes are over."""
        self.issuers.end()
        self.connector.end()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Two processes that have found each other."""
    both = Apart(tmp_path_factory.mktemp("apart"))
    try:
        both.arrive()
        yield both
    finally:
        both.end()


def _published(apart: Apart, table: str, salt: int) -> dict[str, Any]:
    file = write_trips(apart.connector.data / "p1" / "inbox" / f"{table}.csv", salt)
    api = apart.api("p1")
    resource = api.post("/resources", {"name": table, "path": str(file)})["id"]
    product: dict[str, Any] = api.post("/products", offer(resource, table, wish()))
    return product


def _waiting(api: Api, **like: Any) -> list[dict[str, Any]]:
    return [m for m in api.get("/outbox") if all(m[name] == like[name] for name in like)]


def test_publishing_and_listing_work_across_processes(apart: Apart) -> None:
    product = _published(apart, "across", 1)
    identifier = listed(apart, product)  # type: ignore[arg-type] - it has the same people
    found = apart.api("p1").get("/catalogue", q="across")
    assert [hit["record"]["id"] for hit in found] == [identifier]
    me = apart.api("p1").get("/me")["member"]
    assert found[0]["record"]["provider_node"] == me["id"]
    assert me["id"] in [m["id"] for m in apart.api("platform").get("/members")]


def test_a_newcomer_that_is_refused_ends_with_words_and_may_try_again(
    apart: Apart, tmp_path: Path
) -> None:
    other, bound = "N2349900MF00TE5T0Q", "52349900MAHU1Q01X9"
    wanted = {"kind": "connector", "note": "c9", "subject": bound}
    code = apart.api("platform").post("/invitations", wanted)["code"]
    _made(tmp_path, "connector", "c9", other, code)
    ended = huiqi("serve", data=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("[bootstrap.joining_refused]"), ended.stderr
    assert "huiqi init" in ended.stderr
    _made(tmp_path, "connector", "c9", bound, code)
    with serving(tmp_path, command=SERVE):
        members = apart.api("platform").get("/members")
        assert bound in [member["subject"] for member in members]


def test_a_message_waits_visibly_while_the_platform_is_away(apart: Apart) -> None:
    product = _published(apart, "patience", 2)
    identifier = listed(apart, product)  # type: ignore[arg-type] - it has the same people
    port = apart.issuers.base.rpartition(":")[2]
    apart.issuers.stop()
    provider = apart.api("p1")
    provider.post(f"/products/{identifier}/withdraw")

    def explained() -> dict[str, Any] | None:
        waiting = _waiting(provider, key=identifier, state="ready")
        return waiting[0] if waiting and waiting[0]["last_error"] else None

    message = until(explained, what="nothing is said about the waiting message")
    assert message["code"] == "ProductWithdraw"
    assert message["tries"] >= 1
    assert "已保留" in message["last_error"]
    assert "测试 platform" in message["last_error"]
    assert "ConnectError" in message["last_error"]
    # What was decided here holds at once.
    assert provider.get(f"/products/{identifier}")["state"] == "withdrawn"
    apart.issuers.start(HUIQI_PORT=port)

    def arrived() -> bool | None:
        state = apart.api("platform").get(f"/products/{identifier}")["state"]
        return True if state == "withdrawn" else None

    until(arrived, what="the withdrawal has not arrived", seconds=30)
    assert not _waiting(provider, key=identifier)


def test_the_platform_reaches_a_connector_that_has_moved(apart: Apart) -> None:
    product = _published(apart, "moving", 3)
    identifier = product["record"]["id"]
    operator = apart.api("platform")

    def there() -> bool | None:
        pending = [p["record"]["id"] for p in operator.get("/listing/pending")]
        return True if identifier in pending else None

    until(there, what="the product has not arrived")
    before = apart.connector.base
    apart.connector.stop()
    operator.post(f"/listing/{identifier}/approve")

    def explained() -> dict[str, Any] | None:
        waiting = _waiting(operator, key=identifier, state="ready")
        return waiting[0] if waiting and waiting[0]["last_error"] else None

    assert "ConnectError" in until(explained, what="no reason")["last_error"]
    apart.connector.start()
    assert apart.connector.base != before

    def known() -> bool | None:
        state = apart.api("p1").get(f"/products/{identifier}")["state"]
        return True if state == "listed" else None

    until(known, what="the review has not arrived at the new address", seconds=30)
    me = apart.api("p1").get("/me")["member"]
    assert me["address"] == apart.connector.address("p1")
    told = [m for m in apart.api("platform").get("/members") if m["id"] == me["id"]]
    assert told[0]["address"] == me["address"]


def test_a_connector_works_at_a_new_address_while_the_platform_is_away(apart: Apart) -> None:
    identifier = listed(apart, _published(apart, "alone", 4))  # type: ignore[arg-type] - as above
    port = apart.issuers.base.rpartition(":")[2]
    with socket.create_server(("127.0.0.1", 0)) as free:
        other = free.getsockname()[1]
    apart.connector.stop()
    apart.issuers.stop()
    apart.connector.begin(HUIQI_PORT=str(other))
    address = f"http://127.0.0.1:{other}/p1"

    def answers() -> bool | None:
        try:
            return httpx.get(f"{address}/login", trust_env=False).is_success or None
        except httpx.TransportError:
            return None

    until(answers, what="the connector does not serve without its platform", seconds=30)
    provider = Api(address, ("provider1", PASSWORD), "en")
    try:
        provider.post(f"/products/{identifier}/withdraw")

        def explained() -> bool | None:
            waiting = _waiting(provider, key=identifier, state="ready")
            return True if waiting and waiting[0]["last_error"] else None

        until(explained, what="the clockwork stands still without the platform")
        assert "house.waiting" in apart.connector.said()
    finally:
        provider.close()
    apart.issuers.start(HUIQI_PORT=port)
    apart.connector.wait()

    def arrived() -> bool | None:
        state = apart.api("platform").get(f"/products/{identifier}")["state"]
        return True if state == "withdrawn" else None

    until(arrived, what="the withdrawal has not arrived", seconds=30)
    assert apart.api("p1").get("/me")["member"]["address"] == address


# --- a peer that is not what it should be


Answering = Callable[[http.server.BaseHTTPRequestHandler], None]


class _Odd(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A peer that answers whatever ``answer`` says."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answering) -> None:
        self.calls = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.calls += 1
                self.rfile.read(int(self.headers.get("content-length", 0)))
                answer(self)

            def log_message(self, *_given: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/p1"


def _says(status: int, body: bytes) -> Answering:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _hangs_up(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


ODD = {
    "a web page": (_says(200, b"<html>hello</html>"), "wire.message_unreadable"),
    "an unsigned refusal": (_says(403, b'{"code":"x"}'), "wire.message_unreadable"),
    "an internal error": (_says(500, b"oops"), "HTTP 500"),
    "not found": (_says(404, b""), "HTTP 404"),
    "a redirect": (_says(307, b""), "HTTP 307"),
    "hanging up": (_hangs_up, "RemoteProtocolError"),
}


@pytest.fixture(scope="module")
def negotiated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Space, str]]:
    """A space, and a contract that the consumer may end at any time."""
    with serving(tmp_path_factory.mktemp("odd") / "data") as space:
        file = write_trips(space.data / "p1" / "inbox" / "odd.csv", 1)
        api = space.api("p1")
        resource = api.post("/resources", {"name": "odd", "path": str(file)})["id"]
        product = api.post("/products", offer(resource, "odd", wish()))
        yield space, listed(space, product)


def test_a_peer_that_is_silent_or_answers_nonsense_is_tried_again_and_named(
    negotiated: tuple[Space, str],
) -> None:
    space, product = negotiated
    names = ["silence", *ODD]
    contracts = {name: requested(space, product) for name in names}
    home, consumer, patience = space.address("p1"), space.api("c1"), threading.Event()
    peers = {name: _Odd(answer) for name, (answer, _why) in ODD.items()}
    # Silence takes the client's whole time-out of 40 s; the others have their turn meanwhile.
    peers["silence"] = _Odd(lambda _handler: patience.wait(60) and None)
    forger = Forger(space, "p1")
    try:
        for name in names:
            _point(space, forger, peers[name].address)
            consumer.post(f"/contracts/{contracts[name]}/terminate", {"reason": "测试"})
            if name in ODD:
                _is_named(consumer, contracts[name], ODD[name][1])
            # Whatever becomes of the message, it is over here.
            assert consumer.get(f"/contracts/{contracts[name]}")["status"] == "06"
        _point(space, forger, peers["silence"].address)
        _is_named(consumer, contracts["silence"], "ReadTimeout")
        # Once the peer is itself again, everything arrives, each once.
        _point(space, forger, home)
        patience.set()
        for contract in contracts.values():
            _arrives(space, contract)
    finally:
        patience.set()
        for peer in peers.values():
            peer.shutdown()
            peer.server_close()


def _point(space: Space, forger: Forger, address: str) -> None:
    """Let provider 1 be somewhere else, for the platform and for the consumer."""
    told = forger.send("platform", "AddressReport", {"address": address})
    assert told.status == 200, told.answer
    store = apsw.Connection(str(space.data / "c1" / "store.db"))
    store.set_busy_timeout(5_000)
    provider = forger.me.id
    (document,) = next(store.execute("SELECT document FROM trust_member WHERE id = ?", (provider,)))
    known = msgspec.json.decode(document)
    known["address"] = address
    store.execute(
        "UPDATE trust_member SET document = ? WHERE id = ?", (msgspec.json.encode(known), provider)
    )
    store.close()


def _is_named(consumer: Api, contract: str, why: str) -> None:
    def explained() -> dict[str, Any] | None:
        waiting = _waiting(consumer, key=contract, state="ready")
        return waiting[0] if waiting and why in waiting[0]["last_error"] else None

    message = until(explained, what=f"no reason {why}", seconds=60)
    assert "已保留" in message["last_error"]
    assert message["tries"] >= 1


def _arrives(space: Space, contract: str) -> None:
    def ended() -> bool | None:
        status = space.api("p1").get(f"/contracts/{contract}")["status"]
        return True if status == "06" else None

    until(ended, what=f"{contract} was not ended at the provider", seconds=60)
    facts = space.api("p1").get("/evidence", subject=contract, kind="ContractTerminated")
    assert len(facts) == 1
