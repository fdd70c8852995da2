"""Negotiating, signing and ending contracts, for programs."""

from collections.abc import Mapping, Sequence

from litestar.params import FromPath, FromQuery, JSONBody

from huiqi.contracts.types import AgreementBody, Contract
from huiqi.policy.types import Difference, EnforceabilityReport
from huiqi.trust.types import Role
from huiqi.web.api.bodies import ContractRequest, Counter, Rejection
from huiqi.web.api.verbs import CREATED, deed, read
from huiqi.web.console.contracts import report_on
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, visit_in

PARTIES = (Role.PROVIDER, Role.CONSUMER)


@read("/contracts")
def contracts(request: AnyRequest, status: FromQuery[str | None] = None) -> Sequence[Contract]:
    """The contracts in these books, newest first; ``status`` is a T14 code, such as 05."""
    system = visit_in(request).system
    return system.deeds.contracts(status=status)


@deed("/contracts", Role.CONSUMER, status=CREATED)
def ask_for(request: AnyRequest, data: JSONBody[ContractRequest]) -> Contract:
    """Ask a provider for a contract."""
    desk = need(visit_in(request).system.contracts)
    return desk.request(data.product, data.terms, note=data.note, suite=data.suite)


@read("/contracts/{contract:str}")
def contract(request: AnyRequest, contract: FromPath[str]) -> Contract:
    """One contract."""
    system = visit_in(request).system
    return system.deeds.contract(contract)


@deed("/contracts/{contract:str}/counter", *PARTIES)
def counter(request: AnyRequest, contract: FromPath[str], data: JSONBody[Counter]) -> Contract:
    """Answer with other terms."""
    desk = need(visit_in(request).system.contracts)
    return desk.counter(contract, data.terms, note=data.note)


@deed("/contracts/{contract:str}/accept", *PARTIES)
def accept(request: AnyRequest, contract: FromPath[str]) -> Contract:
    """Agree to the terms on the table."""
    return need(visit_in(request).system.contracts).accept(contract)


@deed("/contracts/{contract:str}/decline", *PARTIES)
def decline(request: AnyRequest, contract: FromPath[str], data: JSONBody[Rejection]) -> Contract:
    """End the negotiation."""
    return need(visit_in(request).system.contracts).decline(contract, reason=data.reason)


@deed("/contracts/{contract:str}/sign", *PARTIES)
def sign(request: AnyRequest, contract: FromPath[str]) -> Contract:
    """Sign what was agreed."""
    visit = visit_in(request)
    return need(visit.system.contracts).sign(contract, by=visit.who.user.login)


@deed("/contracts/{contract:str}/terminate", *PARTIES)
def terminate(request: AnyRequest, contract: FromPath[str], data: JSONBody[Rejection]) -> Contract:
    """End a contract at once."""
    return need(visit_in(request).system.contracts).terminate(contract, reason=data.reason)


@read("/contracts/{contract:str}/report")
def report(request: AnyRequest, contract: FromPath[str]) -> EnforceabilityReport:
    """How strongly each term on the table holds."""
    system = visit_in(request).system
    held = system.deeds.contract(contract)
    return report_on(system, held)


@read("/contracts/{contract:str}/differences")
def differences(request: AnyRequest, contract: FromPath[str]) -> Sequence[Difference]:
    """What the newest proposal changes in the one before it."""
    return need(visit_in(request).system.contracts).differences(contract)


@read("/contracts/{contract:str}/body")
def body(request: AnyRequest, contract: FromPath[str]) -> AgreementBody:
    """The agreement as both sides derive it."""
    return need(visit_in(request).system.contracts).body(contract)


@read("/contracts/{contract:str}/counters")
def counters(request: AnyRequest, contract: FromPath[str]) -> Mapping[str, int]:
    """How much of the contract is used."""
    return need(visit_in(request).system.usage).counters(contract)


HANDLERS = [
    contracts,
    ask_for,
    contract,
    counter,
    accept,
    decline,
    sign,
    terminate,
    report,
    differences,
    body,
    counters,
]
