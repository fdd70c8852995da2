"""Which documents say who owes whom?"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.trust.types import Signature
from huiqi.usage.types import Receipt


class RunState(StrEnum):
    """How far the closing of a period has come; each is durable before the next begins."""

    TAKEN = "taken"
    PRICED = "priced"
    POSTED = "posted"
    ISSUED = "issued"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One closing of a period: the uses that could be settled whole and closed up to ``until``.

    ``since`` is the end of the closing before it, empty for the first. Uses that could not be
    settled then are in a later closing, although they closed before its ``since``.
    """

    id: str
    number: int
    since: str
    until: str
    state: RunState
    started_at: datetime


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """A countersigned receipt in the platform's books.

    ``charged`` is False for refused and failed uses, which are kept but cost nothing. ``run`` is
    the closing that took it, empty until then. ``held`` says why the last closing could not take
    it, ``held_zh`` the same in Chinese; both are empty when it did.
    """

    receipt_id: str
    use_id: str
    contract: ContractId
    closed_at: str
    charged: bool
    receipt: Receipt
    sha256: str
    run: str = ""
    held: str = ""
    held_zh: str = ""


class Charge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one use under one contract costs, in fen, and who receives it.

    ``gross_fen`` = ``use_fen`` + ``row_fen``; ``row_fen`` is this contract's part of
    ``joint_row_fen``, split by ``weights`` (in the order of ``joint``: the sorted contracts of the
    same use with the same price plan). ``fee_fen`` goes to the platform, ``net_fen`` to the
    provider.
    """

    receipt_id: str
    use_id: str
    contract: ContractId
    product: ProductId
    provider: SubjectCode
    consumer: SubjectCode
    closed_at: str
    plan: str
    rows: int
    joint: tuple[ContractId, ...]
    weights: tuple[int, ...]
    use_fen: int
    joint_row_fen: int
    row_fen: int
    gross_fen: int
    fee_bp: int
    fee_fen: int
    net_fen: int


class Posting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One side of a ledger entry: ``amount_fen`` > 0 is a claim of the account, < 0 a debt.

    All postings of one ``entry`` sum to zero.
    """

    run: str
    entry: str
    account: str
    amount_fen: int
    at: str


class StatementBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the platform tells one party about one period.

    ``balance_fen`` = ``earned_fen`` - ``owed_fen``: positive is paid to the party. Lines are in the
    order of closing. Times are ISO text in UTC; ``since`` is empty in the first period.
    """

    v: int
    statement_id: str
    run: str
    number: int
    platform: SystemId
    platform_subject: SubjectCode
    party: SubjectCode
    since: str
    until: str
    lines: tuple[Charge, ...]
    owed_fen: int
    earned_fen: int
    fee_fen: int
    balance_fen: int
    suite: str


class SignedStatement(msgspec.Struct, frozen=True):
    """The exact bytes of a StatementBody and the platform's signature over them."""

    body: bytes
    signature: Signature


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement in the books: read, with its exact bytes and its SHA-256."""

    id: str
    document: StatementBody
    signed: SignedStatement
    sha256: str
    issued_at: datetime


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A closing computed again from receipts and contracts: whether the same bytes came out.

    ``differing`` names the statements whose bytes differ, whose signature fails, or that rest on
    a receipt or a ledger entry in ``suspect``: the receipts whose signatures do not hold any more
    or whose postings are not those of their charge. ``same`` when neither names anything.
    ``sum_fen`` is that of all postings.
    """

    run: str
    statements: int
    same: bool
    differing: tuple[str, ...]
    sum_fen: int
    suspect: tuple[str, ...] = ()


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement differs from what a party's own receipts say."""

    receipt_id: str
    field: str
    stated: str
    own: str


Balances = Mapping[str, int]
