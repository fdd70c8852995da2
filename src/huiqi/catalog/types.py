"""Which documents describe data and its offer?"""

from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ProductId, ResourceId, SubjectCode, SystemId
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
    approximate. ``meaning`` is the provider's word for it, ``level`` its sensitivity level 1-5.
    """

    name: str
    type: str
    null_bp: int = 0
    distinct: int = 0
    least: str = ""
    most: str = ""
    meaning: str = ""
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
    """One search result: why it matched, field by field, best first by ``score``."""

    record: ProductRecord
    score: int
    matched: tuple[str, ...]
