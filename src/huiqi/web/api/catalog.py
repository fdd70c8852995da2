"""Resources, products and the catalogue, for programs."""

from collections.abc import Sequence

from litestar import post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from huiqi.catalog.types import Hit, Offer, Product, Resolution, Resource
from huiqi.policy.types import EnforceabilityReport
from huiqi.trust.types import Role
from huiqi.web.api.bodies import Fetched, Publication, Registration, Rejection
from huiqi.web.api.verbs import CREATED, deed, read
from huiqi.web.console.catalogue import report_of
from huiqi.web.console.doors import LARGEST_UPLOAD_BYTES
from huiqi.web.numbers import most_of
from huiqi.web.system import need
from huiqi.web.uploads import laid_down
from huiqi.web.visit import AnyRequest, visit_in


@read("/resources")
def resources(request: AnyRequest) -> Sequence[Resource]:
    """The registered resources."""
    return need(visit_in(request).system.catalog).resources()


@deed("/resources", Role.PROVIDER, status=CREATED)
def register(request: AnyRequest, data: JSONBody[Registration]) -> Resource:
    """Profile a file on the connector's machine and register it."""
    catalog = need(visit_in(request).system.catalog)
    return catalog.register(name=data.name, file=data.path, meanings=data.meanings)


@post(
    "/resources/upload",
    sync_to_thread=True,
    status_code=CREATED,
    request_max_body_size=LARGEST_UPLOAD_BYTES,
    opt={"roles": (Role.PROVIDER,)},
)
def upload(
    request: AnyRequest,
    data: MultipartBody[UploadFile],
    name: FromQuery[str],
) -> Resource:
    """Upload one file (multipart field ``data``), profile it and register it as ``name``."""
    system = visit_in(request).system
    with laid_down(system, data) as target:
        return need(system.catalog).register(name=name, file=str(target))


@read("/products")
def products(request: AnyRequest) -> Sequence[Product]:
    """The own products of a connector, or all products in the platform's books."""
    system = visit_in(request).system
    return system.shelf.products()


@deed("/products", Role.PROVIDER, status=CREATED)
def publish(request: AnyRequest, data: JSONBody[Publication]) -> Product:
    """Publish an offer; it is then reviewed by the platform."""
    offer = Offer(
        name=data.name,
        abstract=data.abstract,
        keywords=data.keywords,
        topic=data.topic,
        table=data.table,
        columns=data.columns,
        update_frequency=data.update_frequency,
        licence=data.licence,
        terms=data.terms,
    )
    return need(visit_in(request).system.catalog).publish(data.resource, offer)


@read("/products/{product:str}")
def product(request: AnyRequest, product: FromPath[str]) -> Product:
    """One own product with its state, or one in the platform's books."""
    system = visit_in(request).system
    return system.shelf.product(product)


@deed("/products/{product:str}/withdraw", Role.PROVIDER)
def withdraw(request: AnyRequest, product: FromPath[str]) -> Product:
    """Take a product off the catalogue."""
    return need(visit_in(request).system.catalog).withdraw(product)


@read("/catalogue")
def search(
    request: AnyRequest, q: FromQuery[str] = "", limit: FromQuery[int] = 20
) -> Sequence[Hit]:
    """Search the platform's catalogue; an empty text gives everything listed."""
    system = visit_in(request).system
    return system.shelf.search(q, limit=most_of(limit))


@read("/catalogue/{product:str}")
def fetch(request: AnyRequest, product: FromPath[str]) -> Fetched:
    """A listed product, its signature verified, with the digest of its signed bytes."""
    record, digest = need(visit_in(request).system.catalog).fetch(product)
    return Fetched(record, digest)


@read("/catalogue/{product:str}/report")
def report(request: AnyRequest, product: FromPath[str]) -> EnforceabilityReport:
    """How strongly each listed term holds."""
    system = visit_in(request).system
    if system.listing is not None:
        record = system.listing.product(product).record
    else:
        record, _digest = need(system.catalog).fetch(product)
    return report_of(system, record)


@read("/listing/pending")
def pending(request: AnyRequest) -> Sequence[Product]:
    """Products that wait for the platform's decision."""
    return need(visit_in(request).system.listing).pending()


@deed("/listing/{product:str}/approve", Role.OPERATOR)
def approve(request: AnyRequest, product: FromPath[str]) -> Product:
    """List a product."""
    visit = visit_in(request)
    return need(visit.system.listing).approve(product, by=visit.who.user.login)


@deed("/listing/{product:str}/reject", Role.OPERATOR)
def reject(request: AnyRequest, product: FromPath[str], data: JSONBody[Rejection]) -> Product:
    """Send a product back with a reason."""
    visit = visit_in(request)
    listing = need(visit.system.listing)
    return listing.reject(product, by=visit.who.user.login, reason=data.reason)


@read("/identifiers/{identifier:str}")
def resolve(request: AnyRequest, identifier: FromPath[str]) -> Resolution:
    """What is known of an identifier (platform and node)."""
    return need(visit_in(request).system.identifiers).resolve(identifier)


HANDLERS = [
    resources,
    register,
    upload,
    products,
    publish,
    product,
    withdraw,
    search,
    fetch,
    report,
    pending,
    approve,
    reject,
    resolve,
]
