"""What must a contract's projection hold, and what is said about it when it is gone?"""

from collections.abc import Sequence

import msgspec

from huiqi.catalog.types import Column
from huiqi.compute.binding import bind_filter
from huiqi.compute.errors import QueryRefused, RowFilterUnreadable
from huiqi.compute.guard import read_row_filter
from huiqi.compute.rendering import UNIT, where
from huiqi.compute.types import DeletionRecord, Projection
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sm3_hex
from huiqi.policy.types import Bounds

ID_LENGTH = 32
# How the DuckDB side names the source in a row filter.
SOURCE_ALIAS = "s"
METHOD = "file overwritten and unlinked; AES-256-GCM key destroyed"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The columns, rows and privacy unit of a projection, and the id derived from them."""

    id: str
    columns: tuple[Column, ...]
    row_filter: str
    unit: str | None


def granted(columns: Sequence[Column], bounds: Bounds) -> tuple[Column, ...]:
    """The product's columns that ``bounds`` grant, in the product's order."""
    return tuple(
        column
        for column in columns
        if (bounds.fields is None or column.name in bounds.fields)
        and column.name not in bounds.fields_denied
        and column.name.casefold() not in {UNIT, "rowid"}
    )


def shape_of(
    bounds: Bounds,
    *,
    contract: str,
    offered: Sequence[Column],
    source: Sequence[Column],
    data_version: str,
) -> Shape:
    """The shape of one contract's projection of one data version.

    Raises:
        RowFilterUnreadable: the row filter or the privacy unit does not fit the source.
    """
    columns = granted(offered, bounds)
    row_filter = _row_filter(bounds.row_filter, source) if bounds.row_filter else ""
    unit = bounds.privacy_unit
    if unit is not None and unit not in {column.name for column in source}:
        raise RowFilterUnreadable(why=f"privacy unit {unit[:64]}")
    shaping = {
        "contract": contract,
        "data": data_version,
        "columns": [column.name for column in columns],
        "filter": row_filter,
        "unit": unit,
    }
    identity = sm3_hex(canonical_bytes(shaping))[:ID_LENGTH]
    return Shape(id=identity, columns=columns, row_filter=row_filter, unit=unit)


def _row_filter(text: str, source: Sequence[Column]) -> str:
    try:
        conditions = bind_filter(read_row_filter(text), source)
    except QueryRefused as refusal:
        raise RowFilterUnreadable(why=refusal.reason.code) from refusal
    return where(conditions, alias=SOURCE_ALIAS)


def deletion_of(projection: Projection, *, at: str, why: str) -> bytes:
    """The canonical deletion record of a projection that is gone."""
    record = DeletionRecord(
        v=1,
        projection=projection.id,
        contract=projection.contract,
        product=projection.product,
        data_version=projection.data_version,
        rows=projection.rows,
        bytes=projection.bytes,
        file_digest=projection.digest,
        key_id=projection.key_id,
        built_at=iso(projection.built_at),
        destroyed_at=at,
        method=METHOD,
        why=why,
    )
    return canonical_bytes(record)
