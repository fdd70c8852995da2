"""What does this room need from outside?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from huiqi.contracts.types import Allotment, Contract, CreateRequest
from huiqi.kernel.ids import ContractId
from huiqi.kernel.work import Scope, Tx


class ContractStore(Protocol):
    """The books of one participant: contracts, and on a platform the identifiers given out."""

    def put(self, scope: Scope, tx: Tx, contract: Contract) -> None:
        """Keep ``contract``, in place of what was kept under its identifier."""
        ...

    def get(self, scope: Scope, tx: Tx, contract_id: str) -> Contract | None:
        """The contract of that identifier."""
        ...

    def all(self, scope: Scope, tx: Tx) -> Sequence[Contract]:
        """Every contract, newest first."""
        ...

    def in_status(self, scope: Scope, tx: Tx, status: str) -> Sequence[Contract]:
        """The contracts in one status, newest first."""
        ...

    def of_product(self, scope: Scope, tx: Tx, product: str) -> Sequence[Contract]:
        """The contracts about one product, newest first."""
        ...

    def past_end(self, scope: Scope, tx: Tx, now: datetime) -> Sequence[Contract]:
        """Contracts whose agreed end is at or before ``now`` and that have not ended."""
        ...

    def put_allotment(self, scope: Scope, tx: Tx, allotment: Allotment) -> None:
        """Keep an identifier that was given out, in place of what was kept for it."""
        ...

    def allotment(self, scope: Scope, tx: Tx, contract_id: str) -> Allotment | None:
        """To whom that identifier was given."""
        ...

    def allotment_for(self, scope: Scope, tx: Tx, issuer: str, key: str) -> Allotment | None:
        """What the system ``issuer`` was given for its request ``key``."""
        ...


class PlatformContracts(Protocol):
    """The platform as a connector sees it."""

    def create(self, request: CreateRequest) -> ContractId:
        """An identifier for a new contract (ContractCreate).

        Raises:
            UnavailableError: the platform does not answer now.
        """
        ...
