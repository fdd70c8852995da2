"""How does a provider lend its part of a joint use to the connector that executes it?"""

from huiqi.compute.binding import COMPUTE, CONTROLLED, demand_of
from huiqi.compute.checks import obstacle_of
from huiqi.compute.errors import NotForThisExecutor, QueryRefused, UnknownLoan
from huiqi.compute.query import Query
from huiqi.compute.rendering import UNIT
from huiqi.compute.service.projecting import Projecting
from huiqi.compute.service.room import joint_of, order_of, read_text, table_of
from huiqi.compute.types import LendRequest, Loan, Release
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import ContractId
from huiqi.policy.types import Decision, Reason
from huiqi.trust.types import Member
from huiqi.usage.types import (
    Closing,
    Demand,
    Grant,
    GrantState,
    Receipt,
    Refusal,
    SignedOrder,
    UseOrder,
)

# Encoded as base64 inside a message it stays below wire's LARGEST_PROJECTION (256 MiB).
LARGEST_LOAN = 180 * 1_048_576


class Lending(Projecting):
    """The verbs of a provider whose data another connector computes on."""

    def lend(self, sender: Member, request: LendRequest) -> Loan:
        """Decide this provider's part of an order, and hand over the data that it needs.

        1. The sender is the executor that the consumer signed for, the contract is mine.
        2. My own guard reads the text: what another connector says it means does not count.
        3. The usage room decides; hq:executor says whether others may execute at all.
        4. Only the granted rows and the columns of this order leave, as bytes for one use.

        Raises:
            NotForThisExecutor: step 1.
            From usage.open, and as ``Engine.build`` and ``Engine.export``; the grant is closed.
        """
        # Step 1
        order = order_of(request.order)
        me = self._trust.me()
        contract = self._provided(request.contract)
        if sender.id != order.executor or me.id == order.executor or contract is None:
            raise NotForThisExecutor(what="executor" if contract else "contract")
        if request.contract not in order.tables.values():
            raise NotForThisExecutor(what="contract")
        # Step 2
        try:
            query, demand = self._analysed(order, request.contract)
        except QueryRefused as refusal:
            demand = unread_demand(order, request.contract)
            return self._unlent(request.order, demand, (refusal.reason,))
        # Step 3
        granted = self._usage.open(request.order, demand)
        if isinstance(granted, Refusal):
            receipt = self._usage.refuse(request.order, demand, granted.reasons)
            return Loan(refusal=granted, receipt=receipt)
        if granted.state is not GrantState.OPEN:
            return Loan(grant=granted, bounds=granted.bounds)
        obstacle = obstacle_of(query, [granted.bounds])
        if obstacle is not None:
            return self._unlent(request.order, demand, (obstacle,))
        # Step 4
        try:
            loan = self._exported(granted, demand)
        except HuiqiError:
            closing = Closing(outcome=GrantState.FAILED, joint=joint_of(order))
            self._usage.close(granted.id, closing)
            raise
        self._lent[(order.use_id, request.contract)] = (granted.id, sender.id)
        return loan

    def renew_loan(self, sender: Member, use_id: str, contract: str) -> None:
        """Prolong a loan, after reading contract, parties and terms again.

        Raises:
            UnknownLoan: none is out to this sender.
            GrantEnded: from usage; the executor must stop.
        """
        grant_id, executor = self._lent.get((use_id, contract), ("", ""))
        if executor != sender.id:
            raise UnknownLoan(use_id=use_id[:40])
        self._usage.renew(grant_id)

    def release(self, sender: Member, release: Release) -> Receipt:
        """Close the grant of a loan and sign for it; a repeat returns the first receipt.

        Raises:
            UnknownLoan: it is out to somebody else.
            GrantEnded: from usage; the use is over and not completed, its answer may not leave.
        """
        key = (release.use_id, release.contract)
        known = self._lent.get(key)
        if known is not None and known != (release.grant_id, sender.id):
            raise UnknownLoan(use_id=release.use_id[:40])
        closing = Closing(
            outcome=release.outcome,
            rows=release.rows,
            result_digest=release.result_digest,
            reasons=release.reasons,
            joint=release.joint,
        )
        try:
            return self._usage.close(release.grant_id, closing)
        finally:
            self._lent.pop(key, None)

    def _analysed(self, order: UseOrder, contract: ContractId) -> tuple[Query, Demand]:
        query = read_text(order)
        product = self._contracts.contract(contract).product
        demand = demand_of(
            query,
            table_of(order, contract),
            contract=contract,
            purpose=order.purpose,
            columns=self._catalog.product(product).record.columns,
        )
        return query, demand

    def _unlent(self, signed: SignedOrder, demand: Demand, reasons: tuple[Reason, ...]) -> Loan:
        receipt = self._usage.refuse(signed, demand, reasons)
        refusal = Refusal(
            use_id=order_of(signed).use_id,
            contract=demand.contract,
            decision=Decision.DENIED,
            reasons=reasons,
        )
        return Loan(refusal=refusal, receipt=receipt)

    def _exported(self, grant: Grant, demand: Demand) -> Loan:
        projection, table = self._projected(grant)
        wanted = set(demand.fields)
        columns = tuple(column for column in projection.columns if column.name in wanted)
        names = [column.name for column in columns]
        if not names:
            # COUNT(*) alone touches no column, but a table has at least one.
            columns = projection.columns[:1]
            names = [columns[0].name]
        needs_unit = projection.has_unit and grant.bounds.min_group > 1
        exported = [*names, UNIT] if needs_unit else names
        return Loan(
            grant=grant,
            bounds=grant.bounds,
            columns=columns,
            has_unit=needs_unit,
            projection=self._engine.export(table, exported, most=LARGEST_LOAN),
        )


def unread_demand(order: UseOrder, contract: ContractId) -> Demand:
    """The demand of an order whose text could not be read: for the record of its refusal."""
    return Demand(
        contract=contract,
        action=COMPUTE,
        purpose=order.purpose,
        fields=(),
        output_kind="aggregate",
        environment=CONTROLLED,
    )
