"""How do people negotiate, sign and end contracts?"""

from collections.abc import Callable
from dataclasses import replace

from litestar import Response
from litestar.params import FromPath

from huiqi.contracts.types import Contract
from huiqi.kernel.errors import HuiqiError
from huiqi.policy.types import Difference, EnforceabilityReport
from huiqi.trust.types import Role
from huiqi.web.console.catalogue import with_faults
from huiqi.web.console.doors import Shown, action, asked, form_in, here, on, page
from huiqi.web.console.home import names_of
from huiqi.web.pages.contract import Answer, Dossier, contract_page
from huiqi.web.pages.contracts import contracts_page
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import System, need
from huiqi.web.terms_form import read_terms_form, terms_of
from huiqi.web.visit import AnyRequest, Visit

PARTIES = (Role.PROVIDER, Role.CONSUMER)


@page("/contracts")
def contracts(request: AnyRequest) -> Response[bytes]:
    """The contracts in these books."""
    visit = here(request)
    system = visit.system
    known = system.deeds.contracts()
    found = contracts_page(visit.tongue, visit.base, known, shown=asked(request, "shown"))
    return show(visit, "contracts.html", found)


@page("/contracts/{contract:str}")
def contract(request: AnyRequest, contract: FromPath[str]) -> Response[bytes]:
    """One contract."""
    return _show(here(request), contract, Answer())


@action("/contracts/{contract:str}/counter", *PARTIES)
def counter(request: AnyRequest, contract: FromPath[str]) -> Shown:
    """Answer with other terms; what was entered stays when it is refused."""
    visit, form = here(request), form_in(request)
    desk = need(visit.system.contracts)
    try:
        desk.counter(contract, terms_of(form), note=form.text("note"))
    except HuiqiError as error:
        held = desk.contract(contract)
        types = {name: held.types.get(name, "") for name in held.columns}
        entered = with_faults(visit, form, read_terms_form(form), types=types, error=error)
        kept = Answer(form=entered, note=form.text("note"), countering=True)
        return _show(visit, contract, kept, error=error)
    return on(visit, f"/contracts/{contract}", "countered")


@action("/contracts/{contract:str}/accept", *PARTIES)
def accept(request: AnyRequest, contract: FromPath[str]) -> Shown:
    """Agree to the terms on the table."""
    visit = here(request)
    return _act(visit, contract, "accepted", need(visit.system.contracts).accept)


@action("/contracts/{contract:str}/decline", *PARTIES)
def decline(request: AnyRequest, contract: FromPath[str]) -> Shown:
    """End the negotiation with a reason."""
    visit, reason = here(request), form_in(request).text("reason")
    desk = need(visit.system.contracts)
    return _act(
        visit, contract, "declined", lambda id_: desk.decline(id_, reason=reason), reason=reason
    )


@action("/contracts/{contract:str}/sign", *PARTIES)
def sign(request: AnyRequest, contract: FromPath[str]) -> Shown:
    """Sign what was agreed."""
    visit = here(request)
    desk, by = need(visit.system.contracts), visit.who.user.login
    return _act(visit, contract, "signed", lambda id_: desk.sign(id_, by=by))


@action("/contracts/{contract:str}/terminate", *PARTIES)
def terminate(request: AnyRequest, contract: FromPath[str]) -> Shown:
    """End the contract at once, with a reason."""
    visit, reason = here(request), form_in(request).text("reason")
    desk = need(visit.system.contracts)
    return _act(
        visit, contract, "terminated", lambda id_: desk.terminate(id_, reason=reason), reason=reason
    )


def _act(
    visit: Visit, contract: str, done: str, verb: Callable[[str], Contract], *, reason: str = ""
) -> Shown:
    try:
        verb(contract)
    except HuiqiError as error:
        return _show(visit, contract, Answer(reason=reason), error=error)
    return on(visit, f"/contracts/{contract}", done)


def _show(
    visit: Visit, wanted: str, kept: Answer, *, error: HuiqiError | None = None
) -> Response[bytes]:
    system = visit.system
    held = system.deeds.contract(wanted)
    dossier = Dossier(
        report=report_on(system, held),
        changes=changes_of(system, held),
        queue=[
            queued
            for key in (held.id, f"{held.id}/platform")
            for queued in system.outbox.waiting(system.scope, key)
        ],
        names=names_of(system),
        counters=system.usage.counters(held.id) if system.usage else None,
    )
    answer = replace(
        kept,
        problem=visit.tongue.read(error) if error else "",
        may_act=system.contracts is not None and visit.may(*PARTIES),
        may_use=system.compute is not None and visit.may(Role.CONSUMER),
    )
    found = contract_page(visit.tongue, held, dossier, answer)
    return show(visit, "contract.html", found, status=status_of(error) if error else 200)


def report_on(system: System, contract: Contract) -> EnforceabilityReport:
    """How strongly the terms on the table hold, as this system sees it."""
    if system.contracts is not None:
        return system.contracts.report(contract.id)
    return system.policies.report(
        contract.terms,
        columns=contract.columns or None,
        node=contract.provider.node,
        types=dict(contract.types) or None,
    )


def changes_of(system: System, contract: Contract) -> dict[int, tuple[Difference, ...]]:
    """What each round changed in the one before it; the first round in the listing."""
    found: dict[int, tuple[Difference, ...]] = {}
    before = contract.listed
    for proposal in contract.proposals:
        if before is not None:
            found[proposal.round] = system.policies.differences(before, proposal.terms)
        before = proposal.terms
    return found


HANDLERS = [contracts, contract, counter, accept, decline, sign, terminate]
