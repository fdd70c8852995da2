"""A platform admits only what is genuine, lists only what it approved, shows only what it lists."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from huiqi.catalog.errors import (
    ForgedRecord,
    InvalidOffer,
    NotOwner,
    OldVersion,
    TermsRefused,
    UnknownProduct,
)
from huiqi.catalog.records import record_of
from huiqi.catalog.types import ProductState, ReviewNotice, SignedRecord
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import IllegalStep
from huiqi.kernel.ids import ObjectType, WrongIdentifier, object_id
from huiqi.policy.types import Constraint
from tests.unit.catalog.world import World, offer, terms
from tests.unit.trust.systems import C1, P1, PLATFORM

UNLISTED = object_id(ObjectType.PRODUCT, subject=P1, area="3401", random="ZZZZZZZZ")


def test_an_admitted_product_waits_for_review(world: World) -> None:
    product = world.admitted()
    assert product.state is ProductState.REVIEWING
    assert world.listing.pending() == [product]
    assert world.listing.products() == [product]
    fact = world.house.facts(PLATFORM)[-1]
    assert (fact.kind, fact.actor) == ("ProductAdmitted", world.me(P1).id)
    assert fact.sm3 == sm3_hex(world.signed(product.record.id).body)


def test_the_same_registration_again_is_a_repeat(world: World) -> None:
    product = world.listed()
    before = len(world.house.facts(PLATFORM))
    again = world.listing.admit(world.me(P1), world.signed(product.record.id))
    assert again == product
    assert len(world.house.facts(PLATFORM)) == before


def test_another_record_needs_a_higher_version(world: World) -> None:
    product = world.listed()
    signed = world.signed(product.record.id)
    same = world.resigned(signed, abstract="另一份简介")
    with pytest.raises(OldVersion):
        world.listing.admit(world.me(P1), same)
    higher = world.resigned(signed, abstract="另一份简介", version=2)
    again = world.listing.admit(world.me(P1), higher)
    assert (again.state, again.record.version) == (ProductState.REVIEWING, 2)
    with pytest.raises(UnknownProduct):
        world.listing.fetch(product.record.id)
    with pytest.raises(OldVersion):
        world.listing.admit(world.me(P1), signed)


def test_a_withdrawn_product_does_not_come_back(world: World) -> None:
    product = world.listed()
    signed = world.signed(product.record.id)
    world.listing.withdraw(world.me(P1), product.record.id)
    with pytest.raises(IllegalStep):
        world.listing.admit(world.me(P1), world.resigned(signed, version=2))
    assert world.listing.admit(world.me(P1), signed).state is ProductState.WITHDRAWN


def test_nobody_registers_the_product_of_another(world: World) -> None:
    signed = world.signed(world.submitted().record.id)
    with pytest.raises(NotOwner):
        world.listing.admit(world.me(C1), signed)


def _flipped(_world: World, signed: SignedRecord) -> SignedRecord:
    value = signed.signature.value
    other = ("0" if value[0] != "0" else "1") + value[1:]
    return SignedRecord(signed.body, msgspec.structs.replace(signed.signature, value=other))


FORGERIES: dict[str, Callable[[World, SignedRecord], SignedRecord]] = {
    "signature of another": lambda w, s: w.resigned(s, by=C1, name="x"),
    "changed signature": _flipped,
    "changed bytes": lambda w, s: SignedRecord(w.resigned(s, rows=8).body, s.signature),
    "unknown field": lambda w, s: w.resigned(s, more="x"),
    "no json": lambda _, s: SignedRecord(b"\xff" + s.body, s.signature),
    "blank": lambda w, s: SignedRecord(s.body + b" ", w.trust(P1).sign(s.body + b" ")),
    "other check character": lambda w, s: w.resigned(s, id=f"{record_of(s.body).id[:-1]}?"),
    "resource as product": lambda w, s: w.resigned(s, id=record_of(s.body).resource),
    "resource of another": lambda w, s: w.resigned(s, resource=_other(ObjectType.RESOURCE)),
    "product of another": lambda w, s: w.resigned(s, id=_other(ObjectType.PRODUCT)),
    "no columns": lambda w, s: w.resigned(s, columns=[]),
    "column twice": lambda w, s: w.resigned(s, columns=[_column("a"), _column("A")]),
    "column with a quote": lambda w, s: w.resigned(s, columns=[_column('a" FROM b --')]),
    "negative rows": lambda w, s: w.resigned(s, rows=-1),
    "version 0": lambda w, s: w.resigned(s, version=0),
}


def _other(kind: ObjectType) -> str:
    return object_id(kind, subject=C1, area="3401", random="00000001")


def _column(name: str) -> dict[str, object]:
    usual = {"type": "INTEGER", "null_bp": 0, "distinct": 0, "least": "", "most": ""}
    return {"name": name, **usual, "meaning": "", "meaning_en": "", "level": "1"}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_record_is_refused(world: World, name: str) -> None:
    signed = world.signed(world.submitted().record.id)
    with pytest.raises(ForgedRecord):
        world.listing.admit(world.me(P1), FORGERIES[name](world, signed))
    assert world.listing.products() == []


@pytest.mark.parametrize("table", ["Flights", "flights; drop table x", "航班", "select", ""])
def test_an_unsafe_table_name_is_refused(world: World, table: str) -> None:
    signed = world.signed(world.submitted().record.id)
    with pytest.raises(InvalidOffer):
        world.listing.admit(world.me(P1), world.resigned(signed, table=table))


def test_terms_that_cannot_be_held_are_refused(world: World) -> None:
    signed = world.signed(world.submitted().record.id)
    bad = msgspec.to_builtins(terms(Constraint("hq:unheardOf", "eq", "x")))
    with pytest.raises(TermsRefused):
        world.listing.admit(world.me(P1), world.resigned(signed, terms=bad))


def test_a_literal_that_a_column_does_not_take_is_not_admitted(world: World) -> None:
    signed = world.signed(world.submitted().record.id)
    bad = msgspec.to_builtins(terms(Constraint("valueExpression", "eq", "dep_delay > 'abc'")))
    with pytest.raises(TermsRefused, match="dep_delay"):
        world.listing.admit(world.me(P1), world.resigned(signed, terms=bad))


def test_approval_lists_and_tells_the_provider(world: World) -> None:
    product = world.admitted()
    listed = world.listing.approve(product.record.id, by="operator")
    assert (listed.state, listed.listed_at) == (ProductState.LISTED, world.clock.now())
    assert world.listing.pending() == []
    assert world.notice(product.record.id).state is ProductState.LISTED
    fact = world.house.facts(PLATFORM)[-1]
    assert (fact.kind, fact.actor) == ("ProductApproved", "operator")
    with pytest.raises(IllegalStep):
        world.listing.approve(product.record.id, by="operator")


def test_rejection_needs_a_reason_and_tells_it(world: World) -> None:
    product = world.admitted()
    with pytest.raises(InvalidOffer):
        world.listing.reject(product.record.id, by="operator", reason=" ")
    rejected = world.listing.reject(product.record.id, by="operator", reason="缺少许可")
    assert (rejected.state, rejected.reason) == (ProductState.REJECTED, "缺少许可")
    notice = world.notice(product.record.id)
    assert (notice.state, notice.reason, notice.version) == (ProductState.REJECTED, "缺少许可", 1)
    assert world.house.facts(PLATFORM)[-1].kind == "ProductRejected"
    assert world.listing.search("航班") == []


def test_suspension_hides_and_resumption_shows_again(world: World) -> None:
    product = world.listed()
    assert len(world.listing.search("航班")) == 1
    world.listing.suspend(product.record.id, by="operator", reason="核查")
    assert world.listing.search("航班") == []
    world.provider.reviewed(world.trust(P1).issuer(), _approval(world, product.record.id))
    world.provider.reviewed(world.trust(P1).issuer(), world.notice(product.record.id))
    assert world.provider.product(product.record.id).state is ProductState.SUSPENDED
    world.listing.resume(product.record.id, by="operator")
    assert len(world.listing.search("航班")) == 1


def _approval(world: World, product_id: str) -> ReviewNotice:
    return msgspec.structs.replace(world.notice(product_id), state=ProductState.LISTED, reason="")


def test_a_withdrawn_product_is_neither_found_nor_fetched(world: World) -> None:
    product = world.listed()
    assert [hit.record.id for hit in world.listing.search("航班")] == [product.record.id]
    with pytest.raises(NotOwner):
        world.listing.withdraw(world.me(C1), product.record.id)
    world.listing.withdraw(world.me(P1), product.record.id)
    before = len(world.house.facts(PLATFORM))
    world.listing.withdraw(world.me(P1), product.record.id)
    assert len(world.house.facts(PLATFORM)) == before
    assert world.listing.search("航班") == []
    with pytest.raises(UnknownProduct):
        world.listing.fetch(product.record.id)


def test_unknown_products_are_named(world: World) -> None:
    with pytest.raises(UnknownProduct):
        world.listing.withdraw(world.me(P1), UNLISTED)
    with pytest.raises(UnknownProduct):
        world.listing.approve(UNLISTED, by="operator")
    with pytest.raises(UnknownProduct):
        world.listing.product(UNLISTED)


def test_only_listed_products_are_fetched(world: World) -> None:
    product = world.admitted()
    with pytest.raises(UnknownProduct):
        world.listing.fetch(product.record.id)
    world.listing.approve(product.record.id, by="operator")
    assert world.listing.fetch(product.record.id) == world.signed(product.record.id)


def test_a_consumer_fetches_a_verified_record_with_its_digest(world: World) -> None:
    product = world.listed()
    record, digest = world.consumer.fetch(product.record.id)
    assert record == product.record
    assert digest == sm3_hex(world.signed(product.record.id).body)


def test_own_products_come_from_own_books(world: World) -> None:
    product = world.submitted()
    record, digest = world.provider.fetch(product.record.id)
    assert (record, digest) == (product.record, sm3_hex(world.signed(product.record.id).body))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_consumer_does_not_take_a_forged_record(world: World, name: str) -> None:
    product = world.listed()
    world.calls[C1].answers = FORGERIES[name](world, world.signed(product.record.id))
    with pytest.raises(ForgedRecord):
        world.consumer.fetch(product.record.id)


def test_a_consumer_does_not_take_another_product_than_asked_for(world: World) -> None:
    first = world.listed()
    second = world.listed(name="另一个", table="other")
    world.calls[C1].answers = world.signed(second.record.id)
    with pytest.raises(ForgedRecord):
        world.consumer.fetch(first.record.id)


def test_a_wrong_identifier_is_not_even_asked_for(world: World) -> None:
    with pytest.raises(WrongIdentifier):
        world.consumer.fetch("691349900MAXXXX0P1L310100000123*")


def test_hits_name_the_fields_that_matched(world: World) -> None:
    product = world.listed()
    (hit,) = world.consumer.search("航班 flight")
    assert hit.record == product.record
    assert hit.matched == ("name", "keywords", "abstract")
    assert hit.score > 0


def test_an_empty_search_shows_the_newest_first(world: World) -> None:
    first = world.listed()
    world.clock.advance(timedelta(seconds=1))
    second = world.listed(name="另一个", table="other")
    found = [hit.record.id for hit in world.listing.search("  ")]
    assert found == [second.record.id, first.record.id]
    assert len(world.listing.search("", limit=1)) == 1
    assert len(world.listing.search("", limit=-5)) == 1


def test_the_index_is_built_again_from_the_store(world: World) -> None:
    product = world.listed()
    fresh = type(world.listing)(
        scope=world.scope(PLATFORM),
        work=world.work(PLATFORM),
        clock=world.clock,
        store=world.listing._store,
        policies=world.listing._policies,
        trust=world.trust(PLATFORM),
    )
    assert [hit.record.id for hit in fresh.search("航班")] == [product.record.id]


def test_an_offer_reads_the_same_on_both_sides(world: World) -> None:
    product = world.listed(keywords=(" flights ", "flights"))
    assert product.record.keywords == ("flights",)
    assert product.record.terms == world.provider._policies.normalised(offer().terms)
