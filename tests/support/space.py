"""How does a test start, watch, kill and start again a process that serves a data directory?"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from huiqi.bootstrap.audit import check_log
from huiqi.bootstrap.house import House
from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import until
from huiqi.cli.demo.space import PASSWORD, PEOPLE
from huiqi.evidence.types import FsckReport
from huiqi.settings import Settings

DEMO = ("demo", "--no-job")
READY_S = 60.0
STOP_S = 20.0
LOGINS = {person.prefix: person.login for person in PEOPLE}
KILLED = -signal.SIGKILL


def environment(data: Path, **settings: str) -> dict[str, str]:
    """What a child process sees: English words, any free port, and nothing of our own settings."""
    home = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}  # noqa: TID251 - a child needs a path
    ours = {"HUIQI_DATA": str(data), "HUIQI_PORT": "0", "HUIQI_LANG": "en", "COLUMNS": "200"}
    return {**home, **ours, **settings}


def huiqi(
    *arguments: str, data: Path, typed: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "huiqi", *arguments],
        env=environment(data, **settings),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def sound(data: Path) -> dict[str, FsckReport]:
    """What `huiqi fsck` finds in a directory that no process serves, by prefix."""
    house = House(Settings(data=data))
    try:
        systems = house.open().systems
        return {p.site.prefix: check_log(p, lambda _done, _all: None) for p in systems}
    finally:
        house.close()


class Space:
    """One data directory and the process that serves it."""

    def __init__(self, data: Path, *, command: Sequence[str] = DEMO) -> None:
        self.data, self._command = data, tuple(command)
        self.log = data.with_name(data.name + ".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._people: dict[str, Api] = {}

    def begin(self, **settings: str) -> Self:
        """Start the process without waiting for it."""
        # A killed process leaves the address of its last life behind.
        (self.data / "address").unlink(missing_ok=True)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "huiqi", *self._command],
                env=environment(self.data, **settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def start(self, **settings: str) -> Self:
        """Start the process and wait until every system serves."""
        self.begin(**settings)
        self.wait()
        return self

    def wait(self, seconds: float = READY_S) -> None:
        """Wait until the process says where it serves."""
        end = time.monotonic() + seconds
        while not (self.data / "address").exists():
            assert self._running().poll() is None, f"ended at start:\n{self.said()}"
            assert time.monotonic() < end, f"not ready in {seconds} s:\n{self.said()}"
            time.sleep(0.05)

    @property
    def base(self) -> str:
        """Where it serves now."""
        return (self.data / "address").read_text()

    def address(self, prefix: str) -> str:
        """Where one of its systems is reached."""
        return f"{self.base}/{prefix}"

    def api(self, prefix: str, login: str = "", password: str = PASSWORD) -> Api:
        """The person of a demo system (or ``login``), logged in; one connection for each."""
        who = login or LOGINS[prefix]
        known = self._people.get(f"{prefix}/{who}")
        if known is None:
            known = Api(self.address(prefix), (who, password), "en")
            self._people[f"{prefix}/{who}"] = known
        return known

    def said(self) -> str:
        """Everything the process has printed, in all its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process that serves now."""
        return self._running().pid

    def died(self, seconds: float = 30.0) -> int:
        """Wait until the process has ended by itself; its exit status."""
        status = self._running().wait(seconds)
        self._forget()
        return status

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        process = self._running()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        status = process.wait(STOP_S)
        self._forget()
        return status

    def kill(self) -> None:
        """End it as a power cut does."""
        process = self._running()
        process.kill()
        process.wait(STOP_S)
        self._forget()

    def end(self) -> None:
        """For finalizers: whatever state it is in, it does not run afterwards."""
        if self.alive():
            self.kill()
        self._forget()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the space was never started"
        return self._process

    def _forget(self) -> None:
        for api in self._people.values():
            api.close()
        self._people.clear()


@contextlib.contextmanager
def serving(data: Path, *, command: Sequence[str] = DEMO, **settings: str) -> Iterator[Space]:
    """A started space that has ended when the block is left."""
    space = Space(data, command=command)
    try:
        yield space.start(**settings)
    finally:
        space.end()


def copied(template: Path, target: Path) -> Path:
    """A data directory like ``template``, which no process serves now."""
    shutil.copytree(template, target)
    return target


def quiet(space: Space, *prefixes: str) -> None:
    """Wait until every message of these systems has arrived."""
    for prefix in prefixes:
        api = space.api(prefix)

        def sent(api: Api = api) -> bool | None:
            return None if any(m["state"] == "ready" for m in api.get("/outbox")) else True

        until(sent, what=f"messages of {prefix} have not arrived", seconds=30)


def raw(
    space: Space, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> httpx.Response:
    """One plain HTTP request, for tests that look at statuses and bodies."""
    with httpx.Client(trust_env=False, timeout=60.0, follow_redirects=False) as client:
        return client.request(method, space.base + path, headers=dict(headers or {}), **more)
