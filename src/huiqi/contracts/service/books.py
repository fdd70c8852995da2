"""What do the verbs of a connector and of the platform have in common?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from huiqi.contracts.agreements import CLOCK_TOLERANCE, read_time, signed_bytes, voucher_bytes
from huiqi.contracts.errors import (
    ImplausibleTime,
    InvalidTerms,
    NotSignable,
    UnknownContract,
    WrongParty,
    WrongSuite,
)
from huiqi.contracts.negotiation import check_reason, day_findings, replaced
from huiqi.contracts.ports import ContractStore
from huiqi.contracts.states import TABLE, Message, Sender, sender_of
from huiqi.contracts.types import (
    Contract,
    Party,
    PartyRole,
    PartySignature,
    TerminationNotice,
)
from huiqi.kernel.clock import Clock, iso
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import IdSource, check_contract_id
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.policy.types import Terms
from huiqi.trust.types import Member

if TYPE_CHECKING:
    from huiqi.policy.service import Policies
    from huiqi.trust.service import Trust

# vocab/terminate_type
EARLY, EXPIRED = "01", "02"


class Books:
    """The contracts of one participant, and what every verb needs around them."""

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
    ) -> None:
        self._scope, self._work, self._clock, self._ids = scope, work, clock, ids
        self._store, self._policies, self._trust = store, policies, trust

    def contract(self, id: str) -> Contract:  # noqa: A002 - the name in the interface
        """The contract of that identifier.

        Raises:
            UnknownContract: it is not in these books.
        """
        return self._work.read(lambda tx: self._held(tx, id))

    def contracts(
        self, *, status: str | None = None, product: str | None = None
    ) -> Sequence[Contract]:
        """The contracts in ``status``, about ``product``, or all; newest first."""

        def query(tx: Tx) -> Sequence[Contract]:
            if product is not None:
                found = self._store.of_product(self._scope, tx, product)
                return [each for each in found if status in {None, each.status.value}]
            if status is not None:
                return self._store.in_status(self._scope, tx, status)
            return self._store.all(self._scope, tx)

        return self._work.read(query)

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Every kept agreement as (where, SHA-256 that was recorded, bytes), for checking."""
        for contract in self.contracts():
            if contract.agreement is not None:
                where = f"contracts/{contract.id}/agreement"
                yield where, contract.agreement.sha256, contract.agreement.body

    def expire_due(self) -> int:
        """End the contracts whose agreed period is over (end type 02); how many."""
        now = self._clock.now()
        due = self._work.read(lambda tx: self._store.past_end(self._scope, tx, now))
        if not due:
            return 0
        me = self._trust.me().id
        return sum(self._expire(each.id, me) for each in due)

    def _expire(self, contract_id: str, me: str) -> int:
        return self._work.run(lambda tx: self._expired(tx, contract_id, me))

    def _expired(self, tx: Tx, contract_id: str, me: str) -> int:
        contract = self._held(tx, contract_id)
        if contract.ends_at is None or contract.ends_at > self._clock.now():
            return 0
        if not TABLE.allows(contract.status, Message.EXPIRE, Sender.CLOCK):
            return 0
        over = replaced(
            contract,
            status=TABLE.step(contract.status, Message.EXPIRE, Sender.CLOCK),
            ended_at=contract.ends_at,
            end_type=EXPIRED,
        )
        self._store.put(self._scope, tx, over)
        details = {"endsAt": iso(contract.ends_at), "status": contract.status.value}
        self._record(tx, "ContractExpired", contract.id, actor=me, details=details)
        return 1

    def _held(self, tx: Tx, contract_id: str) -> Contract:
        found = self._store.get(self._scope, tx, contract_id)
        if found is None:
            raise UnknownContract(contract=contract_id[:80])
        return found

    def _record(
        self,
        tx: Tx,
        kind: str,
        contract_id: str,
        *,
        actor: str,
        details: Mapping[str, str | int] | None = None,
        document: bytes | None = None,
    ) -> None:
        tx.record(
            Fact(
                kind=kind,
                subject=contract_id,
                actor=actor,
                at=self._clock.now(),
                details=details or {},
                document=document,
            )
        )

    def _check_terms(self, terms: Terms, columns: Sequence[str], types: Mapping[str, str]) -> None:
        found = (*day_findings(terms), *self._policies.check(terms, columns=columns, types=types))
        errors = [each for each in found if each.severity == "error"]
        if errors:
            raise InvalidTerms(errors)

    def _check_signable(self, contract: Contract) -> None:
        terms, columns, types = contract.terms, contract.columns, contract.types
        self._check_terms(terms, columns, types)
        report = self._policies.report(
            terms, columns=columns, node=contract.provider.node, types=types
        )
        if not report.signable:
            raise NotSignable(contract=contract.id, findings=report.findings)

    def _check_signature(
        self, contract: Contract, body: bytes, signer: Member, given: PartySignature
    ) -> None:
        """Accept ``given`` as a signature of ``signer`` over ``body``.

        Raises:
            WrongSuite: made with another suite than the contract names.
            ForgedSignature: it does not verify.
        """
        if given.signature.suite != contract.suite:
            raise WrongSuite(contract=contract.id, suite=contract.suite)
        data = signed_bytes(body, contract.id, given.sign_time)
        self._trust.verify(signer, data, given.signature)

    def _check_notice(self, sender: Member, notice: TerminationNotice) -> None:
        """Accept a termination that ``sender`` itself declares and signed.

        Raises:
            WrongIdentifier, WrongParty, WrongText, ImplausibleTime, ForgedSignature: it is not.
        """
        check_contract_id(notice.contract_id)
        if (notice.issuer_id, notice.issuer_entity_id) != (sender.id, sender.subject):
            raise WrongParty(contract=notice.contract_id, what="issuer")
        if notice.terminate_type != EARLY:
            raise WrongParty(contract=notice.contract_id, what="terminateType")
        check_reason(notice.reason)
        issued = read_time(notice.contract_id, notice.issue_time)
        if issued > self._clock.now() + CLOCK_TOLERANCE:
            raise ImplausibleTime(contract=notice.contract_id, at=notice.issue_time)
        if notice.scheduled_end_time:
            read_time(notice.contract_id, notice.scheduled_end_time)
        self._trust.verify(sender, voucher_bytes(notice), notice.signature)

    def _end(self, tx: Tx, held: Contract, notice: TerminationNotice, by: PartyRole) -> Contract:
        """Write down that ``by`` ended the contract; from here on nothing is granted under it."""
        ended = replaced(
            held,
            status=TABLE.step(held.status, Message.TERMINATE, sender_of(by)),
            ended_at=self._clock.now(),
            end_type=EARLY,
            end_reason=notice.reason,
            termination=notice,
            intent_at="",
        )
        self._store.put(self._scope, tx, ended)
        self._record(
            tx,
            "ContractTerminated",
            held.id,
            actor=notice.issuer_id,
            details={"by": by.value, "status": held.status.value},
            document=msgspec.json.encode(notice),
        )
        return ended


def role_of(contract: Contract, member: Member) -> PartyRole:
    """Which party ``member`` is.

    Raises:
        WrongParty: it is neither, or its organisation is not the one in the contract.
    """
    for party in (contract.provider, contract.consumer):
        if is_party(member, party):
            return party.role
    raise WrongParty(contract=contract.id, what="sender")


def is_party(member: Member, party: Party) -> bool:
    """Whether ``member`` is the system and the organisation of ``party``."""
    return (member.id, member.subject) == (party.node, party.subject)
