"""How do both sides come to hold the same receipt with both signatures?"""

from collections.abc import Mapping, Sequence

import msgspec

from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import ContractId
from huiqi.kernel.steps import reached
from huiqi.kernel.work import Outgoing, Tx
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import Member
from huiqi.usage.answers import (
    answered_use,
    asked_use,
    contract_in,
    digest_of,
    misfit_of_books,
    misfit_of_cover,
    referred,
    to_keep,
)
from huiqi.usage.errors import (
    ForgedReceipt,
    ResultNotCanonical,
    UnknownReceipt,
    UnknownUse,
    WrongParty,
)
from huiqi.usage.orders import joint_contracts, read_order
from huiqi.usage.ports import KeptReceipt
from huiqi.usage.receipts import (
    misfit_of_contract,
    misfit_of_order,
    misfit_of_outcome,
    read_body,
)
from huiqi.usage.service.room import Room
from huiqi.usage.types import Receipt, ReceiptBody, Side, SignedOrder, UseOrder, UseOutcome


class Countersigning(Room):
    """The verbs of the side that asked for a use, and the provider's answer to its signature."""

    def ordered(self, signed: SignedOrder) -> None:
        """Keep what I am about to ask, before it is sent; record UseOrdered per contract.

        An order that repeats a use id may differ in its time only.

        Raises:
            ForgedOrder, UseIdTaken: it must not be sent.
            WrongParty: the order is not mine, or a contract of it is not.
        """
        order = self._mine(signed)
        contracts = [self._contracts.contract(one) for one in joint_contracts(order)]
        for contract in contracts:
            if contract.consumer.node != order.consumer_node:
                raise WrongParty(who=order.consumer_node, contract=contract.id)

        def unit(tx: Tx) -> None:
            if not self._keep_order(tx, order, signed):
                return
            for contract in contracts:
                known = self._store.use(self._scope, tx, Side.CONSUMER, (order.use_id, contract.id))
                if known is None:
                    use = asked_use(order, signed, contract, self._clock.now())
                    self._store.put_use(self._scope, tx, use)
                details = {"useId": order.use_id, "executor": order.executor}
                self._note(tx, "UseOrdered", contract.id, (details, signed.body))

        self._work.run(unit)

    def keep(self, signed: SignedOrder, outcome: UseOutcome) -> UseOutcome:
        """Check every receipt of an outcome against what I asked and got; countersign and keep.

        1. The outcome answers this order, and completed receipts cover all its contracts.
        2. Each receipt fits the order, the contract, and the rows as they arrived.
        3. Each carries its provider's signature.
        4. Countersign those that are not yet countersigned.
        5. In one transaction: keep them, record ReceiptKept, send ReceiptCountersign.

        When anything does not fit, nothing is countersigned and ReceiptDisputed is recorded. A
        repeat, whose rows may be gone, gets the receipts that were countersigned first.

        Raises:
            UnknownUse: the order was not kept with ``ordered`` before.
            ForgedReceipt: the outcome must not be used or paid.
        """
        order = self._mine(signed)
        orders = self._work.read(lambda tx: self._store.orders(self._scope, tx, order.use_id))
        if not orders:
            raise UnknownUse(id=order.use_id[:40])
        # Step 1
        try:
            digest, why = digest_of(outcome), misfit_of_cover(outcome, order)
        except (ResultNotCanonical, ForgedReceipt) as error:
            raise self._disputed(order, None, "form") from error
        if why is not None:
            raise self._disputed(order, None, why)
        # Steps 2 and 3
        kept = [
            self._fitting(order, orders, receipt, (outcome, digest)) for receipt in outcome.receipts
        ]
        # Step 4
        countersigned = [self._countersign(one) for one in kept]
        # Step 5
        stand = self._work.run(lambda tx: self._keep_all(tx, order, outcome, countersigned))
        receipts = tuple(full for one in stand if (full := one.receipt()) is not None)
        return msgspec.structs.replace(outcome, receipts=receipts)

    def countersigned(self, sender: Member, receipt: Receipt) -> None:
        """Take the consumer's signature on a receipt, and deposit the receipt at the platform.

        1. The receipt is mine, with the very bytes that I signed.
        2. The sender is its consumer, and the signature is the sender's.
        3. In one transaction: keep the signature, forget the result, record
           ReceiptCountersigned, send ReceiptDeposit.

        A repeat changes nothing.

        Raises:
            UnknownReceipt, ForgedReceipt, WrongParty: and nothing is kept.
            ForgedSignature: from trust.
        """
        # Step 1
        body = read_body(receipt.body)
        kept = self._work.read(
            lambda tx: self._store.receipt(self._scope, tx, body.receipt_id, Side.PROVIDER)
        )
        if kept is None or kept.provider_signature is None:
            raise UnknownReceipt(id=body.receipt_id[:40])
        if kept.body != receipt.body:
            raise ForgedReceipt(why="body")
        # Step 2
        if (sender.id, sender.subject) != (body.consumer_node, body.consumer):
            raise WrongParty(who=sender.id, contract=body.contract)
        signature = receipt.consumer_signature
        if signature is None or signature.suite != body.suite:
            raise ForgedReceipt(why="consumer signature")
        self._trust.verify(sender, receipt.body, signature)
        platform = self._trust.issuer().id
        full = msgspec.structs.replace(kept, consumer_signature=signature)
        # Step 3
        self._work.run(lambda tx: self._deposit(tx, full, platform))
        reached("usage.countersigned")

    def _mine(self, signed: SignedOrder) -> UseOrder:
        order, me = read_order(signed), self._trust.me()
        if (order.consumer, order.consumer_node) != (me.subject, me.id):
            raise WrongParty(who=order.consumer_node[:40], contract="")
        return order

    def _fitting(
        self,
        order: UseOrder,
        orders: Sequence[SignedOrder],
        receipt: Receipt,
        arrived: tuple[UseOutcome, str | None],
    ) -> KeptReceipt:
        """What to keep of a receipt that fits; the dispute is recorded when it does not."""
        try:
            body = read_body(receipt.body)
        except ForgedReceipt as error:
            raise self._disputed(order, receipt, "form") from error
        known, kept = self._work.read(
            lambda tx: (
                self._store.use(self._scope, tx, Side.CONSUMER, (order.use_id, body.contract)),
                self._store.receipt(self._scope, tx, body.receipt_id, Side.CONSUMER),
            )
        )
        outcome, digest = arrived
        why = misfit_of_books(receipt, body, known, kept)
        why = why or misfit_of_order(body, order, referred(body, orders))
        why = why or misfit_of_contract(body, self._contracts.contract(body.contract))
        # A repeat may come without rows, once the provider has forgotten them.
        if kept is None or outcome.columns:
            why = why or misfit_of_outcome(body, rows=len(outcome.rows), result_digest=digest)
        why = why or self._misfit_of_signature(receipt, body)
        if why is not None:
            raise self._disputed(order, receipt, why)
        return kept or to_keep(receipt, body, self._clock.now())

    def _misfit_of_signature(self, receipt: Receipt, body: ReceiptBody) -> str | None:
        signature = receipt.provider_signature
        if signature.suite != body.suite:
            return "suite"
        provider = self._trust.member(body.provider_node)
        try:
            self._trust.verify(provider, receipt.body, signature)
        except ForgedSignature:
            return "provider signature"
        return None

    def _disputed(self, order: UseOrder, receipt: Receipt | None, why: str) -> ForgedReceipt:
        """Record that a receipt was not accepted; the error to raise."""
        contract, document = joint_contracts(order)[0], None
        if receipt is not None:
            document = receipt.body
            contract = contract_in(receipt.body, order) or contract

        def unit(tx: Tx) -> None:
            known = self._store.use(self._scope, tx, Side.CONSUMER, (order.use_id, contract))
            if known is not None and not known.receipt_id:
                disputed = msgspec.structs.replace(known, disputed=why)
                self._store.put_use(self._scope, tx, disputed)
            details = {"useId": order.use_id, "why": why}
            self._note(tx, "ReceiptDisputed", contract, (details, document))

        self._work.run(unit)
        return ForgedReceipt(why=why)

    def _countersign(self, kept: KeptReceipt) -> KeptReceipt:
        if kept.consumer_signature is not None:
            return kept
        signature = self._trust.sign(kept.body, read_body(kept.body).suite)
        return msgspec.structs.replace(kept, consumer_signature=signature)

    def _keep_all(
        self, tx: Tx, order: UseOrder, outcome: UseOutcome, receipts: Sequence[KeptReceipt]
    ) -> Sequence[KeptReceipt]:
        """The receipts as they stand now: whoever has countersigned first has the last word."""
        bodies = {kept.contract: read_body(kept.body) for kept in receipts}
        for contract in joint_contracts(order):
            known = self._store.use(self._scope, tx, Side.CONSUMER, (order.use_id, contract))
            if known is not None and not known.receipt_id:
                answered = answered_use(known, outcome, bodies.get(contract))
                self._store.put_use(self._scope, tx, answered)
                # With a receipt, ReceiptKept below says it.
                if contract not in bodies and answered != known:
                    details = {"useId": order.use_id, "state": answered.state.value}
                    self._note(tx, "UseAnswered", contract, (details, None))
        stand = []
        for kept in receipts:
            first = self._store.receipt(self._scope, tx, kept.receipt_id, Side.CONSUMER)
            if first is None:
                self._keep_receipt(tx, kept, bodies[kept.contract])
            stand.append(first or kept)
        return stand

    def _keep_receipt(self, tx: Tx, kept: KeptReceipt, body: ReceiptBody) -> None:
        self._store.put_receipt(self._scope, tx, kept)
        details = {"receiptId": kept.receipt_id, "useId": kept.use_id, "outcome": body.outcome}
        self._note(tx, "ReceiptKept", kept.contract, (details, kept.body))
        tx.send(
            Outgoing(
                key=kept.contract,
                to=body.provider_node,
                code="ReceiptCountersign",
                body=msgspec.json.encode(kept.receipt()),
            )
        )

    def _deposit(self, tx: Tx, full: KeptReceipt, platform: str) -> None:
        again = self._store.receipt(self._scope, tx, full.receipt_id, Side.PROVIDER)
        if again is None or again.consumer_signature is not None:
            return
        self._store.put_receipt(self._scope, tx, full)
        self._store.drop_result(self._scope, tx, (full.use_id, full.contract))
        details = {"receiptId": full.receipt_id, "useId": full.use_id}
        self._note(tx, "ReceiptCountersigned", full.contract, (details, full.body))
        tx.send(
            Outgoing(
                # Not the key of messages to the consumer: see contracts/messages.py.
                key=f"{full.contract}/platform",
                to=platform,
                code="ReceiptDeposit",
                body=msgspec.json.encode(full.receipt()),
            )
        )

    def _note(
        self,
        tx: Tx,
        kind: str,
        contract: ContractId,
        what: tuple[Mapping[str, str], bytes | None],
    ) -> None:
        tx.record(
            Fact(
                kind=kind,
                subject=contract,
                actor=self._trust.me().id,
                at=self._clock.now(),
                details=what[0],
                document=what[1],
            )
        )
