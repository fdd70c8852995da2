"""A use is counted, durably and exactly, before a byte of its answer may leave."""

from datetime import timedelta
from threading import Event
from time import monotonic, sleep

import msgspec
import pytest

from huiqi.adapters.sql.driver import SqlWork
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import IllegalStep, UnavailableError
from huiqi.kernel.text import Text
from huiqi.policy.types import Constraint, Reason
from huiqi.trust.types import MemberCredential
from huiqi.usage.errors import GrantEnded, RowsOverGrant, UnknownUse, WrongResult
from huiqi.usage.types import Closing, Grant, GrantState
from tests.unit.usage.world import World, body_of, completed, count, demand, granted

REASON = Reason("compute.engine", Text("引擎出错", "The engine failed"))


def test_the_receipt_says_what_happened_and_both_digests(world: World) -> None:
    contract = world.contract(count(3))
    order = world.order(contract)
    grant = granted(world, contract, order)
    world.clock.advance(timedelta(seconds=1))
    closing = completed()
    receipt = world.provider.usage.close(grant.id, closing)
    world.consumer.trust.verify(world.provider.trust.me(), receipt.body, receipt.provider_signature)
    assert receipt.consumer_signature is None
    body = body_of(receipt)
    assert body["orderDigest"] == sm3_hex(order.body)
    assert body["resultDigest"] == closing.result_digest
    assert body["rows"] == 2
    assert body["counters"] == {"count": 1, "rows": 2}
    assert body["joint"] == [contract.id]
    assert body["openedAt"] < body["closedAt"]
    assert world.provider.usage.counters(contract.id) == {"count": 1, "rows": 2, "reserved": 0}
    assert world.kinds(world.provider) == ["UseGranted", "UseClosed"]
    assert world.facts(world.provider)[-1].sm3 == sm3_hex(receipt.body)


def test_the_record_is_durable_even_when_the_signature_fails(world: World) -> None:
    contract = world.contract(count(1))
    grant = granted(world, contract)
    world.provider.keys.broken = True
    with pytest.raises(UnavailableError):
        world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.counters(contract.id)["count"] == 1
    assert world.kinds(world.provider)[-1] == "UseClosed"
    assert world.provider.usage.receipts() == []
    world.provider.keys.broken = False
    receipt = world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.receipts() == [receipt]
    assert world.provider.usage.counters(contract.id)["count"] == 1


