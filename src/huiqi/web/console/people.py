"""How do people choose a system, log in and out, and set language and theme?"""

from collections.abc import Mapping

from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from huiqi.kernel.errors import HuiqiError
from huiqi.web.console.doors import SEE_OTHER, Shown, action, asked, form_in, here, on, page
from huiqi.web.i18n import LANGUAGES
from huiqi.web.pages.login import login_page, safe_next
from huiqi.web.pages.start import start_page
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import System
from huiqi.web.visit import SYSTEMS_KEY, THEMES, AnyRequest, cookie_name

CHOICE_DAYS = 365
SECONDS_PER_DAY = 86_400


@page("/", open_to_all=True)
def start(request: AnyRequest) -> Response[bytes]:
    """The systems hosted here."""
    visit = here(request)
    systems: Mapping[str, System] = request.app.state[SYSTEMS_KEY]
    known = {prefix: (system.title, system.kind) for prefix, system in systems.items()}
    return show(visit, "start.html", start_page(visit.tongue, known))


@page("/login", open_to_all=True)
def login_form(request: AnyRequest) -> Response[bytes]:
    """The login of one system."""
    visit = here(request)
    title = visit.tongue.read(visit.system.title)
    page_ = login_page(title, peers=visit.system.peers, wanted=asked(request, "next"))
    return show(visit, "login.html", page_)


@action("/login", open_to_all=True)
def login(request: AnyRequest) -> Shown:
    """Log in, or say why not; the password is not shown again."""
    visit, form = here(request), form_in(request)
    source = request.client.host if request.client else ""
    try:
        session = visit.system.trust.log_in(
            form.text("login"), form.text("password"), source=source
        )
    except HuiqiError as error:
        page_ = login_page(
            visit.tongue.read(visit.system.title),
            peers=visit.system.peers,
            login=form.text("login"),
            wanted=form.text("next"),
            problem=visit.tongue.read(error),
        )
        return show(visit, "login.html", page_, status=status_of(error))
    answer = Redirect(safe_next(form.text("next"), visit.base), status_code=SEE_OTHER)
    answer.set_cookie(
        Cookie(
            key=cookie_name(visit.system),
            value=session.token,
            path=visit.base,
            httponly=True,
            samesite="strict",
            secure=visit.secure,
        )
    )
    return answer


@action("/logout")
def logout(request: AnyRequest) -> Redirect:
    """End the session here and in the books."""
    visit = here(request)
    visit.system.trust.log_out(visit.who.token)
    answer = on(visit, "/login", "logged_out")
    answer.delete_cookie(cookie_name(visit.system), path=visit.base)
    return answer


@action("/preferences", open_to_all=True)
def preferences(request: AnyRequest) -> Redirect:
    """Keep the chosen language or theme in a cookie and return to where the person was."""
    visit, form = here(request), form_in(request)
    answer = Redirect(safe_next(form.text("next"), visit.base), status_code=SEE_OTHER)
    for name, cookie, choices in (("language", "lang", LANGUAGES), ("theme", "theme", THEMES)):
        if form.text(name) in choices:
            answer.set_cookie(
                Cookie(
                    key=cookie,
                    value=form.text(name),
                    path="/",
                    max_age=CHOICE_DAYS * SECONDS_PER_DAY,
                    httponly=True,
                    samesite="lax",
                    secure=visit.secure,
                )
            )
    return answer


ABOVE = [start, preferences]
HANDLERS = [login_form, login, logout, preferences]
