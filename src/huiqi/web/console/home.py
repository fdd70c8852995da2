"""How is the first page after the login put together, and where does a search lead?"""

from collections.abc import Mapping
from urllib.parse import quote

from litestar import Response
from litestar.response import Redirect

from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import CONTRACT_LENGTH
from huiqi.trust.types import Role
from huiqi.web.console.doors import SEE_OTHER, asked, here, page
from huiqi.web.pages.home import RECENT, Books, home_page
from huiqi.web.render import show
from huiqi.web.system import System
from huiqi.web.visit import AnyRequest, Visit

UUID_LENGTH = 36
COUNTED_USES = 500


@page("/")
def home(request: AnyRequest) -> Response[bytes]:
    """What waits for the person."""
    visit = here(request)
    return show(visit, "home.html", home_page(visit.tongue, visit.system.kind, _books(visit)))


def _books(visit: Visit) -> Books:
    system = visit.system
    contracts = system.contracts or system.contracts_desk
    products = system.catalog or system.listing
    settled = system.settlement_desk or system.settlement
    return Books(
        base=visit.base,
        person=visit.who.user.name,
        contracts=contracts.contracts() if contracts else (),
        products=products.products() if products else (),
        pending=system.listing.pending() if system.listing else (),
        members=system.trust.members(),
        uses=len(system.usage.uses(limit=COUNTED_USES)) if system.usage else 0,
        statements=len(settled.statements()) if settled else 0,
        entries=system.evidence.entries(limit=RECENT),
        log_size=system.evidence.size(),
        queue=system.outbox.waiting(system.scope),
        may_publish=system.catalog is not None and visit.may(Role.PROVIDER),
        may_use=system.compute is not None and visit.may(Role.CONSUMER),
        names=dict(names_of(system)),
    )


def names_of(system: System) -> Mapping[str, str]:
    """Names of members by their identifier and by their subject code."""
    found: dict[str, str] = {}
    for member in system.trust.members():
        found[member.id] = member.name
        found.setdefault(member.subject, member.name)
    return found


@page("/find")
def find(request: AnyRequest) -> Redirect:
    """From one field to the right page: a contract, a receipt, an identifier, or the catalogue."""
    visit = here(request)
    wanted = asked(request, "q")
    name = quote(wanted, safe="", errors="replace")
    system = visit.system
    contracts = system.contracts or system.contracts_desk
    if len(wanted) == CONTRACT_LENGTH and contracts is not None:
        target = f"/contracts/{name}"
    elif len(wanted) == UUID_LENGTH and "-" in wanted:
        target = f"/receipts/{name}"
    elif system.catalog is None and system.listing is None:
        target = f"/identifiers?q={name}"
    else:
        target = f"/catalogue?q={name}"
    return Redirect(f"{visit.base}{target}", status_code=SEE_OTHER)


def own_subject(system: System) -> str:
    """The subject code of the organisation behind this system, empty before it joined."""
    try:
        return system.trust.me().subject
    except HuiqiError:
        return ""


HANDLERS = [home, find]
