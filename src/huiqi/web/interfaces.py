"""Which verb answers which message of another system?"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from huiqi.catalog.types import AllotRequest, ReviewNotice, SignedRecord
from huiqi.compute.types import LendRequest, Release, UseRequest
from huiqi.contracts.types import (
    CreateRequest,
    Filed,
    Filing,
    Negotiation,
    SignatureNotice,
    TerminationNotice,
)
from huiqi.kernel.ids import ObjectType, SystemId
from huiqi.settlement.types import SignedStatement
from huiqi.trust.types import Application, Member, SystemKind, Welcome
from huiqi.usage.types import Receipt
from huiqi.web.system import System, need
from huiqi.wire.huiqi.bodies import LARGEST_BODY
from huiqi.wire.huiqi.messages import (
    Address,
    AllottedContract,
    AllottedIdentifier,
    Nothing,
    OfMember,
    OfUse,
    Search,
    Wanted,
)

JOIN = "SystemJoin"
LONGEST_SEARCH = 100


class Interface(msgspec.Struct, frozen=True):
    """One interface: the document it takes, the verb, and the largest body in bytes."""

    kind: type
    act: Callable[[Member, Any], object]
    most: int = LARGEST_BODY


def done(act: Callable[[Member, Any], object]) -> Callable[[Member, Any], Nothing]:
    """``act`` whose answer says only that it was done."""

    def and_nothing(sender: Member, document: object) -> Nothing:
        act(sender, document)
        return Nothing()

    return and_nothing


def interfaces_of(system: System) -> Mapping[str, Interface]:
    """The interfaces of one system, by message code."""
    match system.kind:
        case SystemKind.NODE:
            return _of_issuer(system)
        case SystemKind.PLATFORM:
            return {**_of_issuer(system), **_of_platform(system)}
        case SystemKind.CONNECTOR:
            return _of_connector(system)


def join(system: System, application: Application) -> Welcome:
    """Admit a newcomer whose application holds; its identifier comes from the node."""
    types = {
        SystemKind.PLATFORM: ObjectType.BUSINESS_NODE,
        SystemKind.CONNECTOR: ObjectType.CONNECTOR,
    }
    identifiers = need(system.identifiers)

    def allot(newcomer: Application) -> SystemId:
        request = AllotRequest(
            kind=types[newcomer.kind],
            subject=newcomer.subject,
            area=newcomer.area,
            purpose=newcomer.invitation,
        )
        return SystemId(identifiers.allot(newcomer.subject, request))

    return system.trust.admit(application, allot)


def _of_issuer(system: System) -> dict[str, Interface]:
    trust, identifiers = system.trust, need(system.identifiers)

    def allot(sender: Member, asked: AllotRequest) -> AllottedIdentifier:
        return AllottedIdentifier(identifier=identifiers.allot(sender.subject, asked))

    return {
        "MemberLookup": Interface(OfMember, lambda _sender, asked: trust.credential(asked.id)),
        "AddressReport": Interface(
            Address, done(lambda sender, told: trust.moved(sender.id, told.address))
        ),
        "IdentifierAllot": Interface(AllotRequest, allot),
        "IdentifierResolve": Interface(Wanted, lambda _s, asked: identifiers.resolve(asked.id)),
    }


def _of_platform(system: System) -> dict[str, Interface]:
    listing, desk = need(system.listing), need(system.contracts_desk)
    settlement = need(system.settlement)

    def search(_sender: Member, asked: Search) -> object:
        return listing.search(asked.text, limit=max(1, min(asked.limit, LONGEST_SEARCH)))

    def create(sender: Member, asked: CreateRequest) -> AllottedContract:
        return AllottedContract(contract_id=desk.create(sender, asked))

    return {
        "ProductRegister": Interface(SignedRecord, done(listing.admit)),
        "ProductWithdraw": Interface(
            Wanted, done(lambda sender, asked: listing.withdraw(sender, asked.id))
        ),
        "CatalogSearch": Interface(Search, search),
        "CatalogFetch": Interface(Wanted, lambda _sender, asked: listing.fetch(asked.id)),
        "ContractCreate": Interface(CreateRequest, create),
        "ContractRegistrate": Interface(Filing, desk.file),
        "ContractTerminate": Interface(TerminationNotice, done(desk.terminated)),
        "ReceiptDeposit": Interface(Receipt, done(settlement.deposit)),
    }


def _of_connector(system: System) -> dict[str, Interface]:
    contracts, compute, usage = need(system.contracts), need(system.compute), need(system.usage)
    catalog, desk = need(system.catalog), need(system.settlement_desk)

    def renew(sender: Member, asked: OfUse) -> None:
        compute.renew_loan(sender, asked.use_id, asked.contract)

    return {
        "ProductReviewed": Interface(ReviewNotice, done(catalog.reviewed)),
        "ContractNegotiate": Interface(Negotiation, done(contracts.receive)),
        "ContractSignature": Interface(SignatureNotice, done(contracts.receive_signature)),
        "ContractFiled": Interface(Filed, done(contracts.filed)),
        "ContractTerminate": Interface(TerminationNotice, done(contracts.receive_termination)),
        "UseQuery": Interface(UseRequest, compute.run),
        "UseLend": Interface(LendRequest, compute.lend),
        "UseRenew": Interface(OfUse, done(renew)),
        "UseRelease": Interface(Release, compute.release),
        "ReceiptCountersign": Interface(Receipt, done(usage.countersigned)),
        "StatementIssued": Interface(SignedStatement, done(desk.receive)),
    }
