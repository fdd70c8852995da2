"""How does the platform give out identifiers and file what two parties signed?"""

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from huiqi.catalog.types import ProductRecord
from huiqi.contracts.agreements import check_period, check_sign_time, read_body, signed_bytes
from huiqi.contracts.errors import (
    AgreementOver,
    ConflictingFiling,
    FilingRefused,
    NotAllotted,
    PartyNotMember,
    ProductNotOffered,
    WrongParty,
)
from huiqi.contracts.filing import (
    answer_of,
    as_filed,
    check_identity,
    check_listing,
    check_parties,
    check_signatories,
    refusal_of,
)
from huiqi.contracts.messages import to_provider
from huiqi.contracts.ports import ContractStore
from huiqi.contracts.service.books import Books, is_party, role_of
from huiqi.contracts.signatures import filed_by
from huiqi.contracts.states import Message, Sender
from huiqi.contracts.types import (
    AgreementBody,
    Allotment,
    Contract,
    ContractStatus,
    CreateRequest,
    Filed,
    Filing,
    Party,
    PartyRole,
    PartySignature,
    TerminationNotice,
)
from huiqi.kernel.clock import Clock, iso, parse_instant
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import HuiqiError, IllegalStep, MissingError, UnavailableError
from huiqi.kernel.ids import ContractId, IdSource, check_contract_id, contract_id
from huiqi.kernel.steps import reached
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.trust.types import Member, SystemKind

if TYPE_CHECKING:
    from huiqi.catalog.service import Listing
    from huiqi.policy.service import Policies
    from huiqi.trust.service import Trust


