"""How does the platform decide about submitted products?"""

from litestar import Response
from litestar.params import FromPath

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Role
from huiqi.web.console.catalogue import report_of
from huiqi.web.console.doors import Shown, action, form_in, here, on, page
from huiqi.web.pages.review import review_page
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, Visit


@page("/review")
def review(request: AnyRequest) -> Response[bytes]:
    """Every product that waits, with how strongly its terms hold."""
    return _show(here(request))


@action("/review/{product:str}/approve", Role.OPERATOR)
def approve(request: AnyRequest, product: FromPath[str]) -> Shown:
    """List a product."""
    visit = here(request)
    try:
        need(visit.system.listing).approve(product, by=visit.who.user.login)
    except HuiqiError as error:
        return _show(visit, failed=product, error=error)
    return on(visit, "/review", "approved")


@action("/review/{product:str}/reject", Role.OPERATOR)
def reject(request: AnyRequest, product: FromPath[str]) -> Shown:
    """Send a product back with a reason."""
    visit, reason = here(request), form_in(request).text("reason")
    try:
        need(visit.system.listing).reject(product, by=visit.who.user.login, reason=reason)
    except HuiqiError as error:
        return _show(visit, failed=product, reason=reason, error=error)
    return on(visit, "/review", "rejected")


def _show(
    visit: Visit, *, failed: str = "", reason: str = "", error: HuiqiError | None = None
) -> Response[bytes]:
    pending = need(visit.system.listing).pending()
    found = review_page(
        visit.tongue,
        [(product, report_of(visit.system, product.record)) for product in pending],
        failed=failed,
        reason=reason,
        problem=visit.tongue.read(error) if error else "",
    )
    return show(visit, "review.html", found, status=status_of(error) if error else 200)


HANDLERS = [review, approve, reject]
