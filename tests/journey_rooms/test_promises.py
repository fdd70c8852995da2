"""Promises of the design that need several rooms, or everybody, to be kept."""

from collections import Counter
from datetime import timedelta
from functools import partial

import msgspec
import pytest

from huiqi.catalog.types import ProductState, ReviewNotice
from huiqi.contracts.states import TABLE, Message, Sender
from huiqi.contracts.types import Contract, ContractStatus
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import HuiqiError
from huiqi.policy.service import Policies
from huiqi.policy.types import Constraint, Decision
from huiqi.usage.service import decided_again
from huiqi.usage.types import UseOutcome
from tests.journey_rooms.space import (
    Space,
    allowed,
    at_once,
    budget,
    codes,
    outcomes,
    refused,
    rule,
    terms_of,
)
from tests.journey_rooms.test_every_enforced_term import BY_CITY, HOW_MANY, JOINT


def executor(space: Space) -> Constraint:
    return Constraint("hq:executor", "isAnyOf", [space.node("p1")])


def count(most: int) -> Constraint:
    return Constraint("count", "lteq", most)


def test_the_log_alone_gives_every_verdict_again(space: Space) -> None:
    contract = space.contract(rule(count(1), Constraint("hq:purpose", "isA", "research")))
    space.ask(HOW_MANY, visits=contract)
    space.ask(HOW_MANY, visits=contract)
    space.ask(HOW_MANY, visits=contract, purpose="marketing")
    log = space.parts["p1"].system.evidence
    entries = {sealed.seq: sealed.entry for sealed in log.entries(subject=contract.id)}
    held = dict(zip(sorted(entries), space.documents("p1", contract.id), strict=True))
    agreement = next(document for kind, document in held.values() if kind == "ContractFiled")
    again = []
    for seq, (kind, document) in held.items():
        if kind in {"UseGranted", "UseDecided"}:
            assert sha256_hex(document or b"") == entries[seq].sha256
            verdict = decided_again(agreement or b"", document or b"", Policies())
            assert verdict.decision.value == entries[seq].details["decision"]
            assert [r.code for r in verdict.reasons] == entries[seq].details["reasons"]
            again.append(verdict.decision)
    assert again == [Decision.ALLOWED, Decision.DENIED, Decision.DENIED]


def replayed(space: Space, prefix: str, contract: str) -> ContractStatus:
    """The status that the facts of one log lead to, step by step through the table."""
    log = space.parts[prefix].system.evidence
    status, signed = TABLE.first, set[str]()
    for sealed in reversed(log.entries(subject=contract, limit=1000)):
        kind, details = sealed.entry.kind, sealed.entry.details
        by = str(details.get("by", ""))
        match kind:
            case "OfferCountered":
                message = Message.OFFER if by == Sender.PROVIDER else Message.REQUEST
                signed.clear()
            case "OfferAccepted":
                message = Message.ACCEPT
            case "OfferDeclined":
                message = Message.DECLINE
            case "AgreementSigned" | "SignatureReceived":
                message = Message.COMPLETE if signed else Message.SIGN
                signed.add(by)
            case "ContractTerminated":
                message = Message.TERMINATE
            case "ContractFiled":
                message, by = Message.FILE, Sender.PLATFORM.value
            case "FilingRefused":
                message, by = Message.REFUSE, Sender.PLATFORM.value
            case "ContractExpired":
                message, by = Message.EXPIRE, Sender.CLOCK.value
            case _:
                continue
        status = TABLE.step(status, message, Sender(by))
    return status


def test_the_log_alone_gives_every_contract_state_again(space: Space) -> None:
    ended, expiring, standing = (space.contract(rule(), days=days) for days in (5, 1, 9))
    space.contracts("c1").terminate(ended.id, reason="不再需要")
    space.deliver()
    space.pass_time(days=1)
    for prefix in ("p1", "c1"):
        space.contracts(prefix).expire_due()
        for contract in (ended, expiring, standing):
            known = space.contracts(prefix).contract(contract.id).status
            assert replayed(space, prefix, contract.id) is known, prefix
    assert replayed(space, "p1", standing.id) is ContractStatus.PERFORMING


