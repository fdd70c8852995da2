"""Who owes whom for which uses, and does it add up?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huiqi.kernel.clock import parse_instant
from huiqi.kernel.money import yuan
from huiqi.settlement.types import Mismatch, Posting, Replay, Statement
from huiqi.web.i18n import Tongue
from huiqi.web.pages.conditions import Fact
from huiqi.web.words import Chip, short


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One statement in the list."""

    href: str
    id: str
    number: int
    party: str
    period: str
    lines: int
    owed: str
    earned: str
    balance: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account of the platform's ledger."""

    name: str
    balance: str


@dataclass(frozen=True, kw_only=True)
class StatementsPage:
    """Statements, and on the platform the accounts and what waits for the next closing."""

    sentence: str
    lines: tuple[StatementLine, ...]
    accounts: tuple[Account, ...]
    sum: str
    may_close: bool
    open_receipts: int
    problem: str


@dataclass(frozen=True, kw_only=True)
class ChargeLine:
    """One charged use."""

    receipt: str
    at: str
    product: str
    rows: str
    use: str
    row: str
    gross: str
    fee: str
    net: str


@dataclass(frozen=True, kw_only=True)
class PostingLine:
    """One posting of the ledger."""

    entry: str
    account: str
    amount: str


@dataclass(frozen=True, kw_only=True)
class StatementPage:
    """One statement as it is printed."""

    id: str
    number: int
    party: str
    period: str
    lines: tuple[ChargeLine, ...]
    owed: str
    earned: str
    fee: str
    balance: str
    verdict: str
    facts: tuple[Fact, ...]
    check: Chip | None
    mismatches: tuple[str, ...]
    postings: tuple[PostingLine, ...]
    posting_sum: str
    run: str
    may_replay: bool


def statements_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    base: str,
    statements: Sequence[Statement],
    *,
    names: Mapping[str, str],
    balances: Mapping[str, int] | None = None,
    may_close: bool = False,
    open_receipts: int = 0,
    problem: str = "",
) -> StatementsPage:
    """The list; ``names`` maps subject codes to names."""
    accounts = balances or {}
    return StatementsPage(
        sentence=tongue.count("%(n)s 张结算单。", len(statements)),
        lines=tuple(_statement_line(tongue, base, s, names) for s in statements),
        accounts=tuple(
            Account(name=account_name(tongue, account, names), balance=yuan(amount))
            for account, amount in sorted(accounts.items())
        ),
        sum=yuan(sum(accounts.values())),
        may_close=may_close,
        open_receipts=open_receipts,
        problem=problem,
    )


def account_name(tongue: Tongue, account: str, names: Mapping[str, str]) -> str:
    """Whose account of the ledger it is: ``party:<subject>`` or ``fees:<subject>``."""
    kind, _, subject = account.partition(":")
    name = names.get(subject or account, subject or account)
    return tongue.say("%(name)s · 服务费", name=name) if kind == "fees" else name


def _statement_line(
    tongue: Tongue, base: str, statement: Statement, names: Mapping[str, str]
) -> StatementLine:
    document = statement.document
    return StatementLine(
        href=f"{base}/statements/{statement.id}",
        id=statement.id,
        number=document.number,
        party=names.get(document.party, document.party),
        period=_period(tongue, statement),
        lines=len(document.lines),
        owed=yuan(document.owed_fen),
        earned=yuan(document.earned_fen),
        balance=yuan(document.balance_fen),
    )


def _period(tongue: Tongue, statement: Statement) -> str:
    document = statement.document
    since = tongue.when(parse_instant(document.since)) if document.since else tongue.say("起初")
    return f"{since} — {tongue.when(parse_instant(document.until))}"


def statement_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    statement: Statement,
    *,
    names: Mapping[str, str],
    mismatches: Sequence[Mismatch] | None = None,
    replay: Replay | None = None,
    postings: Sequence[Posting] = (),
    may_replay: bool = False,
) -> StatementPage:
    """One statement. ``mismatches`` is a party's own check, ``replay`` the platform's."""
    document = statement.document
    return StatementPage(
        id=statement.id,
        number=document.number,
        party=names.get(document.party, document.party),
        period=_period(tongue, statement),
        lines=tuple(
            ChargeLine(
                receipt=charge.receipt_id,
                at=tongue.when(parse_instant(charge.closed_at)),
                product=charge.product,
                rows=f"{charge.rows:,}",
                use=yuan(charge.use_fen),
                row=yuan(charge.row_fen),
                gross=yuan(charge.gross_fen),
                fee=yuan(charge.fee_fen),
                net=yuan(charge.net_fen),
            )
            for charge in document.lines
        ),
        owed=yuan(document.owed_fen),
        earned=yuan(document.earned_fen),
        fee=yuan(document.fee_fen),
        balance=yuan(abs(document.balance_fen)),
        verdict=_verdict(tongue, document.balance_fen),
        facts=_facts(tongue, statement),
        check=_check(tongue, mismatches, replay),
        mismatches=tuple(_mismatch(tongue, m) for m in mismatches or ())
        + tuple(replay.differing if replay else ()),
        postings=tuple(
            PostingLine(
                entry=posting.entry,
                account=account_name(tongue, posting.account, names),
                amount=yuan(posting.amount_fen),
            )
            for posting in postings
        ),
        posting_sum=yuan(sum(posting.amount_fen for posting in postings)),
        run=document.run,
        may_replay=may_replay,
    )


def _verdict(tongue: Tongue, balance_fen: int) -> str:
    if balance_fen > 0:
        return tongue.say("本期应收")
    return tongue.say("本期应付") if balance_fen < 0 else tongue.say("本期两清")


def _check(
    tongue: Tongue, mismatches: Sequence[Mismatch] | None, replay: Replay | None
) -> Chip | None:
    if mismatches is not None:
        if mismatches:
            return Chip("bad", tongue.say("与本方回执不符"))
        return Chip("ok", tongue.say("与本方回执一致"))
    if replay is not None:
        if replay.same and replay.sum_fen == 0:
            return Chip("ok", tongue.say("重算一致，分录合计为零"))
        return Chip("bad", tongue.say("重算不一致"))
    return None


def _mismatch(tongue: Tongue, mismatch: Mismatch) -> str:
    return tongue.say(
        "回执 %(receipt)s 的 %(field)s：结算单为 %(stated)s，本方为 %(own)s",
        receipt=short(mismatch.receipt_id),
        field=mismatch.field,
        stated=mismatch.stated or "—",
        own=mismatch.own or "—",
    )


def _facts(tongue: Tongue, statement: Statement) -> tuple[Fact, ...]:
    document = statement.document
    return (
        Fact(tongue.say("结算单编号"), statement.id),
        Fact(tongue.say("账期"), document.run),
        Fact(tongue.say("平台"), document.platform),
        Fact(tongue.say("出具时间"), tongue.exactly(statement.issued_at)),
        Fact(tongue.say("正文 SHA-256"), statement.sha256),
        Fact(tongue.say("平台签名"), short(statement.signed.signature.value)),
    )
