"""Which documents do terms consist of?

One model carries the 21 actions, 19 constraints and 12 operators of T14 (tables C.5, C.6, 5.2)
and our own profile terms, which travel inside T14 ``expansionItem`` and begin with ``hq:``.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from huiqi.kernel.text import Text

# A constraint's value as JSON: text, whole number, or a list of texts. Never a float.
Value = str | int | list[str]


class RuleKind(StrEnum):
    """T14 section 6.2.2.1: 允许, 禁止, 义务 (``vocab/policy_kinds``)."""

    PERMISSION = "permission"
    PROHIBITION = "prohibition"
    OBLIGATION = "obligation"


class Mode(StrEnum):
    """In which way data is used: one column of the enforceability matrix."""

    SQL = "sql"
    API = "api"
    SANDBOX = "sandbox"
    SEALED = "sealed"
    RAW = "raw"


class Strength(StrEnum):
    """How surely a term holds in a mode: ■ enforced, ◧ detected afterwards, □ promised."""

    ENFORCED = "enforced"
    DETECTED = "detected"
    PROMISED = "promised"


class Decision(StrEnum):
    """T15 section 7.1.2.3 (``vocab/decision_values``)."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DENIED = "denied"
    DEFAULT_DENIED = "default_denied"


class Constraint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``operand operator value``.

    ``operand`` is a code of ``vocab/constraints`` or ``hq:…``; ``operator`` a name of
    ``vocab/operators`` (``lteq``, ``isPartOf`` …).
    """

    operand: str
    operator: str
    value: Value


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a party must do: a pre-duty, remedy or liability, or the act of an obligation."""

    action: str
    constraints: tuple[Constraint, ...] = ()
    within: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One permission, prohibition or obligation over some actions, under all its constraints.

    ``duties`` are pre-duties of a permission, remedies of a prohibition, liabilities of an
    obligation (T14 section 6.2.2.1).
    """

    kind: RuleKind
    actions: tuple[str, ...]
    constraints: tuple[Constraint, ...] = ()
    duties: tuple[Duty, ...] = ()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules for one product (T14 合约策略)."""

    rules: tuple[Rule, ...]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What use costs: the versioned name of a price plan and its whole-number parameters.

    ``per-use-and-row@1`` takes ``per_use_fen`` and ``per_row_fen``. ``platform_fee_bp`` is the
    operator's part of the gross in ten-thousandths. ``joint_weight`` is this product's weight
    when one use draws on several products.
    """

    plan: str = "per-use-and-row@1"
    parameters: Mapping[str, int] = {}
    platform_fee_bp: int = 0
    joint_weight: int = 1


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is offered, countered and at last agreed for one product.

    ``days`` is the length of the contract from its signing. ``mode`` says how the data is used.
    """

    policy: Policy
    mode: Mode
    days: int
    price: Price


class Finding(msgspec.Struct, frozen=True):
    """Something wrong or doubtful in terms; ``where`` is a path: ``rules[0].constraints[2]``.

    Terms with an ``error`` can neither be published nor signed.
    """

    severity: str  # "error" or "warning"
    code: str
    where: str
    text: Text


class TermReport(msgspec.Struct, frozen=True):
    """One line of the enforceability report.

    ``strength`` is None for a term that this software cannot hold in this mode yet.
    """

    where: str
    term: Text
    strength: Strength | None
    reason: Text


class EnforceabilityReport(msgspec.Struct, frozen=True):
    """For each term: enforced ■, detected ◧ or promised □ in ``mode``, with the reason.

    ``signable`` is False when a term is unknown, contradictory or cannot be enforced here.
    """

    mode: Mode
    terms: tuple[TermReport, ...]
    findings: tuple[Finding, ...]
    signable: bool


class Reason(msgspec.Struct, frozen=True):
    """Why a decision came out as it did, in plain words. ``code`` is stable: ``policy.count``."""

    code: str
    text: Text
    where: str = ""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a use when it is decided (T15 section 7.1.2.3 a, and our counters).

    A value that is missing (None) makes every constraint on it fail: default deny.
    ``more["executor"]`` is the system that will run the use, ``more["provider_node"]`` the
    provider's own connector; without the latter a system counts as the provider's own when both
    identifiers carry the same subject code. ``more["overdue_duties"]`` names obligations that are
    overdue.
    ``used_count``, ``used_in_unit`` and ``used_rows`` are completed plus reserved amounts before
    this use; ``used_in_unit`` maps a counting window (``PT1M``, ``PT1H``, ``P1D``) to its count.
    """

    at: datetime
    action: str
    subject: str
    connector: str
    product: str
    environment: str | None = None
    purpose: str | None = None
    requested_fields: tuple[str, ...] | None = None
    output_kind: str | None = None
    activation_time: datetime | None = None
    first_use: datetime | None = None
    used_count: int | None = None
    used_in_unit: Mapping[str, int] | None = None
    used_rows: int | None = None
    request_rows: int | None = None
    fulfilled_duties: tuple[str, ...] = ()
    more: Mapping[str, Any] = {}


class Verdict(msgspec.Struct, frozen=True):
    """The decision with every reason, and the open pre-duties when it is conditional."""

    decision: Decision
    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...] = ()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the enforcement point must hold while data is used: the physical side of the terms.

    ``fields`` is None when every column is granted. ``row_filter`` is the checked predicate of
    ``valueExpression`` in its canonical text form (None: all rows). ``min_group`` is the least
    number of distinct ``privacy_unit`` values (rows when None) behind every group; 1 means no
    limit. ``most_rows`` bounds the rows of all answers together, ``rows_left`` is filled by the
    usage room. ``row_filter_columns`` are the columns that ``row_filter`` reads; they need not be
    granted to the consumer.
    """

    fields: tuple[str, ...] | None = None
    fields_denied: tuple[str, ...] = ()
    row_filter: str | None = None
    aggregate_only: bool = False
    min_group: int = 1
    privacy_unit: str | None = None
    most_rows: int | None = None
    row_filter_columns: tuple[str, ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """One clause that differs between two proposals, as sentences.

    ``before`` is None for a clause that was added, ``after`` for one that was removed. ``where``
    is the path in the later terms, in the earlier ones for a removed clause.
    """

    where: str
    before: Text | None
    after: Text | None
