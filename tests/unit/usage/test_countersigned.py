"""The provider takes the consumer's signature and deposits the receipt."""

import msgspec
import pytest

from huiqi.trust.errors import ForgedSignature
from huiqi.trust.types import INTERNATIONAL_SUITE
from huiqi.usage.errors import ForgedReceipt, UnknownReceipt, WrongParty
from huiqi.usage.types import Receipt
from tests.unit.usage.world import World, body_of, used


def countersigned_receipt(world: World) -> Receipt:
    """A receipt with both signatures, as the consumer sends it."""
    order, outcome = used(world, world.contract())
    return world.consumer.usage.keep(order, outcome).receipts[0]


def test_both_signatures_are_kept_and_deposited(world: World) -> None:
    receipt = countersigned_receipt(world)
    body = body_of(receipt)
    use_id, contract = str(body["useId"]), str(body["contract"])
    assert world.provider.usage.result(use_id, contract) is not None
    world.provider.usage.countersigned(world.consumer.trust.me(), receipt)
    assert world.provider.usage.receipt(str(body["receiptId"])) == receipt
    assert world.provider.usage.result(use_id, contract) is None
    (message,) = [queued.message for queued in world.outbox(world.provider)]
    assert (message.code, message.key) == ("ReceiptDeposit", f"{contract}/platform")
    assert message.to == world.platform.me().id
    assert msgspec.json.decode(message.body, type=Receipt) == receipt
    assert world.kinds(world.provider) == ["UseGranted", "UseClosed", "ReceiptCountersigned"]
    assert world.provider.usage.uses()[0].countersigned


def test_a_repeat_changes_nothing(world: World) -> None:
    receipt = countersigned_receipt(world)
    for _ in range(2):
        world.provider.usage.countersigned(world.consumer.trust.me(), receipt)
    assert len(world.outbox(world.provider)) == 1
    assert world.kinds(world.provider).count("ReceiptCountersigned") == 1


def test_only_the_consumer_countersigns(world: World) -> None:
    receipt = countersigned_receipt(world)
    with pytest.raises(WrongParty):
        world.provider.usage.countersigned(world.third.trust.me(), receipt)
    foreign = msgspec.structs.replace(
        receipt, consumer_signature=world.third.trust.sign(receipt.body)
    )
    with pytest.raises(ForgedSignature):
        world.provider.usage.countersigned(world.consumer.trust.me(), foreign)
    assert world.outbox(world.provider) == []


def test_a_missing_or_foreign_suite_signature_is_refused(world: World) -> None:
    receipt = countersigned_receipt(world)
    other = world.consumer.trust.sign(receipt.body, INTERNATIONAL_SUITE)
    for signature in (None, other):
        wrong = msgspec.structs.replace(receipt, consumer_signature=signature)
        with pytest.raises(ForgedReceipt, match="consumer signature"):
            world.provider.usage.countersigned(world.consumer.trust.me(), wrong)


def test_an_edited_or_unknown_receipt_is_refused(world: World) -> None:
    receipt = countersigned_receipt(world)
    for old, new, error in (
        (b'"rows":2', b'"rows":3', ForgedReceipt),
        (str(body_of(receipt)["receiptId"]).encode(), b"another", UnknownReceipt),
        (b'"v":1', b'"v":2', ForgedReceipt),
        (b'"rows":2', b'"rows": 2', ForgedReceipt),
    ):
        body = receipt.body.replace(old, new)
        assert body != receipt.body
        wrong = msgspec.structs.replace(
            receipt, body=body, consumer_signature=world.consumer.trust.sign(body)
        )
        with pytest.raises(error):
            world.provider.usage.countersigned(world.consumer.trust.me(), wrong)
    assert world.outbox(world.provider) == []
