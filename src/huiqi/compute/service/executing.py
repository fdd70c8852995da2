"""How does an executor answer an order, from the text to the receipts?"""

from collections.abc import Mapping, Sequence
from functools import partial

from huiqi.compute.binding import bind
from huiqi.compute.checks import (
    MOST_ROWS,
    group_checks,
    lender_unknown,
    obstacle_of,
    reason_of,
    rows_allowed,
    small_group,
    too_many_rows,
)
from huiqi.compute.errors import (
    LenderMismatch,
    NotForThisExecutor,
    OutputTooLarge,
    ProjectionDamaged,
    QueryRefused,
)
from huiqi.compute.query import Part, Query
from huiqi.compute.rendering import GroupCheck, probe_of, sql_of
from huiqi.compute.service.closing import Ending, denied
from huiqi.compute.service.leases import Leases
from huiqi.compute.service.parts import Answer, Held, Job
from huiqi.compute.service.projecting import TABLE_PREFIX
from huiqi.compute.service.room import order_of, read_text
from huiqi.compute.types import LendRequest, Loan, Session, SessionTable, UseRequest
from huiqi.kernel.errors import DeniedError, HuiqiError, UnavailableError
from huiqi.kernel.ids import ContractId
from huiqi.policy.types import Reason
from huiqi.trust.types import Member
from huiqi.usage.types import (
    Demand,
    GrantState,
    Receipt,
    Refusal,
    SignedOrder,
    UseOrder,
    UseOutcome,
)

# A question that takes longer belongs into a job, not into a call that somebody waits for.
TIMEOUT_S = 30.0


