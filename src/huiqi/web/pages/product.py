"""What is this data, on which conditions may it be used, and what is my next step?"""

from collections.abc import Sequence
from dataclasses import dataclass

from huiqi.catalog.types import Column, ProductRecord, ProductState
from huiqi.contracts.types import Contract
from huiqi.policy.types import EnforceabilityReport
from huiqi.web.i18n import Tongue
from huiqi.web.pages.catalogue import relation
from huiqi.web.pages.conditions import (
    Condition,
    Fact,
    PurposeChoice,
    conditions,
    price_facts,
    purposes,
)
from huiqi.web.pages.publish import FREQUENCIES, TOPICS
from huiqi.web.terms_form import TermsForm, form_from
from huiqi.web.words import PRODUCT, Chip, chip

BASIS_POINTS_PER_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class FieldLine:
    """One column of the offer."""

    name: str
    meaning: str
    type: str
    level: str
    filled: str
    distinct: str
    span: str


@dataclass(frozen=True, kw_only=True)
class ProductPage:
    """One product. ``form`` is None when the person cannot ask for it."""

    id: str
    name: str
    abstract: str
    provider: str
    relation: Chip
    contract: str
    state: Chip | None
    reason: str
    fields: tuple[FieldLine, ...]
    conditions: tuple[Condition, ...]
    prices: tuple[Fact, ...]
    days: int
    facts: tuple[Fact, ...]
    keywords: tuple[str, ...]
    digest: str
    may_request: bool
    may_withdraw: bool
    form: TermsForm
    purposes: tuple[PurposeChoice, ...]
    columns: tuple[Column, ...]
    note: str
    problem: str
    proposing: bool


@dataclass(frozen=True, kw_only=True)
class Standpoint:
    """From where the person looks at the product."""

    own: str
    contracts: Sequence[Contract] = ()
    state: ProductState | None = None
    reason: str = ""
    may_request: bool = False
    may_withdraw: bool = False


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What was entered last time and why it did not go through."""

    form: TermsForm | None = None
    note: str = ""
    problem: str = ""
    proposing: bool = False


def product_page(
    tongue: Tongue,
    record: ProductRecord,
    report: EnforceabilityReport,
    *,
    digest: str,
    at: Standpoint,
    attempt: Attempt | None = None,
) -> ProductPage:
    """The page of ``record``; ``digest`` is SM3 of its signed bytes, ``report`` of its terms."""
    tried = attempt or Attempt()
    form = tried.form or form_from(record.terms)
    badge, contract = relation(tongue, record, own=at.own, contracts=at.contracts)
    return ProductPage(
        id=record.id,
        name=record.name,
        abstract=record.abstract,
        provider=record.provider_name,
        relation=badge,
        contract=contract,
        state=chip(tongue, PRODUCT, at.state) if at.state else None,
        reason=at.reason,
        fields=tuple(_field(tongue, column) for column in record.columns),
        conditions=conditions(tongue, report),
        prices=price_facts(tongue, record.terms.price),
        days=record.terms.days,
        facts=_facts(tongue, record, digest),
        keywords=record.keywords,
        digest=digest,
        may_request=at.may_request and record.provider != at.own,
        may_withdraw=at.may_withdraw and at.state in {ProductState.LISTED, ProductState.REVIEWING},
        form=form,
        purposes=purposes(tongue, form.purpose),
        columns=record.columns,
        note=tried.note,
        problem=tried.problem,
        proposing=tried.proposing,
    )


def meaning_of(tongue: Tongue, column: Column) -> str:
    """What a column means, in the reader's language where the provider said it in both."""
    return column.meaning_en if tongue.language == "en" and column.meaning_en else column.meaning


def _field(tongue: Tongue, column: Column) -> FieldLine:
    filled = 100 - column.null_bp / BASIS_POINTS_PER_PERCENT
    span = f"{column.least} … {column.most}" if column.least or column.most else ""
    return FieldLine(
        name=column.name,
        meaning=meaning_of(tongue, column),
        type=column.type,
        level=tongue.say("%(level)s 级", level=column.level),
        filled=f"{filled:g}%",
        distinct=f"{column.distinct:,}" if column.distinct else "",
        span=span,
    )


def _facts(tongue: Tongue, record: ProductRecord, digest: str) -> tuple[Fact, ...]:
    return (
        Fact(tongue.say("产品标识"), record.id),
        Fact(tongue.say("资源标识"), record.resource),
        Fact(tongue.say("提供方代码"), record.provider),
        Fact(tongue.say("执行连接器"), record.provider_node),
        Fact(tongue.say("查询表名"), record.table),
        Fact(tongue.say("主题"), tongue.say(dict(TOPICS).get(record.topic, record.topic))),
        Fact(
            tongue.say("更新频率"),
            tongue.say(dict(FREQUENCIES).get(record.update_frequency, record.update_frequency)),
        ),
        Fact(tongue.say("许可"), record.licence),
        Fact(tongue.say("版本"), str(record.version)),
        Fact(tongue.say("创建时间"), tongue.when(record.created_at)),
        *((Fact(tongue.say("摘要 SM3"), digest),) if digest else ()),
    )
