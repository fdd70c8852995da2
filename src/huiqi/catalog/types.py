"""Which documents describe data and its offer, and the identifiers they carry?"""

from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ObjectType, ProductId, ResourceId, SubjectCode, SystemId
from huiqi.policy.types import Terms
from huiqi.trust.types import Signature


class ProductState(StrEnum):
    """Where a product stands (the words of console.md section 1.5)."""

    DRAFT = "draft"
    IDENTIFIED = "identified"
    REVIEWING = "reviewing"
    LISTED = "listed"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column as profiled: name, DuckDB type, share of nulls in ten-thousandths, range.

    ``least`` and ``most`` are texts (empty when not orderable or not published); ``distinct`` is
    approximate. ``meaning`` is the provider's word for it (Chinese, or whatever there is),
    ``meaning_en`` the English one, ``level`` its sensitivity level 1-5. A header that had to be
    turned into an SQL name stands in ``meaning`` as it was.
    """

    name: str
    type: str
    null_bp: int = 0
    distinct: int = 0
    least: str = ""
    most: str = ""
    meaning: str = ""
    meaning_en: str = ""
    level: str = "1"


class Meaning(msgspec.Struct, frozen=True):
    """What a provider says about a column: its sense in both languages and its level 1-5."""

    zh: str
    en: str = ""
    level: str = "1"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What profiling found in a data source. ``digest`` is SM3 over the file's bytes, hex."""

    rows: int
    bytes: int
    digest: str
    encoding: str
    columns: tuple[Column, ...]


class SourceRef(msgspec.Struct, frozen=True):
    """Where a provider's data lives, for the provider's own connector only.

    ``kind`` is a source capability name (``file@1``); ``location`` a path below the connector's
    data directory.
    """

    kind: str
    location: str


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A registered data resource of a provider; its source never leaves the connector."""

    id: ResourceId
    name: str
    source: SourceRef
    profile: Profile
    registered_at: datetime


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says when publishing a resource as a product.

    ``table`` is the name queries will use: lower-case ASCII. ``columns`` are names of the
    resource's columns, None means all. ``topic`` and ``update_frequency`` are codes of N06.
    """

    name: str
    abstract: str
    keywords: tuple[str, ...]
    topic: str
    table: str
    columns: tuple[str, ...] | None = None
    update_frequency: str
    licence: str
    terms: Terms


class ProductRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What others may know of a data product: the listing.

    ``table`` is the name under which queries address it. ``columns`` are those of the offer.
    ``rows`` is the number of rows offered, ``topic`` a code of ``vocab/topic_codes``,
    ``provider_node`` the connector that enforces its use.
    """

    id: ProductId
    name: str
    abstract: str
    keywords: tuple[str, ...]
    topic: str
    table: str
    provider: SubjectCode
    provider_name: str
    provider_node: SystemId
    resource: ResourceId
    columns: tuple[Column, ...]
    rows: int
    update_frequency: str
    licence: str
    terms: Terms
    version: int
    created_at: datetime


class SignedRecord(msgspec.Struct, frozen=True):
    """The canonical bytes of a ProductRecord and its provider's signature over them."""

    body: bytes
    signature: Signature


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product in its owner's books or in the platform's: the record, its state, and why."""

    record: ProductRecord
    state: ProductState
    reason: str = ""
    listed_at: datetime | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One search result, best first by ``score``.

    ``matched`` names the fields that matched: name, keywords, abstract, topic, provider,
    meanings, columns. It is empty when nothing was searched for.
    """

    record: ProductRecord
    score: int
    matched: tuple[str, ...]


class ReviewNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform decided about version ``version`` of a product, and why."""

    id: ProductId
    state: ProductState
    reason: str
    at: datetime
    version: int = 1


class AllotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks a node for an N04 identifier of ``kind`` owned by ``subject``.

    ``area`` is a region or industry code (4 digits); ``purpose`` says in a few words what it is
    for, so that a person who reads the log understands it.
    """

    kind: ObjectType
    subject: SubjectCode
    area: str
    purpose: str


class Allotted(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier in the books of who allotted it or passed it on; ``by`` is the node."""

    identifier: str
    request: AllotRequest
    by: SystemId
    at: datetime


class IdentifierStatus(StrEnum):
    """Where the thing behind an identifier stands (spec/ndi-identifiers.md section 6)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Location(msgspec.Struct, frozen=True):
    """Where a resolved thing can be reached; the smallest ``priority`` first."""

    protocol: str
    url: str
    priority: int = 0


class Resolution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of an identifier (spec/ndi-identifiers.md section 6).

    ``owner_entity_id`` are its characters 2 to 19, ``resolved_by`` the system that answered with
    authority, ``ttl`` the seconds for which the answer may be kept.
    """

    identifier: str
    object_type: str
    status: IdentifierStatus
    owner_entity_id: str
    resolved_by: str
    updated_at: datetime
    ttl: int
    locations: tuple[Location, ...] = ()
    refer_to: str = ""
    aliases: tuple[str, ...] = ()
