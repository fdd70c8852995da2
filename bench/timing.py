"""How are figures taken so that load from elsewhere hits both sides alike?"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def interleaved(
    sides: Mapping[str, Callable[[], float]], *, rounds: int, pause_s: float = 0.0
) -> Mapping[str, list[float]]:
    """Each side's figures of ``rounds`` rounds; the order turns round by round.

    ``pause_s`` before each figure lets what the one before left running come to an end.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for _ in range(rounds):
        for name in names:
            time.sleep(pause_s)
            taken[name].append(sides[name]())
        names.reverse()
    return taken


def seconds(act: Callable[[], object]) -> float:
    """How long ``act`` takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of figures that were taken one after the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def median(figures: Sequence[float]) -> float:
    """The middle of ``figures``."""
    return statistics.median(figures)


def quantile(figures: Sequence[float], share: float) -> float:
    """The figure below which ``share`` of all lie; the largest when there are few."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
