"""How does a use end, on the books of every provider that took part?"""

from collections.abc import Sequence

import msgspec
import structlog

from huiqi.compute.checks import already_delivered, ended_as, reason_of, refused_elsewhere
from huiqi.compute.errors import AnswerWithheld
from huiqi.compute.service.lending import Lending, unread_demand
from huiqi.compute.service.parts import Answer, Held, Job
from huiqi.compute.service.room import joint_of
from huiqi.compute.types import LendRequest, Release
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    HuiqiError,
    IntegrityError,
    MissingError,
    UnavailableError,
)
from huiqi.kernel.steps import reached
from huiqi.kernel.text import Text
from huiqi.policy.types import Decision, Reason
from huiqi.usage.service import result_bytes, result_table
from huiqi.usage.types import (
    Closing,
    Demand,
    GrantState,
    Receipt,
    ReceiptBody,
    SignedOrder,
    UseOrder,
    UseOutcome,
)

log = structlog.get_logger("huiqi.compute")


class Ending(Lending):
    """The ends that an execution can have, each with the receipts of all contracts."""

    def _completed(self, job: Job, held: Sequence[Held], answer: Answer) -> UseOutcome:
        """Record the answer everywhere, then hand it out.

        Own books come first: they keep the answer, so that a lender that cannot be reached now
        can be asked again when the consumer repeats the use id.

        Raises:
            AnswerWithheld: a lender has not recorded the use.
        """
        reached("usage.answered")
        try:
            return self._recorded(job, held, answer)
        except AnswerWithheld:
            raise
        except (ConflictError, DeniedError, MissingError) as error:
            return self._stopped(job, held, GrantState.REVOKED, error)
        except HuiqiError as error:
            return self._stopped(job, held, GrantState.FAILED, error)

    def _recorded(self, job: Job, held: Sequence[Held], answer: Answer) -> UseOutcome:
        for one in held:
            if one.lender is not None:
                self._peers.renew(one.lender, job.order.use_id, one.contract)
        data = result_bytes(answer.columns, answer.rows)
        closing = Closing(
            outcome=GrantState.COMPLETED,
            rows=len(answer.rows),
            result_digest=sm3_hex(data),
            result=data,
            joint=job.joint,
        )
        own = [one for one in held if one.lender is None]
        receipts = [self._usage.close(one.grant.id, closing) for one in own]
        receipts += self._released(job, held, closing)
        return UseOutcome(
            use_id=job.order.use_id,
            decision=Decision.ALLOWED,
            reasons=(),
            columns=answer.columns,
            rows=answer.rows,
            receipts=tuple(receipts),
        )

    def _released(self, job: Job, held: Sequence[Held], closing: Closing) -> list[Receipt]:
        """The receipts of every lender for a completed use.

        Raises:
            AnswerWithheld: a lender cannot be reached; a repeat of the use id tries again.
            GrantEnded and other refusals of the lender.
            IntegrityError: a lender signed for something else than a completed use.
        """
        receipts = []
        for one in held:
            if one.lender is None:
                continue
            try:
                receipt = self._peers.release(one.lender, _release(job, one, closing))
            except UnavailableError as error:
                raise AnswerWithheld from error
            if body_of(receipt).outcome != GrantState.COMPLETED:
                raise IntegrityError(what=f"receipt of {one.contract}")
            receipts.append(receipt)
        return receipts

    def _stopped(
        self, job: Job, held: Sequence[Held], state: GrantState, error: HuiqiError | Reason
    ) -> UseOutcome:
        """End a use without an answer: refused, failed or revoked, for every contract of it."""
        reason = error if isinstance(error, Reason) else reason_of(error)
        closing = Closing(outcome=state, reasons=(reason,), joint=job.joint)
        receipts = []
        for one in held:
            if state is GrantState.REVOKED and one.table is not None:
                self._engine.drop(one.table.projection)
            try:
                receipt = self._closed(job, one, closing)
                # Completed here before another provider ended the use: without an answer the
                # consumer owes nothing, and a receipt that it never sees is never charged.
                if body_of(receipt).outcome != GrantState.COMPLETED:
                    receipts.append(receipt)
            except HuiqiError as trouble:
                # A lender that is away ends its grant itself when the lease is over.
                log.warning("use.not_closed", code=trouble.code, contract=one.contract)
        failed = state is GrantState.FAILED
        incident = error.params.get("id", "") if isinstance(error, HuiqiError) else ""
        return UseOutcome(
            use_id=job.order.use_id,
            decision=Decision.ALLOWED if failed else Decision.DENIED,
            reasons=(reason,),
            receipts=tuple(receipts),
            error=f"{reason.code} {incident}".strip() if failed else "",
        )

    def _closed(self, job: Job, one: Held, closing: Closing) -> Receipt:
        if one.lender is None:
            return self._usage.close(one.grant.id, closing)
        return self._peers.release(one.lender, _release(job, one, closing))

    def _refused(
        self, signed: SignedOrder, order: UseOrder, reasons: tuple[Reason, ...]
    ) -> UseOutcome:
        """Record a refusal that was found before anything was granted."""
        demands = [
            unread_demand(order, contract)
            for contract in joint_of(order)
            if self._provided(contract) is not None
        ]
        receipts = [self._usage.refuse(signed, demand, reasons) for demand in demands]
        return denied(order.use_id, reasons, receipts)

    def _refused_granted(
        self, job: Job, held: Sequence[Held], others: Sequence[Demand], refusal: UseOutcome
    ) -> UseOutcome:
        """One contract refused: give back what the others granted, record it for the rest."""
        elsewhere = (refused_elsewhere(),)
        back = self._stopped(job, held, GrantState.REFUSED, elsewhere[0])
        rest = [self._usage.refuse(job.signed, demand, elsewhere) for demand in others]
        receipts = (*refusal.receipts, *back.receipts, *rest)
        return msgspec.structs.replace(refusal, receipts=receipts)

    def _repeated(self, job: Job, held: Sequence[Held]) -> UseOutcome:
        """The first outcome of a use that has ended, once more."""
        own = [one for one in held if one.lender is None]
        states = {one.grant.state for one in own}
        if states != {GrantState.COMPLETED}:
            return self._ended_before(job, own)
        data = next(
            (d for one in own if (d := self._usage.result(job.order.use_id, one.contract))), None
        )
        closing = Closing(outcome=GrantState.COMPLETED, joint=job.joint)
        receipts = [self._usage.close(one.grant.id, closing) for one in own]
        if data is not None:
            rows = result_table(data)[1]
            closing = msgspec.structs.replace(closing, rows=len(rows), result_digest=sm3_hex(data))
        else:
            body = body_of(receipts[0])
            closing = msgspec.structs.replace(
                closing, rows=body.rows, result_digest=body.result_digest
            )
        try:
            receipts += self._released(job, [*own, *self._lent_before(job)], closing)
        except AnswerWithheld:
            raise
        except (ConflictError, DeniedError, MissingError) as error:
            # The lender ended its part meanwhile; without its record the answer never leaves.
            return denied(job.order.use_id, (reason_of(error),), [])
        columns, rows = result_table(data) if data is not None else ((), ())
        return UseOutcome(
            use_id=job.order.use_id,
            decision=Decision.ALLOWED,
            reasons=() if data is not None else (already_delivered(),),
            columns=columns,
            rows=rows,
            receipts=tuple(receipts),
        )

    def _lent_before(self, job: Job) -> list[Held]:
        """The grants of lenders for a use that was executed before; their data is not needed."""
        found = []
        for contract, lender in job.lenders:
            loan = self._peers.lend(lender, LendRequest(order=job.signed, contract=contract))
            if loan.grant is not None:
                found.append(Held(contract=contract, grant=loan.grant, lender=lender))
        return found

    def _ended_before(self, job: Job, own: Sequence[Held]) -> UseOutcome:
        demands = {demand.contract: demand for demand in job.demands}
        receipts = [self._usage.refuse(job.signed, demands[one.contract], ()) for one in own]
        told = [code for receipt in receipts for code in body_of(receipt).reasons]
        reasons = tuple(Reason(code=code, text=Text(zh=code, en=code)) for code in told)
        worst = next(one.grant.state for one in own if one.grant.state is not GrantState.COMPLETED)
        reasons = reasons or (ended_as(worst.value),)
        if worst is GrantState.FAILED:
            return UseOutcome(
                use_id=job.order.use_id,
                decision=Decision.ALLOWED,
                reasons=reasons,
                receipts=tuple(receipts),
                error=reasons[0].code,
            )
        return denied(job.order.use_id, reasons, receipts)


def denied(use_id: str, reasons: tuple[Reason, ...], receipts: Sequence[Receipt]) -> UseOutcome:
    """The outcome of a use that was not allowed."""
    return UseOutcome(
        use_id=use_id, decision=Decision.DENIED, reasons=reasons, receipts=tuple(receipts)
    )


def body_of(receipt: Receipt) -> ReceiptBody:
    """What a receipt says.

    Raises:
        IntegrityError: its bytes are not a receipt.
    """
    try:
        return msgspec.json.decode(receipt.body, type=ReceiptBody)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(what="receipt") from error


def _release(job: Job, one: Held, closing: Closing) -> Release:
    return Release(
        use_id=job.order.use_id,
        contract=one.contract,
        grant_id=one.grant.id,
        outcome=closing.outcome,
        rows=closing.rows,
        result_digest=closing.result_digest,
        reasons=closing.reasons,
        joint=closing.joint,
    )
