"""A call ends in a genuine answer or in one of three errors, whatever the other side does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest

from huiqi.adapters.http.peers import Peers
from huiqi.adapters.http.remote import Calls
from huiqi.trust.types import Stamp
from huiqi.wire.errors import PeerNonsense, PeerRefused, PeerUnavailable
from huiqi.wire.huiqi.envelope import headers_of
from huiqi.wire.huiqi.messages import AllottedIdentifier, Search
from tests.unit.trust.systems import OTHER
from tests.unit.wire.pair import Pair

REFUSAL = b'{"code":"catalog.unknown_product","category":"missing","zh":"\xe6\x97\xa0","en":"none"}'


def test_a_genuine_answer_is_given_back_to_the_byte(pair: Pair) -> None:
    def echo(request: Stamp, body: bytes) -> httpx.Response:
        sender = pair.platform.check_request(request, body)
        assert sender.id == pair.connector.me().id
        return pair.signed(request, 200, body + b"!")

    assert pair.call(echo, b'{"a":1}') == b'{"a":1}!'


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 422])
def test_a_signed_refusal_says_code_and_sentence(pair: Pair, status: int) -> None:
    with pytest.raises(PeerRefused) as caught:
        pair.call(lambda request, _body: pair.signed(request, status, REFUSAL))
    assert caught.value.reason == "catalog.unknown_product"
    assert caught.value.params["peer"] == pair.platform.me().name
    assert "none" in caught.value.text("en")


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_that_nobody_signed_is_nonsense(pair: Pair, status: int) -> None:
    with pytest.raises(PeerNonsense, match=r"wire\.message_unreadable"):
        pair.call(lambda _request, _body: httpx.Response(status, content=REFUSAL))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code":1}', b"[" * 100_000, b"\xff"])
def test_a_signed_refusal_that_cannot_be_read_is_nonsense(pair: Pair, body: bytes) -> None:
    with pytest.raises(PeerNonsense, match=r"wire\.message_unreadable"):
        pair.call(lambda request, _body: pair.signed(request, 409, body))


def test_an_endless_refusal_is_cut(pair: Pair) -> None:
    long = msgspec.json.encode({"code": "c" * 999, "category": "", "zh": "长" * 9999, "en": "x"})
    with pytest.raises(PeerRefused) as caught:
        pair.call(lambda request, _body: pair.signed(request, 409, long))
    assert len(caught.value.text("zh")) < 700


@pytest.mark.parametrize("status", [404, 408, 418, 429, 500, 502, 503, 504])
def test_a_peer_that_is_not_there_yet_or_busy_is_unavailable(pair: Pair, status: int) -> None:
    """A 404 is unavailable even when its body is a typed refusal: no system of ours sends that."""
    with pytest.raises(PeerUnavailable, match=f"HTTP {status}"):
        pair.call(lambda request, _body: pair.signed(request, status, REFUSAL))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(pair: Pair, status: int) -> None:
    asked = []

    def elsewhere(request: Stamp, _body: bytes) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers={"location": "http://127.0.0.1:1/steal"})

    with pytest.raises(PeerUnavailable, match=f"HTTP {status}"):
        pair.call(elsewhere)
    assert len(asked) == 1


def test_an_unsigned_answer_is_nonsense(pair: Pair) -> None:
    with pytest.raises(PeerNonsense):
        pair.call(lambda _request, _body: httpx.Response(200, content=b"{}"))


def test_an_answer_edited_on_the_way_is_nonsense(pair: Pair) -> None:
    def edited(request: Stamp, _body: bytes) -> httpx.Response:
        genuine = pair.signed(request, 200, b'{"rows":1}')
        return httpx.Response(200, headers=genuine.headers, content=b'{"rows":2}')

    with pytest.raises(PeerNonsense, match=r"trust\.forged_signature"):
        pair.call(edited)


def test_the_answer_to_another_request_is_nonsense(pair: Pair) -> None:
    kept: list[httpx.Response] = []

    def same_again(request: Stamp, _body: bytes) -> httpx.Response:
        kept.append(pair.signed(request, 200, b"{}"))
        first = kept[0]
        return httpx.Response(200, headers=first.headers, content=b"{}")

    peers = pair.peers(same_again)
    assert peers.call(pair.target(), "CatalogSearch", b"{}") == b"{}"
    with pytest.raises(PeerNonsense, match=r"trust\.wrong_reply"):
        peers.call(pair.target(), "CatalogSearch", b"{}")
    peers.close()


def test_the_answer_of_another_member_is_nonsense(pair: Pair) -> None:
    other = pair.house.connector(pair.platform, OTHER)

    def impostor(request: Stamp, _body: bytes) -> httpx.Response:
        return httpx.Response(200, headers=headers_of(other.stamp_reply(request, b"{}")))

    with pytest.raises(PeerNonsense, match=r"trust\.wrong_reply"):
        pair.call(impostor)


def test_an_answer_over_the_limit_is_not_read_to_its_end(pair: Pair) -> None:
    given: list[int] = []

    def parts() -> Iterator[bytes]:
        for number in range(1_000):
            given.append(number)
            yield b"x" * 1_000

    with pytest.raises(PeerNonsense, match="over 5000 bytes"):
        pair.call(lambda _r, _b: httpx.Response(200, content=parts()), most=5_000)
    assert len(given) < 20


def test_a_compressed_answer_is_not_unfolded(pair: Pair) -> None:
    def bomb(request: Stamp, _body: bytes) -> httpx.Response:
        genuine = pair.signed(request, 200, b"\x1f\x8b")
        genuine.headers["content-encoding"] = "gzip"
        return httpx.Response(200, headers=genuine.headers, stream=httpx.ByteStream(b"\x1f\x8b"))

    assert pair.call(bomb) == b"\x1f\x8b"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.PoolTimeout("crowded"),
        httpx.RemoteProtocolError("garbage"),
    ],
)
def test_trouble_on_the_way_is_unavailable_and_tells_no_details(
    pair: Pair, trouble: httpx.HTTPError
) -> None:
    def fails(_request: Stamp, _body: bytes) -> httpx.Response:
        raise trouble

    with pytest.raises(PeerUnavailable) as caught:
        pair.call(fails)
    assert caught.value.params["why"] == type(trouble).__name__


@pytest.mark.parametrize("address", ["http://[::1", "nowhere", "http://", "http://\x00/"])
def test_an_address_that_is_none_is_unavailable(pair: Pair, address: str) -> None:
    peers = Peers(pair.connector)
    with pytest.raises(PeerUnavailable):
        peers.call(pair.target(address), "CatalogSearch", b"{}")
    peers.close()


def test_an_answer_of_another_kind_is_nonsense_of_the_peer(pair: Pair) -> None:
    """Not an invalid request of whoever asked."""
    peers = pair.peers(lambda request, _body: pair.signed(request, 200, b'{"identifier":1}'))
    calls = Calls(peers, pair.platform.me)
    with pytest.raises(PeerNonsense, match=r"wire\.message_unreadable"):
        calls.ask(pair.target(), "IdentifierAllot", Search("a", 1), AllottedIdentifier)
    peers.close()


@contextmanager
def server(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A real server that treats its one connection as ``speak`` says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                speak(connection)

        thread = threading.Thread(target=once)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/p"
        thread.join()


def reset(connection: socket.socket) -> None:
    """Close so that the other side gets a reset and no end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize("speak", [reset, half, garbage])
def test_a_broken_connection_is_unavailable(
    pair: Pair, speak: Callable[[socket.socket], None]
) -> None:
    peers = Peers(pair.connector)
    with server(speak) as address, pytest.raises(PeerUnavailable):
        peers.call(pair.target(address), "CatalogSearch", b"{}")
    peers.close()


def test_nobody_listening_is_unavailable_at_once(pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    peers = Peers(pair.connector)
    with pytest.raises(PeerUnavailable, match="ConnectError"):
        peers.call(pair.target(f"http://127.0.0.1:{port}/p"), "CatalogSearch", b"{}")
    peers.close()


def test_a_body_that_drips_in_is_given_up(pair: Pair) -> None:
    """Every byte comes in time, the whole would take a minute."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n")
        try:
            for _ in range(600):
                connection.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            return

    peers = Peers(pair.connector, whole_s=0.3)
    began = time.monotonic()
    with server(drip) as address, pytest.raises(PeerUnavailable, match="over 0 s"):
        peers.call(pair.target(address), "CatalogSearch", b"{}")
    assert time.monotonic() - began < 5
    peers.close()
