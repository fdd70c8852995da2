"""How does an operator invite, suspend and look up?"""

from litestar import Response
from litestar.params import FromPath

from huiqi.catalog.types import Resolution
from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Role, SystemKind
from huiqi.web.console.doors import Shown, action, asked, form_in, here, on, page
from huiqi.web.pages.identifiers import identifiers_page
from huiqi.web.pages.members import members_page
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, Visit

# Nodes admit platforms, platforms admit connectors.
ADMITS = {
    SystemKind.NODE: (SystemKind.PLATFORM,),
    SystemKind.PLATFORM: (SystemKind.CONNECTOR,),
    SystemKind.CONNECTOR: (),
}


@page("/members")
def members(request: AnyRequest) -> Response[bytes]:
    """Who belongs to this space."""
    return _show(here(request))


@action("/members/invite", Role.OPERATOR)
def invite(request: AnyRequest) -> Shown:
    """Make an invitation; its code is shown once, on this page, and kept nowhere."""
    visit, form = here(request), form_in(request)
    note, subject = form.text("note"), form.text("subject")
    try:
        kind = SystemKind(form.text("kind"))
        code = visit.system.trust.invite(kind, note=note, subject=subject)
    except (HuiqiError, ValueError) as error:
        return _show(visit, asked=(note, subject), error=error)
    return _show(visit, invitation=code)


@action("/members/{member:str}/suspend", Role.OPERATOR)
def suspend(request: AnyRequest, member: FromPath[str]) -> Shown:
    """Stop a member at once."""
    visit = here(request)
    try:
        visit.system.trust.suspend(member, form_in(request).text("reason"))
    except HuiqiError as error:
        return _show(visit, error=error)
    return on(visit, "/members", "suspended")


@action("/members/{member:str}/resume", Role.OPERATOR)
def resume(request: AnyRequest, member: FromPath[str]) -> Shown:
    """Let a member act again."""
    visit = here(request)
    try:
        visit.system.trust.resume(member)
    except HuiqiError as error:
        return _show(visit, error=error)
    return on(visit, "/members", "resumed")


def _show(
    visit: Visit,
    *,
    invitation: str = "",
    asked: tuple[str, str] = ("", ""),
    error: Exception | None = None,
) -> Response[bytes]:
    system = visit.system
    known = isinstance(error, HuiqiError)
    problem, status = "", 200
    if isinstance(error, HuiqiError):
        problem, status = visit.tongue.read(error), status_of(error).value
    elif error is not None and not known:
        problem, status = visit.tongue.say("请选择要邀请的系统类型"), 422
    found = members_page(
        visit.tongue,
        system.trust.members(),
        own=system.trust.me().id if system.trust.enrolled() else "",
        standing=system.trust.standing,
        users=system.trust.users() if visit.may(Role.OPERATOR) else (),
        kinds=ADMITS[system.kind],
        may_manage=visit.may(Role.OPERATOR),
        invitation=invitation,
        asked=asked,
        problem=problem,
    )
    return show(visit, "members.html", found, status=status)


@page("/identifiers")
def identifiers(request: AnyRequest) -> Response[bytes]:
    """Resolve one identifier."""
    visit, wanted = here(request), asked(request, "q")
    found: Resolution | None = None
    problem, status = "", 200
    if wanted:
        try:
            found = need(visit.system.identifiers).resolve(wanted)
        except HuiqiError as error:
            problem, status = visit.tongue.read(error), status_of(error).value
    page_ = identifiers_page(visit.tongue, wanted, found, problem=problem)
    return show(visit, "identifiers.html", page_, status=status)


HANDLERS = [members, invite, suspend, resume, identifiers]
