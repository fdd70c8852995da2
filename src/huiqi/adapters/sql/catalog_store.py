"""Where do resources and products stay?

A product's record is kept as the bytes that were signed, and read from them.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from huiqi.adapters.sql.prepared import prepare
from huiqi.adapters.sql.schema import metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.catalog.types import Product, ProductRecord, ProductState, Resource, SignedRecord
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.work import Scope, Tx
from huiqi.trust.types import Signature

resource_table = Table(
    "catalog_resource",
    metadata,
    *scope_columns(),
    Column("id", String(65), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("registered_at", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)
Index(
    "uq_catalog_resource_digest",
    *resource_table.c["space", "participant", "digest"],
    unique=True,
)

product_table = Table(
    "catalog_product",
    metadata,
    *scope_columns(),
    Column("id", String(65), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("listed_at", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)
Index(
    "ix_catalog_product_state",
    *product_table.c["space", "participant", "state", "created_at"],
)

_R, _P = resource_table.c, product_table.c
_OWN_R = (_R.space == bindparam("space"), _R.participant == bindparam("participant"))
_OWN_P = (_P.space == bindparam("space"), _P.participant == bindparam("participant"))
_NEWEST_R = (_R.registered_at.desc(), _R.id)
_NEWEST_P = (_P.created_at.desc(), _P.id)
_STANDING = (_P.body, _P.state, _P.reason, _P.listed_at)

_PUT_RESOURCE = prepare(insert(resource_table))
_RESOURCE = prepare(select(_R.document).where(*_OWN_R, _R.id == bindparam("of_id")))
_RESOURCE_WITH = prepare(select(_R.document).where(*_OWN_R, _R.digest == bindparam("of_digest")))
_RESOURCES = prepare(select(_R.document).where(*_OWN_R).order_by(*_NEWEST_R))

_product_row = upsert(product_table)
_PUT_PRODUCT = prepare(
    _product_row.on_conflict_do_update(
        index_elements=[_P.space, _P.participant, _P.id],
        set_={
            name: _product_row.excluded[name]
            for name in ("version", "state", "reason", "created_at", "listed_at")
        }
        | {"body": _product_row.excluded.body, "signature": _product_row.excluded.signature},
    )
)
_PRODUCT = prepare(select(*_STANDING).where(*_OWN_P, _P.id == bindparam("of_id")))
_SIGNED = prepare(select(_P.body, _P.signature).where(*_OWN_P, _P.id == bindparam("of_id")))
_PRODUCTS = prepare(select(*_STANDING).where(*_OWN_P).order_by(*_NEWEST_P))
_PRODUCTS_IN = prepare(
    select(*_STANDING).where(*_OWN_P, _P.state == bindparam("of_state")).order_by(*_NEWEST_P)
)


class SqlCatalogStore:
    """``catalog.ports.CatalogStore`` on the SQL schema."""

    def put_resource(self, scope: Scope, tx: Tx, resource: Resource) -> None:
        """Keep a new resource."""
        sql(tx).change(
            _PUT_RESOURCE,
            **_own(scope),
            id=resource.id,
            digest=resource.profile.digest,
            registered_at=iso(resource.registered_at),
            document=msgspec.json.encode(resource),
        )

    def resource(self, scope: Scope, tx: Tx, resource_id: str) -> Resource | None:
        """The resource with this identifier."""
        return _resource(sql(tx).row(_RESOURCE, **_own(scope), of_id=resource_id))

    def resource_with(self, scope: Scope, tx: Tx, digest: str) -> Resource | None:
        """The resource whose file has this SM3 digest."""
        return _resource(sql(tx).row(_RESOURCE_WITH, **_own(scope), of_digest=digest))

    def resources(self, scope: Scope, tx: Tx) -> Sequence[Resource]:
        """Every resource, newest first."""
        rows = sql(tx).rows(_RESOURCES, **_own(scope))
        return [msgspec.json.decode(document, type=Resource) for (document,) in rows]

    def put_product(self, scope: Scope, tx: Tx, product: Product, signed: SignedRecord) -> None:
        """Keep a product, in place of its earlier state or version."""
        sql(tx).change(
            _PUT_PRODUCT,
            **_own(scope),
            id=product.record.id,
            version=product.record.version,
            state=product.state.value,
            reason=product.reason,
            created_at=iso(product.record.created_at),
            listed_at=iso(product.listed_at) if product.listed_at else "",
            body=signed.body,
            signature=msgspec.json.encode(signed.signature),
        )

    def product(self, scope: Scope, tx: Tx, product_id: str) -> Product | None:
        """The product with this identifier."""
        row = sql(tx).row(_PRODUCT, **_own(scope), of_id=product_id)
        return _product(row) if row else None

    def signed(self, scope: Scope, tx: Tx, product_id: str) -> SignedRecord | None:
        """The signed record of the product with this identifier."""
        row = sql(tx).row(_SIGNED, **_own(scope), of_id=product_id)
        if row is None:
            return None
        body, signature = row
        return SignedRecord(body, msgspec.json.decode(signature, type=Signature))

    def products(
        self, scope: Scope, tx: Tx, state: ProductState | None = None
    ) -> Sequence[Product]:
        """Every product, or those in ``state``; newest first."""
        if state is None:
            rows = sql(tx).rows(_PRODUCTS, **_own(scope))
        else:
            rows = sql(tx).rows(_PRODUCTS_IN, **_own(scope), of_state=state.value)
        return [_product(row) for row in rows]


def _own(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}


def _resource(row: tuple[Any, ...] | None) -> Resource | None:
    return msgspec.json.decode(row[0], type=Resource) if row else None


def _product(row: tuple[Any, ...]) -> Product:
    body, state, reason, listed_at = row
    return Product(
        record=msgspec.json.decode(body, type=ProductRecord),
        state=ProductState(state),
        reason=reason,
        listed_at=parse_instant(listed_at) if listed_at else None,
    )
