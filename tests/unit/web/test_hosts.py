"""Under which names is a request taken?"""

import asyncio
from typing import Any

import pytest

from huiqi.web.hosts import HostGuard, host_of, is_address


def _status(host: str, *, kind: str = "http") -> int | None:
    """What the guard says to a request for ``host``; None when it let the request through."""
    sent: list[Any] = []
    passed: list[bool] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(True)

    async def send(message: Any) -> None:
        sent.append(message)

    guard = HostGuard(app, names=frozenset({"space.example.cn"}))
    scope: Any = {"type": kind, "headers": [(b"host", host.encode())]}
    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    assert bool(passed) != bool(sent)
    return None if passed else int(sent[0]["status"])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8600", "[::1]:8600", "localhost", "LOCALHOST:1", "space.example.cn", "10.1.2.3"],
)
def test_addresses_localhost_and_configured_names_are_taken(host: str) -> None:
    assert _status(host) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "space.example.cn.evil.example", "", "[::1"]
)
def test_other_names_are_refused(host: str) -> None:
    expected = None if host == "[::1" else 421  # an address all the same, and nobody's name
    assert _status(host) == expected


def test_a_host_is_read_without_its_port() -> None:
    assert host_of(" Example.CN:443 ") == "example.cn"
    assert is_address(host_of("[fe80::1]:80"))
    assert not is_address("0x7f.1")


def test_the_life_of_the_server_passes_without_headers() -> None:
    passed: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    guard = HostGuard(app, names=frozenset())
    asyncio.run(guard({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert passed == ["lifespan"]
