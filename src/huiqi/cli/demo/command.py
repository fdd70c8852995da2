"""`huiqi demo`: a whole space in one process, and the main job through it."""

import asyncio
import contextlib
import sys
import time

import click
from rich.console import Console
from rich.panel import Panel

from huiqi.bootstrap.house import House, Server
from huiqi.cli.demo.job import MainJob
from huiqi.cli.demo.progress import Progress, StepFailed
from huiqi.cli.demo.space import PASSWORD, PEOPLE, furnish, let_people_in
from huiqi.cli.hosting import quiet_logs
from huiqi.kernel.errors import HuiqiError, Language
from huiqi.settings import Settings, read_settings


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End after the job instead of serving on.")
@click.option("--no-job", is_flag=True, help="Only start the space; do not run the main job.")
def demo(*, leave: bool, no_job: bool) -> None:
    """Start a node, a platform and three connectors, and run the main job on real data.

    publish, discover, negotiate, sign, use, evidence, settle: each step is shown with what
    happened and how long it took. A second run continues on the same data directory.
    """
    settings = read_settings()
    quiet_logs(settings)
    furnish(settings.data)
    house = House(settings)
    try:
        let_people_in(house.open())
        run = _Run(house, settings, leave=leave, job=not no_job)
        with contextlib.suppress(KeyboardInterrupt):  # how a person ends it
            asyncio.run(run.server.run(run.ready))
    finally:
        house.close()
    if run.failed:
        sys.exit(1)


class _Run:
    """One start of the demo."""

    def __init__(self, house: House, settings: Settings, *, leave: bool, job: bool) -> None:
        self.server = Server(house)
        self.failed = False
        self._house, self._settings = house, settings
        self._leave, self._job = leave, job
        self._console = Console(soft_wrap=True)

    def ready(self) -> None:
        """Called in a thread once every system serves and knows the others."""
        try:
            if self._job:
                self._work()
        finally:
            if self._leave or (self.failed and not sys.stdout.isatty()):
                self.server.stop()
        if not self._leave and not self.failed:
            self._say_where()

    def _work(self) -> None:
        progress = Progress(self._console, self._settings.language)
        began = time.perf_counter()
        try:
            MainJob(self.server, self._house, progress).run()
        except (StepFailed, HuiqiError) as error:
            self.failed = True
            words = error.text(progress.language) if isinstance(error, HuiqiError) else str(error)
            self._console.print(f"  [red]✗[/red] {words}", highlight=False)
        progress.summary(time.perf_counter() - began)

    def _say_where(self) -> None:
        self._console.print(Panel(_addresses(self.server, self._settings.language), expand=False))


def _addresses(server: Server, language: Language) -> str:
    names = {parts.site.prefix: parts.site for parts in server.house.systems}
    zh = language == "zh"
    lines = [("控制台" if zh else "Console") + f"  {server.base}/", ""]
    for person in PEOPLE:
        site = names[person.prefix]
        title = site.name if zh else site.name_en
        lines.append(f"{server.address(person.prefix)}/  {title}")
        lines.append(f"    {person.login} / {PASSWORD}")
    lines += ["", "按 Ctrl-C 结束" if zh else "Ctrl-C ends it"]
    return "\n".join(lines)
