"""Which checks does every page request pass before its handler runs?

1. the system and the session are found 2. a page that is not open to all needs a login, and a
role where roles are named 3. a form must carry its session's token.
"""

from collections.abc import Mapping
from typing import Any, Literal

import anyio
from litestar import MediaType, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from huiqi.trust.types import Role
from huiqi.web.forms import TOKEN_FIELD, Form, form_of
from huiqi.web.visit import (
    STATE_KEY,
    AnyRequest,
    Visit,
    arrive,
    bearer_token,
    check_form,
    cookie_token,
    form_cookie,
    visit_in,
)

FORM_KEY = "huiqi_form"
# What one form may weigh; uploads have their own limit.
LARGEST_FORM_BYTES = 1_000_000
LARGEST_UPLOAD_BYTES = 512_000_000
SEE_OTHER: Literal[303] = 303


def page(path: str | list[str], *roles: Role, open_to_all: bool = False) -> HTTPRouteHandler:
    """A page for people who are logged in and have one of ``roles`` (none: anybody)."""
    return get(
        path,
        sync_to_thread=True,
        include_in_schema=False,
        media_type=MediaType.HTML,
        opt={"roles": roles, "open_to_all": open_to_all},
    )


def action(
    path: str | list[str],
    *roles: Role,
    open_to_all: bool = False,
    most_bytes: int = LARGEST_FORM_BYTES,
) -> HTTPRouteHandler:
    """Where a form goes. A form always carries the token of its session."""
    return post(
        path,
        sync_to_thread=True,
        include_in_schema=False,
        media_type=MediaType.HTML,
        status_code=200,
        request_max_body_size=most_bytes,
        opt={"roles": roles, "open_to_all": open_to_all},
    )


async def enter(request: AnyRequest) -> None:
    """Let a page request in.

    Raises:
        NotFoundException: no such system.
        NotLoggedIn, RoleMissing, ForgedForm: the request may not come in.
    """
    # 1
    token = cookie_token(request)
    visit = await anyio.to_thread.run_sync(lambda: arrive(request, token=token))
    request.scope["state"][STATE_KEY] = visit
    if "prefix" in request.path_params and visit.hosted is None:
        raise NotFoundException
    # 2
    _check_person(visit, request.route_handler.opt)
    # 3
    if request.method == "POST":
        form = form_of(await request.form())
        check_form(visit, form.text(TOKEN_FIELD), cookie=form_cookie(request))
        request.scope["state"][FORM_KEY] = form


async def enter_program(request: AnyRequest) -> None:
    """Let an API request in: by bearer token only, so that no browser can be made to send one.

    Raises:
        NotFoundException: no such system.
        NotLoggedIn, RoleMissing: the request may not come in.
    """
    token = bearer_token(request)
    visit = await anyio.to_thread.run_sync(lambda: arrive(request, token=token))
    request.scope["state"][STATE_KEY] = visit
    if visit.hosted is None:
        raise NotFoundException
    _check_person(visit, request.route_handler.opt)


def _check_person(visit: Visit, opt: Mapping[str, Any]) -> None:
    if not opt.get("open_to_all", False):
        visit.require(*opt.get("roles", ()))


def form_in(request: AnyRequest) -> Form:
    """The form that was checked at the door."""
    form: Form = request.scope["state"][FORM_KEY]
    return form


def asked(request: AnyRequest, name: str, *, longest: int = 400) -> str:
    """One value of the query string, without blanks around it; empty when it is not there."""
    return str(request.query_params.get(name, "")).strip()[:longest]


def on(visit: Visit, path: str, done: str = "") -> Redirect:
    """After an action: on to the object, which says what was achieved."""
    return Redirect(f"{visit.base}{path}{f'?done={done}' if done else ''}", status_code=SEE_OTHER)


def here(request: AnyRequest) -> Visit:
    """The visit of this request."""
    return visit_in(request)


Shown = Response[bytes] | Redirect
