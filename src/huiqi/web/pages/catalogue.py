"""Which products fit what the person looks for, and how do they stand to each?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from huiqi.catalog.types import Hit, Product, ProductRecord
from huiqi.contracts.types import Contract, ContractStatus
from huiqi.web.i18n import Tongue, mark
from huiqi.web.pages.conditions import price_line
from huiqi.web.words import PRODUCT, Chip, chip

# The contract that says most about the relation comes first.
_ORDER = (
    (ContractStatus.PERFORMING, Chip("run", mark("已签约"))),
    (ContractStatus.SIGNED, Chip("run", mark("已签，待备案"))),
    (ContractStatus.SIGNING, Chip("warn", mark("待签署"))),
    (ContractStatus.NEGOTIATING, Chip("warn", mark("协商中"))),
    (ContractStatus.INITIATED, Chip("warn", mark("协商中"))),
)
_OPEN = Chip("ok", mark("可申请"))
_OWN = Chip("", mark("本方产品"))

# What matched, by the field names of a search hit.
_MATCHED = {
    "name": mark("名称"),
    "abstract": mark("简介"),
    "keywords": mark("关键词"),
    "columns": mark("字段名"),
    "provider": mark("提供方"),
    "topic": mark("主题"),
    "meanings": mark("字段含义"),
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One product as a search result."""

    href: str
    id: str
    name: str
    provider: str
    abstract: str
    relation: Chip
    relation_href: str
    price: str
    rows: str
    columns: str
    keywords: tuple[str, ...]
    matched: str


@dataclass(frozen=True)
class CataloguePage:
    """The catalogue: what was searched, what was found."""

    query: str
    sentence: str
    cards: tuple[Card, ...]
    unavailable: str


@dataclass(frozen=True)
class ProductLine:
    """One line of a provider's own list."""

    href: str
    id: str
    name: str
    table: str
    state: Chip
    reason: str
    price: str
    at: str


@dataclass(frozen=True)
class ProductsPage:
    """A provider's own products."""

    lines: tuple[ProductLine, ...]


def relation(
    tongue: Tongue, record: ProductRecord, *, own: str, contracts: Iterable[Contract]
) -> tuple[Chip, str]:
    """How the owner of these books stands to a product, and the contract that says so."""
    if record.provider == own:
        return Chip(_OWN.tone, tongue.say(_OWN.word)), ""
    known = {c.status: c for c in contracts if c.product == record.id}
    for status, word in _ORDER:
        if status in known:
            return Chip(word.tone, tongue.say(word.word)), known[status].id
    return Chip(_OPEN.tone, tongue.say(_OPEN.word)), ""


def catalogue_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    base: str,
    hits: Sequence[Hit],
    *,
    query: str,
    own: str,
    contracts: Sequence[Contract],
    unavailable: str = "",
) -> CataloguePage:
    """The results for ``query``; ``unavailable`` says why the catalogue did not answer."""
    cards = tuple(_card(tongue, base, hit, own=own, contracts=contracts) for hit in hits)
    if query:
        sentence = tongue.count("找到 %(n)s 个产品", len(cards))
    else:
        sentence = tongue.count("目录中有 %(n)s 个产品", len(cards))
    return CataloguePage(query, sentence, cards, unavailable)


def _card(tongue: Tongue, base: str, hit: Hit, *, own: str, contracts: Sequence[Contract]) -> Card:
    record = hit.record
    badge, contract = relation(tongue, record, own=own, contracts=contracts)
    matched = [tongue.say(_MATCHED[m]) for m in hit.matched if m in _MATCHED]
    return Card(
        href=f"{base}/products/{record.id}",
        id=record.id,
        name=record.name,
        provider=record.provider_name,
        abstract=record.abstract,
        relation=badge,
        relation_href=f"{base}/contracts/{contract}" if contract else "",
        price=price_line(tongue, record.terms.price),
        rows=tongue.count("%(n)s 行", record.rows),
        columns=tongue.count("%(n)s 个字段", len(record.columns)),
        keywords=record.keywords,
        matched=tongue.among(list(dict.fromkeys(matched))),
    )


def products_page(tongue: Tongue, base: str, products: Sequence[Product]) -> ProductsPage:
    """The provider's own products with their state."""
    return ProductsPage(
        tuple(
            ProductLine(
                href=f"{base}/products/{product.record.id}",
                id=product.record.id,
                name=product.record.name,
                table=product.record.table,
                state=chip(tongue, PRODUCT, product.state),
                reason=product.reason,
                price=price_line(tongue, product.record.terms.price),
                at=tongue.day(product.listed_at or product.record.created_at),
            )
            for product in products
        )
    )
