"""What does one line of the table say, and how is the table printed?"""

import enum
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table


class MeasureFailed(Exception):
    """A measure could not be taken: a part is missing or did not do what it should."""


class Better(enum.StrEnum):
    """Which way a target points."""

    LOW = "at most"
    HIGH = "at least"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised: about the value itself or about its ratio to the baseline."""

    limit: float
    of: str = "value"  # or "ratio"
    better: Better = Better.LOW


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: ``value`` of Huiqi and ``baseline`` are medians in ``unit``.

    ``paired`` is the median of the ratios of each round, where load moves both sides alike; it
    takes the place of the ratio of the medians.
    """

    measure: str
    value: float
    unit: str
    baseline: float | None = None
    paired: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Huiqi divided by the baseline."""
        if self.paired is not None:
            return self.paired
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None without one."""
        if self.target is None:
            return None
        figure = self.value if self.target.of == "value" else self.ratio
        if figure is None:
            return None
        if self.target.better is Better.LOW:
            return figure <= self.target.limit
        return figure >= self.target.limit


def document(lines: Sequence[Line]) -> bytes:
    """The lines as JSON, with ratio and outcome spelled out."""
    rows = [{**msgspec.to_builtins(line), "ratio": line.ratio, "met": line.met} for line in lines]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2)


def show(console: Console, lines: Sequence[Line]) -> None:
    """Print the table."""
    table = Table(title="make bench", title_justify="left", show_lines=False)
    for name in ("measure", "Huiqi", "baseline", "ratio", "target", "note"):
        right = name in {"Huiqi", "baseline", "ratio"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for line in lines:
        table.add_row(
            line.measure,
            f"{figure(line.value)} {line.unit}",
            "" if line.baseline is None else f"{figure(line.baseline)} {line.unit}",
            "" if line.ratio is None else f"{figure(line.ratio)}x",
            _target(line),
            line.note,
        )
    console.print(table)


def markdown(lines: Sequence[Line]) -> str:
    """The table as it stands in docs/benchmarks.md."""
    rows = ["| measure | Huiqi | baseline | ratio | target | note |", "|---|--:|--:|--:|---|---|"]
    for line in lines:
        baseline = "" if line.baseline is None else f"{figure(line.baseline)} {line.unit}"
        ratio = "" if line.ratio is None else f"{figure(line.ratio)}x"
        cells = (line.measure, f"{figure(line.value)} {line.unit}", baseline, ratio)
        rows.append(f"| {' | '.join((*cells, _target(line), line.note))} |")
    return "\n".join(rows) + "\n"


def figure(value: float) -> str:
    """Three significant digits, thousands grouped."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _target(line: Line) -> str:
    if line.target is None:
        return ""
    unit = "x" if line.target.of == "ratio" else f" {line.unit}"
    said = f"{line.target.better.value} {figure(line.target.limit)}{unit}"
    return f"{said}: {'met' if line.met else 'MISSED'}"
