"""Statements, ledger and replay, for programs."""

from collections.abc import Mapping, Sequence

from litestar.params import FromPath, FromQuery, JSONBody

from huiqi.settlement.types import Deposit, Mismatch, Posting, Replay, Statement
from huiqi.trust.types import Role
from huiqi.web.api.bodies import Closing
from huiqi.web.api.verbs import deed, read
from huiqi.web.numbers import most_of
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, visit_in


@read("/statements")
def statements(request: AnyRequest) -> Sequence[Statement]:
    """The statements in these books."""
    system = visit_in(request).system
    return system.accounts.statements()


@read("/statements/{statement:str}")
def statement(request: AnyRequest, statement: FromPath[str]) -> Statement:
    """One statement."""
    system = visit_in(request).system
    return system.accounts.statement(statement)


@read("/statements/{statement:str}/check")
def check(request: AnyRequest, statement: FromPath[str]) -> Sequence[Mismatch]:
    """Where a statement differs from one's own receipts; nothing when it does not."""
    return need(visit_in(request).system.settlement_desk).check(statement)


@deed("/settlement/close", Role.OPERATOR)
def close(request: AnyRequest, data: JSONBody[Closing]) -> Sequence[Statement]:
    """Close the period and issue its statements."""
    return need(visit_in(request).system.settlement).close_period(until=data.until)


@read("/settlement/deposits")
def deposits(request: AnyRequest) -> Sequence[Deposit]:
    """Receipts that were deposited."""
    return need(visit_in(request).system.settlement).deposited()


@read("/settlement/ledger")
def ledger(
    request: AnyRequest, account: FromQuery[str | None] = None, limit: FromQuery[int] = 200
) -> Sequence[Posting]:
    """Postings of one account or all."""
    return need(visit_in(request).system.settlement).ledger(account=account, limit=most_of(limit))


@read("/settlement/balances")
def balances(request: AnyRequest) -> Mapping[str, int]:
    """Balance of every account in fen; they sum to zero."""
    return need(visit_in(request).system.settlement).balances()


@read("/settlement/replay/{run:str}")
def replay(request: AnyRequest, run: FromPath[str]) -> Replay:
    """Compute a closing again from receipts and contracts and compare the bytes."""
    return need(visit_in(request).system.settlement).replay(run)


HANDLERS = [statements, statement, check, close, deposits, ledger, balances, replay]
