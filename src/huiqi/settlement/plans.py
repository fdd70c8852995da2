"""What is a price plan, and which are installed?"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol, cast

import msgspec

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.registry import capabilities
from huiqi.policy.types import Price
from huiqi.settlement.errors import UnknownPricePlan, WrongPrice

# The platform cannot take more than the whole of a charge.
ALL_BASIS_POINTS = 10_000


class Part(msgspec.Struct, frozen=True):
    """One contract's part in a use: the parameters of its plan, and its joint weight (> 0)."""

    parameters: Mapping[str, int]
    weight: int


class Priced(msgspec.Struct, frozen=True):
    """What one contract charges for a use: for the use itself, and its share of all rows."""

    use_fen: int
    joint_row_fen: int
    row_fen: int


class PricePlan(Protocol):
    """The capability of a file in ``settlement/pricing``."""

    name: str

    def faults(self, parameters: Mapping[str, int]) -> tuple[str, ...]:
        """What is wrong with a contract's parameters; empty when nothing is."""
        ...

    def price(self, parts: Sequence[Part], rows: int) -> Sequence[Priced]:
        """What each of the contracts of one use charges for ``rows`` returned rows."""
        ...


@cache
def installed() -> Mapping[str, PricePlan]:
    """Every price plan by its versioned name."""
    return cast("Mapping[str, PricePlan]", capabilities("huiqi.settlement.pricing"))


def check_price(price: Price) -> PricePlan:
    """The plan that ``price`` names, when its parameters are ones the plan takes.

    Raises:
        UnknownPricePlan: no such plan is installed.
        WrongPrice: a parameter is unknown or negative, the joint weight is not positive, the fee
            is not 0 to 10000 basis points, or a number is beyond 2**53-1.
    """
    plan = installed().get(price.plan)
    if plan is None:
        raise UnknownPricePlan(plan=price.plan[:64])
    faults = plan.faults(price.parameters)
    large = [name for name, value in price.parameters.items() if value > LARGEST_INTEGER]
    faults = tuple(dict.fromkeys((*faults, *sorted(large))))
    if not 1 <= price.joint_weight <= LARGEST_INTEGER:
        faults = (*faults, "joint_weight")
    if not 0 <= price.platform_fee_bp <= ALL_BASIS_POINTS:
        faults = (*faults, "platform_fee_bp")
    if faults:
        raise WrongPrice(plan=price.plan, what=", ".join(faults)[:200])
    return plan
