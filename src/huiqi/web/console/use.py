"""How do people ask under their contracts, and read the receipts?"""

import re
import uuid

import msgspec
from litestar import Response
from litestar.params import FromPath

from huiqi.contracts.types import Contract, ContractStatus, PartyRole
from huiqi.kernel.errors import HuiqiError, MissingError
from huiqi.trust.types import Role
from huiqi.usage.types import Receipt, UseOutcome
from huiqi.web.console.doors import Shown, action, asked, form_in, here, page
from huiqi.web.console.home import names_of
from huiqi.web.forms import WrongField
from huiqi.web.i18n import mark
from huiqi.web.pages.receipt import body_of, receipt_page, receipts_page
from huiqi.web.pages.use import Asked, use_page
from huiqi.web.problems import status_of
from huiqi.web.receipt_files import checked, proof_of, receipt_file
from huiqi.web.render import show
from huiqi.web.system import System, need
from huiqi.web.visit import AnyRequest, Visit

HISTORY = 20
MOST_RECEIPTS = 200
LONGEST_SQL = 20_000


class UnknownDeposit(MissingError):
    """No receipt with this number has been deposited; check the number, or wait for it."""

    code = "web.unknown_deposit"
    zh = "平台没有收到回执 {receipt}"
    en = "No receipt {receipt} has been deposited here"


@page("/use", Role.CONSUMER)
def use_form(request: AnyRequest) -> Response[bytes]:
    """The tables that may be queried, and what was asked so far."""
    visit = here(request)
    wanted = asked(request, "contract")
    return _show(visit, Asked(tables=(wanted,) if wanted else ()))


@action("/use", Role.CONSUMER)
def use(request: AnyRequest) -> Shown:
    """Ask once; the same form sent twice gives the first outcome."""
    visit, form = here(request), form_in(request)
    chosen = form.texts("contract")
    entered = Asked(tables=chosen, purpose=form.text("purpose"), sql=form.text("sql")[:LONGEST_SQL])
    try:
        outcome = need(visit.system.compute).ask(
            tables=_tables(visit.system, chosen, visit),
            purpose=entered.purpose,
            sql=entered.sql,
            use_id=use_id_of(form.text("use_id")),
        )
    except HuiqiError as error:
        failed = Asked(
            tables=chosen,
            purpose=entered.purpose,
            sql=entered.sql,
            problem=visit.tongue.read(error),
        )
        return _show(visit, failed, status=status_of(error))
    return _show(visit, entered, outcome=outcome)


def _tables(system: System, chosen: tuple[str, ...], visit: Visit) -> dict[str, str]:
    if not chosen:
        raise WrongField("contract", label=visit.tongue.say(mark("可用的表")), value="—")
    contracts = need(system.contracts)
    return {contracts.contract(each).table: each for each in chosen}


def use_id_of(given: str) -> str | None:
    """A use id from a form, None when it is not a UUID: then a fresh one is made."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return None


def _show(
    visit: Visit, entered: Asked, *, outcome: UseOutcome | None = None, status: int = 200
) -> Response[bytes]:
    system = visit.system
    contracts = need(system.contracts).contracts()
    usage = need(system.usage)
    found = use_page(
        visit.tongue,
        contracts,
        usage.uses(limit=HISTORY),
        counters={c.id: usage.counters(c.id) for c in contracts if _usable(c)},
        asked=entered,
        use_id=str(uuid.uuid4()),  # noqa: TID251 - a form's own number; the verb may replace it
        outcome=outcome,
    )
    return show(visit, "use.html", found, status=status)


def _usable(contract: Contract) -> bool:
    performing = contract.status is ContractStatus.PERFORMING
    return performing and contract.mine is PartyRole.CONSUMER


@page("/receipts")
def receipts(request: AnyRequest) -> Response[bytes]:
    """The receipts in these books: own ones in a connector, deposited ones on the platform."""
    visit = here(request)
    wanted = asked(request, "contract")
    notes: dict[str, str] = {}
    if visit.system.usage is not None:
        known = list(visit.system.usage.receipts(contract=wanted or None, limit=MOST_RECEIPTS))
    else:
        deposits = need(visit.system.settlement).deposited()
        kept = [d for d in deposits if not wanted or d.contract == wanted][-MOST_RECEIPTS:]
        known = [deposit.receipt for deposit in reversed(kept)]
        notes = {deposit.receipt_id: deposit.held for deposit in kept if deposit.held}
    found = receipts_page(
        visit.tongue, visit.base, known, names=names_of(visit.system), contract=wanted, notes=notes
    )
    return show(visit, "receipts.html", found)


@page("/receipts/{receipt:str}")
def receipt(request: AnyRequest, receipt: FromPath[str]) -> Response[bytes]:
    """One receipt, with its place in the log when a checkpoint covers it."""
    visit = here(request)
    held = receipt_held(visit.system, receipt)
    found = receipt_page(
        visit.tongue,
        visit.base,
        held,
        names=names_of(visit.system),
        proof=proof_of(visit.system, held),
        reasons=_reasons(visit, held),
        checked=checked(visit.system, held),
    )
    return show(visit, "receipt.html", found)


@page("/receipts/{receipt:str}/file")
def download(request: AnyRequest, receipt: FromPath[str]) -> Response[bytes]:
    """The receipt file, for ``huiqi verify`` on any machine."""
    visit = here(request)
    return file_response(visit.system, receipt)


@page("/keys.json")
def keys(request: AnyRequest) -> Response[bytes]:
    """The members known here with their public keys, for ``huiqi verify --keys``."""
    members = here(request).system.trust.members()
    return Response(
        msgspec.json.encode(members),
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="keys.json"'},
    )


def file_name(receipt: str) -> str:
    """The name of a receipt's download; the number is the provider's and may hold anything.

    >>> file_name('a-1"; x')
    'receipt-a-1x.json'
    """
    plain = re.sub(r"[^0-9A-Za-z-]", "", receipt)
    return f"receipt-{plain[:64]}.json"


def file_response(system: System, receipt: str) -> Response[bytes]:
    """The receipt file as a download."""
    held = receipt_held(system, receipt)
    name = file_name(body_of(held).receipt_id)
    return Response(
        receipt_file(system, held),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def receipt_held(system: System, wanted: str) -> Receipt:
    """A receipt from a connector's or the platform's books.

    Raises:
        UnknownDeposit: the platform has no receipt of that number.
        MissingError: the connector has none.
    """
    if system.usage is not None:
        return system.usage.receipt(wanted)
    for deposit in need(system.settlement).deposited():
        if deposit.receipt_id == wanted:
            return deposit.receipt
    raise UnknownDeposit(receipt=wanted[:40])


def _reasons(visit: Visit, receipt: Receipt) -> dict[str, str]:
    body = body_of(receipt)
    if visit.system.usage is None or not body.reasons:
        return {}
    lines = visit.system.usage.uses(contract=body.contract, limit=MOST_RECEIPTS)
    return {
        reason.code: visit.tongue.read(reason.text)
        for line in lines
        if line.receipt_id == body.receipt_id
        for reason in line.reasons
    }


HANDLERS = [use_form, use, receipts, receipt, download, keys]
