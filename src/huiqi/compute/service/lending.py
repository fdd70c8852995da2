"""How does a provider lend its part of a joint use to the connector that executes it?"""

from functools import partial

from huiqi.compute.binding import COMPUTE, CONTROLLED, demand_of
from huiqi.compute.checks import obstacle_of, reason_of
from huiqi.compute.errors import NotForThisExecutor, QueryRefused, UnknownLoan
from huiqi.compute.query import Query
from huiqi.compute.rendering import UNIT
from huiqi.compute.service.leases import Leases
from huiqi.compute.service.projecting import Projecting
from huiqi.compute.service.room import joint_of, order_of, read_text, table_of
from huiqi.compute.types import LendRequest, Loan, Release
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import ContractId
from huiqi.policy.types import Decision, Reason
from huiqi.trust.types import Member
from huiqi.usage.errors import GrantEnded
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
        4. Only the granted rows and the columns of this order leave, as bytes for one use, and
           only if the contract still stands once they are ready.

        Raises:
            EngineBusy: too many loans are being made; nothing was counted.
            NotForThisExecutor: step 1.
            GrantEnded: the contract ended while the data was made ready.
            From usage.open, and as ``Engine.build`` and ``Engine.export``; the grant is closed.
        """
        with self._loaned.taken():
            return self._lend(sender, request)

    def _lend(self, sender: Member, request: LendRequest) -> Loan:
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
            loan = self._made_ready(granted, demand)
        except HuiqiError as error:
            ended = isinstance(error, GrantEnded)
            outcome = GrantState.REVOKED if ended else GrantState.FAILED
            closing = Closing(outcome=outcome, reasons=(reason_of(error),), joint=joint_of(order))
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
            UnknownLoan: it is out to somebody else, or for another use.
            UnknownUse: from usage; there is no such grant.
            GrantEnded: from usage; the use is over and not completed, its answer may not leave.
        """
        grant = self._usage.grant(release.grant_id)
        stated = (release.use_id, release.contract, sender.id)
        if (grant.use_id, grant.contract, grant.executor) != stated:
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
            self._lent.pop((release.use_id, release.contract), None)

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

    def _made_ready(self, grant: Grant, demand: Demand) -> Loan:
        """The data of a loan; its grant is renewed while that takes, and once more at the end."""
        renew = partial(self._usage.renew, grant.id)
        usage = self._usage
        leases = Leases([renew], every_s=usage.renew_every_s, lease_s=usage.lease_s)
        try:
            loan = self._exported(grant, demand)
        finally:
            leases.finish()
        renew()
        return loan

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
