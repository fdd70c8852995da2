"""How does the provider's side grant one use, hold it, and close it?"""

from datetime import timedelta

import msgspec

from huiqi.contracts.types import Contract
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.ids import ContractId
from huiqi.kernel.steps import reached
from huiqi.kernel.work import Tx
from huiqi.policy.types import Decision, Reason
from huiqi.usage.errors import GrantEnded, RowsOverGrant, UnknownUse, WrongParty, WrongResult
from huiqi.usage.metering import Asked
from huiqi.usage.orders import check_demand, check_fresh, is_digest
from huiqi.usage.ports import Use
from huiqi.usage.refusals import ended_because, lease_over, reasons_of
from huiqi.usage.service.books import LEASE_GRACE, RESULT_LIFE, Books
from huiqi.usage.service.room import NO_WAIT_S, WAIT_S
from huiqi.usage.states import REPORTS, GrantMessage, GrantSender
from huiqi.usage.types import Closing, Demand, Grant, GrantState, Receipt, Refusal, SignedOrder


class Enforcement(Books):
    """The verbs of the connector that offers the data."""

    def open(self, signed: SignedOrder, demand: Demand) -> Grant | Refusal:
        """Decide one use under one contract, and reserve what it takes, all at once.

        1. The order is genuine, fits the demand, and the contract is between its consumer and me.
        2. A repeat of the same use gets the first outcome.
        3. The order is fresh.
        4. The contract is in force and the consumer's system is in good standing, as the platform
           says now.
        5. In one transaction: read the counters, decide, reserve, keep, record UseGranted or
           UseRefused.
        6. A refusal gets a signed receipt, so that it can be proven.

        Raises:
            ForgedOrder, StaleOrder, UseIdTaken, DemandMisfit, WrongParty: nothing was recorded,
                because nobody can be held to this order.
            ForgedSignature, UnknownMember, UnknownContract: from trust and contracts.
        """
        # Step 1
        asked = self._admitted(signed, demand)
        # Step 2
        known = self._first_outcome(asked)
        if known is None:
            # Step 3
            check_fresh(asked.order, self._clock.now())
            # Step 4
            obstacle = self._obstacle(asked.contract, wait_s=WAIT_S)
            # Step 5
            known = self._refused(asked, (obstacle,)) if obstacle else self._decided(asked)
            reached("usage.opened")
        if known.grant is not None:
            return known.grant
        # Step 6
        self._receipt_signed(known.receipt_id)
        return Refusal(
            use_id=known.use_id,
            contract=known.contract,
            decision=Decision(known.decision),
            reasons=known.reasons,
        )

    def grant(self, grant_id: str) -> Grant:
        """A grant as it stands now: for which use and contract, and who executes it.

        Raises:
            UnknownUse: no such grant.
        """
        return self._granted(grant_id)[1]

    def renew(self, grant_id: str) -> Grant:
        """Prolong the lease of a running use, after reading contract, parties and terms again.

        The platform is asked about the consumer beside this; the next renewal reads the answer.

        Raises:
            UnknownUse: no such grant.
            GrantEnded: it must stop now; the reason says why.
        """
        use, grant = self._granted(grant_id)
        _still_open(use)
        now = self._clock.now()
        reason = lease_over() if grant.leased_until + LEASE_GRACE < now else None
        reason = reason or self._stopped_by(use, wait_s=NO_WAIT_S)
        if reason is not None:
            raise GrantEnded(reason=reason.text.en, reason_zh=reason.text.zh)
        until = now + timedelta(seconds=self.lease_s)

        def unit(tx: Tx) -> Grant:
            fresh = self._fresh(tx, use)
            _still_open(fresh)
            renewed = msgspec.structs.replace(grant, leased_until=until)
            kept = msgspec.structs.replace(fresh, grant=renewed, leased_until=until)
            self._store.put_use(self._scope, tx, kept)
            return renewed

        return self._work.run(unit)

    def close(self, grant_id: str, closing: Closing) -> Receipt:
        """End a use: count it or give the reservation back, durably, before a byte may leave.

        A repeat returns the first receipt. ``joint`` in the receipt are the contracts of the
        signed order, whatever ``closing`` says.

        1. Find the grant; a use that has ended is not ended twice.
        2. Check the report: rows within the grant, result bytes and digest alike.
        3. Read contract, parties and terms again: an answer that comes too late is revoked.
        4. In one transaction: counters, state, result, receipt body, UseClosed or UseRefused.
        5. Sign the receipt and keep the signature.
        6. An answer may only leave under a completed use.

        Raises:
            UnknownUse: no such grant.
            RowsOverGrant, WrongResult: the use stays open; close it as failed or refused.
            GrantEnded: the use was not completed; no byte of its answer may leave.
            IllegalStep: that outcome is not an executor's to report.
        """
        # Step 1
        use, grant = self._granted(grant_id)
        completing = closing.outcome is GrantState.COMPLETED
        if use.state is GrantState.OPEN:
            # Step 2
            if completing:
                _check_report(grant, closing)
            # Step 3
            step = (REPORTS[closing.outcome], GrantSender.EXECUTOR)
            reason = self._stopped_by(use, wait_s=WAIT_S) if completing else None
            if reason is not None:
                step = (GrantMessage.REVOKE, GrantSender.PROVIDER)
                closing = Closing(outcome=GrantState.REVOKED, reasons=(reason,))
            # Step 4
            use = self._ended(use, closing, step)
            reached("usage.closed")
        # Step 5
        receipt = self._receipt_signed(use.receipt_id)
        # Step 6
        if completing and use.state is not GrantState.COMPLETED:
            raise _ended_because(use)
        return receipt

    def refuse(self, signed: SignedOrder, demand: Demand, reasons: tuple[Reason, ...]) -> Receipt:
        """Record that guard or engine refused a use, and give an open reservation back.

        Consumes nothing. A repeat, or a use that has ended already, returns the first receipt.

        Raises:
            As ``open``.
        """
        asked = self._admitted(signed, demand)
        known = self._first_outcome(asked)
        if known is None:
            check_fresh(asked.order, self._clock.now())
            known = self._refused(asked, reasons)
        if known.state is GrantState.OPEN:
            closing = Closing(outcome=GrantState.REFUSED, reasons=reasons)
            known = self._ended(known, closing, (GrantMessage.REFUSE, GrantSender.EXECUTOR))
        return self._receipt_signed(known.receipt_id)

    def result(self, use_id: str, contract: str) -> bytes | None:
        """The result of a completed use, until it is countersigned or an hour old."""
        key = (use_id, ContractId(contract))
        since = self._clock.now() - RESULT_LIFE
        return self._work.read(lambda tx: self._store.result(self._scope, tx, key, since))

    def _admitted(self, signed: SignedOrder, demand: Demand) -> Asked:
        order = self._signed_by_consumer(signed)
        check_demand(order, demand)
        contract = self._contracts.contract(demand.contract)
        consumer, provider, me = contract.consumer, contract.provider, self._trust.me()
        if (consumer.subject, consumer.node) != (order.consumer, order.consumer_node):
            raise WrongParty(who=order.consumer_node, contract=contract.id)
        if (provider.subject, provider.node) != (me.subject, me.id):
            raise WrongParty(who=me.id, contract=contract.id)
        return Asked(order=order, signed=signed, demand=demand, contract=contract)

    def _first_outcome(self, asked: Asked) -> Use | None:
        use = self._asked_use(asked)
        return self._work.read(lambda tx: self._first(tx, asked, use))

    def _granted(self, grant_id: str) -> tuple[Use, Grant]:
        use = self._work.read(lambda tx: self._store.use_of_grant(self._scope, tx, grant_id))
        if use is None or use.grant is None:
            raise UnknownUse(id=grant_id[:40])
        return use, use.grant

    def _stopped_by(self, use: Use, *, wait_s: float) -> Reason | None:
        """Why a use that was granted must not go on; None while it may."""
        contract = self._contracts.contract(use.contract)
        return self._obstacle(contract, wait_s=wait_s) or self._denied_now(use, contract)

    def _denied_now(self, use: Use, contract: Contract) -> Reason | None:
        """What the terms say now, on the counters as they were when it was granted."""
        if use.context is None:
            return lease_over()
        now = msgspec.structs.replace(use.context, at=self._clock.now())
        verdict = self._rules(contract).decide(now)
        return None if verdict.decision is Decision.ALLOWED else reasons_of(verdict)[0]


def _check_report(grant: Grant, closing: Closing) -> None:
    if closing.rows < 0 or (grant.rows_left is not None and closing.rows > grant.rows_left):
        raise RowsOverGrant(rows=closing.rows, granted=grant.rows_left)
    if not is_digest(closing.result_digest):
        raise WrongResult(what="digest")
    if closing.result is not None and sm3_hex(closing.result) != closing.result_digest:
        raise WrongResult(what="result")


def _still_open(use: Use) -> None:
    if use.state is not GrantState.OPEN:
        raise _ended_because(use)


def _ended_because(use: Use) -> GrantEnded:
    text = ended_because(use.state, use.reasons)
    return GrantEnded(reason=text.en, reason_zh=text.zh)
