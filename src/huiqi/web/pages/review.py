"""Which products wait for the platform's decision, and what do they offer?"""

from collections.abc import Sequence
from dataclasses import dataclass

from huiqi.catalog.types import Column, Product
from huiqi.policy.types import EnforceabilityReport
from huiqi.web.i18n import Tongue
from huiqi.web.pages.conditions import Condition, Fact, conditions, objections, price_facts


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One product under review."""

    id: str
    name: str
    abstract: str
    provider: str
    subject: str
    since: str
    size: str
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    objections: tuple[str, ...]
    prices: tuple[Fact, ...]
    days: int
    reason: str
    problem: str


@dataclass(frozen=True)
class ReviewPage:
    """The queue; the number in ``sentence`` is its length."""

    sentence: str
    candidates: tuple[Candidate, ...]


def review_page(
    tongue: Tongue,
    pending: Sequence[tuple[Product, EnforceabilityReport]],
    *,
    failed: str = "",
    reason: str = "",
    problem: str = "",
) -> ReviewPage:
    """Pending products with their reports; ``failed`` is the one whose decision did not pass."""
    return ReviewPage(
        tongue.count("%(n)s 个产品等待审核。", len(pending))
        if pending
        else tongue.say("没有待审产品。"),
        tuple(
            _candidate(
                tongue,
                product,
                report,
                reason=reason if product.record.id == failed else "",
                problem=problem if product.record.id == failed else "",
            )
            for product, report in pending
        ),
    )


def _candidate(
    tongue: Tongue, product: Product, report: EnforceabilityReport, *, reason: str, problem: str
) -> Candidate:
    record = product.record
    return Candidate(
        id=record.id,
        name=record.name,
        abstract=record.abstract,
        provider=record.provider_name,
        subject=record.provider,
        since=tongue.when(record.created_at),
        size=tongue.count("%(n)s 行", record.rows),
        columns=record.columns,
        conditions=conditions(tongue, report),
        objections=objections(tongue, report.findings),
        prices=price_facts(tongue, record.terms.price),
        days=record.terms.days,
        reason=reason,
        problem=problem,
    )
