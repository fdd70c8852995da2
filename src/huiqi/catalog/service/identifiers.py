"""Who gets which identifier, and what does an identifier stand for?"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from huiqi.catalog.errors import (
    AllotmentDenied,
    ForgedIdentifier,
    IdentifiersExhausted,
    KindNotAllotted,
    UnknownProduct,
)
from huiqi.catalog.ports import IdentifierStore, ParentNode
from huiqi.catalog.service.listing import Listing
from huiqi.catalog.types import (
    AllotRequest,
    Allotted,
    IdentifierStatus,
    Location,
    ProductState,
    Resolution,
)
from huiqi.kernel.clock import Clock
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import (
    IdSource,
    ObjectType,
    WrongIdentifier,
    check_object_id,
    check_subject_code,
    object_id,
    owner_of,
    split_extension,
)
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.trust.service import Trust
from huiqi.trust.types import Member, SystemKind

# spec/ndi-identifiers.md section 6: answers may be kept for 300 s, negative ones for 60 s.
TTL_S = 300
NEGATIVE_TTL_S = 60
# 36**8 codes per owner and area: a second try is rare, an eighth means a broken random source.
_MOST_TRIES = 8
_TYPE_NAMES: Mapping[ObjectType, str] = {
    ObjectType.GLOBAL_NODE: "globalNode",
    ObjectType.REGIONAL_NODE: "regionalNode",
    ObjectType.INDUSTRY_NODE: "industryNode",
    ObjectType.BUSINESS_NODE: "businessNode",
    ObjectType.CONNECTOR: "connector",
    ObjectType.PRODUCT: "product",
    ObjectType.RESOURCE: "resource",
}
_ALLOTTED_HERE = frozenset(
    {ObjectType.BUSINESS_NODE, ObjectType.CONNECTOR, ObjectType.PRODUCT, ObjectType.RESOURCE}
)
# N04 section 4.3: products and resources carry the area of the accepting platform.
_OF_PLATFORM = frozenset({ObjectType.PRODUCT, ObjectType.RESOURCE})
_PRODUCT_STATUS: Mapping[ProductState, IdentifierStatus] = {
    ProductState.LISTED: IdentifierStatus.ACTIVE,
    ProductState.SUSPENDED: IdentifierStatus.SUSPENDED,
    ProductState.WITHDRAWN: IdentifierStatus.CANCELLED,
}


class Identifiers:
    """Allots and resolves N04 identifiers: the node itself, or a platform for its node."""

    def __init__(  # noqa: PLR0913 - one assembly point; every part is named where it is plugged in
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: IdentifierStore,
        trust: Trust,
        parent: ParentNode | None,
        listing: Listing | None = None,
    ) -> None:
        self._scope = scope
        self._work = work
        self._clock = clock
        self._ids = ids
        self._store = store
        self._trust = trust
        self._parent = parent
        self._listing = listing

    def allot(self, sender_subject: str, request: AllotRequest) -> str:
        """A fresh N04 identifier for ``request.subject``.

        Numbered as in the documentation:
        1. the kind is given out here, and the owner's code is genuine
        2. the sender asks for itself, or is a platform that asks for a member
        3. a platform passes the request on to its node and checks the answer
        4. a node makes one that nobody of this kind, owner and area has
        5. keep it and record it, in one transaction

        Raises:
            KindNotAllotted, WrongSubjectCode, AllotmentDenied, ForgedIdentifier.
            IdentifiersExhausted: no free code was found.
            WrongIdentifier: the area is not four digits.
            UnavailableError: the node does not answer.
        """
        if request.kind not in _ALLOTTED_HERE:  # 1
            raise KindNotAllotted(kind=_TYPE_NAMES[request.kind])
        check_subject_code(request.subject)
        self._check_sender(sender_subject, request)  # 2
        if self._parent is not None:
            return self._relayed(self._parent, request)  # 3
        for _ in range(_MOST_TRIES):
            identifier = self._made(request)  # 4
            if self._kept(identifier, request, self._trust.me()):  # 5
                return identifier
        raise IdentifiersExhausted(subject=request.subject)

    def _check_sender(self, sender_subject: str, request: AllotRequest) -> None:
        if sender_subject in {request.subject, self._trust.me().subject}:
            return
        platforms = self._trust.members(SystemKind.PLATFORM) if self._parent is None else ()
        if sender_subject not in {platform.subject for platform in platforms}:
            raise AllotmentDenied(sender=sender_subject[:80], subject=request.subject)

    def _made(self, request: AllotRequest) -> str:
        return object_id(
            request.kind,
            subject=request.subject,
            area=request.area,
            random=self._ids.random_code(),
        )

    def _relayed(self, parent: ParentNode, request: AllotRequest) -> str:
        if request.kind in _OF_PLATFORM:
            request = msgspec.structs.replace(request, area=self._trust.me().area)
        identifier = parent.allot(request)
        try:
            check_object_id(identifier, request.kind)
        except WrongIdentifier as error:
            raise ForgedIdentifier(identifier=identifier[:80]) from error
        fits = (identifier[1:19], identifier[19:23]) == (request.subject, request.area)
        if not fits or not self._kept(identifier, request, self._trust.issuer()):
            raise ForgedIdentifier(identifier=identifier[:80])
        return identifier

    def _kept(self, identifier: str, request: AllotRequest, by: Member) -> bool:
        me, now = self._trust.me(), self._clock.now()
        allotted = Allotted(identifier=identifier, request=request, by=by.id, at=now)
        fact = Fact(
            kind="IdentifierAllotted",
            subject=identifier,
            actor=me.id,
            at=now,
            details={
                "type": _TYPE_NAMES[request.kind],
                "owner": request.subject,
                "purpose": request.purpose[:128],
                "by": by.id,
            },
        )
        return self._work.run(lambda tx: self._keep(tx, allotted, fact))

    def _keep(self, tx: Tx, allotted: Allotted, fact: Fact) -> bool:
        if not self._store.keep(self._scope, tx, allotted):
            return False
        tx.record(fact)
        return True

    def resolve(self, identifier: str) -> Resolution:
        """What is known of ``identifier``; status ``unknown`` when nobody here or above knows it.

        Numbered as in the standard (spec/ndi-identifiers.md section 6):
        R1 the identifier is genuine; an extension code is set aside
        R2 own books: this system, its members, what it allotted or passed on
        R3 an earlier answer that is still good, else the node above, whose answer is kept

        Raises:
            WrongIdentifier: it is not genuine.
            UnavailableError: the node above does not answer.
        """
        check_object_id(identifier)  # R1
        core, _ = split_extension(identifier)
        now = self._clock.now()
        found = self._own(core, now)  # R2
        if found is not None:
            return found
        if self._parent is None:
            return self._answer(core, IdentifierStatus.UNKNOWN, now)
        return self._above(self._parent, core, now)  # R3

    def _own(self, core: str, now: datetime) -> Resolution | None:
        system = self._system(core)
        if system is not None:
            standing = self._trust.standing(core) if system != self._trust.me() else "active"
            at = Location(protocol="https" if _is_https(system) else "http", url=system.address)
            return self._answer(core, IdentifierStatus(standing), now, (at,))
        status, locations = self._listed(core)
        if status is not None:
            return self._answer(core, status, now, locations)
        allotted = self._work.read(lambda tx: self._store.allotted(self._scope, tx, core))
        if allotted is None:
            return None
        return self._answer(core, IdentifierStatus.ACTIVE, allotted.at)

    def _system(self, core: str) -> Member | None:
        known = (self._trust.me(), *self._trust.members())
        return next((member for member in known if member.id == core), None)

    def _listed(self, core: str) -> tuple[IdentifierStatus | None, tuple[Location, ...]]:
        if self._listing is None or core[0] != ObjectType.PRODUCT:
            return None, ()
        try:
            product = self._listing.product(core)
        except UnknownProduct:
            return None, ()
        host = self._system(product.record.provider_node)
        scheme = "https" if host is not None and _is_https(host) else "http"
        locations = (Location(protocol=scheme, url=host.address),) if host is not None else ()
        return _PRODUCT_STATUS.get(product.state, IdentifierStatus.OFFLINE), locations

    def _above(self, parent: ParentNode, core: str, now: datetime) -> Resolution:
        known = self._work.read(lambda tx: self._store.remembered(self._scope, tx, core, now))
        if known is not None:
            resolution, until = known
            left = max(int((until - now).total_seconds()), 1)
            return msgspec.structs.replace(resolution, ttl=left)
        answer = parent.resolve(core)
        if answer.identifier != core or answer.owner_entity_id != owner_of(core):
            raise ForgedIdentifier(identifier=answer.identifier[:80])
        until = now + timedelta(seconds=min(max(answer.ttl, 0), TTL_S))
        self._work.run(lambda tx: self._remember(tx, answer, now, until))
        return answer

    def _remember(self, tx: Tx, answer: Resolution, now: datetime, until: datetime) -> None:
        self._store.forget_before(self._scope, tx, now)
        self._store.remember(self._scope, tx, answer, until)

    def _answer(
        self,
        core: str,
        status: IdentifierStatus,
        updated_at: datetime,
        locations: tuple[Location, ...] = (),
    ) -> Resolution:
        unknown = status is IdentifierStatus.UNKNOWN
        return Resolution(
            identifier=core,
            object_type=_TYPE_NAMES[ObjectType(core[0])],
            status=status,
            owner_entity_id=owner_of(core),
            resolved_by=self._trust.me().id,
            updated_at=updated_at,
            ttl=NEGATIVE_TTL_S if unknown else TTL_S,
            locations=locations,
        )


def _is_https(member: Member) -> bool:
    return member.address.startswith("https:")
