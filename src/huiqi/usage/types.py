"""Which documents does one use of data leave?"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.policy.types import Bounds, Decision, Reason
from huiqi.trust.types import Signature


class UseOrder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a consumer asks for: an SQL text over tables that stand for contracts.

    ``tables`` maps a table name in ``sql`` to a contract id. ``executor`` is the connector that
    is to run it. ``use_id`` is a UUID chosen by the consumer: repeating it returns the first
    outcome instead of a second use. Its canonical bytes are signed by the consumer.
    """

    use_id: str
    consumer: SubjectCode
    consumer_node: SystemId
    executor: SystemId
    tables: Mapping[str, ContractId]
    purpose: str
    sql: str
    at: str


class SignedOrder(msgspec.Struct, frozen=True):
    """The exact bytes of a UseOrder and the consumer connector's signature over them."""

    body: bytes
    signature: Signature


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What the analysed query needs from one contract's product, before it is decided."""

    contract: ContractId
    action: str
    purpose: str
    fields: tuple[str, ...]
    output_kind: str  # "aggregate" or "rows"
    environment: str  # code of vocab/execution_env, "01" for SQL under usage control


class GrantState(StrEnum):
    """Where a use stands; ``asked`` is before the decision (and a consumer's unanswered order)."""

    ASKED = "asked"
    OPEN = "open"
    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for one use under one contract: a short lease, renewed while the use runs."""

    id: str
    use_id: str
    contract: ContractId
    product: ProductId
    consumer: SubjectCode
    consumer_node: SystemId
    executor: SystemId
    action: str
    purpose: str
    bounds: Bounds
    rows_left: int | None
    opened_at: datetime
    leased_until: datetime
    state: GrantState


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A use that was not granted: the decision and every reason, recorded like a use."""

    use_id: str
    contract: ContractId
    decision: Decision
    reasons: tuple[Reason, ...]


class ReceiptBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What both sides sign about one use under one contract.

    ``order_digest`` and ``result_digest`` are SM3 hex of the signed order and of the result's
    canonical bytes. ``rows`` are returned rows. ``joint`` are the contracts of the same use, this
    one included, sorted. ``outcome`` is a GrantState value; only ``completed`` is charged.
    ``counters`` are the amounts used under the contract after this use. Times are ISO text, UTC.
    """

    v: int
    receipt_id: str
    use_id: str
    contract: ContractId
    product: ProductId
    provider: SubjectCode
    provider_node: SystemId
    consumer: SubjectCode
    consumer_node: SystemId
    executor: SystemId
    action: str
    purpose: str
    decision: str
    outcome: str
    reasons: tuple[str, ...]
    rows: int
    joint: tuple[ContractId, ...]
    counters: Mapping[str, int]
    order_digest: str
    result_digest: str
    opened_at: str
    closed_at: str
    suite: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The exact bytes of a ReceiptBody with the signatures gathered so far."""

    body: bytes
    provider_signature: Signature
    consumer_signature: Signature | None = None


class UseOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumer gets back: rows or reasons, and a receipt for each contract.

    ``columns`` and ``rows`` are empty unless ``decision`` is allowed and the use completed.
    Cells are JSON values; decimals and times are text. ``error`` is the class and id of an engine
    error; its text stays with the provider.
    """

    use_id: str
    decision: Decision
    reasons: tuple[Reason, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | int | float | bool | None, ...], ...] = ()
    receipts: tuple[Receipt, ...] = ()
    error: str = ""


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """How a use ended, as the enforcement point reports it.

    ``outcome`` is completed, refused, failed or revoked. ``rows``, ``result_digest`` (SM3 hex of
    ``result_bytes``) and ``result`` count for a completed use only. ``joint`` are the contracts
    of the same use, this one included.
    """

    outcome: GrantState
    rows: int = 0
    result_digest: str = ""
    result: bytes | None = None
    reasons: tuple[Reason, ...] = ()
    joint: tuple[ContractId, ...] = ()


class Side(StrEnum):
    """In which role these books saw a use."""

    PROVIDER = "provider"
    CONSUMER = "consumer"


class UseLine(msgspec.Struct, frozen=True, kw_only=True):
    """One use under one contract, as a page shows it; newest first.

    ``sql`` is filled on the consumer's side only. ``receipt_id`` is empty while there is none.
    ``disputed`` says why the consumer did not countersign. ``cursor`` continues the list.
    """

    cursor: str
    side: Side
    at: datetime
    use_id: str
    contract: ContractId
    product: ProductId
    product_name: str
    consumer: SubjectCode
    executor: SystemId
    action: str
    purpose: str
    sql: str
    decision: str
    reasons: tuple[Reason, ...]
    rows: int
    state: GrantState
    receipt_id: str
    countersigned: bool
    disputed: str = ""
