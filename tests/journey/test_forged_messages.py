"""Does a message that is edited, forged, unsigned or repeated change nothing?"""

import base64
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from huiqi.contracts.agreements import signed_bytes, terms_digest
from huiqi.contracts.messages import round_of
from huiqi.contracts.types import (
    AgreementBody,
    Contract,
    Filing,
    PartyRole,
    PartySignature,
    ProposalKind,
    SignatureNotice,
)
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import SystemClock, iso
from huiqi.kernel.digests import sm3_hex
from huiqi.trust.types import NATIONAL_SUITE, Signature
from huiqi.usage.types import UseOrder
from tests.journey.forging import Forger, Sent
from tests.journey.walking import (
    agreed,
    ask,
    await_rounds,
    in_force,
    is_chinese,
    published,
    requested,
    signed,
    sizes,
    terms,
    wish,
)
from tests.support.space import Space

ALL = ("node", "platform", "p1", "c1")
SEARCH = {"text": "", "limit": 1}
FORGED = Signature(suite=NATIONAL_SUITE, key_id="0" * 16, value="1" * 128)


@pytest.fixture(scope="module")
def forger(space: Space) -> Forger:
    """The consumer's keys in the hands of somebody who does not play by the rules."""
    return Forger(space, "c1")


@pytest.fixture(scope="module")
def product(space: Space) -> str:
    """A listed product of provider 1."""
    return published(space, "forged", asked=wish(), salt=200)


def _is_refused(sent: Sent, status: int, code: str) -> None:
    assert (sent.status, sent.refusal.code) == (status, code), sent.answer
    assert is_chinese(sent.refusal.zh)
    assert sent.refusal.en
    assert not is_chinese(sent.refusal.en)


def _milliseconds(offset_s: int) -> str:
    return f"{int((time.time() + offset_s) * 1000):013d}"


# --- the stamp of a message


def test_a_genuine_message_is_answered_once(space: Space, forger: Forger) -> None:
    first = forger.send("platform", "CatalogSearch", SEARCH)
    assert first.status == 200, first.answer
    before = sizes(space, ALL)
    _is_refused(first.again(), 403, "trust.replayed_message")
    _is_refused(first.again(), 403, "trust.replayed_message")
    assert sizes(space, ALL) == before


def test_a_replay_is_remembered_across_a_restart(tmp_path: Path) -> None:
    space = Space(tmp_path / "data")
    try:
        space.start()
        first = Forger(space, "c1").send("platform", "CatalogSearch", SEARCH)
        assert first.status == 200
        space.kill()
        space.start()
        again = first.again(url=f"{space.address('platform')}/wire/CatalogSearch")
        _is_refused(again, 403, "trust.replayed_message")
    finally:
        space.end()


def test_an_edited_message_is_refused(space: Space, forger: Forger) -> None:
    before = sizes(space, ALL)
    sent = forger.send("platform", "CatalogSearch", SEARCH)
    edited = sent.again(body=b'{"text":"x","limit":9}')
    _is_refused(edited, 422, "trust.forged_signature")
    assert sizes(space, ALL) == before


def test_a_message_for_another_verb_or_system_is_refused(space: Space, forger: Forger) -> None:
    before = sizes(space, ALL)
    sent = forger.send("platform", "CatalogSearch", SEARCH)
    elsewhere = sent.again(url=f"{space.address('node')}/wire/CatalogSearch")
    _is_refused(elsewhere, 403, "trust.wrong_receiver")
    wrong = forger.send("platform", "CatalogSearch", SEARCH, code="SettleEverything")
    assert wrong.status == 400
    assert sizes(space, ALL) == before


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"timestamp": -301}, 403, "trust.stale_message"),
        ({"timestamp": 400}, 403, "trust.stale_message"),
        ({"timestamp": "yesterday"}, 400, "trust.malformed_stamp"),
        ({"sequence": "two words"}, 400, "trust.malformed_stamp"),
        ({"sender": "591349900MAXXXX0P1L3401JP7RB3UK1"}, 409, "trust.unknown_member"),
        ({"sender": "nobody"}, 409, "trust.unknown_member"),
    ],
)
def test_a_stamp_that_does_not_hold_is_refused(
    space: Space, forger: Forger, changed: dict[str, Any], status: int, code: str
) -> None:
    before = sizes(space, ALL)
    if isinstance(offset_s := changed.get("timestamp"), int):
        changed = {"timestamp": _milliseconds(offset_s)}
    _is_refused(forger.send("platform", "CatalogSearch", SEARCH, **changed), status, code)
    assert sizes(space, ALL) == before


def test_somebody_elses_name_needs_their_keys(space: Space, forger: Forger) -> None:
    before = sizes(space, ALL)
    provider = Forger(space, "p1").me.id
    sent = forger.send("platform", "ProductWithdraw", {"id": "x"}, sender=provider)
    _is_refused(sent, 422, "trust.forged_signature")
    assert sizes(space, ALL) == before


