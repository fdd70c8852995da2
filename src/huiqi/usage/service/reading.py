"""What do pages, settlement and the self-check read of uses and receipts?"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from huiqi.evidence.types import Proof
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.ids import ContractId
from huiqi.kernel.work import Tx
from huiqi.usage.errors import UnknownReceipt
from huiqi.usage.files import ReceiptFile
from huiqi.usage.ports import WHOLE, Document, Tally, Use
from huiqi.usage.receipts import counted, read_body
from huiqi.usage.service.room import Room
from huiqi.usage.types import Receipt, SignedOrder, UseLine

# How many documents are held in memory at a time while all are walked.
PAGE = 200


class Reading(Room):
    """The verbs that change nothing, for both sides."""

    def uses(
        self, *, contract: str | None = None, before: str | None = None, limit: int = 50
    ) -> Sequence[UseLine]:
        """Uses newest first, of one contract or all; ``before`` is the cursor of a line.

        A cursor that is not one begins at the newest.
        """
        number = (
            int(before) if before is not None and before.isascii() and before.isdigit() else None
        )

        def query(tx: Tx) -> Sequence[UseLine]:
            found = self._store.uses(self._scope, tx, contract, number, limit)
            return [self._line(tx, use) for use in found]

        return self._work.read(query)

    def order(self, use_id: str) -> SignedOrder | None:
        """The newest order kept under a use id: what to send again after a crash."""
        found = self._work.read(lambda tx: self._store.orders(self._scope, tx, use_id))
        return found[-1] if found else None

    def receipt(self, receipt_id: str) -> Receipt:
        """A receipt with the signatures gathered so far.

        Raises:
            UnknownReceipt: none with this id, or the provider has not signed it yet.
        """
        kept = self._work.read(lambda tx: self._store.receipt(self._scope, tx, receipt_id))
        receipt = kept.receipt() if kept is not None else None
        if receipt is None:
            raise UnknownReceipt(id=receipt_id[:40])
        return receipt

    def receipts(self, *, contract: str | None = None, limit: int = 200) -> Sequence[Receipt]:
        """Signed receipts, newest first, of one contract or all."""
        kept = self._work.read(lambda tx: self._store.receipts(self._scope, tx, contract, limit))
        return [receipt for one in kept if (receipt := one.receipt()) is not None]

    def receipt_file(self, receipt_id: str, *, proofs: Sequence[Proof] = ()) -> bytes:
        """A receipt as a file for third parties: both records, order, agreement, proofs.

        The result is left out: who has it can add it.

        Raises:
            UnknownReceipt: as ``receipt``.
            UnknownMember: a party is not known here any more.
        """
        receipt = self.receipt(receipt_id)
        body = read_body(receipt.body)
        orders = self._work.read(lambda tx: self._store.orders(self._scope, tx, body.use_id))
        file = ReceiptFile(
            receipt=receipt,
            members=(
                self._trust.member(body.provider_node),
                self._trust.member(body.consumer_node),
            ),
            order=next((o for o in orders if sm3_hex(o.body) == body.order_digest), None),
            agreement=self._contracts.contract(body.contract).agreement,
            proofs=tuple(proofs),
        )
        return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"

    def counters(self, contract: str) -> Mapping[str, int]:
        """``count`` and ``rows`` used so far, and ``reserved`` uses in progress.

        On the consumer's side they are those of the newest receipt, as its provider signed them.
        """

        def query(tx: Tx) -> Mapping[str, int]:
            tally = self._store.tally(self._scope, tx, ContractId(contract), WHOLE)
            if tally != Tally():
                return {**counted(tally), "reserved": tally.reserved}
            newest = self._store.receipts(self._scope, tx, contract, 1)
            counters = read_body(newest[0].body).counters if newest else counted(tally)
            return {**counters, "reserved": 0}

        return self._work.read(query)

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """(where, SHA-256 noted when it was kept, bytes) of every receipt body, oldest first."""
        after = 0
        while page := self._page(after):
            yield from ((one.where, one.sha256, one.body) for one in page)
            after = page[-1].number

    def _page(self, after: int) -> Sequence[Document]:
        return self._work.read(lambda tx: self._store.documents(self._scope, tx, after, PAGE))

    def _line(self, tx: Tx, use: Use) -> UseLine:
        kept = (
            self._store.receipt(self._scope, tx, use.receipt_id, use.side)
            if use.receipt_id
            else None
        )
        return UseLine(
            cursor=str(use.number),
            side=use.side,
            at=use.at,
            use_id=use.use_id,
            contract=use.contract,
            product=use.product,
            product_name=use.product_name,
            consumer=use.consumer,
            executor=use.executor,
            action=use.action,
            purpose=use.purpose,
            sql=use.sql,
            decision=use.decision,
            reasons=use.reasons,
            rows=use.rows,
            state=use.state,
            receipt_id=use.receipt_id,
            countersigned=kept is not None and kept.consumer_signature is not None,
            disputed=use.disputed,
        )
