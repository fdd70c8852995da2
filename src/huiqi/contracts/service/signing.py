"""How do both parties sign, and how does the contract come into force?"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from huiqi.contracts.agreements import (
    agreed_end,
    body_bytes,
    body_of,
    check_sign_time,
    signed_bytes,
)
from huiqi.contracts.errors import (
    AgreementOver,
    ConflictingSignature,
    EarlierMessageMissing,
    EditedAgreement,
    MissingSignature,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.messages import FILING, SIGNATURE, STATUS_FILED, to_peer, to_platform
from huiqi.contracts.negotiation import LONGEST_REASON, next_at, replaced
from huiqi.contracts.service.books import role_of
from huiqi.contracts.service.negotiating import Negotiating
from huiqi.contracts.signatures import (
    check_may_sign,
    failed_for,
    filed_by,
    filing_of,
    notice_of,
    signed_by,
)
from huiqi.contracts.states import TABLE, Message, Sender
from huiqi.contracts.types import (
    Contract,
    ContractStatus,
    Filed,
    PartyRole,
    PartySignature,
    SignatureNotice,
)
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.steps import reached
from huiqi.kernel.work import Tx
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import Member

# Who signs while a colleague does joins that signing; what is older than this was cut off, and
# its time would no longer be the truth.
JOINED = timedelta(seconds=60)
_UNAGREED = (ContractStatus.INITIATED, ContractStatus.NEGOTIATING)


class Signing(Negotiating):
    """Signatures of the parties, the filing that the consumer sends, and what comes of it."""

    def sign(self, id: str, *, by: str) -> Contract:  # noqa: A002 - the name in the interface
        """Sign the agreement for one's own side; ``by`` names the person for the log.

        A contract that is signed already is returned as it is.

        1. refuse what cannot be signed 2. record SigningIntended with the sign time, commit
        3. sign 4. record AgreementSigned, send the signature to the other party, and the filing
        to the platform when it is complete and I am the consumer

        Raises:
            UnknownContract, IllegalStep: there is nothing to sign now.
            AgreementOver: the agreed period is over.
            InvalidTerms, NotSignable: a term is unknown, contradictory or cannot be enforced.
            EditedAgreement: what the other party signed is not what was negotiated.
            ProductNotOffered: one's own product was withdrawn or changed.
        """
        # 1
        contract = self.contract(id)
        if contract.signature_of(contract.mine) is not None and not _failed(contract):
            return contract
        self._check_ready(contract)
        # 2
        intended = self._work.run(lambda tx: self._intend(tx, contract, by))
        reached("contracts.sign.intent")
        return self._finish(intended, by)

    def recover(self) -> int:
        """Finish the signings whose intent was recorded but whose signature was not; how many.

        Call it at start, before anything else is served.
        """
        now, done = self._clock.now(), 0
        for contract in self.contracts(status=ContractStatus.SIGNING.value):
            unsigned = contract.signature_of(contract.mine) is None
            if contract.intent_at and unsigned and agreed_end(contract) > now:
                self._finish(contract, self._trust.me().id)
                done += 1
        return done

    def receive_signature(self, sender: Member, notice: SignatureNotice) -> None:
        """Take the other party's signature; a repeat is taken silently.

        1. the sender is the party that signs 2. a repeat, or the acceptance is still under way
        3. same bytes, plausible time, genuine signature; what fails is recorded as
        SignatureRefused 4. write it down; complete: the consumer sends the filing

        Raises:
            UnknownContract, WrongParty, EarlierMessageMissing, IllegalStep, ConflictingSignature,
            EditedAgreement, WrongSuite, ForgedSignature, ImplausibleTime.
        """
        # 1
        contract = self.contract(notice.contract_id)
        given = notice.signature
        self._check_signer(contract, sender, given)
        # 2
        known = contract.signature_of(given.role)
        if known == given:
            return
        if contract.status in _UNAGREED:
            raise EarlierMessageMissing(contract=contract.id)
        if known is not None and not _failed(contract):
            raise ConflictingSignature(contract=contract.id)
        check_may_sign(contract, given.role)
        # 3
        body = body_bytes(contract)
        try:
            self._check_given(contract, body, sender, notice)
        except (EditedAgreement, WrongSuite, ForgedSignature) as error:
            document, code = msgspec.json.encode(notice), error.code
            self._work.run(lambda tx: self._note_refused(tx, notice, sender, (code, document)))
            raise
        # 4
        platform = self._trust.issuer().id
        self._work.run(lambda tx: self._take_signature(tx, notice, body, platform))
        reached("contracts.signature.kept")

    def filed(self, sender: Member, filed: Filed) -> None:
        """Take the platform's answer to the filing; a repeat is taken silently.

        1. it comes from my platform 2. a refusal of this very text makes the signing fail; after
        the end nothing changes 3. same bytes, plausible time 4. my own signature is the one I
        gave, the others are genuine 5. write it down: in force from the filing on

        Raises:
            UnknownContract, WrongParty, EarlierMessageMissing, EditedAgreement, MissingSignature,
            WrongSuite, ForgedSignature, ImplausibleTime, IllegalStep.
        """
        # 1
        contract = self.contract(filed.contract_id)
        if sender.id != self._trust.issuer().id:
            raise WrongParty(contract=contract.id, what="platform")
        # 2
        if contract.status is ContractStatus.TERMINATED:
            return
        if filed.status != STATUS_FILED:
            self._refuse(contract, filed)
            return
        if contract.status in _UNAGREED:
            raise EarlierMessageMissing(contract=contract.id)
        body = body_bytes(contract)
        # 3
        if filed.sm3 != sm3_hex(body):
            raise EditedAgreement(contract=contract.id)
        if contract.status is ContractStatus.PERFORMING:
            return
        # 4
        platform = self._check_filed(contract, body, sender, filed)
        # 5
        others = [each for each in filed.signatures if each is not platform]
        self._work.run(lambda tx: self._take_filed(tx, contract, (*others, platform)))
        reached("contracts.filed.kept")

    def refused(self, id: str, reason: str) -> None:  # noqa: A002 - the name in the interface
        """The platform refused the filing: signing has failed for ``reason``.

        Once the contract has moved on, a refusal that arrives again changes nothing.

        Raises:
            UnknownContract: it is not in these books.
        """
        platform = self._trust.issuer().id

        def verb(tx: Tx) -> None:
            held = self._held(tx, id)
            if not TABLE.allows(held.status, Message.REFUSE, Sender.PLATFORM):
                return
            self._store.put(self._scope, tx, failed_for(held, reason[:LONGEST_REASON]))
            details = {"status": held.status.value}
            self._record(tx, "FilingRefused", held.id, actor=platform, details=details)

        self._work.run(verb)

    def _refuse(self, contract: Contract, filed: Filed) -> None:
        """A refusal of another text, or of one that was negotiated anew since, changes nothing."""
        if contract.status not in _UNAGREED and filed.sm3 == sm3_hex(body_bytes(contract)):
            self.refused(contract.id, filed.reason)

    def _check_ready(self, contract: Contract) -> None:
        check_may_sign(contract, contract.mine)
        if agreed_end(contract) <= self._clock.now():
            raise AgreementOver(contract=contract.id)
        self._check_signable(contract)
        if contract.agreement is not None and contract.agreement.body != body_bytes(contract):
            raise EditedAgreement(contract=contract.id)
        if contract.mine is PartyRole.PROVIDER:
            self._offered(contract.product, contract.product_digest)

    def _intend(self, tx: Tx, seen: Contract, by: str) -> Contract:
        held = self._held(tx, seen.id)
        check_may_sign(held, held.mine)
        body = body_bytes(held)
        if body != body_bytes(seen):
            raise EditedAgreement(contract=held.id)
        if held.intent_at and self._clock.now() - parse_instant(held.intent_at) < JOINED:
            return held
        intended = replaced(held, intent_at=iso(next_at(held, self._clock.now())))
        self._store.put(self._scope, tx, intended)
        details = {"sm3": sm3_hex(body), "signTime": intended.intent_at}
        self._record(tx, "SigningIntended", held.id, actor=by, details=details, document=body)
        return intended

    def _finish(self, intended: Contract, by: str) -> Contract:
        # 3
        me, body = self._trust.me(), body_bytes(intended)
        data = signed_bytes(body, intended.id, intended.intent_at)
        signature = PartySignature(
            subject=me.subject,
            node=me.id,
            role=intended.mine,
            sign_time=intended.intent_at,
            signature=self._trust.sign(data, intended.suite),
        )
        reached("contracts.sign.signed")
        # 4
        platform = self._trust.issuer().id
        signed = self._work.run(
            lambda tx: self._keep_own(tx, intended, signature, by=by, platform=platform)
        )
        reached("contracts.signature.kept")
        return signed

    def _keep_own(
        self, tx: Tx, seen: Contract, signature: PartySignature, *, by: str, platform: str
    ) -> Contract:
        held = self._held(tx, seen.id)
        if held.signature_of(held.mine) is not None:
            return held
        signed = signed_by(held, body_bytes(seen), signature)
        if held.intent_at != signature.sign_time:
            raise ConflictingSignature(contract=held.id)
        self._store.put(self._scope, tx, signed)
        notice = notice_of(signed, signature)
        details = {"sm3": notice.sm3, "by": held.mine.value, "signTime": signature.sign_time}
        document = msgspec.json.encode(notice)
        self._record(tx, "AgreementSigned", held.id, actor=by, details=details, document=document)
        tx.send(to_peer(signed, SIGNATURE, notice))
        self._file_when_complete(tx, signed, platform)
        return signed

    def _file_when_complete(self, tx: Tx, contract: Contract, platform: str) -> None:
        if contract.status is ContractStatus.SIGNED and contract.mine is PartyRole.CONSUMER:
            tx.send(to_platform(contract.id, platform, FILING, filing_of(contract)))

    def _check_signer(self, contract: Contract, sender: Member, given: PartySignature) -> None:
        role = role_of(contract, sender)
        stated = (given.role, given.node, given.subject)
        if role is contract.mine or stated != (role, sender.id, sender.subject):
            raise WrongParty(contract=contract.id, what="signatory")

    def _check_given(
        self, contract: Contract, body: bytes, sender: Member, notice: SignatureNotice
    ) -> None:
        if notice.sm3 != sm3_hex(body):
            raise EditedAgreement(contract=contract.id)
        check_sign_time(body_of(contract), notice.signature.sign_time, self._clock.now())
        self._check_signature(contract, body, sender, notice.signature)

    def _note_refused(
        self, tx: Tx, notice: SignatureNotice, sender: Member, why: tuple[str, bytes]
    ) -> None:
        code, document = why
        details = {"code": code, "by": notice.signature.role.value}
        self._record(
            tx,
            "SignatureRefused",
            notice.contract_id,
            actor=sender.id,
            details=details,
            document=document,
        )

    def _take_signature(self, tx: Tx, notice: SignatureNotice, body: bytes, platform: str) -> None:
        held = self._held(tx, notice.contract_id)
        if held.signature_of(notice.signature.role) == notice.signature:
            return
        if body_bytes(held) != body:
            raise EditedAgreement(contract=held.id)
        self._add_signature(tx, held, body, notice.signature, platform)

    def _add_signature(
        self, tx: Tx, held: Contract, body: bytes, given: PartySignature, platform: str
    ) -> Contract:
        signed = signed_by(held, body, given)
        self._store.put(self._scope, tx, signed)
        notice = notice_of(signed, given)
        self._record(
            tx,
            "SignatureReceived",
            held.id,
            actor=given.node,
            details={"sm3": notice.sm3, "by": given.role.value, "signTime": given.sign_time},
            document=msgspec.json.encode(notice),
        )
        self._file_when_complete(tx, signed, platform)
        return signed

    def _check_filed(
        self, contract: Contract, body: bytes, sender: Member, filed: Filed
    ) -> PartySignature:
        """The platform's signature, once all three are what they must be."""
        found = {each.role: each for each in filed.signatures}
        wanted = {PartyRole.PROVIDER, PartyRole.CONSUMER, PartyRole.OTHER}
        if len(filed.signatures) != len(wanted) or set(found) != wanted:
            raise MissingSignature(contract=contract.id)
        if contract.signature_of(contract.mine) != found[contract.mine]:
            raise EditedAgreement(contract=contract.id)
        peer = found[contract.peer.role]
        if contract.signature_of(peer.role) != peer:
            member = self._trust.member(contract.peer.node)
            self._check_signer(contract, member, peer)
            check_sign_time(body_of(contract), peer.sign_time, self._clock.now())
            self._check_signature(contract, body, member, peer)
        platform = found[PartyRole.OTHER]
        if (platform.node, platform.sign_time) != (sender.id, filed.filed_at):
            raise WrongParty(contract=contract.id, what="platform")
        check_sign_time(body_of(contract), platform.sign_time, self._clock.now())
        self._check_signature(contract, body, sender, platform)
        return platform

    def _take_filed(self, tx: Tx, seen: Contract, signatures: Sequence[PartySignature]) -> None:
        """Write down a missing signature of the other party first, then the filing."""
        held = self._held(tx, seen.id)
        if held.status in {ContractStatus.PERFORMING, ContractStatus.TERMINATED}:
            return
        body = body_bytes(held)
        if body != body_bytes(seen):
            raise EditedAgreement(contract=held.id)
        *parties, platform = signatures
        for each in parties:
            if held.signature_of(each.role) is None:
                held = self._add_signature(tx, held, body, each, platform.node)
        in_force = filed_by(held, body, platform)
        self._store.put(self._scope, tx, in_force)
        self._record(
            tx,
            "ContractFiled",
            held.id,
            actor=platform.node,
            details={"sm3": sm3_hex(body), "filedAt": platform.sign_time},
            document=body,
        )


def _failed(contract: Contract) -> bool:
    return contract.status is ContractStatus.SIGNING_FAILED
