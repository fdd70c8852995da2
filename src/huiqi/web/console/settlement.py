"""How are periods closed, and statements read and checked?"""

from litestar import Response
from litestar.params import FromPath

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Role
from huiqi.web.console.doors import Shown, action, asked, here, on, page
from huiqi.web.console.home import names_of
from huiqi.web.pages.statements import statement_page, statements_page
from huiqi.web.problems import status_of
from huiqi.web.render import show
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, Visit

MOST_POSTINGS = 2_000


@page("/statements")
def statements(request: AnyRequest) -> Response[bytes]:
    """Every statement in these books."""
    return _show(here(request))


def _show(visit: Visit, error: HuiqiError | None = None) -> Response[bytes]:
    system, platform = visit.system, visit.system.settlement
    found = statements_page(
        visit.tongue,
        visit.base,
        system.accounts.statements(),
        names=names_of(system),
        balances=platform.balances() if platform else None,
        may_close=platform is not None and visit.may(Role.OPERATOR),
        open_receipts=sum(not d.run for d in platform.deposited()) if platform else 0,
        problem=visit.tongue.read(error) if error else "",
    )
    return show(visit, "statements.html", found, status=status_of(error) if error else 200)


@page("/statements/{statement:str}")
def statement(request: AnyRequest, statement: FromPath[str]) -> Response[bytes]:
    """One statement, checked against one's own receipts, or computed again on the platform."""
    visit = here(request)
    system, platform = visit.system, visit.system.settlement
    if platform is not None:
        held = platform.statement(statement)
        replay = platform.replay(held.document.run) if asked(request, "replay") else None
        lines = {charge.receipt_id for charge in held.document.lines}
        postings = [
            posting
            for posting in platform.ledger(limit=MOST_POSTINGS)
            if posting.run == held.document.run
            and any(posting.entry.endswith(line) for line in lines)
        ]
        found = statement_page(
            visit.tongue,
            held,
            names=names_of(system),
            replay=replay,
            postings=postings,
            may_replay=True,
        )
    else:
        desk = need(system.settlement_desk)
        held = desk.statement(statement)
        found = statement_page(
            visit.tongue, held, names=names_of(system), mismatches=desk.check(statement)
        )
    return show(visit, "statement.html", found)


@action("/statements/close", Role.OPERATOR)
def close(request: AnyRequest) -> Shown:
    """Close the period now."""
    visit = here(request)
    try:
        issued = need(visit.system.settlement).close_period()
    except HuiqiError as error:
        return _show(visit, error)
    return on(visit, "/statements", "closed" if issued else "nothing-due")


HANDLERS = [statements, statement, close]
