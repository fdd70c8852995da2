"""A provider registers and publishes; what is wrong is refused before anything is sent."""

import msgspec
import pytest

from huiqi.catalog.errors import (
    DuplicateProduct,
    DuplicateResource,
    ForgedIdentifier,
    InvalidOffer,
    NotPlatform,
    TermsRefused,
    UnknownColumn,
    UnknownProduct,
    UnknownResource,
    WrongLevel,
)
from huiqi.catalog.records import record_of
from huiqi.catalog.types import Meaning, ProductState
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.kernel.errors import IllegalStep
from huiqi.kernel.ids import ObjectType, check_object_id, owner_of
from huiqi.policy.types import Constraint
from tests.unit.catalog.world import World, offer, terms
from tests.unit.trust.systems import C1, P1


def test_a_file_becomes_a_resource_with_a_genuine_identifier(world: World) -> None:
    resource = world.provider.register(name=" 航班 ", file="f.csv")
    check_object_id(resource.id, ObjectType.RESOURCE)
    assert owner_of(resource.id) == P1
    assert world.provider.resource(resource.id) == resource
    assert world.provider.resources() == [resource]
    assert resource.name == "航班"
    fact = world.house.facts(P1)[-1]
    assert (fact.kind, fact.subject, fact.details["rows"]) == ("ResourceRegistered", resource.id, 7)


def test_the_same_bytes_are_not_registered_twice(world: World) -> None:
    first = world.provider.register(name="航班", file="f.csv")
    with pytest.raises(DuplicateResource) as caught:
        world.provider.register(name="别名", file="f.csv")
    assert first.id in caught.value.text("zh")
    assert len(world.provider.resources()) == 1


def test_meanings_stand_with_their_columns_and_hide_ranges_above_level_1(world: World) -> None:
    meanings = {"salary": Meaning("月薪", "Salary", "3"), "dep_delay": Meaning("延误", "Delay")}
    columns = world.provider.register(name="x", file="f", meanings=meanings).profile.columns
    carrier, delay, salary = columns
    assert (carrier.meaning, carrier.level) == ("", "1")
    assert (delay.meaning, delay.meaning_en, delay.least, delay.most) == (
        "延误", "Delay", "-43", "1301",
    )  # fmt: skip
    assert (salary.meaning, salary.level, salary.least, salary.most) == ("月薪", "3", "", "")


@pytest.mark.parametrize(
    ("meanings", "kind"),
    [
        ({"nothing": Meaning("无")}, UnknownColumn),
        ({"": Meaning("无")}, UnknownColumn),
        ({"salary": Meaning("月薪", "", "6")}, WrongLevel),
    ],
)
def test_meanings_that_do_not_fit_are_refused(
    world: World, meanings: dict[str, Meaning], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        world.provider.register(name="x", file="f", meanings=meanings)
    assert world.provider.resources() == []


def test_publishing_signs_a_record_and_sends_it_in_the_same_transaction(world: World) -> None:
    product = world.submitted()
    assert product.state is ProductState.REVIEWING
    check_object_id(product.record.id, ObjectType.PRODUCT)
    signed = world.signed(product.record.id)
    assert record_of(signed.body) == product.record
    world.trust(P1).verify(world.me(P1), signed.body, signed.signature)
    fact = world.house.facts(P1)[-1]
    assert fact.kind == "ProductSubmitted"
    assert (fact.sha256, fact.sm3) == (sha256_hex(signed.body), sm3_hex(signed.body))
    assert world.provider.product(product.record.id) == product
    assert world.provider.source_of(product.record.id) == world.provider.resources()[0].source


def test_only_the_offered_columns_are_in_the_record(world: World) -> None:
    product = world.submitted(columns=("dep_delay", "carrier"))
    assert [column.name for column in product.record.columns] == ["carrier", "dep_delay"]


@pytest.mark.parametrize("columns", [("carrier", "nothing"), ()])
def test_unknown_columns_cannot_be_offered(world: World, columns: tuple[str, ...]) -> None:
    with pytest.raises(UnknownColumn):
        world.submitted(columns=columns)


def test_an_unknown_resource_cannot_be_published(world: World) -> None:
    with pytest.raises(UnknownResource):
        world.provider.publish("7" * 32, offer())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "长" * 129),
        ("name", "航班\x00"),
        ("abstract", ""),
        ("keywords", ("",)),
        ("keywords", tuple(f"k{i}" for i in range(21))),
        ("licence", "x" * 201),
        ("topic", "B9900"),
        ("topic", "Z0100"),
        ("update_frequency", "010"),
        ("table", "Flights"),
        ("table", "a; drop table b"),
        ("table", "航班"),
        ("table", "order"),
        ("table", "t" * 64),
    ],
)
def test_a_field_out_of_form_is_named(world: World, field: str, value: object) -> None:
    with pytest.raises(InvalidOffer) as caught:
        world.submitted(**{field: value})
    assert caught.value.params["field"] == field
    assert world.provider.products() == []
    assert world.outgoing(P1) == []


def test_a_third_level_topic_belongs_to_its_class(world: World) -> None:
    assert world.submitted(topic="B0307").record.topic == "B0307"


def test_unenforceable_terms_are_refused_with_the_findings_texts(world: World) -> None:
    bad = terms(Constraint("hq:unheardOf", "eq", "x"))
    with pytest.raises(TermsRefused) as caught:
        world.submitted(terms=bad)
    assert "hq:unheardOf" in caught.value.text("zh")
    assert "hq:unheardOf" in caught.value.text("en")
    assert world.provider.products() == []