def test_closing_twice_returns_the_first_receipt(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    first = world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.close(grant.id, completed(rows=1)) == first
    assert world.provider.usage.close(grant.id, Closing(outcome=GrantState.FAILED)) == first
    assert world.provider.usage.counters(contract.id)["count"] == 1


@pytest.mark.parametrize("outcome", [GrantState.FAILED, GrantState.REVOKED, GrantState.REFUSED])
def test_a_use_without_an_answer_gives_its_reservation_back(
    world: World, outcome: GrantState
) -> None:
    contract = world.contract(count(1), Constraint("dateRecord", "lteq", 5))
    grant = granted(world, contract)
    closing = Closing(outcome=outcome, reasons=(REASON,), rows=4, result_digest="0" * 64)
    body = body_of(world.provider.usage.close(grant.id, closing))
    assert (body["outcome"], body["rows"], body["resultDigest"]) == (outcome.value, 0, "")
    assert body["reasons"] == ["compute.engine"]
    assert granted(world, contract).rows_left == 5


def test_a_use_that_has_ended_cannot_complete_any_more(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    world.provider.usage.close(grant.id, Closing(outcome=GrantState.FAILED, reasons=(REASON,)))
    with pytest.raises(GrantEnded, match="The engine failed"):
        world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.counters(contract.id)["count"] == 0


def test_more_rows_than_granted_are_refused_and_rows_count_exactly(world: World) -> None:
    contract = world.contract(Constraint("dateRecord", "lteq", 5))
    grant = granted(world, contract)
    with pytest.raises(RowsOverGrant):
        world.provider.usage.close(grant.id, completed(rows=6))
    with pytest.raises(RowsOverGrant):
        world.provider.usage.close(grant.id, msgspec.structs.replace(completed(), rows=-1))
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 1}
    world.provider.usage.close(grant.id, completed(rows=5))
    assert world.provider.usage.counters(contract.id) == {"count": 1, "rows": 5, "reserved": 0}


@pytest.mark.parametrize(
    "closing",
    [
        msgspec.structs.replace(completed(), result=b"other"),
        msgspec.structs.replace(completed(), result_digest=""),
        msgspec.structs.replace(completed(), result_digest="F" * 64),
    ],
)
def test_result_and_digest_must_be_alike(world: World, closing: Closing) -> None:
    grant = granted(world, world.contract())
    with pytest.raises(WrongResult):
        world.provider.usage.close(grant.id, closing)


def test_an_executor_cannot_report_an_expiry(world: World) -> None:
    grant = granted(world, world.contract())
    with pytest.raises(IllegalStep):
        world.provider.usage.close(grant.id, Closing(outcome=GrantState.EXPIRED))


def test_an_answer_after_the_contracts_end_is_revoked(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    world.end(contract)
    for _ in range(2):
        with pytest.raises(GrantEnded, match="has been ended"):
            world.provider.usage.close(grant.id, completed())
    assert world.provider.usage.counters(contract.id) == {"count": 0, "rows": 0, "reserved": 0}
    (line,) = world.provider.usage.uses()
    assert line.state is GrantState.REVOKED
    assert world.provider.usage.result(grant.use_id, contract.id) is None


def test_the_result_is_kept_for_an_hour(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    closing = completed()
    world.provider.usage.close(grant.id, closing)
    assert world.provider.usage.result(grant.use_id, contract.id) == closing.result
    assert world.provider.usage.result("other", contract.id) is None
    world.clock.advance(timedelta(minutes=60, seconds=1))
    assert world.provider.usage.result(grant.use_id, contract.id) is None
    work = SqlWork(world.database, world.provider.scope)
    store = world.provider.usage._store
    before = world.clock.now() - timedelta(hours=1)
    assert work.read(lambda tx: store.stale_results(world.provider.scope, tx, before))
    world.provider.usage.expire_due()
    assert not work.read(lambda tx: store.stale_results(world.provider.scope, tx, before))


def test_an_unknown_grant_is_not_closed_or_renewed(world: World) -> None:
    with pytest.raises(UnknownUse):
        world.provider.usage.close("none", completed())
    with pytest.raises(UnknownUse):
        world.provider.usage.renew("none")


def test_a_renewal_prolongs_the_lease(world: World) -> None:
    grant = granted(world, world.contract())
    world.clock.advance(timedelta(seconds=1.5))
    renewed = world.provider.usage.renew(grant.id)
    assert renewed.leased_until == world.clock.now() + timedelta(seconds=1.8)
    assert renewed == msgspec.structs.replace(grant, leased_until=renewed.leased_until)


def test_a_renewal_ends_with_the_contract(world: World) -> None:
    contract = world.contract()
    grant = granted(world, contract)
    world.end(contract)
    with pytest.raises(GrantEnded, match="has been ended"):
        world.provider.usage.renew(grant.id)


def test_a_renewal_ends_with_the_consumers_standing(world: World) -> None:
    grant = granted(world, world.contract())
    world.provider.trust.suspend(world.consumer.trust.me().id, "unpaid")
    with pytest.raises(GrantEnded, match="not active"):
        world.provider.usage.renew(grant.id)


def test_a_renewal_ends_with_a_suspension_by_the_platform(world: World) -> None:
    grant = granted(world, world.contract())
    consumer = world.consumer.trust.me().id
    world.platform.suspend(consumer, "stolen keys")
    world.clock.advance(timedelta(seconds=2.1))
    world.provider.usage.renew(grant.id)  # asks beside, waits for nothing
    until = monotonic() + 10
    while world.provider.trust.standing(consumer) == "active":
        assert monotonic() < until
        sleep(0.01)
    with pytest.raises(GrantEnded, match="not active"):
        world.provider.usage.renew(grant.id)


def test_an_answer_does_not_leave_after_a_suspension_by_the_platform(world: World) -> None:
    grant = granted(world, world.contract())
    world.platform.suspend(world.consumer.trust.me().id, "stolen keys")
    world.clock.advance(timedelta(seconds=2.1))
    with pytest.raises(GrantEnded, match="not active"):
        world.provider.usage.close(grant.id, completed())


def test_a_slow_platform_does_not_delay_a_renewal(world: World) -> None:
    grant, go = granted(world, world.contract()), Event()
    ask = world.provider.trust._directory

    class Slow:
        def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the port's name
            assert go.wait(10)
            return ask.lookup(id)

    world.provider.trust._directory = Slow()
    world.clock.advance(timedelta(seconds=2.1))
    began = monotonic()
    for _ in range(3):
        world.provider.usage.renew(grant.id)
    assert monotonic() - began < 1
    go.set()


def test_a_renewal_ends_with_the_agreed_time(world: World) -> None:
    end = world.clock.now() + timedelta(minutes=1)
    local = end + timedelta(hours=8)
    contract = world.contract(Constraint("time", "lteq", f"{local:%Y%m%d%H%M%S}"))
    grant = granted(world, contract)
    for _ in range(3):
        world.provider.usage.renew(grant.id)
        world.clock.advance(timedelta(seconds=20))
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(GrantEnded):
        world.provider.usage.renew(grant.id)


def test_a_lease_that_is_long_over_is_not_renewed(world: World) -> None:
    grant = granted(world, world.contract())
    world.clock.advance(timedelta(seconds=33))
    with pytest.raises(GrantEnded, match="lease"):
        world.provider.usage.renew(grant.id)


def test_an_ended_use_is_not_renewed(world: World) -> None:
    grant = granted(world, world.contract())
    world.provider.usage.close(grant.id, completed())
    with pytest.raises(GrantEnded, match="completed"):
        world.provider.usage.renew(grant.id)


def test_a_joint_use_names_all_contracts_of_the_order(world: World) -> None:
    one, two = world.contract(), world.contract()
    order = world.order(two, one)
    grants = [world.provider.usage.open(order, demand(each)) for each in (one, two)]
    for grant in grants:
        assert isinstance(grant, Grant)
        receipt = world.provider.usage.close(grant.id, completed())
        assert body_of(receipt)["joint"] == sorted([one.id, two.id])
