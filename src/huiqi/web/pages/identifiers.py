"""What is known of an identifier?"""

from dataclasses import dataclass

from huiqi.catalog.types import IdentifierStatus, Resolution
from huiqi.web.i18n import Tongue, mark
from huiqi.web.pages.conditions import Fact
from huiqi.web.words import Chip

_STATUS = {
    IdentifierStatus.ACTIVE: Chip("ok", mark("有效")),
    IdentifierStatus.SUSPENDED: Chip("warn", mark("暂停")),
    IdentifierStatus.CANCELLED: Chip("bad", mark("已注销")),
    IdentifierStatus.OFFLINE: Chip("warn", mark("离线")),
    IdentifierStatus.UNKNOWN: Chip("", mark("未知")),
}
_TYPES = {
    "globalNode": mark("全域功能节点"),
    "regionalNode": mark("区域功能节点"),
    "industryNode": mark("行业功能节点"),
    "businessNode": mark("服务平台"),
    "connector": mark("接入连接器"),
    "product": mark("数据产品"),
    "resource": mark("数据资源"),
}


@dataclass(frozen=True, kw_only=True)
class IdentifiersPage:
    """The question and, when there is one, the answer."""

    wanted: str
    status: Chip | None
    facts: tuple[Fact, ...]
    problem: str


def identifiers_page(
    tongue: Tongue, wanted: str, found: Resolution | None, *, problem: str = ""
) -> IdentifiersPage:
    """The resolution of ``wanted``; nothing when it was not asked or not answered."""
    if found is None:
        return IdentifiersPage(wanted=wanted, status=None, facts=(), problem=problem)
    word = _STATUS[found.status]
    return IdentifiersPage(
        wanted=wanted,
        status=Chip(word.tone, tongue.say(word.word)),
        facts=(
            Fact(tongue.say("标识"), found.identifier),
            Fact(tongue.say("类型"), _type(tongue, found.object_type)),
            Fact(tongue.say("主体代码"), found.owner_entity_id),
            Fact(tongue.say("由谁答复"), found.resolved_by),
            Fact(tongue.say("更新时间"), tongue.when(found.updated_at)),
            *(Fact(location.protocol, location.url) for location in found.locations),
        ),
        problem=problem,
    )


def _type(tongue: Tongue, name: str) -> str:
    """The word for a type; another system's own name stays as it is."""
    return tongue.say(_TYPES[name]) if name in _TYPES else name
