"""How does somebody at a terminal follow the main job? One line a step, with its time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from huiqi.kernel.errors import Language
from huiqi.kernel.text import Text

Result = TypeVar("Result")


class StepFailed(Exception):
    """A step of the main job did not do what it should."""


@dataclass
class Progress:
    """The lines of one run, and what has to be known at its end."""

    console: Console
    language: Language
    steps: list[tuple[str, str, str, float]] = field(default_factory=list)
    chapter: Text = field(default_factory=lambda: Text("", ""))

    def begin(self, chapter: Text) -> None:
        """A new verb of the main job."""
        self.chapter = chapter
        self.console.print(f"\n[bold]{chapter.read(self.language)}[/bold]")

    def step(self, what: Text, act: Callable[[], tuple[Result, Text]]) -> Result:
        """Do one step and say what happened and how long it took.

        Raises:
            StepFailed: ``act`` found that something is not as it should be.
        """
        title = what.read(self.language)
        began = time.perf_counter()
        with self.console.status(title):
            result, outcome = act()
        took = time.perf_counter() - began
        said = outcome.read(self.language)
        self.steps.append((self.chapter.read(self.language), title, said, took))
        self.console.print(f"  [green]✓[/green] {title}  [dim]{took:6.2f} s[/dim]", highlight=False)
        for line in said.splitlines():
            self.console.print(f"      {line}", highlight=False, markup=False)
        return result

    def summary(self, total_s: float) -> None:
        """Everything once more, as a table."""
        zh = self.language == "zh"
        table = Table(title="主任务小结" if zh else "The main job in short", title_justify="left")
        for name in ("环节", "步骤", "结果", "秒") if zh else ("Verb", "Step", "Outcome", "s"):
            table.add_column(name, overflow="fold")
        for chapter, title, said, took in self.steps:
            table.add_row(chapter, title, said.splitlines()[0] if said else "", f"{took:.2f}")
        self.console.print()
        self.console.print(table)
        line = f"合计 {total_s:.1f} 秒" if zh else f"{total_s:.1f} s in all"
        self.console.print(line, highlight=False)


def expect(*, holds: bool, why: str) -> None:
    """Go on only if ``holds``.

    Raises:
        StepFailed: it does not.
    """
    if not holds:
        raise StepFailed(why)


def until(found: Callable[[], Result | None], *, what: str, seconds: float = 15.0) -> Result:
    """What ``found`` gives once it gives something; messages need a moment to arrive.

    Raises:
        StepFailed: nothing came within ``seconds``.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = found()
        if result is not None:
            return result
        time.sleep(0.03)
    raise StepFailed(what)
