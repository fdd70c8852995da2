"""How is money counted so that it adds up to the fen?

Every amount is a whole number of fen (1/100 yuan). There are no fractions anywhere.
"""

from collections.abc import Sequence


def yuan(amount_fen: int) -> str:
    """An amount in yuan with two decimals and thousands separators.

    >>> yuan(-1234567)
    '-12,345.67'
    """
    sign = "-" if amount_fen < 0 else ""
    whole, rest = divmod(abs(amount_fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def basis_points(amount_fen: int, points: int) -> int:
    """``points`` ten-thousandths of ``amount_fen``, rounded half up, in fen.

    >>> basis_points(12345, 500)
    617
    """
    return (amount_fen * points + 5_000) // 10_000


def split_exactly(amount_fen: int, weights: Sequence[int]) -> list[int]:
    """Split ``amount_fen`` (>= 0) by ``weights`` so that the parts sum to it exactly.

    Largest remainder; ties go to the earlier weight, so the same input gives the same parts.

    >>> split_exactly(100, [1, 1, 1])
    [34, 33, 33]

    Raises:
        ValueError: a negative amount or weight, or no positive weight.
    """
    total = sum(weights)
    if amount_fen < 0 or total <= 0 or min(weights) < 0:
        raise ValueError("amount and weights must not be negative, one weight must be positive")
    parts = [amount_fen * weight // total for weight in weights]
    remainders = [amount_fen * weight % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in order[: amount_fen - sum(parts)]:
        parts[i] += 1
    return parts
