"""How does a product change its state in somebody's books, with its fact, in one transaction?"""

from datetime import datetime
from typing import NamedTuple

from huiqi.catalog.errors import ForgedRecord, UnknownProduct
from huiqi.catalog.ports import CatalogStore
from huiqi.catalog.records import check_genuine, record_of
from huiqi.catalog.states import TABLE, ProductMessage, ProductSender
from huiqi.catalog.types import Product, ProductRecord, ProductState, SignedRecord
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Scope, Tx
from huiqi.trust.errors import ForgedSignature
from huiqi.trust.service import Trust
from huiqi.trust.types import Member


class Step(NamedTuple):
    """One move of a product: which message by whom, as which fact, when and why."""

    message: ProductMessage
    sender: ProductSender
    fact: str
    actor: str
    at: datetime
    reason: str = ""


class Books:
    """The products of one participant, for use inside a transaction."""

    def __init__(self, scope: Scope, store: CatalogStore) -> None:
        self._scope = scope
        self._store = store

    def known(self, tx: Tx, product_id: str) -> Product:
        """The product with this identifier.

        Raises:
            UnknownProduct: there is none.
        """
        found = self._store.product(self._scope, tx, product_id)
        if found is None:
            raise UnknownProduct(id=product_id[:80])
        return found

    def signed(self, tx: Tx, product_id: str) -> SignedRecord:
        """The signed record of a product.

        Raises:
            UnknownProduct: there is none.
        """
        found = self._store.signed(self._scope, tx, product_id)
        if found is None:
            raise UnknownProduct(id=product_id[:80])
        return found

    def enter(self, tx: Tx, record: ProductRecord, signed: SignedRecord, step: Step) -> Product:
        """Keep a new record, or a new version of a known one, under review.

        Raises:
            IllegalStep: the known product is not in a state that takes a new version.
        """
        known = self._store.product(self._scope, tx, record.id)
        if known is None:
            before = TABLE.step(TABLE.first, ProductMessage.IDENTIFY, ProductSender.NODE)
        else:
            before = known.state
        product = Product(record=record, state=TABLE.step(before, step.message, step.sender))
        self._put(tx, product, signed, step)
        return product

    def move(self, tx: Tx, product: Product, step: Step) -> Product:
        """Bring a known product into its next state.

        Raises:
            IllegalStep: the table has no such row.
        """
        state = TABLE.step(product.state, step.message, step.sender)
        after = Product(
            record=product.record,
            state=state,
            reason=step.reason,
            listed_at=step.at if state is ProductState.LISTED else product.listed_at,
        )
        self._put(tx, after, self.signed(tx, product.record.id), step)
        return after

    def _put(self, tx: Tx, product: Product, signed: SignedRecord, step: Step) -> None:
        self._store.put_product(self._scope, tx, product, signed)
        details: dict[str, str | int] = {"version": product.record.version}
        if step.reason:
            details["reason"] = step.reason
        tx.record(
            Fact(
                kind=step.fact,
                subject=product.record.id,
                actor=step.actor,
                at=step.at,
                details=details,
                document=signed.body,
            )
        )


def check_signed(trust: Trust, signer: Member, signed: SignedRecord) -> ProductRecord:
    """The record in ``signed``, when ``signer`` is its provider's connector and signed it.

    Numbered as in the documentation:
    1. the bytes are the canonical form of a record
    2. its identifiers are genuine and belong to its provider
    3. the signer is the connector and the organisation that the record names
    4. the signature is over exactly these bytes

    Raises:
        ForgedRecord: names what does not hold.
    """
    record = record_of(signed.body)  # 1
    check_genuine(record)  # 2
    if signer.id != record.provider_node or signer.subject != record.provider:  # 3
        raise ForgedRecord(why="provider")
    try:
        trust.verify(signer, signed.body, signed.signature)  # 4
    except ForgedSignature as error:
        raise ForgedRecord(why="signature") from error
    return record
