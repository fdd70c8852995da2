"""What does controlled computing need from outside?"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from huiqi.compute.types import (
    BuildOrder,
    Built,
    EngineResult,
    LendRequest,
    Loan,
    Projection,
    Release,
    Session,
    SessionTable,
    UseRequest,
)
from huiqi.kernel.work import Scope
from huiqi.trust.types import Member
from huiqi.usage.types import Receipt, UseOutcome


class Engine(Protocol):
    """Runs regenerated SQL over projections in processes of their own."""

    def execute(
        self, session: Session, sql: str, *, timeout_s: float, should_stop: Callable[[], bool]
    ) -> EngineResult:
        """The answer to ``sql`` over the session's tables.

        ``should_stop`` is asked about every 50 ms; when it says yes the process is killed.

        Raises:
            EngineStopped: ``should_stop`` said yes, or the session was dropped.
            EngineTimeout: it took longer than ``timeout_s``.
            EngineFailed: the engine refused or died; the text is in the provider's log.
            EngineBusy: no process became free within ``timeout_s``.
            OutputTooLarge: more rows or bytes than one answer may have.
            ProjectionDamaged: a projection file fails its authentication.
        """
        ...

    def build(self, order: BuildOrder) -> Built:
        """Write the encrypted projection file that ``order`` describes.

        Raises:
            SourceUnreadable: the source is missing, outside the data folder or not readable.
            EngineFailed: the engine could not build it.
        """
        ...

    def export(self, table: SessionTable, columns: Sequence[str], *, most: int) -> bytes:
        """A Parquet file with ``columns`` of a projection.

        Raises:
            LoanTooLarge: it is longer than ``most`` bytes.
            ProjectionDamaged: the file fails its authentication.
            EngineFailed: the engine could not read it.
        """
        ...

    def drop(self, projection: str) -> None:
        """Kill every process that has ``projection`` loaded."""
        ...

    def close(self) -> None:
        """Kill every process."""
        ...


class ProjectionStore(Protocol):
    """Keeps encrypted projection files, and their keys apart from them."""

    def find(self, scope: Scope, projection: str) -> Projection | None:
        """The finished projection of this id, None when there is none."""
        ...

    def all(self, scope: Scope) -> Sequence[Projection]:
        """Every projection, those whose destruction was begun included."""
        ...

    def begin(self, scope: Scope, projection: str) -> tuple[Path, bytes]:
        """Where to write a new projection's file, and its fresh 256-bit key, already durable."""
        ...

    def keep(self, scope: Scope, projection: Projection) -> None:
        """The file that ``begin`` named is finished and durable; from now on ``find`` knows it."""
        ...

    def open(self, scope: Scope, projection: str) -> tuple[Path, bytes]:
        """The file and the key of a finished projection.

        Raises:
            ProjectionMissing: it was destroyed, or never finished.
            ProjectionDamaged: its key cannot be unwrapped.
        """
        ...

    def destroy(self, scope: Scope, projection: str) -> None:
        """Overwrite and unlink the file, then the key, durably; a repeat does nothing."""
        ...

    def forget(self, scope: Scope, projection: str) -> None:
        """Drop the description, once the destruction is in the evidence log."""
        ...


class ComputePeers(Protocol):
    """Signed calls to the same room of other connectors.

    A refusal of the peer arrives as an error of category denied, conflict, invalid or missing;
    silence as UnavailableError.
    """

    def query(self, executor: Member, signed: UseRequest) -> UseOutcome:
        """UseQuery: have an order executed."""
        ...

    def lend(self, lender: Member, request: LendRequest) -> Loan:
        """UseLend: ask for the data of one contract of an order."""
        ...

    def renew(self, lender: Member, use_id: str, contract: str) -> None:
        """UseRenew: returns while the loan stands, raises the peer's refusal when it ended."""
        ...

    def release(self, lender: Member, release: Release) -> Receipt:
        """UseRelease: the use of the loan is over; the lender's receipt of it."""
        ...