class Executing(Ending):
    """The verb of the connector that computes."""

    def run(self, sender: Member, signed: SignedOrder) -> UseOutcome:
        """Execute a consumer's order under every contract that it draws on.

        1. The sender signed the order and names this connector; the text is one query of the
           closed language (guard). What it demands of each contract follows from the text.
        2. Own contracts: the usage room decides. Others: their provider decides and lends.
        3. Unless all granted, nothing happens; what was granted is given back.
        4. Projections of the own contracts are ready, with granted columns and rows only.
        5. The engine answers SQL written from the checked query, with the group checks; every
           grant is renewed while it works, and it is killed when one ends.
        6. Own books: the use is closed, the receipt signed.
        7. The lenders' books likewise.
        8. Only now the answer leaves.

        A repeat of a use id gets the first outcome.

        Raises:
            EngineBusy: too many orders are under way; nothing was counted.
            NotForThisExecutor, OrderUnreadable, UseUnderWay, AnswerWithheld.
            From usage.open: ForgedOrder, StaleOrder, UseIdTaken, WrongParty …
        """
        with self._worked.taken():
            return self._run(sender, signed)

    def _run(self, sender: Member, signed: SignedOrder) -> UseOutcome:
        # Step 1
        order = self._admitted(sender, signed)
        plain = SignedOrder(signed.body, signed.signature)
        lenders = signed.lenders if isinstance(signed, UseRequest) else {}
        with self._alone(order.use_id):
            try:
                job = self._job(order, plain, lenders)
            except QueryRefused as refusal:
                return self._refused(plain, order, (refusal.reason,))
            if isinstance(job, Reason):
                return self._refused(plain, order, (job,))
            # Steps 2 and 3
            held = self._granted(job)
            if isinstance(held, UseOutcome):
                return held
            try:
                return self._executed(job, held)
            finally:
                for one in held:
                    if one.lender is not None and one.table is not None:
                        self._engine.drop(one.table.projection)

    def _admitted(self, sender: Member, signed: SignedOrder) -> UseOrder:
        order = order_of(signed)
        if order.executor != self._trust.me().id:
            raise NotForThisExecutor(what="executor")
        if order.consumer_node != sender.id:
            raise NotForThisExecutor(what="consumer")
        if not any(self._provided(contract) for contract in order.tables.values()):
            raise NotForThisExecutor(what="contract")
        return order

    def _job(
        self, order: UseOrder, signed: SignedOrder, lenders: Mapping[str, str]
    ) -> Job | Reason:
        """What the order's text demands, and whom to ask; a reason when nobody can be asked."""
        query = read_text(order)
        demands: list[Demand] = []
        others: list[tuple[ContractId, Member]] = []
        for name, contract in order.tables.items():
            if self._provided(contract) is not None:
                demands.append(self._analysed(order, contract)[1])
                continue
            known = self._known(contract)
            node = known.provider.node if known is not None else lenders.get(name)
            if node is None or node == order.executor:
                return lender_unknown(name)
            others.append((contract, self._trust.member(node)))
        return Job(
            signed=signed,
            order=order,
            query=query,
            demands=tuple(demands),
            lenders=tuple(others),
        )

    def _granted(self, job: Job) -> list[Held] | UseOutcome:
        """Every grant that the use needs; an outcome when one is refused or it is a repeat."""
        held: list[Held] = []
        for at, demand in enumerate(job.demands):
            try:
                granted = self._usage.open(job.signed, demand)
            except HuiqiError as error:
                self._stopped(job, held, GrantState.FAILED, error)
                raise
            if isinstance(granted, Refusal):
                receipt = self._usage.refuse(job.signed, demand, granted.reasons)
                refusal = _refusal(job, granted, [receipt])
                return self._refused_granted(job, held, job.demands[at + 1 :], refusal)
            held.append(Held(contract=demand.contract, grant=granted))
        if any(one.grant.state is not GrantState.OPEN for one in held):
            return self._repeated(job, held)
        for contract, lender in job.lenders:
            lent = self._borrowed(job, held, contract, lender)
            if isinstance(lent, UseOutcome):
                return lent
            held.append(lent)
        return held

    def _borrowed(
        self, job: Job, held: Sequence[Held], contract: ContractId, lender: Member
    ) -> Held | UseOutcome:
        try:
            loan = self._peers.lend(lender, LendRequest(order=job.signed, contract=contract))
            if loan.refusal is not None:
                receipts = [loan.receipt] if loan.receipt is not None else []
                refusal = _refusal(job, loan.refusal, receipts)
                return self._refused_granted(job, held, (), refusal)
            return _lent(job, contract, lender, loan)
        except UnavailableError as error:
            return self._stopped(job, held, GrantState.FAILED, error)
        except HuiqiError as error:
            refusal = denied(job.order.use_id, (reason_of(error),), [])
            return self._refused_granted(job, held, (), refusal)

    def _executed(self, job: Job, held: Sequence[Held]) -> UseOutcome:
        leases = Leases(
            [partial(self._renewed, job.order.use_id, one) for one in held],
            every_s=self._usage.renew_every_s,
            lease_s=self._usage.lease_s,
        )
        try:
            # Steps 4 and 5
            answer = self._answered(job, held, leases)
            if isinstance(answer, Reason):
                return self._stopped(job, held, GrantState.REFUSED, answer)
        except (QueryRefused, OutputTooLarge) as error:
            reason = error.reason if isinstance(error, QueryRefused) else reason_of(error)
            return self._stopped(job, held, GrantState.REFUSED, reason)
        except HuiqiError as error:
            if isinstance(error, ProjectionDamaged):
                self._discard(held)
            ended = leases.reason or self._ended_now(held)
            state = GrantState.REVOKED if ended is not None else GrantState.FAILED
            return self._stopped(job, held, state, ended or error)
        finally:
            leases.finish()
        # Steps 6 to 8
        return self._completed(job, held, answer)

    def _answered(self, job: Job, held: Sequence[Held], leases: Leases) -> Answer | Reason:
        """The answer, or for which reason there must be none."""
        tables = [_of(held, job, source.table) for source in job.query.tables]
        bounds = [one.bounds for one in tables]
        obstacle = obstacle_of(job.query, bounds)
        if obstacle is not None:
            return obstacle
        allowed = rows_allowed(bounds, [one.grant.rows_left for one in tables])
        if allowed is not None and allowed < 1:
            return too_many_rows(allowed)
        # Step 4
        for one in tables:
            if one.table is None:
                projection, one.table = self._projected(one.grant)
                one.columns, one.has_unit = projection.columns, projection.has_unit
        query = bind(job.query, [one.columns for one in tables])
        loaded = [one.table for one in tables if one.table is not None]
        session = Session(tables=tuple(loaded))
        # Step 5
        checks = self._checks(query, tables, session, leases)
        sql = sql_of(
            query,
            [table.name for table in loaded],
            checks=checks,
            most_rows=_cap(query, allowed),
        )
        result = self._engine.execute(session, sql, timeout_s=TIMEOUT_S, should_stop=leases.ended)
        small = small_group(query, result.rows, checks)
        if small is not None:
            return small
        if allowed is not None and len(result.rows) > allowed:
            return too_many_rows(allowed)
        shown = len(query.outputs)
        return Answer(
            columns=result.columns[:shown], rows=tuple(row[:shown] for row in result.rows)
        )

    def _checks(
        self, query: Query, tables: Sequence[Held], session: Session, leases: Leases
    ) -> tuple[GroupCheck, ...]:
        """The group checks; counting distinct rows is spared where joins cannot repeat them."""
        bounds, units = [one.bounds for one in tables], [one.has_unit for one in tables]
        counts_rows = bounds[0].min_group > 1 and not units[0]
        once = not counts_rows or all(
            self._is_key(query, at, session, leases) for at in range(1, len(tables))
        )
        return group_checks(bounds, units, rows_once=once)

    def _is_key(self, query: Query, at: int, session: Session, leases: Leases) -> bool:
        """Whether the columns that join the ``at``-th table pick at most one of its rows."""
        keys = [right for _, right in query.joins[at - 1].pairs]
        if any(key.part is not Part.WHOLE for key in keys):
            return False
        columns = tuple(sorted({key.ref.name for key in keys}))
        table = session.tables[at]
        cached = self._unique.get((table.projection, columns))
        if cached is None:
            probe = probe_of(table.name, columns)
            result = self._engine.execute(
                session, probe, timeout_s=TIMEOUT_S, should_stop=leases.ended
            )
            cached = bool(result.rows) and result.rows[0][0] == result.rows[0][1]
            if table.path is not None:
                self._unique[(table.projection, columns)] = cached
        return cached

    def _renewed(self, use_id: str, one: Held) -> None:
        if one.lender is None:
            self._usage.renew(one.grant.id)
        else:
            self._peers.renew(one.lender, use_id, one.contract)

    def _ended_now(self, held: Sequence[Held]) -> Reason | None:
        """Why an own grant is over; None when all stand and the trouble has another cause."""
        for one in held:
            if one.lender is None:
                try:
                    self._usage.renew(one.grant.id)
                except HuiqiError as error:
                    return reason_of(error)
        return None

    def _discard(self, held: Sequence[Held]) -> None:
        """Destroy the own projections of a use whose files failed their authentication."""
        used = {one.table.projection for one in held if one.table is not None}
        for projection in self._projections.all(self._scope):
            if projection.id in used:
                self._destroy(projection, "damaged")


