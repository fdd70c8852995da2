"""What comes in over the wire: authenticated first, refused in typed and signed words, bounded."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from huiqi.bootstrap.routes import routes_of
from huiqi.evidence.tiles import unbundle
from huiqi.trust.service import Trust
from huiqi.trust.types import Member, Stamp, SystemKind
from huiqi.web.app import build_app
from huiqi.web.interfaces import interfaces_of
from huiqi.web.public_log import log_routes, tile_address
from huiqi.web.system import System
from huiqi.web.wire_endpoint import LONGEST_READ, wire_routes
from huiqi.wire.huiqi.bodies import LARGEST_BODY
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from huiqi.wire.huiqi.errors_body import Refused
from tests.unit.trust.systems import PLATFORM, At, MemoryKeys, join
from tests.unit.web.house import hosted

ROOT = Path(__file__).parents[3]


@dataclass
class Door:
    """A hosted node, and a platform that writes to it."""

    client: TestClient[Litestar]
    node: Trust
    platform: Trust
    system: System

    def post(self, code: str, body: bytes, *, path: str = "", **changes: str) -> Any:
        """A genuinely stamped message, with ``changes`` in its headers."""
        stamp = self.platform.stamp(code, self.node.me().id, body)
        headers = {**headers_of(stamp), **changes}
        return self.client.post(path or f"/node/wire/{code}", content=body, headers=headers)

    def refused(self, answer: Any, status: int, code: str) -> Refused:
        """The refusal in an answer of this status and code."""
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        return msgspec.json.decode(answer.content, type=Refused)

    def signed(self, answer: Any, request: Stamp | None = None) -> bool:
        """Whether the answer carries a stamp that holds."""
        if "signvalue" not in answer.headers:
            return False
        reply = stamp_of(answer.headers)
        asked = request or _request_of(reply, self.node.me())
        self.platform.check_reply(reply, answer.content, asked)
        return True


def _request_of(reply: Stamp, node: Member) -> Stamp:
    return msgspec.structs.replace(reply, sequence=reply.in_reply_to, receiver=node.id)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("door")) as door:
        yield door


@contextmanager
def opened(folder: Path) -> Iterator[Door]:
    with hosted(folder) as systems:
        system = systems["node"]
        platform = Trust(
            scope=msgspec.structs.replace(system.scope, participant=PLATFORM),
            work=_work_of(system, PLATFORM),
            clock=system.clock,
            ids=system.trust._ids,
            store=system.trust._store,
            keys=MemoryKeys(),
            passwords=system.trust._passwords,
            directory=At(system.trust),
        )
        join(platform, system.trust, SystemKind.PLATFORM, PLATFORM)
        app = build_app(systems, extra=[*wire_routes(systems), *log_routes(systems)])
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Door(client, system.trust, platform, system)


def _work_of(system: System, participant: str) -> Any:
    work = system.trust._work
    scope = msgspec.structs.replace(system.scope, participant=participant)
    return type(work)(work._database, scope)  # type: ignore[attr-defined, call-arg]  # SqlWork


def test_a_genuine_message_is_answered_and_the_answer_is_signed(door: Door) -> None:
    answer = door.post("MemberLookup", msgspec.json.encode({"id": door.platform.me().id}))
    assert answer.status_code == 200
    assert answer.json()["member"]["subject"] == PLATFORM
    assert door.signed(answer)


def test_an_unknown_interface_is_refused_by_name_and_signed(door: Door) -> None:
    answer = door.post("ContractNegotiate", b"{}")
    assert "ContractNegotiate" in door.refused(answer, 400, "wire.interface_unknown").zh
    assert door.signed(answer)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id":1}', b"\xff", b"[" * 200_000])
def test_a_malformed_body_is_refused_and_signed(door: Door, body: bytes) -> None:
    answer = door.post("MemberLookup", body)
    door.refused(answer, 400, "wire.message_unreadable")
    assert door.signed(answer)


def test_a_body_over_the_limit_is_refused_with_the_limit(door: Door) -> None:
    answer = door.post("MemberLookup", b" " * (LARGEST_BODY + 1))
    assert str(LARGEST_BODY) in door.refused(answer, 400, "wire.message_too_large").en
    assert door.signed(answer)


def test_a_body_without_end_is_not_read(door: Door) -> None:
    answer = door.client.post("/node/wire/SystemJoin", content=b" " * (LONGEST_READ + 1))
    assert answer.status_code == 413


def test_a_message_without_stamp_is_refused_and_not_signed(door: Door) -> None:
    answer = door.client.post("/node/wire/MemberLookup", content=b'{"id":"x"}')
    door.refused(answer, 400, "wire.message_unreadable")
    assert not door.signed(answer)


def test_the_path_and_the_signed_code_must_agree(door: Door) -> None:
    answer = door.post("MemberLookup", b"{}", path="/node/wire/AddressReport")
    door.refused(answer, 400, "wire.message_unreadable")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"signvalue": "00" * 64}, 422, "trust.forged_signature"),
        ({"x-hq-sender": "2" * 32}, 409, "trust.unknown_member"),
        ({"timestamp": "1000000000000"}, 403, "trust.stale_message"),
        ({"timestamp": "soon"}, 400, "trust.malformed_stamp"),
        ({"x-hq-receiver": "2" * 32}, 403, "trust.wrong_receiver"),
        ({"x-hq-sender": "a b"}, 400, "trust.malformed_stamp"),
        ({"sequencenum": "1 2"}, 400, "trust.malformed_stamp"),
    ],
)
def test_a_stamp_that_does_not_hold_is_refused_by_its_fault(
    door: Door, changes: Mapping[str, str], status: int, code: str
) -> None:
    answer = door.post("MemberLookup", b'{"id":"x"}', **changes)
    door.refused(answer, status, code)


def test_a_replayed_message_is_refused(door: Door) -> None:
    body = msgspec.json.encode({"id": door.platform.me().id})
    stamp = door.platform.stamp("MemberLookup", door.node.me().id, body)
    replies = [
        door.client.post("/node/wire/MemberLookup", content=body, headers=headers_of(stamp))
        for _ in range(2)
    ]
    assert replies[0].status_code == 200
    door.refused(replies[1], 403, "trust.replayed_message")
    assert door.signed(replies[1], stamp)


def test_an_error_of_a_verb_has_the_status_of_its_category(door: Door) -> None:
    """Missing is 409: a sender takes a 404 for a system that is not there yet."""
    door.refused(door.post("MemberLookup", b'{"id":"nobody"}'), 409, "trust.unknown_member")


def test_what_nobody_foresaw_is_500_without_its_text(door: Door) -> None:
    def fails(_id: str) -> None:
        raise ZeroDivisionError("secret row")

    trust = cast("Any", door.system.trust)
    trust.credential = fails
    answer = door.post("MemberLookup", b'{"id":"x"}')
    del trust.credential
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_an_application_that_is_none_is_refused_in_plain(door: Door) -> None:
    answer = door.client.post("/node/wire/SystemJoin", content=b"{}")
    door.refused(answer, 400, "wire.message_unreadable")


@pytest.mark.parametrize("path", ["/nobody/wire/MemberLookup", "/nobody/log/checkpoint"])
def test_a_system_that_is_not_hosted_here_is_404(door: Door, path: str) -> None:
    call = door.client.post if "wire" in path else door.client.get
    assert call(path).status_code == 404


def test_the_log_is_served_as_far_as_it_is_signed(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        log = "/node/log"
        assert door.client.get(f"{log}/checkpoint").status_code == 404
        door.system.evidence.integrate()
        note = door.client.get(f"{log}/checkpoint")
        size = int(note.text.split("\n")[1])
        assert note.headers["cache-control"] == "no-cache"
        tile = door.client.get(f"{log}/tile/0/000.p/{size}")
        assert len(tile.content) == 32 * size
        assert "immutable" in tile.headers["cache-control"]
        entries = door.client.get(f"{log}/tile/entries/000.p/{size}")
        assert len(unbundle(entries.content) or []) == size
        assert door.client.get(f"{log}/tile/0/000.p/{size + 1}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "0/000",
        "0/x001/000.p/1",
        "59/x999/x999/x999/x999/999",
        "entries/x999/x999/x999/x999/999.p/255",
        "0/x999/x999/x999/x999/x999/x999/999",
        "60/000.p/1",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/001",
        "0/x000/000.p/1",
        "0/0.p/1",
        "0/-01.p/1",
        "0/٠٠٠.p/1",
        "..%2fcheckpoint",
        "0/000.p/1%0a",
        "",
    ],
)
def test_a_path_that_means_no_tile_is_404(door: Door, path: str) -> None:
    door.system.evidence.integrate()
    assert door.client.get(f"/node/log/tile/{path}").status_code in {404, 405}


def test_a_tile_has_one_path() -> None:
    assert tile_address("/0/x001/234.p/17") == ("0", 1234, 17)
    assert tile_address("entries/000") == ("entries", 0, 256)
    for other in ("0/x000/001", "0/001.p/256", "0/001.p/0", "0/1", "0/001\n", "0/001.p/017"):
        assert tile_address(other) is None


def _codes_sent() -> set[str]:
    """The codes of every ``Outgoing`` in the rooms, where they stand as words."""
    found = set()
    for file in (ROOT / "src" / "huiqi").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Outgoing":
                for word in node.keywords:
                    if word.arg == "code" and isinstance(word.value, ast.Constant):
                        found.add(word.value.value)
    return found


def _parts(kind: SystemKind) -> Any:
    """Just enough of an assembled system to ask for its routes and interfaces."""

    class Room:
        def __getattr__(self, name: str) -> object:
            return lambda *_args, **_words: None

    system = SimpleNamespace(
        kind=kind,
        **dict.fromkeys(
            [
                "trust",
                "identifiers",
                "listing",
                "contracts_desk",
                "settlement",
                "contracts",
                "compute",
                "usage",
                "catalog",
                "settlement_desk",
            ],
            Room(),
        ),
    )
    return SimpleNamespace(site=SimpleNamespace(kind=kind), system=system, trust=Room())


def test_every_code_that_is_sent_has_a_route_and_an_interface() -> None:
    routed = {code for kind in SystemKind for code in routes_of(_parts(kind))}
    taken = {code for kind in SystemKind for code in interfaces_of(_parts(kind).system)}
    sent = _codes_sent()
    assert len(sent) >= 5
    assert sent <= routed
    assert routed <= taken
