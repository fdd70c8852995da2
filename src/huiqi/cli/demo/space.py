"""Who takes part in the demo? Invented organisations; their codes pass the check, nobody has them.

The unified social credit codes are the made-up vectors of ``spec/ndi-identifiers.md``.
"""

from pathlib import Path

import msgspec

from huiqi.bootstrap.folder import DataFolder, Site
from huiqi.bootstrap.house import House
from huiqi.trust.types import Role, SystemKind

SPACE = "huizhou-skyway"
# The check on passwords wants a letter, a digit and another character. These are printed at the
# end of the demo, on purpose; a space of your own asks you for them.
PASSWORD = "Huiqi-2026"  # noqa: S105 - a demo login that the demo prints


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who logs in to one system of the demo."""

    prefix: str
    login: str
    name: str
    roles: tuple[Role, ...]


SITES = (
    Site(
        prefix="node",
        kind=SystemKind.NODE,
        subject="1234990057TE5TA08U",
        name="江淮区域功能节点（演示）",
        name_en="Jianghuai regional node (demo)",
        area="3400",
        space=SPACE,
    ),
    Site(
        prefix="platform",
        kind=SystemKind.PLATFORM,
        subject="91349900MA8TE3T079",
        name="徽航可信数据空间（演示）",
        name_en="Huihang trusted data space (demo)",
        area="3401",
        space=SPACE,
        issuer_prefix="node",
    ),
    Site(
        prefix="p1",
        kind=SystemKind.CONNECTOR,
        subject="91349900MAXXXX0P1L",
        name="云岭航空数据公司（演示）",
        name_en="Yunling Aviation Data (demo)",
        area="3401",
        space=SPACE,
        issuer_prefix="platform",
    ),
    Site(
        prefix="p2",
        kind=SystemKind.CONNECTOR,
        subject="52349900MAHU1Q01X9",
        name="江淮气象服务中心（演示）",
        name_en="Jianghuai Weather Service (demo)",
        area="3402",
        space=SPACE,
        issuer_prefix="platform",
    ),
    Site(
        prefix="c1",
        kind=SystemKind.CONNECTOR,
        subject="N2349900MF00TE5T0Q",
        name="庐州出行研究院（演示）",
        name_en="Luzhou Mobility Institute (demo)",
        area="3401",
        space=SPACE,
        issuer_prefix="platform",
    ),
)

PEOPLE = (
    Person(prefix="node", login="node", name="方砚", roles=(Role.ADMIN, Role.OPERATOR)),
    Person(prefix="platform", login="operator", name="周岚", roles=(Role.ADMIN, Role.OPERATOR)),
    Person(prefix="p1", login="provider1", name="程远", roles=(Role.PROVIDER,)),
    Person(prefix="p2", login="provider2", name="吴霁", roles=(Role.PROVIDER,)),
    Person(prefix="c1", login="consumer", name="许桐", roles=(Role.CONSUMER,)),
)


def furnish(path: Path) -> bool:
    """Put the demo's systems into an empty data directory; False when it holds some already."""
    folder = DataFolder(path)
    try:
        if folder.sites():
            return False
        for site in SITES:
            folder.add(site)
        return True
    finally:
        folder.release()


def let_people_in(house: House) -> None:
    """Give everybody in the demo a login, once."""
    for person in PEOPLE:
        trust = house.part(person.prefix).trust
        if any(user.login == person.login for user in trust.users()):
            continue
        trust.add_user(login=person.login, name=person.name, password=PASSWORD, roles=person.roles)
