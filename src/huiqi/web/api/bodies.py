"""Which JSON documents do programs send and get, beside the documents of the rooms?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from huiqi.catalog.types import Meaning, ProductRecord
from huiqi.kernel.work import Queued
from huiqi.policy.types import Decision, Reason, Terms
from huiqi.trust.types import NATIONAL_SUITE, Member, Role, Signature, SystemKind
from huiqi.usage.types import Receipt, ReceiptBody, UseOutcome


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants a token."""

    login: str
    password: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A session: send it as ``Authorization: Bearer <token>``."""

    token: str
    expires_at: datetime
    roles: tuple[Role, ...]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling, and which system answers; ``member`` is None before it joined."""

    login: str
    name: str
    roles: tuple[Role, ...]
    kind: SystemKind
    prefix: str
    member: Member | None


class Registration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file on the connector's machine to profile and register."""

    name: str
    path: str
    meanings: Mapping[str, Meaning] = {}


class Publication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An offer of a registered resource; ``columns`` None means all of them."""

    resource: str
    name: str
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    topic: str = "B0300"
    table: str
    columns: tuple[str, ...] | None = None
    update_frequency: str = "009"
    licence: str = ""
    terms: Terms


class Fetched(msgspec.Struct, frozen=True):
    """A verified product record and the SM3 (hex) of its signed bytes."""

    record: ProductRecord
    digest: str


class Rejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is refused, ended or suspended."""

    reason: str


class ContractRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for a contract; ``terms`` None means the listed ones."""

    product: str
    terms: Terms | None = None
    note: str = ""
    suite: str = NATIONAL_SUITE


class Counter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other terms for a contract under negotiation."""

    terms: Terms
    note: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use: ``tables`` maps a table name in ``sql`` to a contract id.

    Repeat the same ``use_id`` (a UUID) to get the first outcome again.
    """

    tables: Mapping[str, str]
    purpose: str
    sql: str
    use_id: str | None = None


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, read; ``raw`` are its exact bytes (base64), which both signatures cover."""

    body: ReceiptBody
    raw: bytes
    provider_signature: Signature
    consumer_signature: Signature | None


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from one use."""

    use_id: str
    decision: Decision
    reasons: tuple[Reason, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | bool | None, ...], ...]
    receipts: tuple[ReceiptView, ...]
    error: str


class Checkpoint(msgspec.Struct, frozen=True):
    """The newest signed note of the log, empty before the first, and how long the log is."""

    note: str
    entries: int


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close a period; ``until`` (with its offset from UTC) None means now."""

    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask for an invitation; ``subject`` binds it to one unified social credit code."""

    kind: SystemKind
    note: str
    subject: str = ""


class Invited(msgspec.Struct, frozen=True):
    """The invitation code, given only now."""

    code: str


class Standing(msgspec.Struct, frozen=True):
    """Whether a member may act."""

    id: str
    standing: str


class WaitingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has not arrived yet."""

    id: int
    key: str
    to: str
    code: str
    state: str
    due_at: datetime
    tries: int
    last_error: str
    created_at: datetime


def view_of(receipt: Receipt) -> ReceiptView:
    """A receipt as programs read it."""
    return ReceiptView(
        body=msgspec.json.decode(receipt.body, type=ReceiptBody),
        raw=receipt.body,
        provider_signature=receipt.provider_signature,
        consumer_signature=receipt.consumer_signature,
    )


def outcome_of(outcome: UseOutcome) -> OutcomeView:
    """An outcome as programs read it."""
    return OutcomeView(
        use_id=outcome.use_id,
        decision=outcome.decision,
        reasons=outcome.reasons,
        columns=outcome.columns,
        rows=outcome.rows,
        receipts=tuple(view_of(receipt) for receipt in outcome.receipts),
        error=outcome.error,
    )


def waiting_of(queued: Queued) -> WaitingMessage:
    """A queued message without its body."""
    return WaitingMessage(
        id=queued.id,
        key=queued.message.key,
        to=queued.message.to,
        code=queued.message.code,
        state=queued.state.value,
        due_at=queued.due_at,
        tries=queued.tries,
        last_error=queued.last_error,
        created_at=queued.created_at,
    )
