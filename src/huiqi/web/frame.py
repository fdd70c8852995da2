"""What stands around every page: menu, title, person, theme and language?"""

from collections.abc import Iterable
from dataclasses import dataclass

from huiqi.trust.types import Role, SystemKind
from huiqi.web.i18n import Tongue, mark
from huiqi.web.visit import Visit
from huiqi.web.words import KIND, ROLE

# People are asked to keep more than fifteen in mind by nobody (console.md section 1.2).
MOST_ITEMS = 15


@dataclass(frozen=True)
class Item:
    """One line of the menu."""

    href: str
    icon: str
    label: str
    current: bool


@dataclass(frozen=True)
class Group:
    """Lines of the menu under one heading."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The frame of one page. ``person`` is empty when nobody is logged in."""

    title: str
    kind: str
    groups: tuple[Group, ...]
    tabs: tuple[Item, ...]
    person: str
    initial: str
    roles: str
    theme: str
    here: str
    other_language: str
    other_language_name: str
    notice: str


# What the page says after an action; the code travels in the address, never the sentence.
NOTICES = {
    "registered": mark("数据已登记，请填写产品信息"),
    "published": mark("产品已提交，等待平台审核"),
    "withdrawn": mark("产品已下架"),
    "approved": mark("已通过，产品上架"),
    "rejected": mark("已退回，提供方会看到原因"),
    "requested": mark("申请已发出，等待对方答复"),
    "countered": mark("条件已发出，等待对方答复"),
    "accepted": mark("条件已接受，双方可以签署"),
    "declined": mark("已拒绝，协商结束"),
    "signed": mark("已签署"),
    "terminated": mark("合约已终止，使用随即停止"),
    "closed": mark("账期已关闭，结算单已出具"),
    "nothing-due": mark("没有可结算的使用，未出具结算单"),
    "suspended": mark("成员已停用"),
    "resumed": mark("成员已恢复"),
    "logged_out": mark("已退出登录"),
}


@dataclass(frozen=True)
class _Entry:
    path: str
    icon: str
    label: str
    roles: tuple[Role, ...] = ()


_WORK = mark("工作台")
_FLOW = mark("流通")
_PROOF = mark("存证与结算")
_RULE = mark("治理")

_HOME = _Entry("/", "layout-dashboard", mark("工作台"))
_EVIDENCE = _Entry("/evidence", "stamp", mark("存证记录"))
_RECEIPTS = _Entry("/receipts", "scroll-text", mark("使用回执"))
_STATEMENTS = _Entry("/statements", "coins", mark("结算单"))
_MEMBERS = _Entry("/members", "users", mark("成员与身份"))

_MENUS: dict[SystemKind, tuple[tuple[str, tuple[_Entry, ...]], ...]] = {
    SystemKind.CONNECTOR: (
        (_WORK, (_HOME,)),
        (
            _FLOW,
            (
                _Entry("/catalogue", "library", mark("数据目录")),
                _Entry("/publish", "upload", mark("发布产品"), (Role.PROVIDER,)),
                _Entry("/products", "database", mark("我的产品"), (Role.PROVIDER,)),
                _Entry("/contracts", "file-pen-line", mark("合约与协商")),
                _Entry("/use", "flask-conical", mark("受控使用"), (Role.CONSUMER,)),
            ),
        ),
        (_PROOF, (_EVIDENCE, _RECEIPTS, _STATEMENTS)),
    ),
    SystemKind.PLATFORM: (
        (_WORK, (_HOME, _Entry("/review", "clipboard-check", mark("上架审核")))),
        (
            _FLOW,
            (
                _Entry("/catalogue", "library", mark("数据目录")),
                _Entry("/contracts", "file-pen-line", mark("合约备案")),
            ),
        ),
        (_PROOF, (_EVIDENCE, _RECEIPTS, _STATEMENTS)),
        (_RULE, (_MEMBERS,)),
    ),
    SystemKind.NODE: (
        (_WORK, (_HOME,)),
        (_RULE, (_MEMBERS, _Entry("/identifiers", "hash", mark("标识解析")))),
        (_PROOF, (_EVIDENCE,)),
    ),
}


def frame_of(visit: Visit) -> Frame:
    """The frame for ``visit``: the menu holds what the person's roles may open."""
    groups = tuple(_groups(visit))
    items = [item for group in groups for item in group.items]
    person = visit.session.user.name if visit.session else ""
    other = "en" if visit.tongue.language == "zh" else "zh"
    return Frame(
        title=visit.tongue.read(visit.hosted.title) if visit.hosted else "",
        kind=visit.tongue.say(KIND[visit.hosted.kind]) if visit.hosted else "",
        groups=groups,
        tabs=_tabs(items),
        person=person,
        initial=person[-1:] if person and not person.isascii() else person[:1].upper(),
        roles=roles_of(visit.tongue, visit.session.user.roles if visit.session else ()),
        theme=visit.theme,
        here=visit.full_path or visit.path,
        other_language=other,
        other_language_name={"en": "English", "zh": "中文"}[other],
        notice=visit.tongue.say(NOTICES.get(visit.done, "")),
    )


def roles_of(tongue: Tongue, roles: Iterable[Role]) -> str:
    """Role names as one text: 提供方、使用方."""
    return tongue.among([tongue.say(ROLE[role]) for role in roles])


def _groups(visit: Visit) -> Iterable[Group]:
    if visit.hosted is None or visit.session is None:
        return
    for title, entries in _MENUS[visit.hosted.kind]:
        items = tuple(
            _item(visit, entry) for entry in entries if not entry.roles or visit.may(*entry.roles)
        )
        if items:
            yield Group(visit.tongue.say(title), items)


def _item(visit: Visit, entry: _Entry) -> Item:
    href = visit.base + entry.path
    inside = visit.path.rstrip("/") == href.rstrip("/") or (
        entry.path != "/" and visit.path.startswith(href + "/")
    )
    return Item(href, entry.icon, visit.tongue.say(entry.label), inside)


def _tabs(items: list[Item]) -> tuple[Item, ...]:
    wanted = ("/", "/catalogue", "/review", "/contracts", "/use", "/evidence", "/members")
    found = [i for i in items if any(i.href.endswith(w) for w in wanted)]
    return tuple(found[:5])
