"""Which values does a constraint leave open, and do two constraints leave any value in common?

A domain is the set of values under which a constraint holds: a span of whole numbers, a choice of
words, or conditions on rows that must all hold. Intersection, emptiness and inclusion of domains
are all that conflict checks and the comparison with a listing need.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from huiqi.policy.contradictions import contradictory
from huiqi.policy.predicates import Condition


@dataclass(frozen=True)
class Span:
    """Whole numbers from ``least`` to ``most``, both included; None is unbounded."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Choice:
    """One of ``among`` (None: any word) but none of ``without``."""

    among: frozenset[str] | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Conditions:
    """Rows that fulfil every condition; more conditions leave fewer rows."""

    conditions: frozenset[Condition] = frozenset()


Domain = Span | Choice | Conditions
Axes = Mapping[str, Domain]


def meet(one: Domain, other: Domain) -> Domain:
    """The values in both. Domains of one axis always have one type."""
    match one, other:
        case Span(), Span():
            lows = [n for n in (one.least, other.least) if n is not None]
            highs = [n for n in (one.most, other.most) if n is not None]
            return Span(max(lows, default=None), min(highs, default=None))
        case Choice(), Choice():
            sets = [s for s in (one.among, other.among) if s is not None]
            among = frozenset.intersection(*sets) if sets else None
            return Choice(among, one.without | other.without)
        case Conditions(), Conditions():
            return Conditions(one.conditions | other.conditions)
        case _:
            raise TypeError("two kinds of domain on one axis")


def empty(domain: Domain) -> bool:
    """Whether no value is left."""
    match domain:
        case Span(least, most):
            return least is not None and most is not None and least > most
        case Choice(among, without):
            return among is not None and among <= without
        case Conditions(conditions):
            return contradictory(conditions)


def within(one: Domain, other: Domain) -> bool:
    """Whether every value of ``one`` is also in ``other``."""
    match one, other:
        case Span(), Span():
            low = other.least is None or (one.least is not None and one.least >= other.least)
            high = other.most is None or (one.most is not None and one.most <= other.most)
            return low and high
        case Choice(), Choice():
            if one.among is None:
                return other.among is None and other.without <= one.without
            left = one.among - one.without
            return not left & other.without and (other.among is None or left <= other.among)
        case Conditions(), Conditions():
            return other.conditions <= one.conditions
        case _:
            raise TypeError("two kinds of domain on one axis")