def _refusal(job: Job, refusal: Refusal, receipts: Sequence[Receipt]) -> UseOutcome:
    return UseOutcome(
        use_id=job.order.use_id,
        decision=refusal.decision,
        reasons=refusal.reasons,
        receipts=tuple(receipts),
    )


def _lent(job: Job, contract: ContractId, lender: Member, loan: Loan) -> Held:
    """A loan, checked against what was asked.

    Raises:
        LenderMismatch: it is for something else.
        DeniedError: the use has ended on the lender's side.
    """
    grant = loan.grant
    if grant is None:
        raise LenderMismatch(what="grant")
    asked = (job.order.use_id, contract, job.order.executor, job.order.consumer)
    if (grant.use_id, grant.contract, grant.executor, grant.consumer) != asked:
        raise LenderMismatch(what="use")
    if grant.state is not GrantState.OPEN:
        raise DeniedError(what=f"use {grant.state.value}")
    table = SessionTable(
        name=TABLE_PREFIX + grant.id.replace("-", ""),
        projection=f"loan:{grant.id}",
        contract=contract,
        parquet=loan.projection,
    )
    return Held(
        contract=contract,
        grant=grant,
        lender=lender,
        table=table,
        columns=loan.columns,
        has_unit=loan.has_unit,
    )


def _of(held: Sequence[Held], job: Job, table: str) -> Held:
    contract = job.order.tables[table]
    return next(one for one in held if one.contract == contract)


def _cap(query: Query, allowed: int | None) -> int:
    """How many rows the engine may return: for rows the bound itself, else one more to notice."""
    if allowed is None:
        return MOST_ROWS + 1
    return min(allowed, MOST_ROWS) if not query.aggregate else min(allowed, MOST_ROWS) + 1
