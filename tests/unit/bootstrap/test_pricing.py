"""A price that could not be settled stops terms from being published and signed."""

import msgspec
import pytest

from huiqi.bootstrap.pricing import PricedPolicies
from huiqi.policy.service import Policies
from huiqi.policy.types import Price, Terms
from tests.unit.policy.samples import COLUMNS, FLIGHT_TERMS, PROVIDER_NODE

TERMS = msgspec.json.decode(FLIGHT_TERMS, type=Terms)


def priced(price: Price) -> Terms:
    return msgspec.structs.replace(TERMS, price=price)


def test_a_sound_price_adds_nothing() -> None:
    plain, both = Policies(), PricedPolicies()
    assert both.check(TERMS, columns=COLUMNS) == plain.check(TERMS, columns=COLUMNS)
    report = both.report(TERMS, columns=COLUMNS, node=PROVIDER_NODE)
    assert report == plain.report(TERMS, columns=COLUMNS, node=PROVIDER_NODE)
    assert report.signable


@pytest.mark.parametrize(
    "price",
    [
        Price(plan="free-lunch@1"),
        Price(parameters={"per_use_fen": -1}),
        Price(parameters={"per_hour_fen": 1}),
        Price(platform_fee_bp=10_001),
        Price(joint_weight=0),
    ],
)
def test_a_price_that_cannot_be_settled_is_an_error_and_not_signable(price: Price) -> None:
    found = PricedPolicies().check(priced(price), columns=COLUMNS)
    (finding,) = [one for one in found if one.code.startswith("settlement.")]
    assert (finding.severity, finding.where) == ("error", "price")
    assert finding.text.zh != finding.text.en
    report = PricedPolicies().report(priced(price), columns=COLUMNS, node=PROVIDER_NODE)
    assert not report.signable
    assert finding in report.findings