class ContractsDesk(Books):
    """The platform's side: allots identifiers, files agreements as third signatory, notes ends."""

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
        listing: "Listing",
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
        self._listing = listing

    def create(self, sender: Member, request: CreateRequest) -> ContractId:
        """An identifier for a new contract; the same request gets the same one again.

        Raises:
            WrongParty: the request names another issuer than its sender, or it is no connector.
        """
        stated = (request.issuer_id, request.issuer_entity_id)
        if sender.kind is not SystemKind.CONNECTOR or stated != (sender.id, sender.subject):
            raise WrongParty(contract=request.key[:36], what="issuer")
        platform = self._trust.me().id
        now = self._clock.now()

        def verb(tx: Tx) -> ContractId:
            known = self._store.allotment_for(self._scope, tx, sender.id, request.key)
            if known is not None:
                return known.id
            fresh = contract_id(platform=platform, at=now, random=self._ids.random_code())
            allotment = Allotment(id=fresh, request=request, at=now)
            self._store.put_allotment(self._scope, tx, allotment)
            details = {"product": request.product, "provider": request.provider_node}
            self._record(tx, "ContractAllotted", fresh, actor=sender.id, details=details)
            return fresh

        return self._work.run(verb)

    def file(self, sender: Member, filing: Filing) -> Filed:
        """File a signed agreement as third signatory; the same filing gets the same answer again.

        1. the identifier is genuine and was allotted to the sender 2. a repeat, or a text that
        was refused before 3. canonical form 4. parties distinct, members, in good standing
        5. product listed with that digest 6. times fit, exactly both signatures 7. terms known,
        consistent, enforceable 8. both signatures genuine 9. record SigningIntended, commit
        10. sign 11. record ContractFiled, tell the provider. What fails in 3 to 8 is recorded as
        FilingRefused and told to the provider; the refusal is final for that text.

        Raises:
            WrongIdentifier, NotAllotted, ConflictingFiling, FilingRefused, IllegalStep,
            AgreementUnreadable, WrongParty, SameParty, PartyNotMember, ProductNotOffered,
            InvalidTerms, NotSignable, ImplausibleTime, AgreementOver, MissingSignature,
            WrongSuite, ForgedSignature.
        """
        # 1
        allotment = self._allotment(sender, filing.contract_id)
        sm3 = sm3_hex(filing.body)
        # 2
        contract = self._work.read(lambda tx: self._store.get(self._scope, tx, filing.contract_id))
        if contract is None:
            self._check_open(allotment, sm3)
            contract = self._intended(sender, filing, allotment)
        elif contract.agreement is None or contract.agreement.sm3 != sm3:
            raise ConflictingFiling(contract=contract.id)
        return answer_of(self._finish(contract))

    def terminated(self, sender: Member, notice: TerminationNotice) -> None:
        """Take a party's termination, before or after the filing; a repeat changes nothing.

        Raises:
            WrongIdentifier, NotAllotted, WrongParty, WrongText, ImplausibleTime, ForgedSignature.
        """
        self._check_notice(sender, notice)

        def verb(tx: Tx) -> None:
            held = self._store.get(self._scope, tx, notice.contract_id)
            if held is None:
                self._end_allotment(tx, sender, notice)
            elif held.status is not ContractStatus.TERMINATED:
                self._end(tx, held, notice, role_of(held, sender))

        self._work.run(verb)

    def recover(self) -> int:
        """Sign and file what was intended but not finished; how many. Call it at start."""
        unfinished = self.contracts(status=ContractStatus.SIGNED.value)
        for contract in unfinished:
            self._finish(contract)
        return len(unfinished)

    def _allotment(self, sender: Member, wanted: str) -> Allotment:
        check_contract_id(wanted)
        found = self._work.read(lambda tx: self._store.allotment(self._scope, tx, wanted))
        if found is None or found.request.issuer_id != sender.id:
            raise NotAllotted(contract=wanted)
        return found

    def _check_open(self, allotment: Allotment, sm3: str) -> None:
        if sm3 in allotment.refused:
            raise FilingRefused(contract=allotment.id, reason=allotment.refused[sm3])
        if allotment.ended_at is not None:
            raise IllegalStep(
                state=ContractStatus.TERMINATED.value,
                message=Message.FILE.value,
                sender=Sender.PLATFORM.value,
            )

    def _intended(self, sender: Member, filing: Filing, allotment: Allotment) -> Contract:
        """Steps 3 to 9."""
        try:
            body, record = self._checked(sender, filing, allotment)
        except UnavailableError:
            raise
        except HuiqiError as refusal:
            sm3, reason = sm3_hex(filing.body), refusal.text("zh")
            me = self._trust.me().id
            self._work.run(lambda tx: self._refuse(tx, filing, (sm3, reason), me))
            raise
        # 9
        latest = max(parse_instant(each.sign_time) for each in filing.signatures)
        sign_time = iso(max(self._clock.now(), latest))
        contract = as_filed(body, filing, record, sign_time=sign_time)
        me = self._trust.me().id
        return self._work.run(lambda tx: self._intend(tx, contract, me))

    def _checked(
        self, sender: Member, filing: Filing, allotment: Allotment
    ) -> tuple[AgreementBody, ProductRecord]:
        now = self._clock.now()
        # 3
        body = read_body(filing.body)
        check_identity(body, filing, allotment)
        if body.space != self._scope.space:
            raise WrongParty(contract=body.contract_id, what="space")
        # 4
        check_parties(body, sender, allotment)
        members = {party.role: self._member(party) for party in body.parties}
        # 5
        record = self._listed(body)
        # 6
        check_period(body, now)
        if parse_instant(body.indate) <= now:
            raise AgreementOver(contract=body.contract_id)
        check_signatories(body, filing.signatures)
        for each in filing.signatures:
            check_sign_time(body, each.sign_time, now)
        # 7
        draft = as_filed(body, filing, record, sign_time="")
        self._check_signable(draft)
        # 8
        for each in filing.signatures:
            self._check_signature(draft, filing.body, members[each.role], each)
        return body, record

    def _member(self, party: Party) -> Member:
        """The member behind ``party``.

        Raises:
            PartyNotMember: unknown here, another organisation, no connector, or suspended.
        """
        try:
            member = self._trust.member(party.node)
        except MissingError as error:
            raise PartyNotMember(party=party.name[:128]) from error
        good = member.kind is SystemKind.CONNECTOR and is_party(member, party)
        if not good or self._trust.standing(member.id) != "active":
            raise PartyNotMember(party=party.name[:128])
        return member

    def _listed(self, body: AgreementBody) -> ProductRecord:
        try:
            digest = sm3_hex(self._listing.fetch(body.product).body)
            record = self._listing.product(body.product).record
        except MissingError as error:
            raise ProductNotOffered(product=body.product[:80]) from error
        check_listing(body, record, digest)
        return record

    def _refuse(self, tx: Tx, filing: Filing, why: tuple[str, str], me: str) -> None:
        sm3, reason = why
        allotment = self._store.allotment(self._scope, tx, filing.contract_id)
        if allotment is None or sm3 in allotment.refused:
            return
        refused = {**allotment.refused, sm3: reason}
        self._store.put_allotment(self._scope, tx, replace(allotment, refused=refused))
        self._record(
            tx,
            "FilingRefused",
            allotment.id,
            actor=me,
            details={"sm3": sm3, "status": "1"},
            document=filing.body,
        )
        provider = allotment.request.provider_node
        tx.send(to_provider(refusal_of(filing, sm3, reason), provider))

    def _intend(self, tx: Tx, contract: Contract, me: str) -> Contract:
        held = self._store.get(self._scope, tx, contract.id)
        if held is not None:  # the same filing arrived twice at once
            if held.agreement is None or contract.agreement is None:
                raise ConflictingFiling(contract=contract.id)
            if held.agreement.sm3 != contract.agreement.sm3:
                raise ConflictingFiling(contract=contract.id)
            return held
        # A termination may have arrived since step 2.
        allotment = self._store.allotment(self._scope, tx, contract.id)
        if allotment is None:
            raise NotAllotted(contract=contract.id)
        self._check_open(allotment, sm3_hex(contract.agreement.body) if contract.agreement else "")
        self._store.put(self._scope, tx, contract)
        agreement = contract.agreement
        details = {"signTime": contract.intent_at, "sm3": agreement.sm3 if agreement else ""}
        document = agreement.body if agreement else None
        self._record(
            tx, "SigningIntended", contract.id, actor=me, details=details, document=document
        )
        return contract

    def _finish(self, contract: Contract) -> Contract:
        """Steps 10 and 11; a contract that is filed already is returned as it is."""
        if contract.filed_at is not None or contract.agreement is None:
            return contract
        # 10
        me, body = self._trust.me(), contract.agreement.body
        data = signed_bytes(body, contract.id, contract.intent_at)
        signature = PartySignature(
            subject=me.subject,
            node=me.id,
            role=PartyRole.OTHER,
            sign_time=contract.intent_at,
            signature=self._trust.sign(data, contract.suite),
        )
        # 11
        filed = self._work.run(lambda tx: self._keep_filed(tx, contract.id, body, signature))
        reached("contracts.filing.kept")
        return filed

    def _keep_filed(self, tx: Tx, wanted: str, body: bytes, signature: PartySignature) -> Contract:
        held = self._held(tx, wanted)
        if held.filed_at is not None:
            return held
        filed = filed_by(held, body, signature)
        self._store.put(self._scope, tx, filed)
        details = {"sm3": sm3_hex(body), "filedAt": signature.sign_time}
        self._record(
            tx, "ContractFiled", held.id, actor=signature.node, details=details, document=body
        )
        tx.send(to_provider(answer_of(filed), filed.provider.node))
        return filed

    def _end_allotment(self, tx: Tx, sender: Member, notice: TerminationNotice) -> None:
        allotment = self._store.allotment(self._scope, tx, notice.contract_id)
        if allotment is None:
            raise NotAllotted(contract=notice.contract_id)
        request = allotment.request
        if sender.id not in {request.issuer_id, request.provider_node}:
            raise WrongParty(contract=allotment.id, what="sender")
        if allotment.ended_at is None:
            ended = replace(allotment, ended_at=self._clock.now())
            self._store.put_allotment(self._scope, tx, ended)
            self._record(
                tx,
                "ContractTerminated",
                allotment.id,
                actor=sender.id,
                details={"status": ContractStatus.INITIATED.value},
                document=msgspec.json.encode(notice),
            )