def left_of(space: Space, contract: Contract) -> list[str]:
    """Files of projections and their keys that the provider still has of a contract."""
    log = space.parts["p1"].system.evidence
    built = log.entries(subject=contract.id, kind="ProjectionBuilt")
    ids = {str(sealed.entry.details["projection"]) for sealed in built}
    assert ids
    files = (file for file in (space.folder / "p1").rglob("*") if file.is_file())
    return [file.name for file in files if file.stem in ids]


def test_a_contract_that_runs_out_leaves_neither_projection_nor_key(space: Space) -> None:
    contract = space.contract(rule(), days=1)
    allowed(space.ask(HOW_MANY, visits=contract))
    assert len(left_of(space, contract)) == 3, "file, description and key"
    space.pass_time(days=1)
    refused(space.ask(HOW_MANY, visits=contract), "usage.contract_over")
    space.compute("p1").sweep()
    assert left_of(space, contract) == []
    proof = dict(space.documents("p1", contract.id))["ProjectionDestroyed"]
    assert msgspec.json.decode(proof or b"")["contract"] == contract.id
    assert space.contracts("p1").expire_due() >= 1
    refused(space.ask(HOW_MANY, visits=contract), "usage.contract_not_in_force")


def test_what_ended_while_the_connector_was_down_is_gone_after_its_start(space: Space) -> None:
    contract = space.contract(rule(), days=1)
    allowed(space.ask(HOW_MANY, visits=contract))
    space.parts["p1"].close()
    space.pass_time(days=1)
    assert left_files(space, contract) == 3
    space.restart("p1")
    space.contracts("p1").expire_due()
    space.compute("p1").sweep()
    assert left_of(space, contract) == []
    assert space.facts("p1", contract.id)[-1] == "ProjectionDestroyed"


def left_files(space: Space, contract: Contract) -> int:
    """Files below the provider's projections, whoever they are of (its store is closed)."""
    place = space.folder / "p1" / "projections"
    of = [f for f in place.rglob("*.json") if contract.id in f.read_text()]
    keys = [(space.folder / "p1" / "keys").rglob(f"{f.stem}.key") for f in of]
    return (
        len(of)
        + sum(1 for found in keys for _ in found)
        + len([f for f in of if f.with_suffix(".hqp").exists()])
    )


def test_uses_at_once_never_get_more_than_the_contract_has(space: Space) -> None:
    contract = space.contract(rule(count(3)))
    asks = [partial(space.ask, HOW_MANY, visits=contract) for _ in range(8)]
    answered = [found for found in at_once(*asks) if isinstance(found, UseOutcome)]
    good = [outcome for outcome in answered if outcome.decision is Decision.ALLOWED]
    assert len(good) == 3, [codes(outcome) for outcome in answered]
    assert budget(space, contract) == {"count": 3, "rows": 3, "reserved": 0}


def test_joint_uses_at_once_never_get_more_than_either_contract_has(space: Space) -> None:
    mine = space.contract(rule(count(4)))
    theirs = space.contract(rule(count(2), executor(space)), product=space.weather)
    asks = [partial(space.ask, JOINT, visits=mine, weather=theirs) for _ in range(4)]
    answered = [found for found in at_once(*asks) if isinstance(found, UseOutcome)]
    good = [outcome for outcome in answered if outcome.decision is Decision.ALLOWED]
    assert len(good) == 2, [codes(outcome) for outcome in answered]
    assert budget(space, mine) == {"count": 2, "rows": 6, "reserved": 0}
    assert budget(space, theirs, "p2") == {"count": 2, "rows": 6, "reserved": 0}


def test_one_order_that_arrives_many_times_is_one_use(space: Space) -> None:
    contract = space.contract(rule(count(1)))
    use_id = "5f0c4f3e-6a55-4a26-9f53-0b8f2f3a7d10"
    asks = [partial(space.ask, HOW_MANY, visits=contract, use_id=use_id) for _ in range(4)]
    at_once(*asks)
    assert allowed(space.ask(HOW_MANY, visits=contract, use_id=use_id)) == ((64,),)
    assert budget(space, contract) == {"count": 1, "rows": 1, "reserved": 0}
    assert space.facts("p1", contract.id).count("UseGranted") == 1


