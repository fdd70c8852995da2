"""How does a provider turn a file into a product?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from huiqi.catalog.types import Column, Resource
from huiqi.web.forms import Form
from huiqi.web.i18n import Tongue, mark
from huiqi.web.pages.conditions import PurposeChoice, purposes
from huiqi.web.terms_form import TermsForm

# NDI-TR-2025-04 series, catalogue description, table 4.
FREQUENCIES = (
    ("001", mark("实时")),
    ("002", mark("每日")),
    ("003", mark("每周")),
    ("004", mark("每月")),
    ("005", mark("每季度")),
    ("006", mark("每半年")),
    ("007", mark("每年")),
    ("008", mark("不定期")),
    ("009", mark("历史存量")),
)
# Section 8.2.2 of the same: the second level of topics.
TOPICS = (
    ("B0300", mark("交通运输")),
    ("B0200", mark("工业和信息化")),
    ("B0100", mark("农业农村")),
    ("B0400", mark("商业贸易")),
    ("B0500", mark("金融保险")),
    ("A0200", mark("法人单位")),
    ("A0300", mark("自然资源和空间地理")),
    ("A0400", mark("宏观经济")),
    ("A0500", mark("科技教育")),
    ("C0100", mark("教育文化")),
    ("C0200", mark("医疗卫生")),
    ("C0300", mark("社会保障")),
    ("C0400", mark("住房城建")),
    ("C0500", mark("生态环境")),
    ("D0200", mark("公共服务")),
    ("D0500", mark("应急管理")),
)


@dataclass(frozen=True, kw_only=True)
class OfferForm:
    """The offer as entered; ``columns`` empty means all."""

    name: str = ""
    abstract: str = ""
    keywords: str = ""
    topic: str = TOPICS[0][0]
    table: str = ""
    columns: tuple[str, ...] = ()
    update_frequency: str = FREQUENCIES[-1][0]
    licence: str = ""
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_offer_form(form: Form) -> OfferForm:
    """What was entered, as it was entered."""
    return OfferForm(
        name=form.text("name"),
        abstract=form.text("abstract"),
        keywords=form.text("keywords"),
        topic=form.text("topic"),
        table=form.text("table"),
        columns=form.texts("offered"),
        update_frequency=form.text("update_frequency"),
        licence=form.text("licence"),
    )


@dataclass(frozen=True, kw_only=True)
class ResourceLine:
    """One registered resource to start from."""

    id: str
    name: str
    size: str
    at: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Profiled:
    """The profile of the chosen resource."""

    id: str
    name: str
    rows: str
    encoding: str
    digest: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class PublishPage:
    """Register a file, then describe the offer; both on one page."""

    resources: tuple[ResourceLine, ...]
    profile: Profiled | None
    offer: OfferForm
    terms: TermsForm
    topics: tuple[tuple[str, str], ...]
    frequencies: tuple[tuple[str, str], ...]
    purposes: tuple[PurposeChoice, ...]
    problem: str
    registering: Mapping[str, str]


def publish_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    resources: Sequence[Resource],
    *,
    chosen: Resource | None = None,
    offer: OfferForm | None = None,
    terms: TermsForm | None = None,
    problem: str = "",
    registering: Mapping[str, str] | None = None,
) -> PublishPage:
    """The page with what was entered so far; ``chosen`` is the resource being offered."""
    entered = terms or TermsForm()
    return PublishPage(
        resources=tuple(
            ResourceLine(
                id=r.id,
                name=r.name,
                size=tongue.count("%(n)s 行", r.profile.rows),
                at=tongue.when(r.registered_at),
                chosen=chosen is not None and chosen.id == r.id,
            )
            for r in resources
        ),
        profile=_profiled(chosen) if chosen else None,
        offer=offer or OfferForm(name=chosen.name if chosen else ""),
        terms=entered,
        topics=tuple((code, tongue.say(word)) for code, word in TOPICS),
        frequencies=tuple((code, tongue.say(word)) for code, word in FREQUENCIES),
        purposes=purposes(tongue, entered.purpose),
        problem=problem,
        registering=registering or {},
    )


def _profiled(resource: Resource) -> Profiled:
    return Profiled(
        id=resource.id,
        name=resource.name,
        rows=f"{resource.profile.rows:,}",
        encoding=resource.profile.encoding,
        digest=resource.profile.digest,
        columns=resource.profile.columns,
    )
