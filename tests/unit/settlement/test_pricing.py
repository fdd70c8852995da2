"""A price that cannot be charged is known before anybody signs, and charges are exact."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.ids import SubjectCode
from huiqi.policy.types import Price
from huiqi.settlement import plans
from huiqi.settlement.charging import charges_of_use, postings_of
from huiqi.settlement.errors import Unbalanced, UnknownPricePlan, WrongPrice
from huiqi.settlement.plans import Part, Priced
from huiqi.settlement.pricing.per_use_and_row import CAPABILITY
from huiqi.settlement.service import check_price
from huiqi.settlement.types import Charge, Run, RunState
from huiqi.settlement.uses import obstacle
from tests.unit.settlement.world import Drawer, World, price

AMOUNTS = st.integers(0, 10**9)
PARTS = st.lists(
    st.builds(
        Part,
        st.fixed_dictionaries({"per_use_fen": AMOUNTS, "per_row_fen": AMOUNTS}),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=5,
)


class Flat:
    """A second plan: one price, whatever comes back."""

    name = "flat@1"

    def faults(self, parameters: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(sorted(set(parameters) - {"fen"}))

    def price(self, parts: Sequence[Part], rows: int) -> Sequence[Priced]:
        assert rows >= 0
        return [Priced(part.parameters["fen"], 0, 0) for part in parts]


def test_the_installed_plan_takes_its_parameters() -> None:
    assert check_price(price(1, 2, fee_bp=10_000, weight=7)) is CAPABILITY
    assert check_price(Price()) is CAPABILITY


def test_an_unknown_plan_is_refused_by_name() -> None:
    with pytest.raises(UnknownPricePlan) as caught:
        check_price(Price(plan="flat@9"))
    assert "flat@9" in caught.value.text("zh")
    assert caught.value.code == "settlement.unknown_price_plan"


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (Price(parameters={"per_month_fen": 1}), "per_month_fen"),
        (price(-1), "per_use_fen"),
        (price(0, -1), "per_row_fen"),
        (price(LARGEST_INTEGER + 1), "per_use_fen"),
        (price(weight=0), "joint_weight"),
        (price(weight=LARGEST_INTEGER + 1), "joint_weight"),
        (price(fee_bp=-1), "platform_fee_bp"),
        (price(fee_bp=10_001), "platform_fee_bp"),
        (Price(parameters={"x": -1}, joint_weight=-1), "x, joint_weight"),
    ],
)
def test_wrong_parameters_are_all_named(wrong: Price, what: str) -> None:
    with pytest.raises(WrongPrice) as caught:
        check_price(wrong)
    assert caught.value.params["what"] == what


@given(parts=PARTS, rows=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_shares_of_the_rows_sum_to_the_dearest_price_exactly(parts: list[Part], rows: int) -> None:
    priced = CAPABILITY.price(parts, rows)
    whole = rows * max(part.parameters["per_row_fen"] for part in parts)
    assert sum(each.row_fen for each in priced) == whole
    assert {each.joint_row_fen for each in priced} == {whole}
    total = sum(part.weight for part in parts)
    for part, each in zip(parts, priced, strict=True):
        assert abs(each.row_fen * total - whole * part.weight) < total
        assert each.use_fen == part.parameters["per_use_fen"]


def test_contracts_of_different_plans_in_one_use_are_priced_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "installed", lambda: {CAPABILITY.name: CAPABILITY, "flat@1": Flat()})
    one = world.contract(world.p1, world.c1, price(1, 10))
    two = world.contract(world.p1, world.c1, price(2, 20))
    flat = world.contract(world.p2, world.c1, Price(plan="flat@1", parameters={"fen": 500}))
    together = tuple(sorted((one.id, two.id, flat.id)))
    bodies = [world.body(each, 3, joint=together, use_id="u") for each in (flat, two, one)]
    prices = {each.id: each.terms.price for each in (one, two, flat)}
    charges = {charge.contract: charge for charge in charges_of_use(bodies, prices)}
    assert charges[flat.id].joint == (flat.id,)
    assert charges[one.id].joint == charges[two.id].joint == tuple(sorted((one.id, two.id)))
    assert [charges[each.id].gross_fen for each in (one, two, flat)] == [31, 32, 500]
    assert obstacle(bodies, prices) is None


def test_the_provider_of_the_other_plan_finds_its_statement_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "installed", lambda: {CAPABILITY.name: CAPABILITY, "flat@1": Flat()})
    one = world.contract(world.p1, world.c1, price(1, 10))
    flat = world.contract(world.p2, world.c1, Price(plan="flat@1", parameters={"fen": 500}))
    receipts = world.joint(one, flat)
    world.deposit(*receipts)
    statements = world.close()
    from_each = [([receipts[0]], world.p1), ([receipts[1]], world.p2), (receipts, world.c1)]
    for held, party in from_each:
        drawer = Drawer()
        drawer.put(*held)
        statement = statements[party.me().subject]
        assert world.received(party, drawer, statement).check(statement.id) == ()


def test_two_receipts_of_one_use_under_one_contract_are_never_priced(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(1))
    bodies = [world.body(contract, use_id="u") for _ in range(2)]
    why = obstacle(bodies, {contract.id: contract.terms.price})
    assert why is not None
    assert "several" in why.en


def test_a_charge_that_does_not_add_up_is_never_booked(world: World) -> None:
    contract = world.contract(world.p1, world.c1, price(100, fee_bp=100))
    (charge,) = charges_of_use([world.body(contract)], {contract.id: contract.terms.price})
    wrong: Charge = msgspec.structs.replace(charge, net_fen=charge.net_fen + 1)
    run = Run(
        id="r",
        number=1,
        since="",
        until=charge.closed_at,
        state=RunState.PRICED,
        started_at=world.clock.now(),
    )
    platform = SubjectCode(world.platform.me().subject)
    assert sum(posting.amount_fen for posting in postings_of(charge, run, platform)) == 0
    with pytest.raises(Unbalanced) as caught:
        postings_of(wrong, run, platform)
    assert caught.value.params["fen"] == "1"
