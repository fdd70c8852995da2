"""What does a use cost when each use and each returned row has a price?"""

from collections.abc import Mapping, Sequence

from huiqi.kernel.money import split_exactly
from huiqi.settlement.plans import Part, Priced

_PARAMETERS = frozenset({"per_use_fen", "per_row_fen"})


class PerUseAndRow:
    """``per_use_fen`` for each completed use, ``per_row_fen`` for each row that was returned.

    In a joint use every contract charges its own ``per_use_fen``. The rows are charged once, at
    the highest ``per_row_fen`` among the contracts, and split by their joint weights; the parts
    sum to the whole exactly.
    """

    name = "per-use-and-row@1"

    def faults(self, parameters: Mapping[str, int]) -> tuple[str, ...]:
        """The parameters that are unknown or negative."""
        unknown = sorted(set(parameters) - _PARAMETERS)
        negative = sorted(name for name, value in parameters.items() if value < 0)
        return (*unknown, *negative)

    def price(self, parts: Sequence[Part], rows: int) -> Sequence[Priced]:
        """What each contract charges, in the order of ``parts``."""
        whole = rows * max(part.parameters.get("per_row_fen", 0) for part in parts)
        shares = split_exactly(whole, [part.weight for part in parts])
        return [
            Priced(
                use_fen=part.parameters.get("per_use_fen", 0), joint_row_fen=whole, row_fen=share
            )
            for part, share in zip(parts, shares, strict=True)
        ]


CAPABILITY = PerUseAndRow()
