"""Uses and receipts are found again, in order, of one contract or all."""

from hashlib import sha256

import pytest

from huiqi.usage.errors import UnknownReceipt
from huiqi.usage.types import Side
from tests.unit.usage.world import World, body_of, completed, demand, granted, used


def test_uses_come_newest_first_in_pages(world: World) -> None:
    contract, other = world.contract(), world.contract()
    ids = [granted(world, contract).use_id for _ in range(5)]
    granted(world, other)
    first = world.provider.usage.uses(contract=contract.id, limit=2)
    second = world.provider.usage.uses(contract=contract.id, limit=9, before=first[-1].cursor)
    assert [line.use_id for line in (*first, *second)] == ids[::-1]
    assert len(world.provider.usage.uses()) == 6
    assert len(world.provider.usage.uses(before="not a cursor")) == 6
    assert world.provider.usage.uses(contract="none") == []


def test_a_line_keeps_its_place_when_it_ends(world: World) -> None:
    contract = world.contract()
    first, _ = granted(world, contract), granted(world, contract)
    before = [line.use_id for line in world.provider.usage.uses()]
    world.provider.usage.close(first.id, completed())
    assert [line.use_id for line in world.provider.usage.uses()] == before


def test_a_line_speaks_of_the_product_and_its_consumer(world: World) -> None:
    contract = world.contract()
    granted(world, contract)
    (line,) = world.provider.usage.uses()
    assert (line.product_name, line.consumer) == ("航班延误", world.consumer.trust.me().subject)
    assert (line.side, line.decision) == (Side.PROVIDER, "allowed")


def test_receipts_are_found_by_id_and_contract(world: World) -> None:
    contract, other = world.contract(), world.contract()
    receipts = [
        world.provider.usage.close(granted(world, contract).id, completed()) for _ in range(3)
    ]
    world.provider.usage.close(granted(world, other).id, completed())
    assert world.provider.usage.receipts(contract=contract.id) == receipts[::-1]
    assert len(world.provider.usage.receipts(limit=2)) == 2
    assert world.provider.usage.receipt(str(body_of(receipts[0])["receiptId"])) == receipts[0]
    with pytest.raises(UnknownReceipt):
        world.provider.usage.receipt("none")


def test_documents_are_the_bodies_with_the_digests_noted(world: World) -> None:
    contract = world.contract()
    receipts = [
        world.provider.usage.close(granted(world, contract).id, completed()) for _ in range(3)
    ]
    found = list(world.provider.usage.documents())
    assert [body for _, _, body in found] == [receipt.body for receipt in receipts]
    assert all(sha256(body).hexdigest() == noted for _, noted, body in found)
    assert found[0][0].startswith(f"usage/{contract.id}/")
    assert {noted for _, noted, _ in found} <= {e.sha256 for e in world.facts(world.provider)}


def test_one_participant_does_not_see_the_uses_of_another(world: World) -> None:
    order, outcome = used(world, world.contract())
    world.consumer.usage.keep(order, outcome)
    assert world.third.usage.uses() == []
    assert world.third.usage.receipts() == []
    assert list(world.third.usage.documents()) == []


def test_a_contract_without_uses_has_counted_nothing(world: World) -> None:
    contract = world.contract()
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}
    assert demand(contract).contract == contract.id
