"""What can be asked under which contracts, and what came back?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huiqi.contracts.types import Contract, ContractStatus, PartyRole
from huiqi.usage.types import UseLine, UseOutcome
from huiqi.web.i18n import Tongue
from huiqi.web.pages.conditions import PurposeChoice, purpose_word, purposes
from huiqi.web.pages.contract import Usage, quotas_of
from huiqi.web.pages.receipt import body_of
from huiqi.web.words import DECISION, GRANT, Chip, chip

SHOWN_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Usable:
    """One contract in force, as a table to query."""

    id: str
    table: str
    product: str
    provider: str
    columns: tuple[str, ...]
    quotas: tuple[Usage, ...]
    chosen: bool
    ends: str


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """The answer: all rows came, at most ``SHOWN_ROWS`` are shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How the last use ended."""

    chip: Chip
    reasons: tuple[str, ...]
    error: str
    table: ResultTable | None
    receipts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UseRow:
    """One use in the history."""

    at: str
    product: str
    contract: str
    purpose: str
    sql: str
    rows: str
    state: Chip
    reasons: tuple[str, ...]
    receipt: str
    countersigned: bool
    disputed: str


@dataclass(frozen=True, kw_only=True)
class UsePage:
    """The query form, the last answer, the history."""

    usable: tuple[Usable, ...]
    purposes: tuple[PurposeChoice, ...]
    purpose: str
    sql: str
    use_id: str
    answered: Answered | None
    history: tuple[UseRow, ...]
    problem: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was entered last time. ``tables`` are the contracts that were chosen."""

    tables: tuple[str, ...] = ()
    purpose: str = ""
    sql: str = ""
    problem: str = ""


def use_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    contracts: Sequence[Contract],
    history: Sequence[UseLine],
    *,
    counters: Mapping[str, Mapping[str, int]],
    asked: Asked,
    use_id: str,
    outcome: UseOutcome | None = None,
) -> UsePage:
    """The page with what was entered; ``use_id`` makes a repeated submission one use."""
    usable = [
        c
        for c in contracts
        if c.status is ContractStatus.PERFORMING and c.mine is PartyRole.CONSUMER
    ]
    return UsePage(
        usable=tuple(
            _usable(tongue, c, counters.get(c.id, {}), chosen=c.id in asked.tables) for c in usable
        ),
        purposes=purposes(tongue, (asked.purpose,) if asked.purpose else ()),
        purpose=asked.purpose,
        sql=asked.sql,
        use_id=use_id,
        answered=_answered(tongue, outcome) if outcome else None,
        history=tuple(use_row(tongue, line) for line in history),
        problem=asked.problem,
    )


def _usable(
    tongue: Tongue, contract: Contract, counters: Mapping[str, int], *, chosen: bool
) -> Usable:
    return Usable(
        id=contract.id,
        table=contract.table,
        product=contract.product_name,
        provider=contract.provider.name,
        columns=_granted(contract),
        quotas=quotas_of(tongue, contract, counters),
        chosen=chosen,
        ends=tongue.day(contract.ends_at),
    )


def _granted(contract: Contract) -> tuple[str, ...]:
    for rule in contract.terms.policy.rules:
        for constraint in rule.constraints:
            if constraint.operand == "dataField" and isinstance(constraint.value, list):
                return tuple(constraint.value)
    return contract.columns


def _answered(tongue: Tongue, outcome: UseOutcome) -> Answered:
    table = None
    if outcome.columns:
        shown = outcome.rows[:SHOWN_ROWS]
        sentence = tongue.count("%(n)s 行结果", len(outcome.rows))
        if len(outcome.rows) > SHOWN_ROWS:
            sentence = tongue.say("%(all)s，显示前 %(shown)s 行", all=sentence, shown=SHOWN_ROWS)
        table = ResultTable(
            columns=outcome.columns,
            rows=tuple(tuple(_cell(cell) for cell in row) for row in shown),
            numeric=_numeric(outcome),
            sentence=sentence,
        )
    return Answered(
        chip=chip(tongue, DECISION, outcome.decision),
        reasons=tuple(tongue.read(reason.text) for reason in outcome.reasons),
        error=outcome.error,
        table=table,
        receipts=tuple(body_of(receipt).receipt_id for receipt in outcome.receipts),
    )


def _numeric(outcome: UseOutcome) -> frozenset[int]:
    """The columns that hold numbers, so that they line up."""
    first = outcome.rows[0] if outcome.rows else ()
    return frozenset(n for n, c in enumerate(first) if isinstance(c, int | float))


def _cell(value: str | float | bool | None) -> str:  # noqa: FBT001 - a cell's value
    match value:
        case None:
            return "—"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}" if abs(value) >= 10_000 else str(value)  # noqa: PLR2004 - years stay plain
        case float():
            return f"{value:,.4f}".rstrip("0").rstrip(".")
        case _:
            return value


def use_row(tongue: Tongue, line: UseLine) -> UseRow:
    """One line of the history."""
    return UseRow(
        at=tongue.when(line.at),
        product=line.product_name,
        contract=line.contract,
        purpose=purpose_word(tongue, line.purpose),
        sql=line.sql,
        rows=f"{line.rows:,}",
        state=chip(tongue, GRANT, line.state),
        reasons=tuple(tongue.read(reason.text) for reason in line.reasons),
        receipt=line.receipt_id,
        countersigned=line.countersigned,
        disputed=line.disputed,
    )