def test_a_literal_that_a_column_does_not_take_is_refused_before_publishing(world: World) -> None:
    bad = terms(Constraint("valueExpression", "eq", "dep_delay > 'abc'"))
    with pytest.raises(TermsRefused) as caught:
        world.submitted(terms=bad)
    for language in ("zh", "en"):
        assert "dep_delay" in caught.value.text(language)
        assert "'abc'" in caught.value.text(language)
    assert world.provider.products() == []


def test_terms_on_columns_that_are_not_offered_are_refused(world: World) -> None:
    bad = terms(Constraint("dataField", "isPartOf", ["carrier", "salary"]))
    with pytest.raises(TermsRefused):
        world.submitted(columns=("carrier",), terms=bad)


@pytest.mark.parametrize(
    "changes",
    [{"name": "航班准点数据 ", "table": "other"}, {"name": "另一个", "table": "flights"}],
)
def test_name_and_table_are_taken_once(world: World, changes: dict[str, object]) -> None:
    world.submitted()
    with pytest.raises(DuplicateProduct):
        world.submitted(**changes)
    assert len(world.provider.products()) == 1


def test_of_two_products_published_at_once_one_gets_the_name(world: World) -> None:
    world.submitted(name="第一", table="first")
    world.calls[P1].meanwhile = world.submitted
    with pytest.raises(DuplicateProduct):
        world.submitted(abstract="慢了一步")
    assert len(world.provider.products()) == 2
    assert len([m for m in world.outgoing(P1) if m.code == "ProductRegister"]) == 2


def test_of_two_registrations_of_the_same_bytes_one_is_kept(world: World) -> None:
    register = world.provider.register
    world.calls[P1].meanwhile = lambda: register(name="先", file="f.csv")
    with pytest.raises(DuplicateResource):
        register(name="后", file="f.csv")
    assert [resource.name for resource in world.provider.resources()] == ["先"]


def test_a_rejected_product_is_corrected_under_its_identifier(world: World) -> None:
    first = world.admitted()
    world.listing.reject(first.record.id, by="operator", reason="简介太短")
    world.provider.reviewed(world.trust(P1).issuer(), world.notice(first.record.id))
    rejected = world.provider.product(first.record.id)
    assert (rejected.state, rejected.reason) == (ProductState.REJECTED, "简介太短")
    second = world.submitted(abstract="更长的简介")
    assert (second.record.id, second.record.version) == (first.record.id, 2)
    again = world.listing.admit(world.me(P1), world.signed(second.record.id))
    assert (again.state, again.reason) == (ProductState.REVIEWING, "")


def test_a_withdrawn_name_is_free_again(world: World) -> None:
    first = world.submitted()
    world.provider.withdraw(first.record.id)
    second = world.submitted()
    assert second.record.id != first.record.id


def test_an_identifier_of_somebody_else_is_not_used(world: World) -> None:
    world.calls[P1].allots = "791349900MA8TE3T0793400DR250001A"
    with pytest.raises(ForgedIdentifier):
        world.provider.register(name="x", file="f")
    world.calls[P1].allots = "not an identifier"
    with pytest.raises(ForgedIdentifier):
        world.provider.register(name="x", file="f")
    assert world.provider.resources() == []


def test_the_platforms_approval_lists_a_product_once(world: World) -> None:
    product = world.listed()
    platform = world.trust(P1).issuer()
    notice = world.notice(product.record.id)
    world.provider.reviewed(platform, notice)
    listed = world.provider.product(product.record.id)
    assert (listed.state, listed.listed_at) == (ProductState.LISTED, notice.at)
    before = len(world.house.facts(P1))
    world.provider.reviewed(platform, notice)
    assert len(world.house.facts(P1)) == before
    assert world.house.facts(P1)[-1].kind == "ProductListed"


def test_a_notice_of_anybody_else_is_not_taken(world: World) -> None:
    product = world.listed()
    with pytest.raises(NotPlatform):
        world.provider.reviewed(world.me(C1), world.notice(product.record.id))
    assert world.provider.product(product.record.id).state is ProductState.REVIEWING


def test_a_notice_about_an_earlier_version_changes_nothing(world: World) -> None:
    product = world.listed()
    old = msgspec.structs.replace(world.notice(product.record.id), version=0)
    world.provider.reviewed(world.trust(P1).issuer(), old)
    assert world.provider.product(product.record.id).state is ProductState.REVIEWING


def test_a_notice_that_fits_no_state_is_refused(world: World) -> None:
    product = world.listed()
    notice = world.notice(product.record.id)
    odd = msgspec.structs.replace(notice, state=ProductState.SUSPENDED)
    with pytest.raises(IllegalStep):
        world.provider.reviewed(world.trust(P1).issuer(), odd)


def test_a_withdrawal_overtakes_the_approval(world: World) -> None:
    product = world.listed()
    world.provider.withdraw(product.record.id)
    world.provider.reviewed(world.trust(P1).issuer(), world.notice(product.record.id))
    assert world.provider.product(product.record.id).state is ProductState.WITHDRAWN


def test_a_withdrawal_tells_the_platform_after_the_registration(world: World) -> None:
    product = world.submitted()
    world.provider.withdraw(product.record.id)
    sent = [m for m in world.outgoing(P1) if m.key == product.record.id]
    assert [m.code for m in sent] == ["ProductRegister", "ProductWithdraw"]
    with pytest.raises(IllegalStep):
        world.provider.withdraw(product.record.id)


def test_a_refused_registration_is_a_rejection_with_its_reason(world: World) -> None:
    product = world.submitted()
    world.provider.refused(product.record.id, "标识不符")
    rejected = world.provider.product(product.record.id)
    assert (rejected.state, rejected.reason) == (ProductState.REJECTED, "标识不符")


def test_unknown_products_are_named(world: World) -> None:
    for verb in (world.provider.product, world.provider.withdraw, world.provider.source_of):
        with pytest.raises(UnknownProduct):
            verb("6" * 32)
