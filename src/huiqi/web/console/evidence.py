"""How do people read the log and take proofs home?"""

import msgspec
from litestar import Response
from litestar.params import FromPath

from huiqi.evidence.errors import UnknownEntry
from huiqi.evidence.types import Proof, Sealed
from huiqi.kernel.errors import HuiqiError
from huiqi.web.console.doors import asked, here, page
from huiqi.web.numbers import entry_number, number_of
from huiqi.web.pages.evidence import evidence_page, proof_page
from huiqi.web.render import show
from huiqi.web.system import System
from huiqi.web.visit import AnyRequest

PAGE = 50


@page("/evidence")
def evidence(request: AnyRequest) -> Response[bytes]:
    """The log, newest first, of one subject or all."""
    visit = here(request)
    log = visit.system.evidence
    subject, before = asked(request, "subject"), number_of(asked(request, "before"))
    found = evidence_page(
        visit.tongue,
        visit.base,
        log.entries(subject=subject or None, before=before, limit=PAGE),
        size=log.size(),
        subject=subject,
        limit=PAGE,
        checkpoint=log.checkpoint() or "",
    )
    return show(visit, "evidence.html", found)


@page("/evidence/{seq:int}")
def entry(request: AnyRequest, seq: FromPath[int]) -> Response[bytes]:
    """One entry with its proof."""
    visit = here(request)
    sealed = entry_at(visit.system, seq)
    found = proof_page(visit.tongue, visit.base, sealed, _proof(visit.system, sealed))
    return show(visit, "proof.html", found)


@page("/evidence/{seq:int}/proof.json")
def proof(request: AnyRequest, seq: FromPath[int]) -> Response[bytes]:
    """The proof as a file."""
    found = here(request).system.evidence.proof(entry_number(seq))
    return Response(
        msgspec.json.encode(found),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="huiqi-entry-{seq}.json"'},
    )


def entry_at(system: System, seq: int) -> Sealed:
    """Entry number ``seq``.

    Raises:
        UnknownEntry: the log is not that long.
    """
    found = system.evidence.entries(before=entry_number(seq) + 1, limit=1)
    if not found or found[0].seq != seq:
        raise UnknownEntry(what=seq)
    return found[0]


def _proof(system: System, sealed: Sealed) -> Proof | None:
    try:
        return system.evidence.proof(sealed.seq) if sealed.integrated else None
    except HuiqiError:
        return None


HANDLERS = [evidence, entry, proof]
