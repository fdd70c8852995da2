"""How do people search, read and publish products?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from litestar import Response
from litestar.params import FromPath

from huiqi.catalog.errors import DuplicateProduct, InvalidOffer
from huiqi.catalog.types import Hit, Meaning, Offer, Product, ProductRecord, Resource
from huiqi.kernel.errors import HuiqiError
from huiqi.policy.types import EnforceabilityReport
from huiqi.trust.types import Role
from huiqi.web.console.doors import (
    LARGEST_UPLOAD_BYTES,
    Shown,
    action,
    asked,
    form_in,
    here,
    on,
    page,
)
from huiqi.web.console.home import own_subject
from huiqi.web.forms import Form, WrongField
from huiqi.web.i18n import mark
from huiqi.web.pages.catalogue import catalogue_page, products_page
from huiqi.web.pages.product import Attempt, Standpoint, product_page
from huiqi.web.pages.publish import publish_page, read_offer_form
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import System, need
from huiqi.web.terms_form import TermsForm, faults_of, read_terms_form, terms_of
from huiqi.web.uploads import laid_down
from huiqi.web.visit import AnyRequest, Visit

MOST_HITS = 50


@page("/catalogue")
def catalogue(request: AnyRequest) -> Response[bytes]:
    """Search the platform's catalogue; without words, everything that is listed."""
    visit = here(request)
    system, query = visit.system, asked(request, "q")
    hits: list[Hit] = []
    unavailable = ""
    try:
        hits = list(system.shelf.search(query, limit=MOST_HITS))
    except HuiqiError as error:
        unavailable = visit.tongue.read(error)
    found = catalogue_page(
        visit.tongue,
        visit.base,
        hits,
        query=query,
        own=own_subject(system),
        contracts=system.contracts.contracts() if system.contracts else (),
        unavailable=unavailable,
    )
    return show(visit, "catalogue.html", found)


@page("/products", Role.PROVIDER)
def products(request: AnyRequest) -> Response[bytes]:
    """The provider's own products."""
    visit = here(request)
    own = need(visit.system.catalog).products()
    return show(visit, "products.html", products_page(visit.tongue, visit.base, own))


@page("/products/{product:str}")
def product(request: AnyRequest, product: FromPath[str]) -> Response[bytes]:
    """One product, with the forms to ask for it."""
    visit = here(request)
    attempt = Attempt(proposing=bool(asked(request, "propose")))
    return _show_product(visit, product, attempt)


def _show_product(
    visit: Visit, wanted: str, attempt: Attempt, status: int = 200
) -> Response[bytes]:
    record, digest, at = _looked_up(visit, wanted)
    report = report_of(visit.system, record)
    found = product_page(visit.tongue, record, report, digest=digest, at=at, attempt=attempt)
    return show(visit, "product.html", found, status=status)


def report_of(system: System, record: ProductRecord) -> EnforceabilityReport:
    """How strongly each listed term of a product holds."""
    types = {column.name: column.type for column in record.columns}
    return system.policies.report(
        record.terms, columns=list(types), node=record.provider_node, types=types
    )


def _looked_up(visit: Visit, wanted: str) -> tuple[ProductRecord, str, Standpoint]:
    system = visit.system
    if system.listing is not None:
        held = system.listing.product(wanted)
        at = Standpoint(own=own_subject(system), state=held.state, reason=held.reason)
        return held.record, "", at
    catalog = need(system.catalog)
    record, digest = catalog.fetch(wanted)
    mine = _own(catalog.products(), wanted)
    return (
        record,
        digest,
        Standpoint(
            own=own_subject(system),
            contracts=system.contracts.contracts() if system.contracts else (),
            state=mine.state if mine else None,
            reason=mine.reason if mine else "",
            may_request=visit.may(Role.CONSUMER),
            may_withdraw=mine is not None and visit.may(Role.PROVIDER),
        ),
    )


def _own(products: Sequence[Product], wanted: str) -> Product | None:
    return next((p for p in products if p.record.id == wanted), None)


@action("/products/{product:str}/withdraw", Role.PROVIDER)
def withdraw(request: AnyRequest, product: FromPath[str]) -> Shown:
    """Take a product off the catalogue."""
    visit = here(request)
    try:
        need(visit.system.catalog).withdraw(product)
    except HuiqiError as error:
        attempt = Attempt(problem=visit.tongue.read(error))
        return _show_product(visit, product, attempt, status_of(error))
    return on(visit, f"/products/{product}", "withdrawn")


@action("/products/{product:str}/request", Role.CONSUMER)
def request_listed(request: AnyRequest, product: FromPath[str]) -> Shown:
    """Ask for a contract on the listed terms."""
    visit = here(request)
    try:
        made = need(visit.system.contracts).request(product)
    except HuiqiError as error:
        attempt = Attempt(problem=visit.tongue.read(error))
        return _show_product(visit, product, attempt, status_of(error))
    return on(visit, f"/contracts/{made.id}", "requested")


