"""Who is looking, at which system, in which language and theme?"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException

from huiqi.kernel.errors import DeniedError
from huiqi.trust.types import Role, Session
from huiqi.web.i18n import Tongue, language_of
from huiqi.web.system import System

THEMES = ("light", "dark")
# Ties forms of people who are not logged in to their own browser.
FORM_COOKIE = "hq_form"
_FORM_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
# Where a request's Visit is kept in the ASGI scope.
STATE_KEY = "huiqi_visit"
SYSTEMS_KEY = "huiqi_systems"

AnyConnection = ASGIConnection[Any, Any, Any, Any]
AnyRequest = Request[Any, Any, Any]


class NotLoggedIn(DeniedError):
    """The page or the verb needs a login, and there is none or it has ended.

    Log in again; a program posts to ``login`` and sends the token as ``Authorization: Bearer``.
    """

    code = "web.not_logged_in"
    zh = "请先登录"
    en = "Log in first"


class RoleMissing(DeniedError):
    """The person is known but has none of the roles this page or verb is for.

    Ask the administrator of this system for one of the roles named in the sentence.
    """

    code = "web.role_missing"
    zh = "你的角色不能做这件事，需要：{roles}"
    en = "Your role may not do this; it needs: {roles}"


class ForgedForm(DeniedError):
    """A form came without the session's token: from another site, or after a new login.

    Go back, reload the page and send the form again.
    """

    code = "web.forged_form"
    zh = "表单已失效，请返回上一页刷新后重试"
    en = "This form has expired; go back, reload the page and try again"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request's circumstances, as pages see them.

    ``system`` is None on pages above all systems. ``theme`` is empty until chosen.
    ``anonymous_token`` goes into forms of people who are not logged in and into ``hq_form``.
    ``secure`` says that the browser came by https. ``done`` names what was just achieved, for the
    confirmation on the next page.
    """

    hosted: System | None
    session: Session | None
    tongue: Tongue
    theme: str
    path: str
    anonymous_token: str
    secure: bool = False
    full_path: str = ""
    done: str = ""

    @property
    def system(self) -> System:
        """The system that the path names.

        Raises:
            NotFoundException: the page belongs to no system.
        """
        if self.hosted is None:
            raise NotFoundException
        return self.hosted

    @property
    def base(self) -> str:
        """Where this system's pages begin: ``/p1``; empty above all systems."""
        return f"/{self.hosted.prefix}" if self.hosted else ""

    @property
    def token(self) -> str:
        """What every form of this visit carries as ``_token``."""
        return self.session.csrf if self.session else self.anonymous_token

    @property
    def who(self) -> Session:
        """The session of who is logged in.

        Raises:
            NotLoggedIn: nobody is.
        """
        if self.session is None:
            raise NotLoggedIn
        return self.session

    def may(self, *roles: Role) -> bool:
        """Whether the person has one of ``roles``; an administrator has every role."""
        if self.session is None:
            return False
        own = self.session.user.roles
        return Role.ADMIN in own or any(role in own for role in roles)

    def require(self, *roles: Role) -> None:
        """Let only logged-in people with one of ``roles`` pass; no roles: anybody logged in.

        Raises:
            NotLoggedIn: nobody is logged in.
            RoleMissing: none of the roles.
        """
        who = self.who
        if roles and not self.may(*roles):
            raise RoleMissing(roles=", ".join(role.value for role in roles), login=who.user.login)


def cookie_name(system: System) -> str:
    """The session cookie of one system, so that one browser can be logged in to several."""
    return f"hq_{system.prefix}"


def tongue_of(connection: AnyConnection) -> Tongue:
    """The reader's language from cookie and ``Accept-Language``."""
    return Tongue(
        language_of(connection.cookies.get("lang"), connection.headers.get("accept-language", ""))
    )


def system_of(connection: AnyConnection) -> System | None:
    """The system that the path names, None for a path above all systems or an unknown one."""
    systems: Mapping[str, System] = connection.app.state[SYSTEMS_KEY]
    return systems.get(connection.scope["path"].split("/")[1])


def arrive(connection: AnyConnection, *, token: str | None) -> Visit:
    """The circumstances of a request whose session token is ``token``; reads the store once."""
    system = system_of(connection)
    session = system.trust.session(token) if system and token else None
    theme = connection.cookies.get("theme", "")
    query = connection.scope["query_string"].decode("latin-1")
    path = connection.scope["path"]
    return Visit(
        hosted=system,
        session=session,
        tongue=tongue_of(connection),
        theme=theme if theme in THEMES else "",
        path=path,
        full_path=f"{path}?{query}" if query else path,
        secure=connection.url.scheme == "https",
        done=connection.query_params.get("done", ""),
        anonymous_token=form_cookie(connection) or secrets.token_urlsafe(24),
    )


def bearer_token(connection: AnyConnection) -> str | None:
    """The token of ``Authorization: Bearer``; programs never authenticate by cookie."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def cookie_token(connection: AnyConnection) -> str | None:
    """The session cookie of the system that the path names."""
    system = system_of(connection)
    return connection.cookies.get(cookie_name(system)) if system else None


def form_cookie(connection: AnyConnection) -> str:
    """The browser's own form token; empty when it has none, or one that we never gave out."""
    given = connection.cookies.get(FORM_COOKIE, "")
    return given if _FORM_TOKEN.fullmatch(given) else ""


def visit_in(connection: AnyConnection) -> Visit:
    """The visit that was established before the handler ran.

    Raises:
        KeyError: the handler is not behind one of our doors; a mistake in ``app.py``.
    """
    visit: Visit = connection.scope["state"][STATE_KEY]
    return visit


def check_form(visit: Visit, given: str, *, cookie: str) -> None:
    """Accept a form only with its session's token, or with the browser's own when anonymous.

    Raises:
        ForgedForm: the token is missing or another one.
    """
    expected = visit.session.csrf if visit.session else cookie
    # What is no UTF-8 is no token either.
    said = given.encode(errors="replace")
    if not expected or not secrets.compare_digest(said, expected.encode()):
        raise ForgedForm
