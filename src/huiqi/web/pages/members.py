"""Who belongs to this space, and who may come in?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from huiqi.trust.types import Member, User
from huiqi.web.frame import roles_of
from huiqi.web.i18n import Tongue
from huiqi.web.words import KIND, STANDING, Chip, chip


@dataclass(frozen=True, kw_only=True)
class MemberLine:
    """One member system."""

    id: str
    name: str
    kind: str
    subject: str
    address: str
    since: str
    keys: tuple[str, ...]
    standing: Chip
    suspended: bool
    own: bool


@dataclass(frozen=True, kw_only=True)
class UserLine:
    """One person who can log in here."""

    login: str
    name: str
    roles: str


@dataclass(frozen=True, kw_only=True)
class MembersPage:
    """Members, people, and the invitation that was just made (shown once)."""

    sentence: str
    members: tuple[MemberLine, ...]
    users: tuple[UserLine, ...]
    may_manage: bool
    kinds: tuple[tuple[str, str], ...]
    invitation: str
    note: str
    subject: str
    problem: str


def members_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    members: Sequence[Member],
    *,
    own: str,
    standing: Callable[[str], str],
    users: Sequence[User] = (),
    kinds: Sequence[str] = (),
    may_manage: bool = False,
    invitation: str = "",
    asked: tuple[str, str] = ("", ""),
    problem: str = "",
) -> MembersPage:
    """The page; ``standing`` tells whether a member is active.

    ``asked`` are note and subject code of an invitation that could not be made.
    """
    return MembersPage(
        sentence=tongue.count("%(n)s 个成员系统。", len(members)),
        members=tuple(_line(tongue, m, own=own, standing=standing(m.id)) for m in members),
        users=tuple(
            UserLine(login=u.login, name=u.name, roles=roles_of(tongue, u.roles)) for u in users
        ),
        may_manage=may_manage,
        kinds=tuple((kind.value, tongue.say(word)) for kind, word in KIND.items() if kind in kinds),
        invitation=invitation,
        note=asked[0],
        subject=asked[1],
        problem=problem,
    )


def _line(tongue: Tongue, member: Member, *, own: str, standing: str) -> MemberLine:
    return MemberLine(
        id=member.id,
        name=member.name,
        kind=tongue.say(KIND[member.kind]),
        subject=member.subject,
        address=member.address,
        since=tongue.day(member.since),
        keys=tuple(f"{key.suite} · {key.key_id}" for key in member.keys),
        standing=chip(tongue, STANDING, standing),
        suspended=standing == "suspended",
        own=member.id == own,
    )
