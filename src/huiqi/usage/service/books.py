"""Which transactions does a use consist of on the provider's side?"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Tx
from huiqi.policy.types import Context, Decision, Reason, Verdict
from huiqi.usage.errors import UnknownUse
from huiqi.usage.metering import (
    Asked,
    Rules,
    Window,
    context_of,
    held_by_others,
    reservation,
    rows_granted,
    settled,
    windows_at,
)
from huiqi.usage.orders import joint_contracts
from huiqi.usage.ports import WHOLE, KeptReceipt, Tally, Use
from huiqi.usage.receipts import compose
from huiqi.usage.refusals import reasons_of
from huiqi.usage.service.room import Room, fact_details, order_digest
from huiqi.usage.states import TABLE, GrantMessage, GrantSender
from huiqi.usage.types import Closing, Grant, GrantState, Side

# How long a result is kept for a repeat of the same use when nobody countersigns.
RESULT_LIFE = timedelta(hours=1)
# A lease that has been over for this long belongs to an executor that is gone: an engine may run
# for 30 s, and renews every half second while it does.
LEASE_GRACE = timedelta(seconds=30)


class Books(Room):
    """The writing side of the provider's verbs; each method that ends in a run is one commit."""

    def _asked_use(self, asked: Asked) -> Use:
        order, contract, me = asked.order, asked.contract, self._trust.me()
        return Use(
            side=Side.PROVIDER,
            state=TABLE.first,
            use_id=order.use_id,
            contract=contract.id,
            product=contract.product,
            product_name=contract.product_name,
            provider=me.subject,
            provider_node=me.id,
            consumer=order.consumer,
            consumer_node=order.consumer_node,
            executor=order.executor,
            action=asked.demand.action,
            purpose=order.purpose,
            suite=contract.suite,
            joint=joint_contracts(order),
            order_digest=order_digest(asked.signed),
            at=self._clock.now(),
            lent=order.executor != me.id,
        )

    def _decided(self, asked: Asked) -> Use:
        """Decision and reservation in one transaction; the first outcome when there is one."""
        use, rules = self._asked_use(asked), self._rules(asked.contract)
        activation = asked.contract.starts_at or use.at
        windows = windows_at(rules.units, activation=activation, at=use.at)

        def unit(tx: Tx) -> Use:
            # Two calls with one use id meet here: the writer is alone, the second finds the first.
            if (known := self._first(tx, asked, use)) is not None:
                return known
            tallies = {w: self._store.tally(self._scope, tx, use.contract, w) for w in windows}
            first_use = self._store.first_use(self._scope, tx, use.contract)
            context = context_of(asked, use.at, tallies=tallies, first_use=first_use)
            # The decision is pure and takes microseconds: asked here, no other use can come
            # between the counters it saw and the counters it takes from.
            verdict = rules.decide(context)
            if verdict.decision is Decision.ALLOWED:
                return self._put_grant(tx, use, asked, (rules, context, tallies))
            self._put_decision(tx, use, verdict, context)
            reasons = reasons_of(verdict) + held_by_others(rules, context, tallies)
            return self._put_refusal(tx, use, asked, (verdict.decision, reasons))

        return self._work.run(unit)

    def _refused(self, asked: Asked, reasons: tuple[Reason, ...]) -> Use:
        """A refusal that needs no counters; the first outcome when there is one."""
        use = self._asked_use(asked)

        def unit(tx: Tx) -> Use:
            if (known := self._first(tx, asked, use)) is not None:
                return known
            return self._put_refusal(tx, use, asked, (Decision.DENIED, reasons))

        return self._work.run(unit)

    def _ended(self, use: Use, closing: Closing, step: tuple[GrantMessage, GrantSender]) -> Use:
        """End an open use; one that has ended meanwhile stays as it is."""

        def unit(tx: Tx) -> Use:
            now = self._fresh(tx, use)
            if now.state is not GrantState.OPEN or now.grant is None:
                return now
            state = TABLE.step(now.state, *step)
            rows = closing.rows if state is GrantState.COMPLETED else 0
            change = settled(state, rows=rows, rows_left=now.grant.rows_left, lent=now.lent)
            for window in now.windows:
                self._store.change(self._scope, tx, now.contract, window, change)
            if change.used:
                self._store.put_first_use(self._scope, tx, now.contract, now.at)
            refused = state is GrantState.REFUSED
            ended = msgspec.structs.replace(
                now,
                state=state,
                rows=rows,
                reasons=closing.reasons,
                decision=Decision.DENIED.value if refused else now.decision,
                receipt_id=self._ids.uuid(),
                grant=msgspec.structs.replace(now.grant, state=state),
            )
            self._put_ended(tx, ended, closing)
            return ended

        return self._work.run(unit)

    def _put_grant(
        self,
        tx: Tx,
        use: Use,
        asked: Asked,
        decided: tuple[Rules, Context, Mapping[Window, Tally]],
    ) -> Use:
        rules, context, tallies = decided
        bounds = rules.bounds(context)
        rows_left = rows_granted(bounds, tallies[WHOLE])
        until = use.at + timedelta(seconds=self.lease_s)
        state = TABLE.step(use.state, GrantMessage.GRANT, GrantSender.PROVIDER)
        grant = Grant(
            id=self._ids.uuid(),
            use_id=use.use_id,
            contract=use.contract,
            product=use.product,
            consumer=use.consumer,
            consumer_node=use.consumer_node,
            executor=use.executor,
            action=use.action,
            purpose=use.purpose,
            bounds=bounds,
            rows_left=rows_left,
            opened_at=use.at,
            leased_until=until,
            state=state,
        )
        granted = msgspec.structs.replace(
            use,
            state=state,
            decision=Decision.ALLOWED.value,
            grant=grant,
            context=context,
            windows=tuple(tallies),
            leased_until=until,
        )
        for window in tallies:
            self._store.change(self._scope, tx, use.contract, window, reservation(rows_left))
        self._keep_order(tx, asked.order, asked.signed)
        self._store.put_use(self._scope, tx, granted)
        self._record(tx, "UseGranted", granted, canonical_bytes(context))
        return granted

    def _put_decision(self, tx: Tx, use: Use, verdict: Verdict, context: Context) -> None:
        """What a refusal was decided on, so that it can be made again from the log alone.

        The document of UseRefused is the receipt; that of UseGranted is the context already.
        """
        decided = msgspec.structs.replace(
            use, decision=verdict.decision.value, reasons=verdict.reasons
        )
        self._record(tx, "UseDecided", decided, canonical_bytes(context))

    def _put_refusal(
        self, tx: Tx, use: Use, asked: Asked, why: tuple[Decision, tuple[Reason, ...]]
    ) -> Use:
        refused = msgspec.structs.replace(
            use,
            state=TABLE.step(use.state, GrantMessage.REFUSE, GrantSender.PROVIDER),
            decision=why[0].value,
            reasons=why[1],
            receipt_id=self._ids.uuid(),
        )
        self._keep_order(tx, asked.order, asked.signed)
        self._put_ended(tx, refused, Closing(outcome=GrantState.REFUSED))
        return refused

    def _put_ended(self, tx: Tx, use: Use, closing: Closing) -> None:
        """The use with its receipt, still to be signed: intent first, signature second."""
        now, completed = self._clock.now(), use.state is GrantState.COMPLETED
        if completed and closing.result is not None:
            key = (use.use_id, use.contract)
            self._store.put_result(self._scope, tx, key, closing.result, now)
        tally = self._store.tally(self._scope, tx, use.contract, WHOLE)
        digest = closing.result_digest if completed else ""
        body = compose(use, result_digest=digest, tally=tally, closed_at=now)
        self._store.put_use(self._scope, tx, use)
        self._store.put_receipt(
            self._scope,
            tx,
            KeptReceipt(
                side=Side.PROVIDER,
                receipt_id=use.receipt_id,
                use_id=use.use_id,
                contract=use.contract,
                body=body,
                sha256=sha256_hex(body),
                at=now,
            ),
        )
        kind = "UseRefused" if use.state is GrantState.REFUSED else "UseClosed"
        self._record(tx, kind, use, body)

    def _record(self, tx: Tx, kind: str, use: Use, document: bytes) -> None:
        tx.record(
            Fact(
                kind=kind,
                subject=use.contract,
                actor=use.provider_node,
                at=self._clock.now(),
                details=fact_details(use),
                document=document,
            )
        )

    def _first(self, tx: Tx, asked: Asked, use: Use) -> Use | None:
        """The use that came first under this id; another order of that id has no part in it."""
        known = self._provided(tx, use.use_id, use.contract)
        if known is not None:
            self._check_same(tx, asked.order)
        return known

    def _fresh(self, tx: Tx, use: Use) -> Use:
        fresh = self._provided(tx, use.use_id, use.contract)
        if fresh is None:
            raise UnknownUse(id=use.use_id)
        return fresh
