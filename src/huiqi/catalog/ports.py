"""What does the catalogue need from outside?"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from huiqi.catalog.types import (
    AllotRequest,
    Allotted,
    Hit,
    Product,
    ProductState,
    Profile,
    Resolution,
    Resource,
    SignedRecord,
    SourceRef,
)
from huiqi.kernel.work import Scope, Tx


class Profiler(Protocol):
    """Reads a provider's file, keeps a normalised copy and says what is in it."""

    def profile(self, file: Path | str) -> tuple[SourceRef, Profile]:
        """Where the kept copy lies, and what was found.

        Raises:
            MissingFile, NotAFile, FileOutside, FileTooLarge, EmptyFile, UnreadableFile,
            WrongEncoding, WrongHeader, UnsupportedColumn, ProfilingFailed.
        """
        ...


class PlatformCatalog(Protocol):
    """The platform's side of the catalogue, as a connector reaches it."""

    def allot(self, request: AllotRequest) -> str:
        """A fresh N04 identifier from the node, through the platform."""
        ...

    def search(self, text: str, limit: int) -> Sequence[Hit]:
        """Listed products that match ``text``, best first."""
        ...

    def fetch(self, id: str) -> SignedRecord:  # noqa: A002 - the field's name everywhere
        """The signed record of a listed product."""
        ...


class ParentNode(Protocol):
    """The node above a platform."""

    def allot(self, request: AllotRequest) -> str:
        """A fresh N04 identifier."""
        ...

    def resolve(self, identifier: str) -> Resolution:
        """What the node, or a node above it, knows of ``identifier``."""
        ...


class CatalogStore(Protocol):
    """Resources and products of one participant."""

    def put_resource(self, scope: Scope, tx: Tx, resource: Resource) -> None:
        """Keep a new resource."""
        ...

    def resource(self, scope: Scope, tx: Tx, resource_id: str) -> Resource | None:
        """The resource with this identifier."""
        ...

    def resource_with(self, scope: Scope, tx: Tx, digest: str) -> Resource | None:
        """The resource whose file has this SM3 digest (hex)."""
        ...

    def resources(self, scope: Scope, tx: Tx) -> Sequence[Resource]:
        """Every resource, newest first."""
        ...

    def put_product(self, scope: Scope, tx: Tx, product: Product, signed: SignedRecord) -> None:
        """Keep a product, in place of its earlier state or version.

        ``product.record`` is the document in ``signed.body``; only those bytes are kept.
        """
        ...

    def product(self, scope: Scope, tx: Tx, product_id: str) -> Product | None:
        """The product with this identifier."""
        ...

    def signed(self, scope: Scope, tx: Tx, product_id: str) -> SignedRecord | None:
        """The signed record of the product with this identifier."""
        ...

    def products(
        self, scope: Scope, tx: Tx, state: ProductState | None = None
    ) -> Sequence[Product]:
        """Every product, or those in ``state``; newest first."""
        ...


class IdentifierStore(Protocol):
    """Identifiers that were allotted or passed on, and answers of the node above."""

    def keep(self, scope: Scope, tx: Tx, allotted: Allotted) -> bool:
        """Keep a new identifier; False when (type, subject, area, random) is taken."""
        ...

    def allotted(self, scope: Scope, tx: Tx, identifier: str) -> Allotted | None:
        """The identifier's entry in these books."""
        ...

    def remember(self, scope: Scope, tx: Tx, resolution: Resolution, until: datetime) -> None:
        """Keep an answer until ``until``."""
        ...

    def forget_before(self, scope: Scope, tx: Tx, now: datetime) -> None:
        """Drop answers whose time is over."""
        ...

    def remembered(
        self, scope: Scope, tx: Tx, identifier: str, now: datetime
    ) -> tuple[Resolution, datetime] | None:
        """A kept answer that is still good at ``now``, and until when it is."""
        ...
