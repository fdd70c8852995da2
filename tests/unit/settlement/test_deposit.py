"""Only what both parties signed about a filed contract comes into the books, and once."""

import msgspec
import pytest

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.errors import HuiqiError
from huiqi.settlement.errors import ForgedDeposit, UnsettledReceipt
from huiqi.usage.types import GrantState, Receipt
from tests.unit.settlement.world import C1, World, body_of, price


def refused(world: World, receipt: Receipt, error: type[HuiqiError], why: str) -> None:
    """A deposit that is refused for this reason and leaves nothing behind."""
    before = (world.settlement.deposited(), world.books.kinds())
    with pytest.raises(error) as caught:
        world.settlement.deposit(world.p1.me(), receipt)
    assert caught.value.params["why"] == why
    assert why in caught.value.text("zh")
    assert (world.settlement.deposited(), world.books.kinds()) == before


def test_a_repeated_deposit_changes_nothing(world: World) -> None:
    receipt = world.use(world.contract(world.p1, world.c1, price(100)))
    world.deposit(receipt)
    assert len(world.settlement.deposited()) == 1
    assert world.books.kinds() == ["ReceiptDeposited"]
    world.close()
    world.deposit(receipt)
    assert world.close() == {}
    assert world.settlement.balances()[f"party:{C1}"] == -100


def test_the_consumer_may_deposit_too(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    world.settlement.deposit(world.c1.me(), receipt)
    world.deposit(receipt)
    assert len(world.settlement.deposited()) == 1


def test_a_receipt_without_countersignature_is_refused(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    unsigned = msgspec.structs.replace(receipt, consumer_signature=None)
    refused(world, unsigned, UnsettledReceipt, "countersignature")


def test_a_receipt_of_no_filed_contract_is_refused(world: World) -> None:
    unfiled = world.contract(world.p1, world.c1, filed=False)
    refused(world, world.receipt(unfiled), UnsettledReceipt, "contract")
    unknown = world.contract(world.p1, world.c1)
    del world.shelf.held[unknown.id]
    refused(world, world.receipt(unknown), UnsettledReceipt, "contract")


def test_a_forged_signature_of_either_party_is_refused(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    by_other = world.p2.sign(receipt.body)
    for side in ("provider_signature", "consumer_signature"):
        forged = msgspec.structs.replace(receipt, **{side: by_other})
        refused(world, forged, ForgedDeposit, "signature")


def test_changed_bytes_are_refused(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1), rows=3)
    more = canonical_bytes(msgspec.structs.replace(body_of(receipt), rows=4))
    refused(world, msgspec.structs.replace(receipt, body=more), ForgedDeposit, "signature")


def test_a_signature_of_another_suite_than_agreed_is_refused(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    other = world.p1.sign(receipt.body, "ed25519-sha256-aes")
    forged = msgspec.structs.replace(receipt, provider_signature=other)
    refused(world, forged, ForgedDeposit, "suite")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b"null", b"[" * 5000])
def test_what_is_no_receipt_is_refused(world: World, data: bytes) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    refused(world, msgspec.structs.replace(receipt, body=data), ForgedDeposit, "form")


def test_bytes_that_are_not_canonical_are_refused_even_when_signed(world: World) -> None:
    receipt = world.receipt(world.contract(world.p1, world.c1))
    loose = receipt.body.replace(b'","', b'", "', 1)
    signed = Receipt(
        body=loose,
        provider_signature=world.p1.sign(loose),
        consumer_signature=world.c1.sign(loose),
    )
    refused(world, signed, ForgedDeposit, "form")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"v": 2}, "form"),
        ({"rows": -1}, "rows"),
        ({"outcome": "open"}, "outcome"),
        ({"outcome": "splendid"}, "outcome"),
        ({"joint": ()}, "joint"),
        ({"closed_at": "yesterday"}, "form"),
        ({"closed_at": "2026-11-24T01:02:03Z"}, "closed at"),
        ({"closed_at": "2026-11-24T09:02:03.000000+08:00"}, "closed at"),
        ({"product": "other"}, "product"),
        ({"suite": "ed25519-sha256-aes"}, "suite"),
        ({"provider": C1}, "parties"),
    ],
)
def test_a_signed_receipt_that_does_not_fit_is_refused(
    world: World, changed: dict[str, object], why: str
) -> None:
    contract = world.contract(world.p1, world.c1)
    refused(world, world.receipt(contract, **changed), ForgedDeposit, why)


def test_joint_contracts_that_are_not_sorted_or_stand_twice_are_refused(world: World) -> None:
    one, two = (world.contract(world.p1, world.c1) for _ in range(2))
    for joint in ((two.id, one.id), (one.id, one.id)):
        refused(world, world.receipt(one, joint=joint), ForgedDeposit, "joint")


def test_a_stranger_may_not_deposit(world: World) -> None:
    receipt = world.receipt(world.contract(world.p2, world.c1))
    refused(world, receipt, ForgedDeposit, "sender")


def test_other_bytes_under_a_booked_number_are_refused(world: World) -> None:
    contract = world.contract(world.p1, world.c1)
    first = world.use(contract)
    second = world.receipt(contract, receipt_id=body_of(first).receipt_id)
    refused(world, second, ForgedDeposit, "other bytes are booked")


def test_a_second_charged_receipt_of_one_use_is_refused_even_after_the_closing(
    world: World,
) -> None:
    contract = world.contract(world.p1, world.c1, price(100))
    first = world.use(contract)
    again = world.receipt(contract, use_id=body_of(first).use_id)
    refused(world, again, ForgedDeposit, "another receipt of this use is booked")
    world.close()
    refused(world, again, ForgedDeposit, "another receipt of this use is booked")


def test_a_refused_use_is_in_the_books_and_in_the_log(world: World) -> None:
    receipt = world.use(
        world.contract(world.p1, world.c1), rows=0, outcome=GrantState.REFUSED.value
    )
    (deposit,) = world.settlement.deposited()
    assert (deposit.receipt, deposit.charged, deposit.run) == (receipt, False, "")
    assert world.books.kinds() == ["ReceiptDeposited"]
    ((_where, sha256, body),) = world.settlement.documents()
    assert (sha256, body) == (deposit.sha256, receipt.body)
