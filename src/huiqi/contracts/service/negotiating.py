"""How do two connectors come to terms?"""

from typing import TYPE_CHECKING

from huiqi.catalog.types import ProductRecord, ProductState
from huiqi.contracts.agreements import POINT_TO_POINT, terms_digest
from huiqi.contracts.errors import (
    ConflictingRound,
    EarlierMessageMissing,
    NotAllotted,
    ProductNotOffered,
    SameParty,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.messages import round_to_peer
from huiqi.contracts.negotiation import (
    after,
    check_arrived,
    check_content,
    check_frame,
    check_move,
    check_note,
    check_reason,
    is_repeat,
    next_at,
    proposal_bytes,
    proposing,
    replaced,
)
from huiqi.contracts.opening import (
    column_names,
    column_types,
    consumer_of,
    frame_of,
    frame_received,
    opened,
    provider_of,
)
from huiqi.contracts.ports import ContractStore, PlatformContracts
from huiqi.contracts.service.books import Books, role_of
from huiqi.contracts.types import (
    Contract,
    CreateRequest,
    Negotiation,
    PartyRole,
    Proposal,
    ProposalKind,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import Clock, iso
from huiqi.kernel.errors import MissingError
from huiqi.kernel.ids import ContractId, IdSource, check_contract_id
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.policy.types import Terms
from huiqi.trust.errors import UnknownSuite
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE, Member

if TYPE_CHECKING:
    from huiqi.catalog.service import Catalog
    from huiqi.policy.service import Policies
    from huiqi.trust.service import Trust

SUITES = (NATIONAL_SUITE, INTERNATIONAL_SUITE)
# Characters 2 to 24 of a contract identifier are the first 23 of its platform's (T14 B.2.2).
_PLATFORM_PART = 23
_FACTS = {
    ProposalKind.REQUEST: "OfferCountered",
    ProposalKind.OFFER: "OfferCountered",
    ProposalKind.ACCEPT: "OfferAccepted",
    ProposalKind.DECLINE: "OfferDeclined",
}


class Negotiating(Books):
    """The rounds of a contract, at the provider's and at the consumer's side."""

    def __init__(  # noqa: PLR0913 - the parts that bootstrap plugs together
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: ContractStore,
        policies: "Policies",
        trust: "Trust",
        catalog: "Catalog",
        platform: PlatformContracts,
    ) -> None:
        super().__init__(
            scope=scope,
            work=work,
            clock=clock,
            ids=ids,
            store=store,
            policies=policies,
            trust=trust,
        )
        self._catalog, self._platform = catalog, platform

    def request(
        self,
        product: str,
        terms: Terms | None = None,
        *,
        note: str = "",
        suite: str = NATIONAL_SUITE,
    ) -> Contract:
        """Ask the provider of ``product`` for a contract; None means the listed terms.

        The identifier comes from the platform; the first round leaves through the outbox.

        Raises:
            InvalidTerms: a term is unknown or contradicts another.
            SameParty: the product is one's own.
            UnknownSuite, WrongText: ``suite`` is not ours, ``note`` is too long.
            UnavailableError: the platform does not answer now.
        """
        check_note(note)
        check_suite(suite)
        me = self._trust.me()
        record, digest = self._catalog.fetch(product)
        if me.subject == record.provider or me.id == record.provider_node:
            raise SameParty
        wanted = record.terms if terms is None else self._policies.normalised(terms)
        self._check_terms(wanted, column_names(record), column_types(record))
        contract_id = self._allotted(record)
        consumer, space = consumer_of(me), self._scope.space
        frame = frame_of(contract_id, record, digest, consumer=consumer, space=space)
        frame = replaced(frame, suite=suite)
        proposal = self._proposal(frame, ProposalKind.REQUEST, wanted, note)
        return self._work.run(lambda tx: self._open(tx, frame, proposal))

    def counter(self, id: str, terms: Terms, *, note: str = "") -> Contract:  # noqa: A002 - the name in the interface
        """Answer with other terms; only the party whose turn it is can.

        Raises:
            UnknownContract, IllegalStep, NotYourTurn: there is nothing to answer now.
            InvalidTerms: a term is unknown or contradicts another.
            WrongText: ``note`` is too long.
        """
        check_note(note)
        contract = self.contract(id)
        check_move(contract, proposing(contract.mine), contract.mine)
        wanted = self._policies.normalised(terms)
        self._check_terms(wanted, contract.columns, contract.types)
        return self._propose(contract, proposing(contract.mine), wanted, note)

    def accept(self, id: str) -> Contract:  # noqa: A002 - the name in the interface
        """Agree to the terms on the table; the period runs from this moment.

        Raises:
            UnknownContract, IllegalStep, NotYourTurn: there is nothing to accept now.
            InvalidTerms: a term is unknown or contradicts another.
            ProductNotOffered: one's own product was withdrawn or changed.
        """
        contract = self.contract(id)
        check_move(contract, ProposalKind.ACCEPT, contract.mine)
        self._check_terms(contract.terms, contract.columns, contract.types)
        if contract.mine is PartyRole.PROVIDER:
            self._offered(contract.product, contract.product_digest)
        return self._propose(contract, ProposalKind.ACCEPT, contract.terms, "")

    def decline(self, id: str, *, reason: str) -> Contract:  # noqa: A002 - the name in the interface
        """Answer that there will be no contract.

        Raises:
            UnknownContract, IllegalStep, NotYourTurn: there is nothing to decline now.
            WrongText: no reason, or one over 256 characters.
        """
        check_reason(reason)
        contract = self.contract(id)
        check_move(contract, ProposalKind.DECLINE, contract.mine)
        return self._propose(contract, ProposalKind.DECLINE, contract.terms, reason)

    def receive(self, sender: Member, negotiation: Negotiation) -> None:
        """Take a round of the other party; a repeat is taken silently.

        1. find the contract, or open it at a first request 2. check that the sender is the party
        that proposes, about the same thing 3. take a repeat for what it is 4. check turn, digest
        and time 5. verify the signature 6. check the terms 7. write it down

        Raises:
            WrongParty, ConflictingRound, EarlierMessageMissing, IllegalStep, NotYourTurn,
            EditedTerms, ImplausibleTime, ForgedSignature, InvalidTerms, ProductNotOffered.
        """
        proposal = negotiation.proposal
        # 1
        known = self._find(negotiation.contract_id)
        frame = known or self._first_frame(sender, negotiation)
        # 2
        if role_of(frame, sender) is not proposal.by or proposal.by is frame.mine:
            raise WrongParty(contract=frame.id, what="by")
        check_frame(frame, negotiation)
        # 3
        if is_repeat(frame, proposal):
            return
        # 4
        now = self._clock.now()
        if known is None:
            check_content(frame.id, proposal, now)
        else:
            check_arrived(frame, proposal, now)
        # 5
        self._check_proposal(frame, sender, proposal)
        # 6
        if proposal.kind is not ProposalKind.DECLINE:
            self._check_terms(proposal.terms, frame.columns, frame.types)
        # 7
        self._work.run(lambda tx: self._take(tx, frame, proposal))

    def _find(self, contract_id: str) -> Contract | None:
        return self._work.read(lambda tx: self._store.get(self._scope, tx, contract_id))

    def _allotted(self, record: ProductRecord) -> ContractId:
        me = self._trust.me()
        allotted = self._platform.create(
            CreateRequest(
                key=self._ids.uuid(),
                product=record.id,
                provider=record.provider,
                provider_node=record.provider_node,
                issuer_id=me.id,
                issuer_entity_id=me.subject,
                issue_time=iso(self._clock.now()),
                sign_mode=POINT_TO_POINT,
            )
        )
        self._check_allotted(allotted)
        return allotted

    def _check_allotted(self, contract_id: str) -> None:
        check_contract_id(contract_id)
        if contract_id[1 : 1 + _PLATFORM_PART] != self._trust.issuer().id[:_PLATFORM_PART]:
            raise NotAllotted(contract=contract_id)

    def _first_frame(self, sender: Member, message: Negotiation) -> Contract:
        """The provider's contract before its first round.

        Raises:
            EarlierMessageMissing: this is not a first round.
            WrongParty: it is not for me, not from the consumer, or about another space.
            ProductNotOffered: my product is not listed with that content.
        """
        if message.proposal.round != 1:
            raise EarlierMessageMissing(contract=message.contract_id[:80])
        self._check_allotted(message.contract_id)
        check_suite(message.suite)
        if message.proposal.kind is not ProposalKind.REQUEST:
            raise WrongParty(contract=message.contract_id, what="kind")
        record = self._offered(message.product, message.product_digest)
        expected = (
            ("consumer", consumer_of(sender), message.consumer),
            ("provider", provider_of(record), message.provider),
            ("node", self._trust.me().id, message.provider.node),
            ("space", self._scope.space, message.space),
            ("table", record.table, message.table),
            ("product_name", record.name, message.product_name),
        )
        for what, ours, theirs in expected:
            if ours != theirs:
                raise WrongParty(contract=message.contract_id, what=what)
        columns, types = column_names(record), column_types(record)
        return frame_received(message, columns=columns, listed=record.terms, types=types)

    def _offered(self, product: str, digest: str) -> ProductRecord:
        try:
            state = self._catalog.product(product).state
            record, known = self._catalog.fetch(product)
        except MissingError as error:
            raise ProductNotOffered(product=product[:80]) from error
        if state is ProductState.REVIEWING and known == digest:
            # The platform lists it already; its notice to us is still under way.
            raise EarlierMessageMissing(contract=product)
        if state is not ProductState.LISTED or known != digest:
            raise ProductNotOffered(product=product)
        return record

    def _proposal(
        self, contract: Contract, kind: ProposalKind, terms: Terms, note: str
    ) -> Proposal:
        number, digest = len(contract.proposals) + 1, terms_digest(terms)
        data = proposal_bytes(contract.id, number, kind, digest)
        return Proposal(
            round=number,
            kind=kind,
            by=contract.mine,
            terms=terms,
            note=note,
            at=next_at(contract, self._clock.now()),
            digest=digest,
            signature=self._trust.sign(data, contract.suite),
        )

    def _check_proposal(self, frame: Contract, sender: Member, proposal: Proposal) -> None:
        if proposal.signature.suite != frame.suite:
            raise WrongSuite(contract=frame.id, suite=frame.suite)
        data = proposal_bytes(frame.id, proposal.round, proposal.kind, proposal.digest)
        self._trust.verify(sender, data, proposal.signature)

    def _propose(self, contract: Contract, kind: ProposalKind, terms: Terms, note: str) -> Contract:
        proposal = self._proposal(contract, kind, terms, note)

        def verb(tx: Tx) -> Contract:
            held = self._held(tx, contract.id)
            if len(held.proposals) != len(contract.proposals):
                raise ConflictingRound(contract=held.id, round=proposal.round)
            moved = self._moved(tx, held, proposal)
            tx.send(round_to_peer(moved, proposal))
            return moved

        return self._work.run(verb)

    def _take(self, tx: Tx, frame: Contract, proposal: Proposal) -> None:
        held = self._store.get(self._scope, tx, frame.id)
        if held is None:
            self._keep_first(tx, frame, proposal)
            return
        # Another thread may have taken a round since the checks.
        if not is_repeat(held, proposal):
            self._moved(tx, held, proposal)

    def _open(self, tx: Tx, frame: Contract, proposal: Proposal) -> Contract:
        contract = self._keep_first(tx, frame, proposal)
        tx.send(round_to_peer(contract, proposal))
        return contract

    def _keep_first(self, tx: Tx, frame: Contract, proposal: Proposal) -> Contract:
        contract = opened(frame, proposal)
        self._store.put(self._scope, tx, contract)
        self._record_round(tx, "OfferMade", contract, proposal)
        return contract

    def _moved(self, tx: Tx, held: Contract, proposal: Proposal) -> Contract:
        moved = after(held, proposal)
        self._store.put(self._scope, tx, moved)
        self._record_round(tx, _FACTS[proposal.kind], moved, proposal)
        return moved

    def _record_round(self, tx: Tx, kind: str, contract: Contract, proposal: Proposal) -> None:
        self._record(
            tx,
            kind,
            contract.id,
            actor=contract.party(proposal.by).node,
            details={"round": proposal.round, "by": proposal.by.value, "digest": proposal.digest},
            document=canonical_bytes(proposal.terms),
        )


def check_suite(suite: str) -> None:
    """Accept a crypto suite that contracts may name.

    Raises:
        UnknownSuite: it is not one of ours.
    """
    if suite not in SUITES:
        raise UnknownSuite(suite=suite[:40])