def test_two_contracts_over_one_product_hold_their_own_bounds_in_one_query(space: Space) -> None:
    few = space.contract(
        rule(count(1), Constraint("valueExpression", "eq", "city = 'hefei' AND delay < 10"))
    )
    grouped = space.contract(rule(Constraint("hq:minGroupSize", "gteq", 20)))
    sql = (
        "SELECT a.city, count(*) AS n FROM few a JOIN grouped b"
        " ON a.person = b.person AND a.day = b.day GROUP BY a.city"
    )
    refused(space.ask(sql, few=few, grouped=grouped), "usage.group_too_small")
    loose = space.contract(rule())
    assert allowed(space.ask(sql.replace("grouped", "loose"), few=few, loose=loose)) == (
        ("hefei", 10),
    )
    refused(space.ask(sql.replace("grouped", "loose"), few=few, loose=loose), "policy.count")
    assert budget(space, loose)["count"] == 1


def test_a_withdrawn_product_is_used_to_the_end_and_never_asked_for_again(space: Space) -> None:
    contract = space.contract(rule(), product=space.weather)
    space.catalog("p2").withdraw(space.weather)
    space.deliver()
    try:
        weather = "SELECT count(*) AS n FROM weather"
        assert allowed(space.ask(weather, weather=contract)) == ((3,),)
        with pytest.raises(Exception, match=r".") as refusal:
            space.contracts("c1").request(space.weather, terms_of(rule()))
        assert getattr(refusal.value, "reason", "") == "catalog.unknown_product"
    finally:
        text = "city,temp\nhefei,21\nwuhu,23\nhuangshan,15\n,\n"
        space.weather = space._listed("p2", "weather", text)


def test_a_refused_filing_is_negotiated_anew_and_used(space: Space) -> None:
    listing = space.parts["platform"].system.listing
    assert listing is not None
    consumer, provider = space.contracts("c1"), space.contracts("p1")
    asked = consumer.request(space.visits, terms_of(rule(count(1))))
    space.deliver()
    provider.accept(asked.id)
    space.deliver()
    provider.sign(asked.id, by="provider")
    listing.suspend(space.visits, by="operator", reason="核查")
    consumer.sign(asked.id, by="consumer")
    space.deliver()
    for room in (consumer, provider):
        assert room.contract(asked.id).status is ContractStatus.SIGNING_FAILED
    refused_use = space.ask(HOW_MANY, visits=provider.contract(asked.id))
    assert codes(refused_use) == ["usage.contract_not_in_force"]
    listing.resume(space.visits, by="operator")
    space.deliver()
    consumer.counter(asked.id, terms_of(rule(count(2))))
    space.deliver()
    provider.accept(asked.id)
    space.deliver()
    for room in (consumer, provider):
        room.sign(asked.id, by="somebody")
        space.deliver()
    held = provider.contract(asked.id)
    assert held.status is ContractStatus.PERFORMING
    assert replayed(space, "p1", asked.id) is replayed(space, "c1", asked.id) is held.status
    allowed(space.ask(HOW_MANY, visits=held))
    allowed(space.ask(HOW_MANY, visits=held))
    refused(space.ask(HOW_MANY, visits=held), "policy.count")


def job(space: Space) -> tuple[list[Contract], dict[tuple[str, str], Counter[str]]]:
    """The main job with a joint use, a refusal and a revocation; the facts that it left."""
    mine = space.contract(rule(count(2)))
    theirs = space.contract(rule(executor(space)), product=space.weather)
    allowed(space.ask(JOINT, visits=mine, weather=theirs))
    allowed(space.ask(BY_CITY, visits=mine))
    refused(space.ask(BY_CITY, visits=mine), "policy.count")
    space.deliver()
    space.contracts("p2").terminate(theirs.id, reason="撤销")
    space.deliver()
    assert outcomes(space.ask(JOINT, visits=mine, weather=theirs)) == ["refused"]
    space.settlement.close_period()
    space.deliver()
    contracts = [mine, theirs]
    facts = {
        (prefix, str(at)): Counter(space.facts(prefix, contract.id))
        for prefix in ("p1", "p2", "c1", "platform")
        for at, contract in enumerate(contracts)
    }
    return contracts, facts


def test_every_message_twice_at_the_same_time_is_as_good_as_once(space: Space) -> None:
    _, once = job(space)
    space.copies = 2
    try:
        _, twice = job(space)
    finally:
        space.copies = 1
    assert twice == once
    assert sum(once["platform", "0"].values()) >= 5
    settlement = space.settlement
    assert sum(settlement.balances().values()) == 0
    last = settlement.runs()[-1]
    assert settlement.replay(last.id).same
    for prefix in ("p1", "p2", "c1"):
        desk = space.parts[prefix].system.settlement_desk
        assert desk is not None
        newest = max(desk.statements(), key=lambda each: each.document.number)
        assert desk.check(newest.id) == ()
        assert newest.document.run == last.id


