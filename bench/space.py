"""How does a measure get a running space? A child process on a folder and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from bench.lines import MeasureFailed
from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import StepFailed
from huiqi.cli.demo.space import PASSWORD, PEOPLE

Result = TypeVar("Result")

HUIQI = Path(sys.executable).parent / "huiqi"
ARRIVAL_S = 60.0
END_S = 20.0
# Short beside any figure we take, long enough to leave the processor to the space.
GLANCE_S = 0.003
MEGABYTE = 1_000_000


class Child:
    """A process that we started, ended by its own id."""

    def __init__(
        self, command: Sequence[str], *, output: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self._output = output
        with output.open("wb") as out:
            self.process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(settings or {})},
            )

    def said(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def check(self) -> None:
        """Go on only while it runs.

        Raises:
            MeasureFailed: it has ended, with the end of what it printed.
        """
        if self.process.poll() is not None:
            raise MeasureFailed(f"ended with {self.process.returncode}: {self.said()[-400:]}")

    def memory(self) -> tuple[int, int, int]:
        """Resident bytes of the process, resident bytes of its children, number of children."""
        process = psutil.Process(self.process.pid)
        children = process.children(recursive=True)
        return process.memory_info().rss, sum(c.memory_info().rss for c in children), len(children)

    def processor_s(self) -> float:
        """Processor time that the process itself has used: less moved by load than the clock."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def end(self) -> None:
        """Ask it to end as Ctrl-C does, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(END_S)


class Space(Child):
    """``huiqi demo`` on ``folder``; ``job`` also runs the main job at the start."""

    def __init__(self, folder: Path, *, job: bool = False) -> None:
        if not HUIQI.exists():
            raise MeasureFailed(f"{HUIQI.name} is not installed beside {Path(sys.executable).name}")
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.began = time.perf_counter()
        super().__init__(
            [str(HUIQI), "demo", *([] if job else ["--no-job"])],
            output=folder.with_suffix(".log"),
            settings={
                "HUIQI_DATA": str(folder),
                "HUIQI_PORT": str(self.port),
                "HUIQI_LANG": "en",
                "HUIQI_LOG_LEVEL": "warning",
            },
        )

    def until_page(self) -> float:
        """Seconds from the start of the process to the first 200 of the start page."""
        return until_200(self, self.base + "/", self.began)

    def until_ready(self) -> float:
        """Seconds until every system is in the space and says where it is."""
        words = f"Console  {self.base}/"
        self.wait(lambda: words in self.said() or None, "the space did not get ready")
        return time.perf_counter() - self.began

    def wait(
        self, found: Callable[[], Result | None], what: str, *, most_s: float = ARRIVAL_S
    ) -> Result:
        """What ``found`` gives once it gives something, while the process runs.

        Raises:
            MeasureFailed: it gives nothing in time, or the process ended.
        """
        end = time.monotonic() + most_s
        while time.monotonic() < end:
            if (result := found()) is not None:
                return result
            self.check()
            time.sleep(GLANCE_S)
        raise MeasureFailed(f"{what}: {self.said()[-400:]}")

    def person(self, prefix: str) -> Api:
        """The person of the demo at one system, logged in."""
        login = next(person.login for person in PEOPLE if person.prefix == prefix)
        return Api(f"{self.base}/{prefix}", (login, PASSWORD), "en")


@contextmanager
def running(folder: Path, *, job: bool = False) -> Iterator[Space]:
    """A space that is ready; ended when the block is left."""
    space = Space(folder, job=job)
    try:
        space.until_page()
        space.until_ready()
        yield space
    except StepFailed as error:
        raise MeasureFailed(f"the API refused: {error}") from error
    finally:
        space.end()


def until_200(child: Child, address: str, began: float) -> float:
    """Seconds from ``began`` to the first 200 of ``address``.

    Raises:
        MeasureFailed: the process ended, or there was none in time.
    """
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        end = time.monotonic() + ARRIVAL_S
        while time.monotonic() < end:
            child.check()
            try:
                if client.get(address).status_code == httpx.codes.OK:
                    return time.perf_counter() - began
            except httpx.TransportError:
                time.sleep(GLANCE_S)
    raise MeasureFailed(f"no page at {address}: {child.said()[-400:]}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rows_of(outcome: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of an answered use.

    Raises:
        MeasureFailed: the use was refused.
    """
    if outcome["decision"] != "allowed" or outcome["error"]:
        reasons = "; ".join(each["text"]["en"] for each in outcome["reasons"])
        raise MeasureFailed(f"a use was not answered: {reasons} {outcome['error']}")
    return [tuple(row) for row in outcome["rows"]]
