"""Two people at one button: the second joins what the first has begun."""

from datetime import timedelta

from huiqi.contracts.types import Contract
from huiqi.kernel.clock import parse_instant
from huiqi.trust.types import Signature
from tests.unit.contracts.world import World


def signed_in_between(world: World, id_: str, seconds: float) -> list[Contract]:
    """Let a colleague sign while the next signature of the provider is made."""
    trust, found = world.p.trust, list[Contract]()
    sign = trust.sign

    def interrupted(data: bytes, suite: str | None = None) -> Signature:
        trust.sign = sign  # type: ignore[method-assign]
        world.clock.advance(timedelta(seconds=seconds))
        found.append(world.provider.sign(id_, by="zhao"))
        return sign(data, suite)

    trust.sign = interrupted  # type: ignore[method-assign]
    return found


def test_two_who_sign_at_once_give_one_signature_and_see_no_error(world: World) -> None:
    id_ = world.accepted()
    colleagues = signed_in_between(world, id_, seconds=0.5)
    mine = world.provider.sign(id_, by="wang")
    (theirs,) = colleagues
    assert mine == theirs
    facts = world.p.facts(id_)
    assert facts.count("SigningIntended") == 1
    assert facts.count("AgreementSigned") == 1
    world.consumer.sign(id_, by="li")
    world.deliver()
    assert {each.status.value for each in world.everywhere(id_)} == {"05"}


def test_an_intent_of_long_ago_is_not_signed_under_its_old_time(world: World) -> None:
    id_ = world.accepted()
    colleagues = signed_in_between(world, id_, seconds=3_600)
    began = world.clock.now()
    mine = world.provider.sign(id_, by="wang")
    assert colleagues == [mine]
    signature = mine.signature_of(mine.mine)
    assert signature is not None
    assert parse_instant(signature.sign_time) == began + timedelta(hours=1)