def test_a_body_that_is_not_the_document_is_refused(space: Space, forger: Forger) -> None:
    before = sizes(space, ALL)
    for body in (b"", b"{", b'{"text": 7}', b"\xff", b"[" * 100_000):
        sent = forger.send("platform", "CatalogSearch", body)
        _is_refused(sent, 400, "wire.message_unreadable")
    assert sizes(space, ALL) == before


# --- contracts


def _body(space: Space, contract: str) -> tuple[AgreementBody, bytes]:
    body = msgspec.convert(space.api("c1").get(f"/contracts/{contract}/body"), AgreementBody)
    return body, canonical_bytes(body)


def _signature(forger: Forger, body: bytes, contract: str) -> PartySignature:
    at = iso(SystemClock().now())
    return PartySignature(
        subject=forger.me.subject,
        node=forger.me.id,
        role=PartyRole.CONSUMER,
        sign_time=at,
        signature=forger.sign(signed_bytes(body, contract, at)),
    )


def _provider_has(space: Space, contract: str) -> tuple[str, int]:
    held = space.api("p1").get(f"/contracts/{contract}")
    agreement = held["agreement"]
    return held["status"], len(agreement["signatures"]) if agreement else 0


def test_an_edited_contract_is_refused_and_the_attempt_recorded(
    space: Space, forger: Forger, product: str
) -> None:
    contract = agreed(space, product)
    before, held = sizes(space, ALL), _provider_has(space, contract)
    document, _bytes = _body(space, contract)
    cheaper = msgspec.structs.replace(document, contract_name="another contract")
    edited = canonical_bytes(cheaper)
    notice = SignatureNotice(
        contract_id=document.contract_id,
        sm3=sm3_hex(edited),
        signature=_signature(forger, edited, contract),
    )
    sent = forger.send("p1", "ContractSignature", notice)
    _is_refused(sent, 422, "contracts.edited_agreement")
    # Only the attempt itself is written down, at the side that refused it.
    assert sizes(space, ALL) == {**before, "p1": before["p1"] + 1}
    facts = space.api("p1").get("/evidence", subject=contract, kind="SignatureRefused")
    assert len(facts) == 1
    assert _provider_has(space, contract) == held
    # The honest signatures are still taken.
    signed(space, contract)


def test_a_forged_signature_is_refused(space: Space, forger: Forger, product: str) -> None:
    contract = agreed(space, product)
    held = _provider_has(space, contract)
    document, body = _body(space, contract)
    genuine = _signature(forger, body, contract)
    other_time = msgspec.structs.replace(genuine, sign_time=iso(SystemClock().now()))
    for wrong in (msgspec.structs.replace(genuine, signature=FORGED), other_time):
        notice = SignatureNotice(
            contract_id=document.contract_id, sm3=sm3_hex(body), signature=wrong
        )
        sent = forger.send("p1", "ContractSignature", notice)
        _is_refused(sent, 422, "trust.forged_signature")
    assert _provider_has(space, contract) == held
    signed(space, contract)


def test_a_filing_with_a_missing_or_forged_signature_is_refused(
    space: Space, forger: Forger, product: str
) -> None:
    for given in (0, 1, 2):
        contract = agreed(space, product)
        document, body = _body(space, contract)
        mine = _signature(forger, body, contract)
        provider = document.parties[0]
        theirs = msgspec.structs.replace(
            mine, subject=provider.subject, node=provider.node, role=PartyRole.PROVIDER
        )
        filing = Filing(
            contract_id=document.contract_id, body=body, signatures=(mine, theirs)[:given]
        )
        sent = forger.send("platform", "ContractRegistrate", filing)
        if given == 2:
            _is_refused(sent, 422, "trust.forged_signature")
        else:
            _is_refused(sent, 400, "contracts.missing_signature")
        assert contract not in [c["id"] for c in space.api("platform").get("/contracts")]
        assert space.api("c1").get(f"/contracts/{contract}")["status"] != "05"


def test_edited_terms_are_refused(space: Space, forger: Forger, product: str) -> None:
    contract = requested(space, product)
    space.api("p1").post(f"/contracts/{contract}/counter", {"terms": terms(wish(2))})
    await_rounds(space, "c1", contract, 2)
    before = sizes(space, ALL)
    answer = space.api("c1").get(f"/contracts/{contract}")
    held = msgspec.convert(answer, Contract, strict=False)
    last = held.proposals[-1]
    more = msgspec.convert(terms(wish(1_000)), type(last.terms))
    for digest, code in (
        (last.digest, "contracts.edited_terms"),
        (terms_digest(more), "contracts.edited_terms"),
    ):
        accepted = msgspec.structs.replace(
            last,
            round=3,
            kind=ProposalKind.ACCEPT,
            by=PartyRole.CONSUMER,
            terms=more,
            digest=digest,
        )
        text = f"{contract}|3|accept|{digest}".encode()
        accepted = msgspec.structs.replace(
            accepted, at=SystemClock().now(), signature=forger.sign(text)
        )
        sent = forger.send("p1", "ContractNegotiate", round_of(held, accepted))
        _is_refused(sent, 422, code)
    assert len(space.api("p1").get(f"/contracts/{contract}")["proposals"]) == 2
    assert sizes(space, ALL) == before


