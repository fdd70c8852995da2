"""How does a program get a token, and what may it do?"""

from collections.abc import Sequence

from litestar.params import FromQuery, JSONBody

from huiqi.web.api.bodies import Login, Me, Token, WaitingMessage, waiting_of
from huiqi.web.api.verbs import NO_CONTENT, deed, read
from huiqi.web.visit import AnyRequest, visit_in


@deed("/login", open_to_all=True)
def log_in(request: AnyRequest, data: JSONBody[Login]) -> Token:
    """A token for 12 hours."""
    source = request.client.host if request.client else ""
    session = visit_in(request).system.trust.log_in(data.login, data.password, source=source)
    return Token(token=session.token, expires_at=session.expires_at, roles=session.user.roles)


@deed("/logout", status=NO_CONTENT)
def log_out(request: AnyRequest) -> None:
    """End the token."""
    visit = visit_in(request)
    visit.system.trust.log_out(visit.who.token)


@read("/me")
def me(request: AnyRequest) -> Me:
    """Who is calling, and who answers."""
    visit = visit_in(request)
    user, trust = visit.who.user, visit.system.trust
    return Me(
        login=user.login,
        name=user.name,
        roles=user.roles,
        kind=visit.system.kind,
        prefix=visit.system.prefix,
        member=trust.me() if trust.enrolled() else None,
    )


@read("/outbox")
def outbox(request: AnyRequest, key: FromQuery[str | None] = None) -> Sequence[WaitingMessage]:
    """Messages that have not arrived yet, of one contract or product, or all."""
    system = visit_in(request).system
    return [waiting_of(queued) for queued in system.outbox.waiting(system.scope, key)]


HANDLERS = [log_in, log_out, me, outbox]
