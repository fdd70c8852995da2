"""How are systems made, served, opened to others and deleted?"""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

import click
import structlog

from huiqi.bootstrap.folder import DataFolder, Site, erase
from huiqi.bootstrap.house import House, Server
from huiqi.kernel.ids import check_subject_code
from huiqi.kernel.text import Text
from huiqi.settings import Settings, read_settings
from huiqi.trust.service import read_invitation
from huiqi.trust.types import Role, SystemKind

KINDS = [kind.value for kind in SystemKind]
ROLES = [role.value for role in Role]
# Names that the data directory or the console uses for something else.
TAKEN = {"address", "api", "lock", "login", "preferences", "receipts", "secret", "static"}


def quiet_logs(settings: Settings) -> None:
    """Events go to standard error as JSON lines, from the configured level on."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


@click.command()
def serve() -> None:
    """Serve every system of the data directory until Ctrl-C."""
    settings = read_settings()
    quiet_logs(settings)
    house = House(settings)
    try:
        server = Server(house.open())
        sites = [parts.site for parts in house.systems]
        with contextlib.suppress(KeyboardInterrupt):  # how a person ends it
            asyncio.run(server.run(lambda: _say_where(server, sites, settings)))
    finally:
        house.close()


def _say_where(server: Server, sites: list[Site], settings: Settings) -> None:
    words = Text("正在服务，按 Ctrl-C 结束", "Serving; Ctrl-C ends it")
    click.echo(words.read(settings.language))
    for site in sites:
        click.echo(f"  {server.address(site.prefix)}  {site.name} ({site.kind.value})")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--prefix", required=True, help="Where its pages begin, such as p1.")
@click.option("--subject", required=True, help="The organisation's unified social credit code.")
@click.option("--name", required=True, help="The organisation's name, as others will read it.")
@click.option("--area", required=True, help="Four digits of GB/T 2260, such as 3401 for Hefei.")
@click.option("--space", default="main", show_default=True, help="The logical space.")
@click.option("--join", "code", default="", help="The invitation code of the platform or node.")
def init(  # noqa: PLR0913 - one option each
    *, kind: str, prefix: str, subject: str, name: str, area: str, space: str, code: str
) -> None:
    """Put a new system into the data directory; `huiqi serve` starts it.

    A node founds itself. A platform joins a node, a connector joins a platform, with an
    invitation code that their operator makes with `huiqi invite`.
    """
    settings = read_settings()
    _check_new(kind, prefix, area, code)
    folder = DataFolder(settings.data)
    try:
        site = Site(
            prefix=prefix,
            kind=SystemKind(kind),
            subject=check_subject_code(subject),
            name=name,
            name_en=name,
            area=area,
            space=space,
            invitation=code,
        )
        if code:
            read_invitation(code)
        folder.add(site)
    finally:
        folder.release()
    click.echo(f"{prefix}: {name} ({kind})")


def _check_new(kind: str, prefix: str, area: str, code: str) -> None:
    if not ((prefix.isascii() and prefix.isalnum() and prefix.islower()) or prefix.isdigit()):
        raise click.BadParameter("small ASCII letters and digits only", param_hint="--prefix")
    if prefix in TAKEN:
        raise click.BadParameter("this word is taken; choose another", param_hint="--prefix")
    if not (len(area) == len("3401") and area.isdigit()):
        raise click.BadParameter("four digits", param_hint="--area")
    if kind != SystemKind.NODE.value and not code:
        raise click.BadParameter("a platform or connector needs one", param_hint="--join")


@click.command()
@click.argument("prefix")
@click.argument("kind", type=click.Choice(["platform", "connector"]))
@click.option("--note", default="", help="For whom it is, for your own records.")
@click.option("--subject", default="", help="Only this unified social credit code may use it.")
def invite(*, prefix: str, kind: str, note: str, subject: str) -> None:
    """Make an invitation code at the node or platform PREFIX (not while it is served).

    While it is served, use its members page. The code is shown once and works once. Without
    --subject whoever holds it can join under any free code.
    """
    house = House(read_settings())
    try:
        trust = house.open().part(prefix).trust
        click.echo(trust.invite(SystemKind(kind), note=note, subject=subject))
    finally:
        house.close()


@click.command()
@click.argument("prefix")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, required=True)
@click.password_option(help="Asked for when not given.")
def user(*, prefix: str, login: str, name: str, roles: tuple[str, ...], password: str) -> None:
    """Let a person log in to the console of PREFIX (not while it is served)."""
    house = House(read_settings())
    try:
        trust = house.open().part(prefix).trust
        made = trust.add_user(
            login=login, name=name, password=password, roles=[Role(role) for role in roles]
        )
        click.echo(f"{made.login}: {', '.join(role.value for role in made.roles)}")
    finally:
        house.close()


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, yes: bool) -> None:
    """Delete the data directory, after asking."""
    settings = read_settings()
    path: Path = settings.data
    if not path.exists():
        click.echo(Text(f"没有 {path}", f"There is no {path}").read(settings.language))
        return
    question = Text(
        f"将永久删除 {path.resolve()}：全部合约、存证、密钥与数据。确定吗？",
        f"This deletes {path.resolve()} for ever: contracts, evidence, keys and data. Sure?",
    )
    if yes or click.confirm(question.read(settings.language)):
        erase(path)
        click.echo(Text("已删除", "Deleted").read(settings.language))
    else:
        click.echo(Text("未删除任何内容", "Nothing was deleted").read(settings.language))
