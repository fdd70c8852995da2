"""What does the usage room need from its store?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.kernel.work import Scope, Tx
from huiqi.policy.types import Context, Reason
from huiqi.trust.types import Signature
from huiqi.usage.types import Grant, GrantState, Receipt, Side, SignedOrder


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use under one contract as one side keeps it.

    ``number`` orders the uses of a participant and is given by the store. ``grant``, ``context``
    and ``windows`` (unit, index) exist on the provider's side once it was granted. ``lent`` says
    that another connector executes it. ``order_digest`` is SM3 hex.
    """

    number: int = 0
    side: Side
    state: GrantState
    use_id: str
    contract: ContractId
    product: ProductId
    product_name: str
    provider: SubjectCode
    provider_node: SystemId
    consumer: SubjectCode
    consumer_node: SystemId
    executor: SystemId
    action: str
    purpose: str
    sql: str = ""
    suite: str
    joint: tuple[ContractId, ...]
    order_digest: str
    at: datetime
    leased_until: datetime | None = None
    lent: bool = False
    decision: str = ""
    reasons: tuple[Reason, ...] = ()
    rows: int = 0
    grant: Grant | None = None
    context: Context | None = None
    windows: tuple[tuple[str, int], ...] = ()
    receipt_id: str = ""
    disputed: str = ""


class Tally(msgspec.Struct, frozen=True):
    """Amounts of one contract in one counting window: completed uses, reserved uses, and rows."""

    used: int = 0
    reserved: int = 0
    rows: int = 0
    rows_reserved: int = 0


class KeptReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt in the books; without ``provider_signature`` it is the intent to sign it."""

    side: Side
    receipt_id: str
    use_id: str
    contract: ContractId
    body: bytes
    sha256: str
    at: datetime
    provider_signature: Signature | None = None
    consumer_signature: Signature | None = None

    def receipt(self) -> Receipt | None:
        """The document for others; None while the provider has not signed it."""
        if self.provider_signature is None:
            return None
        return Receipt(
            body=self.body,
            provider_signature=self.provider_signature,
            consumer_signature=self.consumer_signature,
        )


class Document(msgspec.Struct, frozen=True):
    """A kept document for the self-check: where, the SHA-256 noted when kept, the bytes now."""

    number: int
    where: str
    sha256: str
    body: bytes


# The window that has no end: the whole life of the contract.
WHOLE = ("", 0)


class UsageStore(Protocol):
    """The books of uses, counters, receipts and results of one participant."""

    def put_order(self, scope: Scope, tx: Tx, use_id: str, order: SignedOrder) -> bool:
        """Keep a signed order; False when the same bytes are kept already."""
        ...

    def orders(self, scope: Scope, tx: Tx, use_id: str) -> Sequence[SignedOrder]:
        """The orders kept under a use id, oldest first."""
        ...

    def put_use(self, scope: Scope, tx: Tx, use: Use) -> None:
        """Keep a use or its new state; the key is (side, use id, contract)."""
        ...

    def use(self, scope: Scope, tx: Tx, side: Side, key: tuple[str, ContractId]) -> Use | None:
        """The use with this (use id, contract)."""
        ...

    def use_of_grant(self, scope: Scope, tx: Tx, grant_id: str) -> Use | None:
        """The use that a grant belongs to."""
        ...

    def open_uses(self, scope: Scope, tx: Tx, lease_before: datetime | None) -> Sequence[Use]:
        """Granted uses that have not ended; only those whose lease ended earlier, when given."""
        ...

    def uses(
        self, scope: Scope, tx: Tx, contract: str | None, before: int | None, limit: int
    ) -> Sequence[Use]:
        """Uses of both sides with a number below ``before``, newest first."""
        ...

    def tally(self, scope: Scope, tx: Tx, contract: ContractId, window: tuple[str, int]) -> Tally:
        """The amounts in one window; zeros when there are none."""
        ...

    def change(
        self, scope: Scope, tx: Tx, contract: ContractId, window: tuple[str, int], by: Tally
    ) -> None:
        """Add ``by`` (negative to take away) to the amounts of one window."""
        ...

    def first_use(self, scope: Scope, tx: Tx, contract: ContractId) -> datetime | None:
        """When data was first used under the contract."""
        ...

    def put_first_use(self, scope: Scope, tx: Tx, contract: ContractId, at: datetime) -> None:
        """Note the first use; later calls change nothing."""
        ...

    def put_receipt(self, scope: Scope, tx: Tx, receipt: KeptReceipt) -> None:
        """Keep a receipt, or the signatures it has gained. Its body never changes."""
        ...

    def receipt(
        self, scope: Scope, tx: Tx, receipt_id: str, side: Side | None = None
    ) -> KeptReceipt | None:
        """The receipt with this id, of one side or any."""
        ...

    def receipts(
        self, scope: Scope, tx: Tx, contract: str | None, limit: int
    ) -> Sequence[KeptReceipt]:
        """Signed receipts, newest first."""
        ...

    def unsigned(self, scope: Scope, tx: Tx) -> Sequence[KeptReceipt]:
        """Receipts whose signing was intended and did not come to pass."""
        ...

    def put_result(
        self, scope: Scope, tx: Tx, key: tuple[str, ContractId], body: bytes, at: datetime
    ) -> None:
        """Keep a result for an idempotent repeat."""
        ...

    def result(
        self, scope: Scope, tx: Tx, key: tuple[str, ContractId], since: datetime
    ) -> bytes | None:
        """A kept result that is not older than ``since``."""
        ...

    def drop_result(self, scope: Scope, tx: Tx, key: tuple[str, ContractId]) -> None:
        """Forget a result."""
        ...

    def stale_results(self, scope: Scope, tx: Tx, before: datetime) -> bool:
        """Whether there are results kept before an instant."""
        ...

    def drop_results(self, scope: Scope, tx: Tx, before: datetime) -> int:
        """Forget results kept before an instant; how many."""
        ...

    def documents(self, scope: Scope, tx: Tx, after: int, limit: int) -> Sequence[Document]:
        """Kept receipt bodies with a number above ``after``, oldest first."""
        ...
