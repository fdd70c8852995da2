"""How are the doors, pages and the API of all hosted systems put together into one application?"""

from collections.abc import Mapping, Sequence

from litestar import Litestar, Router
from litestar.datastructures import MutableScopeHeaders, State
from litestar.exceptions import InternalServerException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Message, Scope

from huiqi.web import api, console
from huiqi.web.console.doors import enter, enter_program
from huiqi.web.problems import answer, no_such_file
from huiqi.web.render import STATIC
from huiqi.web.system import System
from huiqi.web.visit import SYSTEMS_KEY

VERSION = "1"
DAY_S = 86_400
# No script at all is needed; the small pictures inside the style sheets are data addresses.
POLICY = (
    "default-src 'self'; script-src 'none'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


async def _guard_headers(message: Message, _scope: Scope) -> None:
    """Put the security headers on every answer, errors included."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)


def build_app(
    systems: Mapping[str, System], *, extra: Sequence[ControllerRouterHandler] = ()
) -> Litestar:
    """The application for ``systems`` by prefix; ``extra`` are further handlers (wire, log)."""
    above = Router("/", route_handlers=console.ABOVE, before_request=enter)
    pages = Router("/{prefix:str}", route_handlers=console.HANDLERS, before_request=enter)
    programs = Router(
        "/{prefix:str}/api/v1", route_handlers=api.HANDLERS, before_request=enter_program
    )
    static = create_static_files_router(
        path="/static",
        directories=[STATIC],
        include_in_schema=False,
        cache_control=None,
        # A path that no file can have, such as one with a NUL or below a file.
        exception_handlers={ValueError: no_such_file, InternalServerException: no_such_file},
    )
    return Litestar(
        route_handlers=[above, pages, programs, static, *extra],
        exception_handlers={Exception: answer},
        before_send=[_guard_headers],
        state=State({SYSTEMS_KEY: dict(systems)}),
        openapi_config=OpenAPIConfig(
            title="Huiqi API",
            version=VERSION,
            path="/api",
            render_plugins=[JsonRenderPlugin()],
        ),
        logging_config=None,
        debug=False,
    )
