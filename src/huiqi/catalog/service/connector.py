"""What can a participant do with its data, and with the data of others that it finds?"""

from collections.abc import Mapping, Sequence

import msgspec

from huiqi.catalog.columns import chosen, described, types_of
from huiqi.catalog.drafts import Draft, corrected_by
from huiqi.catalog.errors import (
    DuplicateResource,
    ForgedIdentifier,
    ForgedRecord,
    NotPlatform,
    UnknownResource,
)
from huiqi.catalog.offers import check_form, check_terms
from huiqi.catalog.ports import CatalogStore, PlatformCatalog, Profiler
from huiqi.catalog.records import record_of, signed_bytes
from huiqi.catalog.service.books import Books, Step, check_signed
from huiqi.catalog.states import ProductMessage, ProductSender, decision
from huiqi.catalog.types import (
    AllotRequest,
    Hit,
    Meaning,
    Offer,
    Product,
    ProductRecord,
    ProductState,
    Resource,
    ReviewNotice,
    SignedRecord,
    SourceRef,
)
from huiqi.kernel.clock import Clock
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import (
    IdSource,
    ObjectType,
    ProductId,
    ResourceId,
    WrongIdentifier,
    check_object_id,
    owner_of,
)
from huiqi.kernel.work import Outgoing, Scope, Tx, Work
from huiqi.policy.service import Policies
from huiqi.trust.service import Trust
from huiqi.trust.types import Member

_FACTS: Mapping[ProductMessage, str] = {
    ProductMessage.APPROVE: "ProductListed",
    ProductMessage.RESUME: "ProductListed",
    ProductMessage.REJECT: "ProductRejected",
    ProductMessage.SUSPEND: "ProductSuspended",
}


