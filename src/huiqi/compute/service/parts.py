"""Which documents does one execution carry from step to step?"""

from dataclasses import dataclass

from huiqi.catalog.types import Column
from huiqi.compute.query import Query
from huiqi.compute.types import Row, SessionTable
from huiqi.kernel.ids import ContractId
from huiqi.policy.types import Bounds
from huiqi.trust.types import Member
from huiqi.usage.types import Demand, Grant, SignedOrder, UseOrder


@dataclass(frozen=True, kw_only=True)
class Job:
    """An order to execute: its text read, and per own contract what it demands."""

    signed: SignedOrder
    order: UseOrder
    query: Query
    demands: tuple[Demand, ...]
    lenders: tuple[tuple[ContractId, Member], ...]

    @property
    def joint(self) -> tuple[ContractId, ...]:
        """All contracts of the order, sorted, each once."""
        return tuple(sorted(set(self.order.tables.values())))


@dataclass(kw_only=True)
class Held:
    """One granted contract of a running use; ``lender`` is None for this connector's own."""

    contract: ContractId
    grant: Grant
    lender: Member | None = None
    table: SessionTable | None = None
    columns: tuple[Column, ...] = ()
    has_unit: bool = False

    @property
    def bounds(self) -> Bounds:
        """What the contract allows."""
        return self.grant.bounds


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What may leave once it is recorded: the checks' columns are cut off."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
