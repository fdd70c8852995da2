"""Under which names may this process be addressed?

A page of a stranger may name any host that resolves to this machine (DNS rebinding) and would
then count as the same origin as the console. So requests are taken only under an IP address,
``localhost``, or a name that the operator configured.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

REFUSED = (
    b'{"type":"about:blank","title":"Misdirected Request","status":421,"code":"web.wrong_host"}'
)
STATUS = 421


class HostGuard:
    """An ASGI application that refuses requests for other hosts before they reach ``app``."""

    def __init__(self, app: ASGIApp, *, names: frozenset[str]) -> None:
        self._app = app
        self._names = names | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if self._known(scope):
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/problem+json")]
        await send({"type": "http.response.start", "status": STATUS, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSED, "more_body": False})

    def _known(self, scope: Mapping[str, Any]) -> bool:
        if "headers" not in scope:
            return True  # the life of the server itself is announced without any
        header: bytes = dict(scope["headers"]).get(b"host", b"")
        host = host_of(header.decode("latin-1"))
        return host in self._names or is_address(host)


def host_of(header: str) -> str:
    """The host in a ``Host`` header, without its port, in lower case.

    >>> host_of("[::1]:8600"), host_of("Example.CN:443")
    ('::1', 'example.cn')
    """
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address: no stranger's name can stand for it."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
