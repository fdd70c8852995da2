"""The agreement: both sides derive the same bytes, whatever was said on the way."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from huiqi.contracts.agreements import (
    body_bytes,
    body_of,
    check_sign_time,
    read_body,
    read_time,
    signed_bytes,
    terms_digest,
)
from huiqi.contracts.errors import AgreementUnreadable, ImplausibleTime, NotAgreed
from huiqi.contracts.messages import round_of
from huiqi.contracts.negotiation import after, proposing, turn
from huiqi.contracts.opening import frame_received, opened
from huiqi.contracts.types import (
    Contract,
    ContractStatus,
    Negotiation,
    Party,
    PartyRole,
    Proposal,
    ProposalKind,
)
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.ids import ContractId, ProductId, SubjectCode, SystemId
from huiqi.policy.types import Terms
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE, Signature
from tests.unit.contracts.world import START, terms

NOTHING = Signature("", "", "")
names = st.text(min_size=1, max_size=200)
offers = st.builds(
    lambda uses, days: terms(uses=uses, days=days), st.integers(1, 10**9), st.integers(1, 36_500)
)
steps = st.lists(
    st.tuples(offers, st.integers(0, 10**9), st.text(max_size=20)), min_size=0, max_size=6
)


def proposal(contract: Contract, by: PartyRole, kind: ProposalKind, of: Terms) -> Proposal:
    return Proposal(
        round=len(contract.proposals) + 1,
        kind=kind,
        by=by,
        terms=of,
        note="",
        at=contract.created_at,
        digest=terms_digest(of),
        signature=NOTHING,
    )


def frame(name: str, product: str, suite: str) -> Contract:
    party = Party(role=PartyRole.PROVIDER, subject=SubjectCode("P"), name=name, node=SystemId("p"))
    return Contract(
        id=ContractId("C1"),
        status=ContractStatus.INITIATED,
        mine=PartyRole.CONSUMER,
        provider=party,
        consumer=replace(party, role=PartyRole.CONSUMER, node=SystemId("c")),
        product=ProductId("6"),
        product_name=product,
        product_digest="0" * 64,
        table="flights",
        proposals=(),
        created_at=START,
        suite=suite,
        space="s",
    )


def travelled(contract: Contract) -> Negotiation:
    message = round_of(contract, contract.proposals[-1])
    return msgspec.json.decode(msgspec.json.encode(message), type=Negotiation)


def kept(contract: Contract) -> Contract:
    return msgspec.json.decode(msgspec.json.encode(contract), type=Contract)


@given(names, names, st.sampled_from([NATIONAL_SUITE, INTERNATIONAL_SUITE]), offers, steps)
def test_both_sides_derive_the_same_bytes(
    name: str,
    product: str,
    suite: str,
    first: Terms,
    more: list[tuple[Terms, int, str]],
) -> None:
    start = frame(name, product, suite)
    ours = opened(start, proposal(start, PartyRole.CONSUMER, ProposalKind.REQUEST, first))
    message = travelled(ours)
    theirs = opened(frame_received(message, columns=(), listed=None), message.proposal)
    for offer, pause, note in [*more, (None, 1, "")]:
        by = turn(ours)
        kind = ProposalKind.ACCEPT if offer is None else proposing(by)
        made = replace(
            proposal(ours, by, kind, ours.terms if offer is None else offer),
            note=note,
            at=ours.proposals[-1].at + timedelta(microseconds=pause),
        )
        mover, other = (ours, theirs) if by is PartyRole.CONSUMER else (theirs, ours)
        mover = kept(after(mover, made))
        other = kept(after(other, travelled(mover).proposal))
        ours, theirs = (mover, other) if by is PartyRole.CONSUMER else (other, mover)
    assert body_bytes(ours) == body_bytes(theirs)
    body = read_body(body_bytes(ours))
    assert body == body_of(theirs)
    assert body.rounds == len(more) + 2
    assert len(body.contract_name) <= 128
    assert len(body.contract_abstract) <= 1024
    assert ours.ends_at == theirs.ends_at == read_time("", body.indate)
    assert body.create_time == iso(ours.proposals[0].at)


def agreed() -> Contract:
    start = frame("黄山", "航班", NATIONAL_SUITE)
    first = opened(start, proposal(start, PartyRole.CONSUMER, ProposalKind.REQUEST, terms()))
    accepted = proposal(first, PartyRole.PROVIDER, ProposalKind.ACCEPT, terms())
    return after(first, accepted)


def test_everything_that_is_agreed_changes_the_bytes() -> None:
    contract = agreed()
    before = body_bytes(contract)
    cheaper = replace(contract.proposals[-1], terms=terms(uses=1))
    changed = [
        replace(contract, proposals=(*contract.proposals[:-1], cheaper)),
        replace(contract, product_digest="1" * 64),
        replace(contract, suite=INTERNATIONAL_SUITE),
        replace(contract, space="t"),
        replace(contract, table="weather"),
        replace(contract, consumer=replace(contract.consumer, node=SystemId("d"))),
    ]
    assert len({before, *map(body_bytes, changed)}) == len(changed) + 1


def test_notes_and_signatures_of_rounds_are_not_in_the_bytes() -> None:
    contract = agreed()
    noted = replace(contract.proposals[0], note="别的", signature=Signature("a", "b", "c"))
    other = replace(contract, proposals=(noted, *contract.proposals[1:]))
    assert body_bytes(other) == body_bytes(contract)


def test_the_bytes_are_sorted_compact_json_with_the_names_of_the_standard() -> None:
    body = body_bytes(agreed())
    keys = list(msgspec.json.decode(body))
    assert keys == sorted(keys)
    assert {"contractId", "contractName", "contractAbstract", "signMode", "indate"} <= set(keys)
    assert body == msgspec.json.encode(msgspec.json.decode(body), order="sorted")


def test_a_signature_covers_bytes_identifier_and_time() -> None:
    assert signed_bytes(b"{}", "C1", "t") == b"{}|C1|t"


def test_an_unaccepted_contract_has_no_body() -> None:
    with pytest.raises(NotAgreed):
        body_of(frame("a", "b", NATIONAL_SUITE))


def test_the_digest_of_terms_is_over_their_canonical_bytes() -> None:
    again = msgspec.json.decode(msgspec.json.encode(terms()), type=Terms)
    assert terms_digest(again) == terms_digest(terms())
    assert terms_digest(terms(uses=2)) != terms_digest(terms())
    assert len(sm3_hex(b"")) == len(terms_digest(terms()))


@given(st.binary(max_size=200))
def test_no_other_bytes_are_read_as_a_body(data: bytes) -> None:
    with pytest.raises(AgreementUnreadable):
        read_body(data)


@given(st.integers(0, 10_000))
def test_a_body_with_any_byte_cut_out_is_unreadable_or_another(place: int) -> None:
    whole = body_bytes(agreed())
    place %= len(whole)
    cut = whole[:place] + whole[place + 1 :]
    try:
        assert read_body(cut) != read_body(whole)
    except AgreementUnreadable:
        return


@pytest.mark.parametrize(
    "text",
    ["", "x", "20261124010000", "2026-11-24T01:00:00Z", "2026-11-24T09:00:00.000000+08:00"],
)
def test_times_in_another_form_are_refused(text: str) -> None:
    with pytest.raises(ImplausibleTime):
        read_time("C1", text)


@pytest.mark.parametrize(
    ("moved", "fits"), [(-301, False), (-299, True), (0, True), (299, True), (301, False)]
)
def test_a_sign_time_lies_between_acceptance_and_now(moved: int, fits: bool) -> None:  # noqa: FBT001 - a table of cases
    now: datetime = START
    body = body_of(agreed())
    at = iso(START + timedelta(seconds=moved))
    if fits:
        check_sign_time(body, at, now)
        return
    with pytest.raises(ImplausibleTime):
        check_sign_time(body, at, now)
