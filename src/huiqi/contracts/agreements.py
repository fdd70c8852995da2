"""Which bytes are the contract, and what does a signature cover?

Both parties derive the same bytes from the same proposals; no draft travels between them.
"""

from datetime import datetime, timedelta

import msgspec

from huiqi.contracts.errors import AgreementUnreadable, ImplausibleTime, NotAgreed
from huiqi.contracts.types import (
    Agreement,
    AgreementBody,
    Contract,
    PartySignature,
    ProposalKind,
    TerminationNotice,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.digests import digests, sm3_hex
from huiqi.kernel.errors import InvalidError
from huiqi.policy.types import Terms

VERSION = 1
# vocab/sign_mode: point to point; the platform files, it does not negotiate.
POINT_TO_POINT = "01"
# T14 table C.1 row 2.
LONGEST_NAME = 128
LONGEST_ABSTRACT = 1024
# Two systems with network time differ by less; N03 uses the same window for messages.
CLOCK_TOLERANCE = timedelta(seconds=300)


def terms_digest(terms: Terms) -> str:
    """The SM3 of the canonical bytes of ``terms``: what a proposal's signature names."""
    return sm3_hex(canonical_bytes(terms))


def agreed_end(contract: Contract) -> datetime:
    """The end of the agreed period: the time of the acceptance plus the days of the terms.

    Raises:
        NotAgreed: the newest proposal is not an acceptance.
    """
    last = contract.proposals[-1] if contract.proposals else None
    if last is None or last.kind is not ProposalKind.ACCEPT:
        raise NotAgreed(contract=contract.id)
    return last.at + timedelta(days=last.terms.days)


def body_of(contract: Contract) -> AgreementBody:
    """The agreement that follows from the proposals; equal proposals give equal documents.

    Raises:
        NotAgreed: the newest proposal is not an acceptance.
    """
    end = agreed_end(contract)
    sides = f"{contract.provider.name} / {contract.consumer.name}"
    return AgreementBody(
        v=VERSION,
        contract_id=contract.id,
        contract_name=f"{contract.product_name[: LONGEST_NAME - 4]}使用合约",
        contract_abstract=f"{contract.product_name}: {sides}"[:LONGEST_ABSTRACT],
        space=contract.space,
        create_time=iso(contract.proposals[0].at),
        sign_mode=POINT_TO_POINT,
        indate=iso(end),
        parties=(contract.provider, contract.consumer),
        product=contract.product,
        product_name=contract.product_name,
        product_digest=contract.product_digest,
        table=contract.table,
        terms=contract.terms,
        rounds=len(contract.proposals),
        suite=contract.suite,
    )


def body_bytes(contract: Contract) -> bytes:
    """The canonical bytes of the agreement: the contract itself.

    Raises:
        NotAgreed: the newest proposal is not an acceptance.
    """
    return canonical_bytes(body_of(contract))


def read_body(body: bytes) -> AgreementBody:
    """The agreement in ``body``, accepted only when these are its canonical bytes.

    Raises:
        AgreementUnreadable: not JSON, a field is wrong or missing, or another byte form.
    """
    try:
        read = msgspec.json.decode(body, type=AgreementBody)
        again = canonical_bytes(read)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidError) as error:
        raise AgreementUnreadable(what=type(error).__name__) from error
    if again != body:
        raise AgreementUnreadable(what="byte form")
    return read


def signed_bytes(body: bytes, contract_id: str, sign_time: str) -> bytes:
    """What a party signs: ``body | contract id | sign time`` (T14 table 1 row 9)."""
    return b"|".join((body, contract_id.encode(), sign_time.encode()))


def with_signature(contract: Contract, body: bytes, signature: PartySignature) -> Agreement:
    """The agreement over ``body`` with one signature more, in the order of roles."""
    known = contract.agreement.signatures if contract.agreement is not None else ()
    marks = digests(body)
    return Agreement(
        body=body,
        sm3=marks.sm3,
        sha256=marks.sha256,
        signatures=tuple(sorted((*known, signature), key=lambda each: each.role.value)),
    )


def read_time(contract_id: str, text: str) -> datetime:
    """An instant in the one form that signed documents use.

    Raises:
        ImplausibleTime: another form, or no time at all.
    """
    try:
        instant = parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise ImplausibleTime(contract=contract_id, at=text[:40]) from error
    if iso(instant) != text:
        raise ImplausibleTime(contract=contract_id, at=text[:40])
    return instant


def check_sign_time(body: AgreementBody, text: str, now: datetime) -> None:
    """Accept a sign time between the acceptance and now, within the tolerance of clocks.

    Raises:
        ImplausibleTime: it lies before the acceptance, after the end, or in the future.
    """
    at = read_time(body.contract_id, text)
    end = read_time(body.contract_id, body.indate)
    accepted = end - timedelta(days=body.terms.days)
    if not accepted - CLOCK_TOLERANCE <= at <= min(now + CLOCK_TOLERANCE, end):
        raise ImplausibleTime(contract=body.contract_id, at=text[:40])


def check_period(body: AgreementBody, now: datetime) -> None:
    """Accept an agreement whose times fit together, as far as the platform can know.

    Raises:
        ImplausibleTime: the acceptance that follows from the end lies before the beginning or in
            the future.
    """
    created = read_time(body.contract_id, body.create_time)
    end = read_time(body.contract_id, body.indate)
    try:
        accepted = end - timedelta(days=body.terms.days)
    except OverflowError as error:
        raise ImplausibleTime(contract=body.contract_id, at=body.indate) from error
    if not created <= accepted <= now + CLOCK_TOLERANCE:
        raise ImplausibleTime(contract=body.contract_id, at=body.indate)


def voucher_bytes(notice: TerminationNotice) -> bytes:
    """What the signature of a termination covers: every other field, canonical."""
    plain = msgspec.to_builtins(notice)
    del plain["signature"]
    return canonical_bytes(plain)
