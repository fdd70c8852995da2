"""The evidence log, for programs."""

from collections.abc import Sequence

from litestar.params import FromPath, FromQuery

from huiqi.evidence.types import Proof, Sealed
from huiqi.web.api.bodies import Checkpoint
from huiqi.web.api.verbs import read
from huiqi.web.numbers import entry_number, most_of, within
from huiqi.web.visit import AnyRequest, visit_in


@read("/evidence")
def entries(
    request: AnyRequest,
    subject: FromQuery[str | None] = None,
    kind: FromQuery[str | None] = None,
    before: FromQuery[int | None] = None,
    limit: FromQuery[int] = 50,
) -> Sequence[Sealed]:
    """Entries newest first; ``before`` is the number of the last one."""
    log = visit_in(request).system.evidence
    upto = None if before is None else within(before)
    return log.entries(subject=subject, kind=kind, before=upto, limit=most_of(limit))


@read("/evidence/checkpoint")
def checkpoint(request: AnyRequest) -> Checkpoint:
    """The newest signed checkpoint."""
    log = visit_in(request).system.evidence
    return Checkpoint(log.checkpoint() or "", log.size())


@read("/evidence/{seq:int}/proof")
def proof(request: AnyRequest, seq: FromPath[int]) -> Proof:
    """That an entry stands in the log."""
    return visit_in(request).system.evidence.proof(entry_number(seq))


@read("/evidence/documents/{sha256:str}/proof")
def proof_of_document(request: AnyRequest, sha256: FromPath[str]) -> Proof:
    """That a document with this SHA-256 (hex) was recorded."""
    return visit_in(request).system.evidence.proof_of_document(sha256)


HANDLERS = [entries, checkpoint, proof, proof_of_document]
