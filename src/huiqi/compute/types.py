"""Which documents does controlled computing need beside those of the usage room?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from huiqi.catalog.types import Column
from huiqi.kernel.ids import ContractId, ProductId, SystemId
from huiqi.policy.types import Bounds, Reason
from huiqi.usage.types import Grant, GrantState, Receipt, Refusal, SignedOrder

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]


class UseRequest(SignedOrder, frozen=True):
    """A signed order as it travels to its executor.

    ``lenders`` says which connector holds the contract behind each table that is not the
    executor's own. It is not signed: that connector's books decide whether it is true.
    """

    lenders: Mapping[str, SystemId] = {}


class LendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An executor asks another provider to decide its part of an order and to lend the data."""

    order: SignedOrder
    contract: ContractId


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """What the other provider answers: a grant with the data for this use, or its refusal.

    ``projection`` is a Parquet file that holds only the granted rows and the columns that the
    order uses; it is for the memory of the executor's engine and ends with the use. ``receipt``
    is the lender's receipt of a refusal.
    """

    grant: Grant | None = None
    refusal: Refusal | None = None
    bounds: Bounds | None = None
    columns: tuple[Column, ...] = ()
    has_unit: bool = False
    projection: bytes = b""
    receipt: Receipt | None = None


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """How the use of a loan ended, told to the lender, who closes its grant and signs."""

    use_id: str
    contract: ContractId
    grant_id: str
    outcome: GrantState
    rows: int
    result_digest: str
    reasons: tuple[Reason, ...]
    joint: tuple[ContractId, ...]


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """One encrypted dataset that holds only what one contract permits of one data version.

    ``id`` is derived from everything that shaped it, so that other terms or other data give
    another projection. ``digest`` is the SM3 hex of the encrypted file, ``key_id`` the first 16
    hex characters of the SM3 of its key. ``has_unit`` says that it has a privacy-unit column.
    """

    id: str
    contract: ContractId
    product: ProductId
    data_version: str
    columns: tuple[Column, ...]
    has_unit: bool
    rows: int
    bytes: int
    digest: str
    key_id: str
    built_at: datetime


class DeletionRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The evidence that a projection is gone: its canonical bytes are the fact's document.

    Without the key, whose identifier and whose destruction it states, every copy of the
    encrypted file is noise. Times are ISO text, UTC.
    """

    v: int
    projection: str
    contract: ContractId
    product: ProductId
    data_version: str
    rows: int
    bytes: int
    file_digest: str
    key_id: str
    built_at: str
    destroyed_at: str
    method: str
    why: str


@dataclass(frozen=True, kw_only=True)
class SessionTable:
    """A table that an engine process loads: an encrypted file with its key, or lent bytes.

    ``name`` is the engine's name for it. Key and bytes never show in logs.
    """

    name: str
    projection: str
    contract: ContractId
    path: Path | None = None
    key: bytes = field(default=b"", repr=False)
    parquet: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Session:
    """Which tables a query may see.

    A loan's table has a ``projection`` name of its own, so that its process serves one use only;
    whoever borrowed drops it.
    """

    tables: tuple[SessionTable, ...]

    @property
    def key(self) -> str:
        """Equal for sessions over the same projections, which may share a process."""
        return "+".join(sorted(table.projection for table in self.tables))


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """What the engine answered; ``elapsed_ms`` is the engine's own time."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    elapsed_ms: float


@dataclass(frozen=True, kw_only=True)
class BuildOrder:
    """What to put into a projection file.

    ``location`` is the source's path below the connector's data folder. ``row_filter`` is SQL
    over an alias ``s`` made by ``rendering`` (empty: all rows). ``unit`` is the privacy-unit
    column, replaced by a hash with ``salt``. The rest goes into the file's authenticated header.
    """

    projection: str
    contract: ContractId
    product: ProductId
    data_version: str
    location: str
    columns: tuple[str, ...]
    row_filter: str
    unit: str | None
    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    target: Path


@dataclass(frozen=True, kw_only=True)
class Built:
    """A finished projection file: its rows, size in bytes, SM3 hex and columns."""

    rows: int
    bytes: int
    digest: str
    columns: tuple[Column, ...]
