"""What waits for the person, in their role, in this system?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from huiqi.catalog.types import Product, ProductState
from huiqi.contracts.types import Contract, ContractStatus, PartyRole
from huiqi.evidence.types import Sealed
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.work import OutboxState, Queued
from huiqi.trust.types import Member, SystemKind
from huiqi.web.i18n import Tongue
from huiqi.web.words import fact_name, short

RECENT = 6


@dataclass(frozen=True, kw_only=True)
class Todo:
    """One thing that waits: what, why, since when, and where to do it."""

    tone: str
    title: str
    meta: str
    since: str
    href: str


@dataclass(frozen=True)
class Figure:
    """One number with its unit and a note."""

    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Trace:
    """One recent entry of the evidence log."""

    name: str
    subject: str
    at: str
    href: str
    integrated: bool


@dataclass(frozen=True, kw_only=True)
class HomePage:
    """The first page after the login. The number in ``sentence`` is the length of ``todos``."""

    heading: str
    sentence: str
    todos: tuple[Todo, ...]
    figures: tuple[Figure, ...]
    traces: tuple[Trace, ...]
    waiting: tuple[Todo, ...]
    actions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Books:
    """What one system's books hold for its home page."""

    base: str
    person: str
    contracts: Sequence[Contract] = ()
    products: Sequence[Product] = ()
    pending: Sequence[Product] = ()
    members: Sequence[Member] = ()
    uses: int = 0
    statements: int = 0
    entries: Sequence[Sealed] = ()
    log_size: int = 0
    queue: Sequence[Queued] = ()
    may_publish: bool = False
    may_use: bool = False
    names: dict[str, str] = field(default_factory=dict)


def home_page(tongue: Tongue, kind: SystemKind, books: Books) -> HomePage:
    """The home of a connector, a platform or a node."""
    todos = (
        *_reviews(tongue, books),
        *_contracts_waiting(tongue, books),
        *_rejected(tongue, books),
    )
    sentence = (
        tongue.count("有 %(n)s 件事等你处理。", len(todos))
        if todos
        else tongue.say("没有事情等你处理。")
    )
    return HomePage(
        heading=tongue.say("你好，%(name)s", name=books.person),
        sentence=sentence,
        todos=todos,
        figures=_figures(tongue, kind, books),
        traces=tuple(_trace(tongue, books.base, entry) for entry in books.entries[:RECENT]),
        waiting=tuple(_queued(tongue, books, queued) for queued in books.queue),
        actions=tuple(_actions(tongue, kind, books)),
    )


def is_mine(contract: Contract) -> bool:
    """Whether the owner of these books has the next move."""
    return bool(contract.waiting_for) and contract.waiting_for == contract.mine.value


def _reviews(tongue: Tongue, books: Books) -> Iterable[Todo]:
    for product in books.pending:
        yield Todo(
            tone="warn",
            title=tongue.say("审核产品「%(name)s」", name=product.record.name),
            meta=product.record.provider_name,
            since=tongue.when(product.record.created_at),
            href=f"{books.base}/review#{product.record.id}",
        )


def _contracts_waiting(tongue: Tongue, books: Books) -> Iterable[Todo]:
    for contract in books.contracts:
        if not is_mine(contract):
            continue
        signing = contract.status is ContractStatus.SIGNING
        title = (
            tongue.say("签署合约「%(name)s」", name=contract.product_name)
            if signing
            else tongue.say("答复「%(name)s」的协商", name=contract.product_name)
        )
        yield Todo(
            tone="run" if signing else "warn",
            title=title,
            meta=contract.peer.name,
            since=tongue.when(_since(contract)),
            href=f"{books.base}/contracts/{contract.id}",
        )


def _since(contract: Contract) -> datetime:
    return contract.proposals[-1].at if contract.proposals else contract.created_at


def _rejected(tongue: Tongue, books: Books) -> Iterable[Todo]:
    for product in books.products:
        if product.state is ProductState.REJECTED:
            yield Todo(
                tone="bad",
                title=tongue.say("产品「%(name)s」被退回", name=product.record.name),
                meta=product.reason,
                since=tongue.when(product.record.created_at),
                href=f"{books.base}/products/{product.record.id}",
            )


def _queued(tongue: Tongue, books: Books, queued: Queued) -> Todo:
    to = books.names.get(queued.message.to, queued.message.to)
    error = queued.last_error or tongue.say("尚未尝试")
    return Todo(
        tone="bad" if queued.state is OutboxState.DEAD else "warn",
        title=tongue.say("等待送达 %(to)s", to=to),
        meta=tongue.count("已尝试 %(n)s 次，最近一次：%(error)s", queued.tries, error=error),
        since=tongue.when(queued.created_at),
        href="",
    )


def _figures(tongue: Tongue, kind: SystemKind, books: Books) -> tuple[Figure, ...]:
    performing = sum(c.status is ContractStatus.PERFORMING for c in books.contracts)
    listed = sum(p.state is ProductState.LISTED for p in books.products)
    negotiating = sum(
        c.status in {ContractStatus.NEGOTIATING, ContractStatus.INITIATED} for c in books.contracts
    )
    log = Figure(
        tongue.say("存证记录"),
        f"{books.log_size:,}",
        tongue.say("条"),
        tongue.say("每条都在日志树中"),
    )
    contracts = Figure(
        tongue.say("履约中合约"),
        f"{performing:,}",
        tongue.say("份"),
        tongue.count("%(n)s 份协商中", negotiating),
    )
    products = Figure(
        tongue.say("在架产品"),
        f"{listed:,}",
        tongue.say("个"),
        tongue.count("共 %(n)s 个产品", len(books.products)),
    )
    members = Figure(
        tongue.say("成员"), f"{len(books.members):,}", tongue.say("个"), tongue.say("含本系统")
    )
    if kind is SystemKind.NODE:
        return (members, log)
    if kind is SystemKind.PLATFORM:
        return (members, products, contracts, log)
    uses = Figure(
        tongue.say("受控使用"),
        f"{books.uses:,}",
        tongue.say("次"),
        tongue.count("%(n)s 张结算单", books.statements),
    )
    provides = [c for c in books.contracts if c.mine is PartyRole.PROVIDER]
    return (
        (products, contracts, uses, log)
        if books.may_publish or provides
        else (contracts, uses, log)
    )


def _trace(tongue: Tongue, base: str, sealed: Sealed) -> Trace:
    return Trace(
        name=fact_name(tongue, sealed.entry.kind),
        subject=short(sealed.entry.subject),
        at=tongue.when(parse_instant(sealed.entry.at)),
        href=f"{base}/evidence/{sealed.entry.seq}",
        integrated=sealed.integrated,
    )


def _actions(tongue: Tongue, kind: SystemKind, books: Books) -> Iterable[tuple[str, str, str]]:
    if kind is not SystemKind.CONNECTOR:
        return
    if books.may_use:
        yield (f"{books.base}/catalogue", "search", tongue.say("查找数据"))
        yield (f"{books.base}/use", "flask-conical", tongue.say("使用数据"))
    if books.may_publish:
        yield (f"{books.base}/publish", "upload", tongue.say("发布数据产品"))
