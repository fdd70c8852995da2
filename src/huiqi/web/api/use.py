"""Using data and reading receipts, for programs."""

from collections.abc import Sequence

from litestar import Response, get
from litestar.params import FromPath, FromQuery, JSONBody

from huiqi.trust.types import Role
from huiqi.usage.service import Checked
from huiqi.usage.types import UseLine
from huiqi.web.api.bodies import OutcomeView, Question, ReceiptView, outcome_of, view_of
from huiqi.web.api.verbs import deed, read
from huiqi.web.console.use import file_response, receipt_held
from huiqi.web.numbers import most_of
from huiqi.web.receipt_files import checked
from huiqi.web.system import need
from huiqi.web.visit import AnyRequest, visit_in


@read("/uses")
def uses(
    request: AnyRequest,
    contract: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50,
) -> Sequence[UseLine]:
    """Uses newest first; ``before`` is the ``cursor`` of the last line."""
    usage = need(visit_in(request).system.usage)
    return usage.uses(contract=contract, before=before, limit=most_of(limit))


@deed("/uses", Role.CONSUMER)
def ask(request: AnyRequest, data: JSONBody[Question]) -> OutcomeView:
    """Ask under one or more contracts; a refusal is an outcome with reasons, not an error."""
    outcome = need(visit_in(request).system.compute).ask(
        tables=data.tables, purpose=data.purpose, sql=data.sql, use_id=data.use_id
    )
    return outcome_of(outcome)


@read("/receipts")
def receipts(
    request: AnyRequest, contract: FromQuery[str | None] = None, limit: FromQuery[int] = 200
) -> Sequence[ReceiptView]:
    """Receipts newest first: own ones, or on the platform the deposited ones."""
    system = visit_in(request).system
    if system.usage is not None:
        found = list(system.usage.receipts(contract=contract, limit=most_of(limit)))
    else:
        deposits = need(system.settlement).deposited()
        kept = [d.receipt for d in deposits if contract in {None, d.contract}]
        found = kept[::-1][: most_of(limit)]
    return [view_of(receipt) for receipt in found]


@read("/receipts/{receipt:str}")
def receipt(request: AnyRequest, receipt: FromPath[str]) -> ReceiptView:
    """One receipt."""
    return view_of(receipt_held(visit_in(request).system, receipt))


@get("/receipts/{receipt:str}/file", sync_to_thread=True)
def receipt_file(request: AnyRequest, receipt: FromPath[str]) -> Response[bytes]:
    """The receipt file (``huiqi-receipt/1``) for ``huiqi verify``."""
    return file_response(visit_in(request).system, receipt)


@read("/receipts/{receipt:str}/check")
def check(request: AnyRequest, receipt: FromPath[str]) -> Checked:
    """The steps of the offline check, taken here."""
    system = visit_in(request).system
    return checked(system, receipt_held(system, receipt))


HANDLERS = [uses, ask, receipts, receipt, receipt_file, check]
