"""Which contracts are there, where does each stand, and who has the next move?"""

from collections.abc import Sequence
from dataclasses import dataclass

from huiqi.contracts.types import Contract, ContractStatus, PartyRole
from huiqi.web.i18n import Tongue, mark
from huiqi.web.pages.home import is_mine
from huiqi.web.words import CONTRACT, SIDE, Chip, chip

# Filters of the list, in the order of a contract's life.
_FILTERS: tuple[tuple[str, str, frozenset[ContractStatus]], ...] = (
    ("", mark("全部"), frozenset(ContractStatus)),
    (
        "talk",
        mark("协商中"),
        frozenset({ContractStatus.INITIATED, ContractStatus.NEGOTIATING}),
    ),
    (
        "sign",
        mark("待签署"),
        frozenset({ContractStatus.SIGNING, ContractStatus.SIGNED, ContractStatus.SIGNING_FAILED}),
    ),
    ("live", mark("履约中"), frozenset({ContractStatus.PERFORMING})),
    ("over", mark("已终止"), frozenset({ContractStatus.TERMINATED})),
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One contract in the list."""

    href: str
    id: str
    product: str
    provider: str
    consumer: str
    mine: str
    waiting: str
    my_turn: bool
    ends: str
    sealed: bool
    state: Chip


@dataclass(frozen=True)
class Filter:
    """One filter with the number of contracts it shows."""

    href: str
    word: str
    count: int
    current: bool


@dataclass(frozen=True)
class ContractsPage:
    """The list; the numbers in ``filters`` equal the rows each shows."""

    sentence: str
    filters: tuple[Filter, ...]
    lines: tuple[Line, ...]


def contracts_page(
    tongue: Tongue, base: str, contracts: Sequence[Contract], *, shown: str = ""
) -> ContractsPage:
    """The contracts of these books, newest first, those of filter ``shown``."""
    chosen = next((f for f in _FILTERS if f[0] == shown), _FILTERS[0])
    lines = [c for c in contracts if c.status in chosen[2]]
    mine = sum(is_mine(c) for c in contracts)
    sentence = (
        tongue.count("%(n)s 份合约等你处理。", mine) if mine else tongue.say("没有合约等你处理。")
    )
    return ContractsPage(
        sentence=sentence,
        filters=tuple(
            Filter(
                href=f"{base}/contracts?shown={code}" if code else f"{base}/contracts",
                word=tongue.say(word),
                count=sum(c.status in statuses for c in contracts),
                current=code == chosen[0],
            )
            for code, word, statuses in _FILTERS
        ),
        lines=tuple(
            _line(tongue, base, c) for c in sorted(lines, key=lambda c: c.created_at, reverse=True)
        ),
    )


def who_waits(tongue: Tongue, contract: Contract) -> str:
    """The name of whose move it is, empty when nobody's."""
    match contract.waiting_for:
        case "":
            return ""
        case PartyRole.PROVIDER.value:
            return contract.provider.name
        case PartyRole.CONSUMER.value:
            return contract.consumer.name
        case _:
            return tongue.say(SIDE[PartyRole.OTHER])


def _line(tongue: Tongue, base: str, contract: Contract) -> Line:
    return Line(
        href=f"{base}/contracts/{contract.id}",
        id=contract.id,
        product=contract.product_name,
        provider=contract.provider.name,
        consumer=contract.consumer.name,
        mine=tongue.say(SIDE[contract.mine]),
        waiting=who_waits(tongue, contract),
        my_turn=is_mine(contract),
        ends=tongue.day(contract.ends_at),
        sealed=contract.filed_at is not None,
        state=chip(tongue, CONTRACT, contract.status),
    )