def test_the_money_of_a_joint_use_is_exact(space: Space) -> None:
    job(space)
    run = space.settlement.runs()[-1].id
    issued = [each.document for each in space.settlement.statements()]
    statements = {each.party: each for each in issued if each.run == run}
    consumer = statements[space.parts["c1"].site.subject]
    # Two uses of visits and one of weather at 100 fen; 3 rows jointly and 3 alone at 3 fen a row.
    assert consumer.owed_fen == 300 + 9 + 9
    earned = sum(document.earned_fen for document in statements.values())
    fees = sum(document.fee_fen for document in statements.values())
    assert earned + fees == consumer.owed_fen
    lines = [line for line in consumer.lines if len(line.joint) > 1]
    assert sum(line.row_fen for line in lines) == 9


def test_two_people_at_one_button_leave_one_signature_one_closing(space: Space) -> None:
    asked = space.contracts("c1").request(space.visits, terms_of(rule()))
    space.deliver()
    provider = space.contracts("p1")
    at_once(*[partial(provider.accept, asked.id)] * 2)
    assert len(provider.contract(asked.id).proposals) == 2
    space.deliver()
    at_once(*[partial(provider.sign, asked.id, by="somebody")] * 3)
    assert space.facts("p1", asked.id).count("AgreementSigned") == 1
    consumer = space.contracts("c1")
    at_once(*[partial(consumer.sign, asked.id, by="somebody")] * 3)
    space.deliver()
    assert provider.contract(asked.id).status is ContractStatus.PERFORMING
    allowed(space.ask(HOW_MANY, visits=provider.contract(asked.id)))
    space.deliver()
    before = len(space.settlement.runs())
    at_once(*[space.settlement.close_period] * 3)
    assert len(space.settlement.runs()) == before + 1
    at_once(*[partial(provider.terminate, asked.id, reason="撤销")] * 2)
    space.deliver()
    assert space.facts("p1", asked.id).count("ContractTerminated") == 1


def test_a_peer_whose_clock_is_wrong_does_not_write_the_time_into_our_log(space: Space) -> None:
    ours, theirs = space.clock.now(), space.clock.now() + timedelta(days=900)
    catalog, platform = space.catalog("p1"), space.parts["p1"].trust.issuer()
    for state in (ProductState.SUSPENDED, ProductState.LISTED):
        catalog.reviewed(
            platform,
            ReviewNotice(
                id=catalog.product(space.visits).record.id,
                state=state,
                reason="核查",
                at=theirs,
                version=1,
            ),
        )
    newest = space.parts["p1"].system.evidence.entries(subject=space.visits, limit=2)
    # The store refuses to be opened with a clock behind its newest entry.
    assert {sealed.entry.at for sealed in newest} == {iso(ours)}


def test_two_consumers_of_one_product_have_nothing_in_common(space: Space) -> None:
    mine = space.contract(rule(count(1)))
    theirs = space.contract(
        rule(count(2), Constraint("valueExpression", "eq", "city = 'hefei'")), consumer="p2"
    )
    assert allowed(space.ask(HOW_MANY, visits=mine)) == ((64,),)
    refused(space.ask(HOW_MANY, visits=mine), "policy.count")
    use_id = "0f0c4f3e-6a55-4a26-9f53-0b8f2f3a7d11"
    assert allowed(space.ask(HOW_MANY, visits=theirs, by="p2", use_id=use_id)) == ((30,),)
    for thief, contract in (("c1", theirs), ("p2", mine)):
        with pytest.raises(HuiqiError):
            space.ask(HOW_MANY, visits=contract, by=thief)
    assert (budget(space, mine)["count"], budget(space, theirs)["count"]) == (1, 1)
    space.contracts("p1").terminate(mine.id, reason="撤销")
    space.compute("p1").sweep()
    assert left_of(space, mine) == []
    assert len(left_of(space, theirs)) == 3
    assert allowed(space.ask(HOW_MANY, visits=theirs, by="p2")) == ((30,),)