@action("/products/{product:str}/propose", Role.CONSUMER)
def propose(request: AnyRequest, product: FromPath[str]) -> Shown:
    """Ask for a contract on other terms; what was entered stays when it is refused."""
    visit, form = here(request), form_in(request)
    entered = read_terms_form(form)
    try:
        wanted = terms_of(form)
        made = need(visit.system.contracts).request(product, wanted, note=form.text("note"))
    except HuiqiError as error:
        record, _digest, _at = _looked_up(visit, product)
        types = {column.name: column.type for column in record.columns}
        attempt = Attempt(
            form=with_faults(visit, form, entered, types=types, error=error),
            note=form.text("note"),
            problem=visit.tongue.read(error),
            proposing=True,
        )
        return _show_product(visit, product, attempt, status_of(error))
    return on(visit, f"/contracts/{made.id}", "requested")


def with_faults(
    visit: Visit, form: Form, entered: TermsForm, *, types: Mapping[str, str], error: HuiqiError
) -> TermsForm:
    """The entered terms with every finding beside its field.

    ``types`` are the columns with their types; an empty type is not known.
    """
    if isinstance(error, WrongField):
        return replace(entered, faults={error.field: (visit.tongue.read(error),)})
    try:
        terms = visit.system.policies.normalised(terms_of(form))
    except HuiqiError:
        return entered
    known = {name: kind for name, kind in types.items() if kind}
    findings = visit.system.policies.check(terms, columns=list(types) or None, types=known or None)
    return replace(entered, faults=faults_of(terms, findings, read=visit.tongue.read))


@page("/publish", Role.PROVIDER)
def publish_form(request: AnyRequest) -> Response[bytes]:
    """Register a file, or describe the offer of a registered one."""
    visit = here(request)
    catalog = need(visit.system.catalog)
    wanted = asked(request, "resource")
    chosen = catalog.resource(wanted) if wanted else None
    found = publish_page(visit.tongue, catalog.resources(), chosen=chosen)
    return show(visit, "publish.html", found)


@action("/resources", Role.PROVIDER, most_bytes=LARGEST_UPLOAD_BYTES)
def register(request: AnyRequest) -> Shown:
    """Profile an uploaded file or one on the connector's machine, and register it."""
    visit, form = here(request), form_in(request)
    catalog = need(visit.system.catalog)
    try:
        made = _registered(visit, form)
    except HuiqiError as error:
        found = publish_page(
            visit.tongue,
            catalog.resources(),
            problem=visit.tongue.read(error),
            registering={name: form.text(name) for name in ("name", "path", "meanings")},
        )
        return show(visit, "publish.html", found, status=status_of(error))
    return on(visit, f"/publish?resource={made.id}&done=registered")


def _registered(visit: Visit, form: Form) -> Resource:
    catalog, meanings = need(visit.system.catalog), read_meanings(form.text("meanings"))
    upload = form.files.get("file")
    if upload is None or not upload.filename:
        if not form.text("path"):
            raise WrongField("file", label=visit.tongue.say(mark("上传文件")), value="—")
        return catalog.register(name=form.text("name"), file=form.text("path"), meanings=meanings)
    with laid_down(visit.system, upload) as target:
        return catalog.register(name=form.text("name"), file=str(target), meanings=meanings)


def read_meanings(text: str) -> dict[str, Meaning]:
    """Column meanings from lines ``column, Chinese, English, level``; later parts may be missing.

    >>> read_meanings("origin, 出发机场, Airport, 1")["origin"].zh
    '出发机场'
    """
    found = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.replace("，", ",").split(",")]
        if len(parts) < 2 or not parts[0]:  # noqa: PLR2004 - a name and its meaning
            continue
        more = [*parts[2:], "", ""]
        found[parts[0]] = Meaning(zh=parts[1], en=more[0], level=more[1] or "1")
    return found


@action("/publish", Role.PROVIDER)
def publish(request: AnyRequest) -> Shown:
    """Publish the offer; every finding is shown beside its field."""
    visit, form = here(request), form_in(request)
    catalog = need(visit.system.catalog)
    chosen = catalog.resource(form.text("resource"))
    entered = read_offer_form(form)
    try:
        made = catalog.publish(chosen.id, _offer(form))
    except HuiqiError as error:
        offered = {c.name: c.type for c in chosen.profile.columns}
        types = {name: offered.get(name, "") for name in entered.columns or offered}
        found = publish_page(
            visit.tongue,
            catalog.resources(),
            chosen=chosen,
            offer=replace(entered, faults=_offer_faults(visit, error)),
            terms=with_faults(visit, form, read_terms_form(form), types=types, error=error),
            problem=visit.tongue.read(error),
        )
        return show(visit, "publish.html", found, status=status_of(error))
    return on(visit, f"/products/{made.record.id}", "published")


def _offer(form: Form) -> Offer:
    entered = read_offer_form(form)
    keywords = entered.keywords.replace("，", ",").replace("、", ",").split(",")
    return Offer(
        name=entered.name,
        abstract=entered.abstract,
        keywords=tuple(word.strip() for word in keywords if word.strip()),
        topic=entered.topic,
        table=entered.table,
        columns=entered.columns or None,
        update_frequency=entered.update_frequency,
        licence=entered.licence,
        terms=terms_of(form),
    )


def _offer_faults(visit: Visit, error: HuiqiError) -> dict[str, tuple[str, ...]]:
    if isinstance(error, InvalidOffer | DuplicateProduct):
        return {error.params.get("field", "name"): (visit.tongue.read(error),)}
    return {}


HANDLERS = [
    catalogue,
    products,
    product,
    withdraw,
    request_listed,
    propose,
    publish_form,
    register,
    publish,
]
