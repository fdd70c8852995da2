"""The consumer countersigns what fits, and disputes what does not."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec
import pytest

from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.text import Text
from huiqi.policy.types import Decision, Reason
from huiqi.trust.types import INTERNATIONAL_SUITE
from huiqi.usage.errors import ForgedReceipt, UnknownUse, UseIdTaken, WrongParty
from huiqi.usage.results import result_bytes
from huiqi.usage.types import (
    GrantState,
    Receipt,
    Refusal,
    SignedOrder,
    UseOrder,
    UseOutcome,
)
from tests.unit.usage.world import (
    COLUMNS,
    ROWS,
    World,
    body_of,
    completed,
    count,
    demand,
    granted,
    outcome_of,
    used,
)

REASON = Reason("policy.count", Text("次数已用完", "No uses are left"))


def edited(world: World, receipt: Receipt, **changed: object) -> Receipt:
    """A receipt with other facts, signed by the provider all the same."""
    plain = {**msgspec.json.decode(receipt.body), **changed}
    body = canonical_bytes(plain)
    return Receipt(body=body, provider_signature=world.provider.trust.sign(body))


def test_a_fitting_receipt_is_countersigned_kept_and_sent_back(world: World) -> None:
    contract = world.contract()
    order, outcome = used(world, contract)
    kept = world.consumer.usage.keep(order, outcome)
    (receipt,) = kept.receipts
    assert receipt.body == outcome.receipts[0].body
    assert receipt.consumer_signature is not None
    world.provider.trust.verify(world.consumer.trust.me(), receipt.body, receipt.consumer_signature)
    assert kept.rows == outcome.rows
    assert world.consumer.usage.receipts() == [receipt]
    (message,) = [queued.message for queued in world.outbox(world.consumer)]
    assert (message.code, message.key) == ("ReceiptCountersign", contract.id)
    assert message.to == world.provider.trust.me().id
    assert msgspec.json.decode(message.body, type=Receipt) == receipt
    assert world.kinds(world.consumer) == ["UseOrdered", "ReceiptKept"]
    assert world.facts(world.consumer)[-1].sm3 == sm3_hex(receipt.body)


def test_the_outcome_may_have_travelled(world: World) -> None:
    order, outcome = used(world, world.contract())
    travelled = msgspec.json.decode(msgspec.json.encode(outcome), type=UseOutcome)
    assert world.consumer.usage.keep(order, travelled).receipts[0].consumer_signature is not None


def test_the_lines_of_both_sides_say_the_same(world: World) -> None:
    contract = world.contract()
    order, outcome = used(world, contract)
    (asked,) = world.consumer.usage.uses()
    assert (asked.state, asked.countersigned) == (GrantState.ASKED, False)
    world.consumer.usage.keep(order, outcome)
    (mine,), (theirs,) = world.consumer.usage.uses(), world.provider.usage.uses()
    assert (mine.state, mine.rows, mine.receipt_id, mine.action) == (
        theirs.state, theirs.rows, theirs.receipt_id, theirs.action,
    )  # fmt: skip
    assert mine.countersigned
    assert mine.sql
    assert not theirs.sql
    assert world.consumer.usage.counters(contract.id) == {"count": 1, "rows": 2, "reserved": 0}


def test_keeping_twice_gives_the_same_receipt_once(world: World) -> None:
    order, outcome = used(world, world.contract())
    first = world.consumer.usage.keep(order, outcome)
    assert world.consumer.usage.keep(order, outcome) == first
    assert len(world.outbox(world.consumer)) == 1
    assert world.kinds(world.consumer) == ["UseOrdered", "ReceiptKept"]


def test_a_repeat_whose_rows_are_gone_keeps_the_first_receipt(world: World) -> None:
    order, outcome = used(world, world.contract())
    first = world.consumer.usage.keep(order, outcome)
    bare = msgspec.structs.replace(outcome, columns=(), rows=())
    assert world.consumer.usage.keep(order, bare).receipts == first.receipts


def test_a_repeat_with_other_rows_is_disputed(world: World) -> None:
    order, outcome = used(world, world.contract())
    world.consumer.usage.keep(order, outcome)
    other = msgspec.structs.replace(outcome, rows=(("合肥", 12.5), ("芜湖", 0.2)))
    with pytest.raises(ForgedReceipt, match="result digest"):
        world.consumer.usage.keep(order, other)
    (line,) = world.consumer.usage.uses()
    assert line.countersigned
    assert not line.disputed


def test_an_order_repeated_at_another_time_keeps_the_receipt_of_the_first(world: World) -> None:
    contract = world.contract()
    first = world.order(contract, use_id="u-1")
    world.consumer.usage.ordered(first)
    receipt = world.provider.usage.close(granted(world, contract, first).id, completed())
    world.clock.advance(timedelta(seconds=9))
    again = world.order(contract, use_id="u-1")
    world.consumer.usage.ordered(again)
    kept = world.consumer.usage.keep(again, outcome_of(again, receipt))
    assert kept.receipts[0].consumer_signature is not None
    assert world.consumer.usage.order("u-1") == again
    assert len(world.consumer.usage.uses()) == 1


def test_a_refusal_is_countersigned_too(world: World) -> None:
    contract = world.contract(count(1))
    granted(world, contract)
    order = world.order(contract)
    world.consumer.usage.ordered(order)
    refusal = world.provider.usage.open(order, demand(contract))
    assert isinstance(refusal, Refusal)
    receipt = world.provider.usage.refuse(order, demand(contract), refusal.reasons)
    outcome = UseOutcome(
        use_id=refusal.use_id,
        decision=refusal.decision,
        reasons=refusal.reasons,
        receipts=(receipt,),
    )
    world.consumer.usage.keep(order, outcome)
    (line,) = world.consumer.usage.uses()
    assert (line.state, line.decision, line.countersigned) == (GrantState.REFUSED, "denied", True)
    assert line.reasons[0].text.zh


def test_a_refusal_without_a_receipt_is_remembered(world: World) -> None:
    order = world.order(world.contract())
    world.consumer.usage.ordered(order)
    use_id = msgspec.json.decode(order.body, type=UseOrder).use_id
    outcome = UseOutcome(use_id=use_id, decision=Decision.DENIED, reasons=(REASON,))
    assert world.consumer.usage.keep(order, outcome) == outcome
    (line,) = world.consumer.usage.uses()
    assert (line.state, line.reasons, line.receipt_id) == (GrantState.REFUSED, (REASON,), "")


def test_an_engine_error_is_remembered_with_its_class(world: World) -> None:
    order = world.order(world.contract())
    world.consumer.usage.ordered(order)
    use_id = msgspec.json.decode(order.body, type=UseOrder).use_id
    outcome = UseOutcome(use_id=use_id, decision=Decision.ALLOWED, reasons=(), error="timeout e-1")
    world.consumer.usage.keep(order, outcome)
    (line,) = world.consumer.usage.uses()
    assert line.state is GrantState.FAILED
    assert "timeout e-1" in line.reasons[0].text.en


def test_a_joint_use_is_kept_with_a_receipt_for_each_contract(world: World) -> None:
    one, two = world.contract(), world.contract()
    order = world.order(one, two)
    world.consumer.usage.ordered(order)
    receipts = []
    for contract in (one, two):
        grant = world.provider.usage.open(order, demand(contract))
        receipts.append(world.provider.usage.close(grant.id, completed()))
    with pytest.raises(ForgedReceipt, match="missing receipt"):
        world.consumer.usage.keep(order, outcome_of(order, receipts[0]))
    with pytest.raises(ForgedReceipt, match="two receipts"):
        world.consumer.usage.keep(order, outcome_of(order, receipts[0], receipts[0]))
    assert world.outbox(world.consumer) == []
    kept = world.consumer.usage.keep(order, outcome_of(order, *receipts))
    assert [receipt.consumer_signature is not None for receipt in kept.receipts] == [True, True]
    assert len(world.consumer.usage.receipts(contract=one.id)) == 1


Forge = Callable[[World, Contract, Receipt], Receipt]
FORGERIES: Mapping[str, Forge] = {
    "use id": lambda w, _, r: edited(w, r, useId="other"),
    "consumer": lambda w, _, r: edited(w, r, consumerNode=w.third.trust.me().id),
    "executor": lambda w, _, r: edited(w, r, executor=w.third.trust.me().id),
    "purpose": lambda w, _, r: edited(w, r, purpose="marketing"),
    "joint contracts": lambda w, _, r: edited(w, r, joint=[]),
    "order digest": lambda w, _, r: edited(w, r, orderDigest="0" * 64),
    "product": lambda w, _, r: edited(w, r, product="other"),
    "provider": lambda w, _, r: edited(w, r, providerNode=w.third.trust.me().id),
    "suite": lambda w, _, r: edited(w, r, suite=INTERNATIONAL_SUITE),
    "rows": lambda w, _, r: edited(w, r, rows=3),
    "result digest": lambda w, _, r: edited(w, r, resultDigest=sm3_hex(b"other")),
    "decision": lambda w, _, r: edited(w, r, decision="denied"),
    "outcome": lambda w, _, r: edited(w, r, outcome="failed", rows=0, resultDigest=""),
    "form": lambda w, _, r: edited(w, r, v=2),
    "provider signature": lambda _, __, r: msgspec.structs.replace(
        r, provider_signature=msgspec.structs.replace(r.provider_signature, value="0" * 128)
    ),
}


@pytest.mark.parametrize("defect", FORGERIES)
def test_a_receipt_that_does_not_fit_is_disputed_and_not_countersigned(
    world: World, defect: str
) -> None:
    contract = world.contract()
    order, outcome = used(world, contract)
    forged = FORGERIES[defect](world, contract, outcome.receipts[0])
    with pytest.raises(ForgedReceipt, match=defect):
        world.consumer.usage.keep(order, msgspec.structs.replace(outcome, receipts=(forged,)))
    assert world.outbox(world.consumer) == []
    assert world.consumer.usage.receipts() == []
    assert world.kinds(world.consumer) == ["UseOrdered", "ReceiptDisputed"]
    assert world.facts(world.consumer)[-1].details["why"] == defect
    (line,) = world.consumer.usage.uses()
    assert (line.disputed, line.countersigned) == (defect, False)
    # The right receipt is accepted afterwards.
    assert world.consumer.usage.keep(order, outcome).receipts[0].consumer_signature is not None
    assert world.consumer.usage.uses()[0].disputed == ""


def test_a_signature_of_another_suite_is_disputed(world: World) -> None:
    order, outcome = used(world, world.contract())
    (receipt,) = outcome.receipts
    foreign = msgspec.structs.replace(
        receipt, provider_signature=world.provider.trust.sign(receipt.body, INTERNATIONAL_SUITE)
    )
    with pytest.raises(ForgedReceipt, match="suite"):
        world.consumer.usage.keep(order, msgspec.structs.replace(outcome, receipts=(foreign,)))


def test_the_rows_as_they_arrived_are_hashed(world: World) -> None:
    order, outcome = used(world, world.contract())
    for rows in ((ROWS[0],), (*ROWS[:1], ("芜湖", 0.11)), tuple(reversed(ROWS)), ()):
        altered = msgspec.structs.replace(outcome, rows=rows)
        with pytest.raises(ForgedReceipt, match=r"rows|result digest"):
            world.consumer.usage.keep(order, altered)
    ragged = msgspec.structs.replace(outcome, rows=(("合肥",),))
    with pytest.raises(ForgedReceipt, match="form"):
        world.consumer.usage.keep(order, ragged)


def test_rows_do_not_come_with_a_refusal(world: World) -> None:
    order, outcome = used(world, world.contract())
    denied = msgspec.structs.replace(outcome, decision=Decision.DENIED)
    with pytest.raises(ForgedReceipt, match="rows without a grant"):
        world.consumer.usage.keep(order, denied)


def test_a_completed_receipt_without_an_answer_is_disputed(world: World) -> None:
    order, outcome = used(world, world.contract())
    lost = msgspec.structs.replace(outcome, columns=(), rows=(), error="engine e-1")
    with pytest.raises(ForgedReceipt, match=r"rows|result digest"):
        world.consumer.usage.keep(order, lost)


def test_the_outcome_of_another_use_is_disputed(world: World) -> None:
    order, outcome = used(world, world.contract())
    with pytest.raises(ForgedReceipt, match="use id"):
        world.consumer.usage.keep(order, msgspec.structs.replace(outcome, use_id="other"))


def test_a_receipt_of_a_contract_that_was_not_asked_is_disputed(world: World) -> None:
    one, two = world.contract(), world.contract()
    order, _ = used(world, one)
    _, other = used(world, two)
    mixed = outcome_of(order, *other.receipts)
    with pytest.raises(ForgedReceipt, match="missing receipt"):
        world.consumer.usage.keep(order, mixed)
    refused = UseOutcome(
        use_id=mixed.use_id, decision=Decision.DENIED, reasons=(), receipts=other.receipts
    )
    with pytest.raises(ForgedReceipt, match="contract"):
        world.consumer.usage.keep(order, refused)


def test_a_second_receipt_for_the_same_use_is_disputed(world: World) -> None:
    order, outcome = used(world, world.contract())
    world.consumer.usage.keep(order, outcome)
    second = edited(world, outcome.receipts[0], receiptId="another")
    with pytest.raises(ForgedReceipt, match="second receipt"):
        world.consumer.usage.keep(order, outcome_of(order, second))
    same_id = edited(world, outcome.receipts[0], action="read")
    with pytest.raises(ForgedReceipt, match="receipt body"):
        world.consumer.usage.keep(order, outcome_of(order, same_id))


def test_an_answer_with_no_rows_is_an_answer(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    world.consumer.usage.ordered(order)
    receipt = world.provider.usage.close(granted(world, contract, order).id, completed(rows=0))
    empty = msgspec.structs.replace(outcome_of(order, receipt), rows=())
    assert body_of(receipt)["resultDigest"] == sm3_hex(result_bytes(COLUMNS, ()))
    assert world.consumer.usage.keep(order, empty).receipts[0].consumer_signature is not None


def test_what_was_not_ordered_here_is_not_kept(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    receipt = world.provider.usage.close(granted(world, contract, order).id, completed())
    with pytest.raises(UnknownUse):
        world.consumer.usage.keep(order, outcome_of(order, receipt))
    with pytest.raises(WrongParty):
        world.third.usage.keep(order, outcome_of(order, receipt))


def test_only_my_own_orders_under_my_own_contracts_are_ordered(world: World) -> None:
    contract = world.contract()
    order = world.order(contract)
    with pytest.raises(WrongParty):
        world.third.usage.ordered(order)
    third = msgspec.structs.replace(contract.consumer, node=world.third.trust.me().id)
    world.shelf.held[contract.id] = msgspec.structs.replace(contract, consumer=third)
    with pytest.raises(WrongParty):
        world.consumer.usage.ordered(order)
    assert world.kinds(world.consumer) == []


def test_a_use_id_is_ordered_for_one_request(world: World) -> None:
    one, two = world.contract(), world.contract()
    world.consumer.usage.ordered(world.order(one, use_id="u-1"))
    with pytest.raises(UseIdTaken):
        world.consumer.usage.ordered(world.order(two, use_id="u-1"))
    assert world.consumer.usage.order("u-2") is None
    assert isinstance(world.consumer.usage.order("u-1"), SignedOrder)
