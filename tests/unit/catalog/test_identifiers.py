"""Identifiers are allotted once, to their owner alone, and resolved from where they are known."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from huiqi.catalog.errors import (
    AllotmentDenied,
    ForgedIdentifier,
    IdentifiersExhausted,
    KindNotAllotted,
)
from huiqi.catalog.types import AllotRequest, IdentifierStatus
from huiqi.kernel.ids import (
    ObjectType,
    RandomIds,
    WrongIdentifier,
    WrongSubjectCode,
    check_object_id,
    object_id,
    owner_of,
)
from tests.unit.catalog.world import World
from tests.unit.trust.systems import C1, NODE, P1, PLATFORM

UNKNOWN = object_id(ObjectType.PRODUCT, subject=P1, area="3401", random="ZZZZZZZZ")


class SameAgain(RandomIds):
    """A random source that is broken."""

    def random_code(self) -> str:
        return "AAAAAAAA"


def _request(
    kind: ObjectType = ObjectType.PRODUCT, subject: str = P1, area: str = "3401"
) -> AllotRequest:
    return AllotRequest(kind=kind, subject=subject, area=area, purpose="航班")


@pytest.mark.parametrize(
    "kind",
    [ObjectType.BUSINESS_NODE, ObjectType.CONNECTOR, ObjectType.PRODUCT, ObjectType.RESOURCE],
)
def test_a_node_allots_genuine_identifiers_and_records_them(world: World, kind: ObjectType) -> None:
    identifier = world.node_identifiers.allot(P1, _request(kind))
    check_object_id(identifier, kind)
    assert (owner_of(identifier), identifier[19:23]) == (P1, "3401")
    fact = world.house.facts(NODE)[-1]
    assert (fact.kind, fact.subject) == ("IdentifierAllotted", identifier)
    assert (fact.details["owner"], fact.details["by"]) == (P1, world.me(NODE).id)


def test_no_identifier_is_given_twice(world: World) -> None:
    given = [world.node_identifiers.allot(P1, _request()) for _ in range(20)]
    assert len(set(given)) == len(given)


def test_a_clash_of_random_codes_is_never_handed_out(world: World) -> None:
    broken = world.identifiers(NODE, None, SameAgain())
    first = broken.allot(P1, _request())
    before = len(world.house.facts(NODE))
    with pytest.raises(IdentifiersExhausted):
        broken.allot(P1, _request())
    assert len(world.house.facts(NODE)) == before
    others = [
        broken.allot(P1, _request(ObjectType.RESOURCE)),
        broken.allot(C1, _request(subject=C1)),
        broken.allot(P1, _request(area="3402")),
    ]
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    "kind", [ObjectType.GLOBAL_NODE, ObjectType.REGIONAL_NODE, ObjectType.INDUSTRY_NODE]
)
def test_node_identifiers_come_from_above(world: World, kind: ObjectType) -> None:
    with pytest.raises(KindNotAllotted):
        world.node_identifiers.allot(NODE, _request(kind))


def test_form_is_checked(world: World) -> None:
    with pytest.raises(WrongSubjectCode):
        world.node_identifiers.allot(PLATFORM, _request(subject="91349900MA8TE3T078"))
    with pytest.raises(WrongIdentifier):
        world.node_identifiers.allot(P1, _request(area="34"))


def test_nobody_asks_in_the_name_of_another(world: World) -> None:
    with pytest.raises(AllotmentDenied):
        world.platform_identifiers.allot(C1, _request(subject=P1))
    with pytest.raises(AllotmentDenied):
        world.node_identifiers.allot(C1, _request(subject=P1))


def test_a_platform_asks_for_its_members(world: World) -> None:
    check_object_id(world.node_identifiers.allot(PLATFORM, _request(subject=P1)))


def test_a_relayed_identifier_is_in_both_books(world: World) -> None:
    identifier = world.platform_identifiers.allot(P1, _request())
    for who in (NODE, PLATFORM):
        fact = world.house.facts(who)[-1]
        assert (fact.kind, fact.subject) == ("IdentifierAllotted", identifier)
        assert fact.details["by"] == world.me(NODE).id


def test_a_product_carries_the_area_of_the_accepting_platform(world: World) -> None:
    identifier = world.platform_identifiers.allot(P1, _request(area="1100"))
    assert identifier[19:23] == world.me(PLATFORM).area


@pytest.mark.parametrize(
    "answer",
    [
        "rubbish",
        UNKNOWN[:-1] + ("0" if UNKNOWN[-1] != "0" else "1"),
        object_id(ObjectType.RESOURCE, subject=P1, area="3401", random="00000001"),
        object_id(ObjectType.PRODUCT, subject=C1, area="3401", random="00000001"),
        object_id(ObjectType.PRODUCT, subject=P1, area="3402", random="00000001"),
    ],
)
def test_an_answer_of_the_node_that_does_not_fit_is_not_used(world: World, answer: str) -> None:
    world.parent.allots = answer
    before = len(world.house.facts(PLATFORM))
    with pytest.raises(ForgedIdentifier):
        world.platform_identifiers.allot(P1, _request())
    assert len(world.house.facts(PLATFORM)) == before


def test_a_node_that_repeats_itself_is_caught(world: World) -> None:
    world.parent.allots = world.platform_identifiers.allot(P1, _request())
    with pytest.raises(ForgedIdentifier):
        world.platform_identifiers.allot(P1, _request())


def test_what_was_allotted_resolves_as_active(world: World) -> None:
    identifier = world.node_identifiers.allot(P1, _request(ObjectType.RESOURCE))
    found = world.node_identifiers.resolve(identifier)
    assert (found.status, found.object_type, found.ttl) == (
        IdentifierStatus.ACTIVE,
        "resource",
        300,
    )
    assert (found.owner_entity_id, found.resolved_by) == (P1, world.me(NODE).id)


def test_an_answer_reads_like_the_standard(world: World) -> None:
    plain = msgspec.to_builtins(world.node_identifiers.resolve(UNKNOWN))
    assert plain["objectType"] == "product"
    assert plain["ownerEntityId"] == P1
    assert (plain["status"], plain["ttl"]) == ("unknown", 60)


def test_systems_resolve_to_their_address_and_standing(world: World) -> None:
    connector = world.me(P1)
    found = world.platform_identifiers.resolve(connector.id)
    assert (found.status, found.object_type) == (IdentifierStatus.ACTIVE, "connector")
    assert [at.url for at in found.locations] == [connector.address]
    world.trust(PLATFORM).suspend(connector.id, "核查")
    assert world.platform_identifiers.resolve(connector.id).status is IdentifierStatus.SUSPENDED
    itself = world.platform_identifiers.resolve(world.me(PLATFORM).id)
    assert (itself.status, itself.object_type) == (IdentifierStatus.ACTIVE, "businessNode")


def test_a_product_resolves_by_its_state_on_the_platform(world: World) -> None:
    product = world.admitted().record.id
    resolve = world.platform_identifiers.resolve
    assert resolve(product).status is IdentifierStatus.OFFLINE
    world.listing.approve(product, by="operator")
    assert resolve(product).status is IdentifierStatus.ACTIVE
    assert [at.url for at in resolve(product).locations] == [world.me(P1).address]
    world.listing.withdraw(world.me(P1), product)
    assert resolve(product).status is IdentifierStatus.CANCELLED


def test_a_miss_goes_to_the_node_and_the_answer_is_kept_for_its_time(world: World) -> None:
    identifier = world.node_identifiers.allot(P1, _request())
    first = world.platform_identifiers.resolve(identifier)
    assert (first.status, first.resolved_by) == (IdentifierStatus.ACTIVE, world.me(NODE).id)
    world.clock.advance(timedelta(seconds=100))
    again = world.platform_identifiers.resolve(identifier)
    assert (again.ttl, world.parent.asked) == (200, 1)
    world.clock.advance(timedelta(seconds=200))
    assert world.platform_identifiers.resolve(identifier).ttl == 300
    assert world.parent.asked == 2


def test_unknown_is_an_answer_that_is_kept_for_a_minute(world: World) -> None:
    assert world.platform_identifiers.resolve(UNKNOWN).status is IdentifierStatus.UNKNOWN
    world.platform_identifiers.resolve(UNKNOWN)
    assert world.parent.asked == 1
    world.clock.advance(timedelta(seconds=60))
    world.platform_identifiers.resolve(UNKNOWN)
    assert world.parent.asked == 2
    assert world.house.count("identifier_resolution") == 1


def test_an_answer_about_something_else_is_refused(world: World) -> None:
    other = object_id(ObjectType.PRODUCT, subject=C1, area="3401", random="00000001")
    world.parent.answers = world.node_identifiers.resolve(other)
    with pytest.raises(ForgedIdentifier):
        world.platform_identifiers.resolve(UNKNOWN)


def test_an_extension_code_does_not_hide_the_object(world: World) -> None:
    identifier = world.node_identifiers.allot(P1, _request())
    assert world.node_identifiers.resolve(f"{identifier}•OLD12345").identifier == identifier


@pytest.mark.parametrize("identifier", ["", "x", UNKNOWN.lower(), UNKNOWN[:-1] + "?"])
def test_what_is_no_identifier_is_refused(world: World, identifier: str) -> None:
    with pytest.raises(WrongIdentifier):
        world.node_identifiers.resolve(identifier)


def test_identifiers_outlive_a_restart(world: World, tmp_path: Path) -> None:
    identifier = world.node_identifiers.allot(P1, _request())
    again = world.identifiers(NODE, None, RandomIds())
    assert again.resolve(identifier).status is IdentifierStatus.ACTIVE
    assert (tmp_path / "store.db").exists()
