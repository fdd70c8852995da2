"""What does a platform do with the products that participants want listed?"""

import threading
from collections.abc import Sequence

import msgspec

from huiqi.catalog.columns import types_of
from huiqi.catalog.errors import InvalidOffer, NotOwner, OldVersion, UnknownProduct
from huiqi.catalog.offers import check_form, check_terms
from huiqi.catalog.ports import CatalogStore
from huiqi.catalog.records import record_of
from huiqi.catalog.search import Index, Match
from huiqi.catalog.service.books import Books, Step, check_signed
from huiqi.catalog.states import ProductMessage, ProductSender
from huiqi.catalog.types import (
    Hit,
    Product,
    ProductRecord,
    ProductState,
    ReviewNotice,
    SignedRecord,
)
from huiqi.kernel.clock import Clock
from huiqi.kernel.work import Outgoing, Scope, Tx, Work
from huiqi.policy.service import Policies
from huiqi.trust.service import Trust
from huiqi.trust.types import Member

# A page shows twenty; N05 gives no limit, more than this is harvesting.
MOST_HITS = 200
LONGEST_REASON = 1_000


class Listing:
    """The platform's catalogue: admits, reviews, lists and finds products."""

    def __init__(
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        store: CatalogStore,
        policies: Policies,
        trust: Trust,
    ) -> None:
        self._scope = scope
        self._work = work
        self._clock = clock
        self._store = store
        self._policies = policies
        self._trust = trust
        self._books = Books(scope, store)
        self._lock = threading.Lock()
        self._index: Index | None = None

    def admit(self, sender: Member, signed: SignedRecord) -> Product:
        """Take a provider's product into these books, under review.

        The same bytes again are taken for what they are: a repeat. Numbered as in the
        documentation:
        1. the record is genuine, the sender's own, and signed by the sender
        2. its plain fields are in form
        3. its terms have no error and can be enforced
        4. a known product: the same bytes, or a higher version from the same connector
        5. keep it under review and record it, in one transaction

        Raises:
            ForgedRecord, NotOwner, InvalidOffer, TermsRefused, OldVersion, IllegalStep.
        """
        record = record_of(signed.body)  # 1
        if (record.provider, record.provider_node) != (sender.subject, sender.id):
            raise NotOwner(sender=sender.id, id=record.id[:80])
        check_signed(self._trust, sender, signed)
        check_form(record)  # 2
        terms, types = record.terms, types_of(record.columns)  # 3
        names = tuple(types)
        findings = self._policies.check(terms, columns=names, types=types)
        report = self._policies.report(terms, columns=names, node=sender.id, types=types)
        check_terms(findings, report)
        product = self._work.run(lambda tx: self._admitted(tx, record, signed))
        self._refresh(product.record.id)
        return product

    def _admitted(self, tx: Tx, record: ProductRecord, signed: SignedRecord) -> Product:
        known = self._store.product(self._scope, tx, record.id)
        if known is not None:  # 4
            if self._books.signed(tx, record.id).body == signed.body:
                return known
            if known.record.provider_node != record.provider_node:
                raise NotOwner(sender=record.provider_node, id=record.id)
            if record.version <= known.record.version:
                raise OldVersion(id=record.id, known=known.record.version, got=record.version)
        message, provider = ProductMessage.SUBMIT, ProductSender.PROVIDER
        actor, now = record.provider_node, self._clock.now()
        step = Step(message, provider, "ProductAdmitted", actor, now)
        return self._books.enter(tx, record, signed, step)  # 5

    def pending(self) -> Sequence[Product]:
        """Products that wait for review, newest first."""
        return self._work.read(
            lambda tx: self._store.products(self._scope, tx, ProductState.REVIEWING)
        )

    def products(self) -> Sequence[Product]:
        """Every product in these books, newest first."""
        return self._work.read(lambda tx: self._store.products(self._scope, tx))

    def product(self, id: str) -> Product:  # noqa: A002 - the name that all verbs use
        """One product in any state.

        Raises:
            UnknownProduct: it was never admitted.
        """
        return self._work.read(lambda tx: self._books.known(tx, id))

    def approve(self, id: str, *, by: str) -> Product:  # noqa: A002 - as in all verbs
        """List a product; its provider is told.

        Raises:
            UnknownProduct: it was never admitted.
            IllegalStep: it is not under review.
        """
        return self._decide(id, ProductMessage.APPROVE, "ProductApproved", by)

    def reject(self, id: str, *, by: str, reason: str) -> Product:  # noqa: A002 - as in all verbs
        """Return a product to its provider with the reason.

        Raises:
            InvalidOffer: no reason was given; the provider could not correct anything.
            UnknownProduct: it was never admitted.
            IllegalStep: it is not under review.
        """
        return self._decide(id, ProductMessage.REJECT, "ProductRejected", by, _given(reason))

    def suspend(self, id: str, *, by: str, reason: str) -> Product:  # noqa: A002 - as in all verbs
        """Take a listed product off the catalogue for a while; its provider is told why.

        Raises:
            InvalidOffer: no reason was given.
            UnknownProduct: it was never admitted.
            IllegalStep: it is not listed.
        """
        return self._decide(id, ProductMessage.SUSPEND, "ProductSuspended", by, _given(reason))

    def resume(self, id: str, *, by: str) -> Product:  # noqa: A002 - as in all verbs
        """List a suspended product again; its provider is told.

        Raises:
            UnknownProduct: it was never admitted.
            IllegalStep: it is not suspended.
        """
        return self._decide(id, ProductMessage.RESUME, "ProductResumed", by)

    def _decide(
        self, product_id: str, message: ProductMessage, fact: str, by: str, reason: str = ""
    ) -> Product:
        step = Step(message, ProductSender.PLATFORM, fact, by, self._clock.now(), reason)
        product = self._work.run(lambda tx: self._decided(tx, product_id, step))
        self._refresh(product_id)
        return product

    def _decided(self, tx: Tx, product_id: str, step: Step) -> Product:
        after = self._books.move(tx, self._books.known(tx, product_id), step)
        notice = ReviewNotice(
            id=after.record.id,
            state=after.state,
            reason=step.reason,
            at=step.at,
            version=after.record.version,
        )
        to, body = after.record.provider_node, msgspec.json.encode(notice)
        tx.send(Outgoing(key=product_id, to=to, code="ProductReviewed", body=body))
        return after

    def withdraw(self, sender: Member, id: str) -> None:  # noqa: A002 - as in all verbs
        """The provider takes its product back; a repeat changes nothing.

        Raises:
            UnknownProduct: it was never admitted.
            NotOwner: the sender is not the connector that registered it.
        """
        self._work.run(lambda tx: self._withdrawn(tx, sender, id))
        self._refresh(id)

    def _withdrawn(self, tx: Tx, sender: Member, product_id: str) -> None:
        product = self._books.known(tx, product_id)
        if sender.id != product.record.provider_node:
            raise NotOwner(sender=sender.id, id=product_id)
        if product.state is ProductState.WITHDRAWN:
            return
        message, provider = ProductMessage.WITHDRAW, ProductSender.PROVIDER
        step = Step(message, provider, "ProductWithdrawn", sender.id, self._clock.now())
        self._books.move(tx, product, step)

    def search(self, text: str, *, limit: int = 20) -> Sequence[Hit]:
        """Listed products that match ``text``, best first; the newest when it is empty.

        At most ``limit`` (1 to 200) of them. See ``catalog.search`` for what matches.
        """
        most = min(max(limit, 1), MOST_HITS)
        if not text.strip():
            return [Hit(record=p.record, score=0, matched=()) for p in self._listed()[:most]]
        with self._lock:
            if self._index is None:
                self._index = Index()
                for product in self._listed():
                    self._index.put(product.record)
            matches = self._index.find(text)
        return self._work.read(lambda tx: self._hits(tx, matches, most))

    def _listed(self) -> Sequence[Product]:
        return self._work.read(
            lambda tx: self._store.products(self._scope, tx, ProductState.LISTED)
        )

    def _hits(self, tx: Tx, matches: Sequence[Match], most: int) -> Sequence[Hit]:
        """The store has the last word: what was withdrawn a moment ago is not shown."""
        hits: list[Hit] = []
        for match in matches:
            product = self._store.product(self._scope, tx, match.id)
            if product is not None and product.state is ProductState.LISTED:
                hits.append(Hit(record=product.record, score=match.score, matched=match.fields))
            if len(hits) == most:
                break
        return hits

    def _refresh(self, product_id: str) -> None:
        """Bring the index up to what the store holds now, whichever verb committed last."""
        with self._lock:
            if self._index is None:
                return
            product = self._work.read(lambda tx: self._store.product(self._scope, tx, product_id))
            if product is not None and product.state is ProductState.LISTED:
                self._index.put(product.record)
            else:
                self._index.drop(product_id)

    def fetch(self, id: str) -> SignedRecord:  # noqa: A002 - the name that all verbs use
        """The signed record of a listed product.

        Raises:
            UnknownProduct: it does not exist or is not listed now.
        """
        return self._work.read(lambda tx: self._fetched(tx, id))

    def _fetched(self, tx: Tx, product_id: str) -> SignedRecord:
        if self._books.known(tx, product_id).state is not ProductState.LISTED:
            raise UnknownProduct(id=product_id[:80])
        return self._books.signed(tx, product_id)


def _given(reason: str) -> str:
    if not reason.strip():
        raise InvalidOffer(field="reason", zh="请写明理由", en="give a reason")
    return reason.strip()[:LONGEST_REASON]