class Catalog:
    """Provider's and consumer's side of the catalogue, in a connector."""

    def __init__(  # noqa: PLR0913 - one assembly point; every part is named where it is plugged in
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: CatalogStore,
        policies: Policies,
        trust: Trust,
        profiler: Profiler,
        platform: PlatformCatalog,
    ) -> None:
        self._scope = scope
        self._work = work
        self._clock = clock
        self._ids = ids
        self._store = store
        self._policies = policies
        self._trust = trust
        self._profiler = profiler
        self._platform = platform
        self._books = Books(scope, store)

    def register(
        self, *, name: str, file: str, meanings: Mapping[str, Meaning] | None = None
    ) -> Resource:
        """Take a data file in as a resource; its bytes stay in this connector.

        Numbered as in the documentation:
        1. profile the file and keep a normalised copy
        2. put the provider's words to the columns
        3. refuse a file with the same bytes
        4. have an identifier allotted by the node, through the platform
        5. keep the resource and record it, in one transaction

        Raises:
            DuplicateResource: the same bytes are registered.
            UnknownColumn, WrongLevel: ``meanings`` do not fit the file.
            HuiqiError: whatever ``Profiler.profile`` and the platform raise.
        """
        me = self._trust.me()
        source, profile = self._profiler.profile(file)  # 1
        columns = described(profile.columns, meanings or {})  # 2
        profile = msgspec.structs.replace(profile, columns=columns)
        self._work.read(lambda tx: self._refuse_duplicate(tx, profile.digest))  # 3
        identifier = self._allotted(ObjectType.RESOURCE, name, me)  # 4
        resource = Resource(
            id=ResourceId(identifier),
            name=name.strip() or identifier,
            source=source,
            profile=profile,
            registered_at=self._clock.now(),
        )
        self._work.run(lambda tx: self._keep_resource(tx, resource, me))  # 5
        return resource

    def _refuse_duplicate(self, tx: Tx, digest: str) -> None:
        known = self._store.resource_with(self._scope, tx, digest)
        if known is not None:
            raise DuplicateResource(name=known.name, id=known.id)

    def _keep_resource(self, tx: Tx, resource: Resource, me: Member) -> None:
        profile = resource.profile
        self._refuse_duplicate(tx, profile.digest)
        self._store.put_resource(self._scope, tx, resource)
        tx.record(
            Fact(
                kind="ResourceRegistered",
                subject=resource.id,
                actor=me.id,
                at=resource.registered_at,
                details={
                    "digest": profile.digest,
                    "rows": profile.rows,
                    "bytes": profile.bytes,
                    "columns": len(profile.columns),
                },
            )
        )

    def _allotted(self, kind: ObjectType, purpose: str, me: Member) -> str:
        area = self._trust.issuer().area
        request = AllotRequest(kind=kind, subject=me.subject, area=area, purpose=purpose[:128])
        identifier = self._platform.allot(request)
        try:
            check_object_id(identifier, kind)
        except WrongIdentifier as error:
            raise ForgedIdentifier(identifier=identifier[:80]) from error
        if owner_of(identifier) != me.subject:
            raise ForgedIdentifier(identifier=identifier[:80])
        return identifier

    def resources(self) -> Sequence[Resource]:
        """Every registered resource, newest first."""
        return self._work.read(lambda tx: self._store.resources(self._scope, tx))

    def resource(self, id: str) -> Resource:  # noqa: A002 - the name that all verbs use
        """One registered resource.

        Raises:
            UnknownResource: there is none with this identifier.
        """
        found = self._work.read(lambda tx: self._store.resource(self._scope, tx, id))
        if found is None:
            raise UnknownResource(id=id[:80])
        return found

    def publish(self, resource: str, offer: Offer) -> Product:
        """Offer a resource under terms; the platform reviews it before others see it.

        Numbered as in the documentation:
        1. check the plain fields and choose the columns
        2. check the terms: no error, and everything enforceable here
        3. refuse a name or table name that another product of ours has
        4. the identifier: allotted by the node, or kept when a rejected product is resubmitted
        5. the record, its canonical bytes, and our signature over them
        6. keep it under review, record it and send ProductRegister, in one transaction

        Raises:
            UnknownResource, InvalidOffer, UnknownColumn, TermsRefused, DuplicateProduct.
        """
        draft = self._checked(self.resource(resource), offer)
        returned = self._work.read(lambda tx: self._corrected(tx, draft.offer))  # 3
        if returned is None:  # 4
            identifier = ProductId(self._allotted(ObjectType.PRODUCT, offer.name, draft.me))
            version = 1
        else:
            identifier, version = returned.record.id, returned.record.version + 1
        record = draft.record(identifier, version=version, at=self._clock.now())  # 5
        body = signed_bytes(record)
        signed = SignedRecord(body=body, signature=self._trust.sign(body))
        platform = self._trust.issuer()
        return self._work.run(lambda tx: self._submit(tx, (draft, record), signed, platform))  # 6

    def _checked(self, resource: Resource, offer: Offer) -> Draft:
        check_form(offer)  # 1
        columns = chosen(resource.profile.columns, offer.columns)
        types = types_of(columns)
        names = tuple(types)
        me = self._trust.me()
        terms = self._policies.normalised(offer.terms)  # 2
        findings = self._policies.check(terms, columns=names, types=types)
        report = self._policies.report(terms, columns=names, node=me.id, types=types)
        check_terms(findings, report)
        return Draft(resource, msgspec.structs.replace(offer, terms=terms, columns=names), me)

    def _corrected(self, tx: Tx, offer: Offer) -> Product | None:
        return corrected_by(offer, self._store.products(self._scope, tx))

    def _submit(
        self, tx: Tx, new: tuple[Draft, ProductRecord], signed: SignedRecord, platform: Member
    ) -> Product:
        draft, record = new
        self._corrected(tx, draft.offer)
        step = Step(
            ProductMessage.SUBMIT,
            ProductSender.PROVIDER,
            "ProductSubmitted",
            draft.me.id,
            record.created_at,
        )
        product = self._books.enter(tx, record, signed, step)
        body = msgspec.json.encode(signed)
        tx.send(Outgoing(key=record.id, to=platform.id, code="ProductRegister", body=body))
        return product

    def products(self) -> Sequence[Product]:
        """Our own products in every state, newest first."""
        return self._work.read(lambda tx: self._store.products(self._scope, tx))

    def product(self, id: str) -> Product:  # noqa: A002 - the name that all verbs use
        """One of our own products.

        Raises:
            UnknownProduct: none of ours has this identifier.
        """
        return self._work.read(lambda tx: self._books.known(tx, id))

    def source_of(self, product_id: str) -> SourceRef:
        """Where the data of one of our own products lies.

        Raises:
            UnknownProduct, UnknownResource.
        """
        return self.resource(self.product(product_id).record.resource).source

    def reviewed(self, sender: Member, notice: ReviewNotice) -> None:
        """Take the platform's decision about one of our products.

        A repeated notice, one about an earlier version, and one that our own withdrawal has
        overtaken change nothing.

        Raises:
            NotPlatform: the sender is not the platform that admitted us.
            UnknownProduct: none of ours has this identifier.
            IllegalStep: the decision does not fit the product's state.
        """
        if sender.id != self._trust.issuer().id:
            raise NotPlatform(sender=sender.id)
        self._work.run(lambda tx: self._take(tx, sender, notice))

    def refused(self, id: str, reason: str) -> None:  # noqa: A002 - the name that all verbs use
        """The platform refused the registration itself: the product counts as rejected.

        Raises:
            UnknownProduct: none of ours has this identifier.
        """
        platform = self._trust.issuer()
        record = self.product(id).record
        notice = ReviewNotice(
            id=record.id,
            state=ProductState.REJECTED,
            reason=reason,
            at=self._clock.now(),
            version=record.version,
        )
        self._work.run(lambda tx: self._take(tx, platform, notice))

    def _take(self, tx: Tx, sender: Member, notice: ReviewNotice) -> None:
        product = self._books.known(tx, notice.id)
        settled = product.state in {notice.state, ProductState.WITHDRAWN}
        if settled or product.record.version != notice.version:
            return
        message = decision(product.state, notice.state)
        fact = _FACTS.get(message, "")
        platform = ProductSender.PLATFORM
        step = Step(message, platform, fact, sender.id, self._clock.now(), notice.reason[:1_000])
        self._books.move(tx, product, step)

    def withdraw(self, id: str) -> Product:  # noqa: A002 - the name that all verbs use
        """Take a product back: no new contract can be made over it.

        Contracts that are in force are not touched.

        Raises:
            UnknownProduct: none of ours has this identifier.
            IllegalStep: it is withdrawn already.
        """
        me, platform = self._trust.me(), self._trust.issuer()
        return self._work.run(lambda tx: self._withdrawn(tx, id, me, platform))

    def _withdrawn(self, tx: Tx, product_id: str, me: Member, platform: Member) -> Product:
        message, sender = ProductMessage.WITHDRAW, ProductSender.PROVIDER
        step = Step(message, sender, "ProductWithdrawn", me.id, self._clock.now())
        after = self._books.move(tx, self._books.known(tx, product_id), step)
        body = msgspec.json.encode({"id": product_id})
        tx.send(Outgoing(key=product_id, to=platform.id, code="ProductWithdraw", body=body))
        return after

    def search(self, text: str, *, limit: int = 20) -> Sequence[Hit]:
        """Listed products that match ``text``, as the platform answers, best first.

        Hits are for looking at; ``fetch`` verifies a record before anything is built on it.
        """
        return self._platform.search(text, limit)

    def fetch(self, id: str) -> tuple[ProductRecord, str]:  # noqa: A002 - as in all verbs
        """A product's record, verified, and the SM3 hex of its signed bytes.

        Own products come from our own books. Numbered as in the documentation:
        1. ask the platform for the signed record
        2. it is a record of this very product
        3. the connector that the record names is a member
        4. that connector signed it, and everything in it is genuine (``check_signed``)

        Raises:
            WrongIdentifier: ``id`` is not a product identifier.
            ForgedRecord: one of the steps fails.
            HuiqiError: whatever the platform raises when it does not list the product.
        """
        check_object_id(id, ObjectType.PRODUCT)
        own = self._work.read(lambda tx: self._store.signed(self._scope, tx, id))
        if own is not None:
            return record_of(own.body), sm3_hex(own.body)
        signed = self._platform.fetch(id)  # 1
        record = record_of(signed.body)  # 2
        if record.id != id:
            raise ForgedRecord(why="another product")
        provider = self._trust.member(record.provider_node)  # 3
        check_signed(self._trust, provider, signed)  # 4
        return record, sm3_hex(signed.body)