def test_somebody_else_cannot_end_a_contract(space: Space, product: str) -> None:
    contract = in_force(space, product)
    stranger = Forger(space, "p2")
    before = sizes(space, ALL)
    notice = {
        "contractId": contract,
        "terminateType": "03",
        "reason": "x",
        "issueTime": iso(SystemClock().now()),
        "scheduledEndTime": "",
        "issuerId": stranger.me.id,
        "issuerEntityId": stranger.me.subject,
        "signature": msgspec.to_builtins(FORGED),
    }
    for to in ("p1", "platform"):
        sent = stranger.send(to, "ContractTerminate", notice)
        _is_refused(sent, 403, "contracts.wrong_party")
    assert space.api("p1").get(f"/contracts/{contract}")["status"] == "05"
    assert sizes(space, ALL) == before


# --- orders


def _order(forger: Forger, space: Space, contract: str) -> tuple[UseOrder, bytes]:
    order = UseOrder(
        use_id=str(uuid.uuid4()),  # noqa: TID251 - as a consumer chooses one
        consumer=forger.me.subject,
        consumer_node=forger.me.id,
        executor=Forger(space, "p1").me.id,
        tables={"trips": contract},  # type: ignore[dict-item] - a contract id from JSON
        purpose="research",
        sql="SELECT COUNT(*) AS n FROM trips",
        at=iso(SystemClock().now()),
    )
    return order, canonical_bytes(order)


def _request(body: bytes, signature: Signature) -> dict[str, Any]:
    return {"body": body, "signature": signature, "lenders": {}}


def test_an_order_is_used_once_however_often_it_is_sent(
    space: Space, forger: Forger, product: str
) -> None:
    contract = in_force(space, product)
    _document, body = _order(forger, space, contract)
    request = _request(body, forger.sign(body))
    first = forger.send("p1", "UseQuery", request)
    assert first.status == 200, first.answer
    _is_refused(first.again(), 403, "trust.replayed_message")
    for _time in range(3):
        assert forger.send("p1", "UseQuery", request).answer == first.answer
    counters = space.api("p1").get(f"/contracts/{contract}/counters")
    assert counters == {"count": 1, "rows": 1, "reserved": 0}


def test_a_forged_or_edited_order_computes_nothing(
    space: Space, forger: Forger, product: str
) -> None:
    contract = in_force(space, product)
    assert ask(space, contract, table="trips")["decision"] == "allowed"
    before = sizes(space, ALL)
    order, body = _order(forger, space, contract)
    edited = canonical_bytes(msgspec.structs.replace(order, purpose="statistics"))
    stranger = Forger(space, "p2")
    for request in (
        _request(body, FORGED),
        _request(edited, forger.sign(body)),
        _request(body, stranger.sign(body)),
    ):
        sent = forger.send("p1", "UseQuery", request)
        assert sent.status == 422, sent.answer
        assert sent.refusal.code in {"usage.forged_order", "trust.forged_signature"}
    # Nor does somebody else get the answer to a genuine one.
    stolen = stranger.send("p1", "UseQuery", _request(body, forger.sign(body)))
    assert stolen.status == 403, stolen.answer
    assert sizes(space, ALL) == before
    counters = space.api("p1").get(f"/contracts/{contract}/counters")
    assert counters["count"] == 1
    assert counters["reserved"] == 0


# --- products


def test_an_edited_product_record_is_not_listed(space: Space, forger: Forger, product: str) -> None:
    provider = Forger(space, "p1")
    fetched = forger.send("platform", "CatalogFetch", {"id": product})
    assert fetched.status == 200, fetched.answer
    before = sizes(space, ALL)
    genuine = msgspec.json.decode(fetched.answer)
    record = base64.b64decode(genuine["body"])
    edited = record.replace(b'"version":1', b'"version":2')
    assert edited != record
    document = {"body": edited, "signature": genuine["signature"]}
    sent = provider.send("platform", "ProductRegister", document)
    assert sent.status == 422, sent.answer
    assert sent.refusal.code in {"catalog.forged_record", "trust.forged_signature"}
    # Nor can somebody else register or withdraw it.
    sent = forger.send("platform", "ProductRegister", genuine)
    _is_refused(sent, 403, "catalog.not_owner")
    sent = forger.send("platform", "ProductWithdraw", {"id": product})
    _is_refused(sent, 403, "catalog.not_owner")
    assert sizes(space, ALL) == before
