"""Members and invitations, for programs."""

from collections.abc import Sequence

from litestar.params import FromPath, JSONBody

from huiqi.trust.types import Member, Role, User
from huiqi.web.api.bodies import Invite, Invited, Rejection, Standing
from huiqi.web.api.verbs import CREATED, deed, read
from huiqi.web.visit import AnyRequest, visit_in


@read("/members")
def members(request: AnyRequest) -> Sequence[Member]:
    """The members that this system knows."""
    return visit_in(request).system.trust.members()


@read("/members/{member:str}/standing")
def standing(request: AnyRequest, member: FromPath[str]) -> Standing:
    """Whether a member may act."""
    return Standing(member, visit_in(request).system.trust.standing(member))


@deed("/members/{member:str}/suspend", Role.OPERATOR)
def suspend(request: AnyRequest, member: FromPath[str], data: JSONBody[Rejection]) -> Standing:
    """Stop a member at once."""
    trust = visit_in(request).system.trust
    trust.suspend(member, data.reason)
    return Standing(member, trust.standing(member))


@deed("/members/{member:str}/resume", Role.OPERATOR)
def resume(request: AnyRequest, member: FromPath[str]) -> Standing:
    """Let a member act again."""
    trust = visit_in(request).system.trust
    trust.resume(member)
    return Standing(member, trust.standing(member))


@deed("/invitations", Role.OPERATOR, status=CREATED)
def invite(request: AnyRequest, data: JSONBody[Invite]) -> Invited:
    """An invitation code for one new system."""
    trust = visit_in(request).system.trust
    return Invited(trust.invite(data.kind, note=data.note, subject=data.subject))


@read("/users", Role.OPERATOR)
def users(request: AnyRequest) -> Sequence[User]:
    """The people who can log in here."""
    return visit_in(request).system.trust.users()


HANDLERS = [members, standing, suspend, resume, invite, users]
