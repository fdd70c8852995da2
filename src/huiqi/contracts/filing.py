"""Does a filed agreement hold together, as far as its documents show?"""

from huiqi.catalog.types import ProductRecord
from huiqi.contracts.agreements import POINT_TO_POINT, VERSION
from huiqi.contracts.errors import (
    AgreementUnreadable,
    EditedAgreement,
    MissingSignature,
    NotAllotted,
    ProductNotOffered,
    SameParty,
    WrongParty,
)
from huiqi.contracts.messages import STATUS_FILED, STATUS_REFUSED
from huiqi.contracts.opening import column_names, column_types, consumer_of, provider_of
from huiqi.contracts.states import TABLE, Message, Sender
from huiqi.contracts.types import (
    Agreement,
    AgreementBody,
    Allotment,
    Contract,
    ContractStatus,
    Filed,
    Filing,
    PartyRole,
    PartySignature,
)
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.digests import digests
from huiqi.trust.types import Member


def check_identity(body: AgreementBody, filing: Filing, allotment: Allotment) -> None:
    """Accept an agreement for the identifier, product and provider it was allotted for.

    Raises:
        AgreementUnreadable: another version or sign mode.
        NotAllotted: another identifier, product or provider.
    """
    if (body.v, body.sign_mode) != (VERSION, POINT_TO_POINT):
        raise AgreementUnreadable(what="version")
    request = allotment.request
    if (body.contract_id, body.product) != (filing.contract_id, request.product):
        raise NotAllotted(contract=filing.contract_id)


def check_parties(body: AgreementBody, consumer: Member, allotment: Allotment) -> None:
    """Accept one provider and one consumer, distinct, as they were named at the beginning.

    Raises:
        WrongParty: other roles, or not the sender and the provider of the allotment.
        SameParty: one organisation or one system on both sides.
    """
    contract = body.contract_id
    roles = tuple(party.role for party in body.parties)
    if roles != (PartyRole.PROVIDER, PartyRole.CONSUMER):
        raise WrongParty(contract=contract, what="roles")
    first, second = body.parties
    if first.subject == second.subject or first.node == second.node:
        raise SameParty
    if second != consumer_of(consumer):
        raise WrongParty(contract=contract, what="consumer")
    request = allotment.request
    if (first.subject, first.node) != (request.provider, request.provider_node):
        raise WrongParty(contract=contract, what="provider")


def check_listing(body: AgreementBody, record: ProductRecord, digest: str) -> None:
    """Accept an agreement about exactly what is listed.

    Raises:
        ProductNotOffered: another digest.
        WrongParty: another provider, table or name than the listing has.
    """
    if digest != body.product_digest:
        raise ProductNotOffered(product=body.product)
    stated = (body.parties[0], body.table, body.product_name)
    if stated != (provider_of(record), record.table, record.name):
        raise WrongParty(contract=body.contract_id, what="listing")


def check_signatories(body: AgreementBody, signatures: tuple[PartySignature, ...]) -> None:
    """Accept exactly one signature for each party, in its own name.

    Raises:
        MissingSignature: one is missing, twice there, or somebody else's.
    """
    named = tuple((each.role, each.node, each.subject) for each in signatures)
    wanted = tuple((party.role, party.node, party.subject) for party in body.parties)
    if sorted(named) != sorted(wanted):
        raise MissingSignature(contract=body.contract_id)


def as_filed(
    body: AgreementBody, filing: Filing, record: ProductRecord, *, sign_time: str
) -> Contract:
    """The platform's contract while it is about to sign: both parties have, the platform has not.

    ``complete`` by the party that signed last is the step that leads here.
    """
    marks = digests(filing.body)
    signatures = tuple(sorted(filing.signatures, key=lambda each: each.role.value))
    last = max(signatures, key=lambda each: each.sign_time)
    provider, consumer = body.parties
    return Contract(
        id=body.contract_id,
        status=TABLE.step(ContractStatus.SIGNING, Message.COMPLETE, Sender(last.role.value)),
        mine=PartyRole.OTHER,
        provider=provider,
        consumer=consumer,
        product=body.product,
        product_name=body.product_name,
        product_digest=body.product_digest,
        table=body.table,
        proposals=(),
        agreement=Agreement(
            body=filing.body, sm3=marks.sm3, sha256=marks.sha256, signatures=signatures
        ),
        created_at=parse_instant(body.create_time),
        ends_at=parse_instant(body.indate),
        waiting_for=PartyRole.OTHER.value,
        suite=body.suite,
        space=body.space,
        columns=column_names(record),
        types=column_types(record),
        listed=record.terms,
        agreed=body.terms,
        intent_at=sign_time,
    )


def answer_of(contract: Contract) -> Filed:
    """What the parties are told of a filed contract; always the same for one contract.

    Raises:
        EditedAgreement: the contract holds no signature of the platform.
    """
    platform = contract.signature_of(PartyRole.OTHER)
    if contract.agreement is None or platform is None:
        raise EditedAgreement(contract=contract.id)
    return Filed(
        contract_id=contract.id,
        status=STATUS_FILED,
        sm3=contract.agreement.sm3,
        signatures=contract.agreement.signatures,
        filed_at=platform.sign_time,
    )


def refusal_of(filing: Filing, sm3: str, reason: str) -> Filed:
    """What the provider is told of an agreement that was not filed."""
    return Filed(contract_id=filing.contract_id, status=STATUS_REFUSED, sm3=sm3, reason=reason)
