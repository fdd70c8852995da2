"""How does the parent talk to one engine process without ever waiting for it in vain?"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

import huiqi
from huiqi.adapters.engines.frames import LENGTH, LONGEST, Reply, Request, framed

# How often a waiting call asks whether it should stop.
GLANCE_MS = 50
PIECE = 1_048_576
# Where this package lies: all that the child's environment has to say.
PACKAGE = str(Path(huiqi.__file__).resolve().parent.parent)

_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class ProcessGone(Exception):
    """The process ended, or was killed by drop or close, before it replied."""


class ProcessStopped(Exception):
    """The caller said stop while waiting."""


class ProcessLate(Exception):
    """The deadline passed while waiting."""


class EngineProcess:
    """One child: own session, empty environment, pipes for input and output, nothing else."""

    def __init__(self, memory_mb: int) -> None:
        command = [sys.executable, "-s", "-B", "-m", "huiqi.adapters.engines.child"]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, str(os.getpid()), str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": PACKAGE, "LANG": "C.UTF-8"},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:  # pragma: no cover
            raise ProcessGone
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def exchange(
        self, request: Request, *, deadline: float, should_stop: Callable[[], bool]
    ) -> Reply:
        """The reply to ``request``; ``deadline`` is an instant of ``time.monotonic``.

        Raises:
            ProcessGone: the process is not there any more.
            ProcessStopped: ``should_stop`` said yes; the process still works, kill it.
            ProcessLate: the deadline passed; the process still works, kill it.
        """
        waiting = _Waiting(deadline, should_stop)
        try:
            self._send(memoryview(framed(request)), waiting)
            head = self._receive(LENGTH, waiting)
            length = int.from_bytes(head, "big")
            if length > LONGEST:
                raise ProcessGone
            return _decoder.decode(self._receive(length, waiting))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise ProcessGone from error

    def kill(self) -> None:
        """End it and everything it may have started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)

    def dispose(self) -> None:
        """Kill it and give back its pipes; nobody may be in ``exchange``."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _send(self, view: memoryview, waiting: "_Waiting") -> None:
        while view:
            if waiting.until(self._in, select.POLLOUT):
                view = view[os.write(self._in, view[:PIECE]) :]

    def _receive(self, length: int, waiting: "_Waiting") -> bytes:
        parts = bytearray()
        while len(parts) < length:
            if waiting.until(self._out, select.POLLIN):
                piece = os.read(self._out, min(length - len(parts), PIECE))
                if not piece:
                    raise ProcessGone
                parts += piece
        return bytes(parts)


class _Waiting:
    def __init__(self, deadline: float, should_stop: Callable[[], bool]) -> None:
        self._deadline, self._should_stop = deadline, should_stop
        self._asked = time.monotonic()

    def until(self, descriptor: int, event: int) -> bool:
        """Whether ``descriptor`` is ready; asks about stopping whenever a glance has passed."""
        poll = select.poll()
        poll.register(descriptor, event)
        ready = bool(poll.poll(GLANCE_MS))
        now = time.monotonic()
        if now - self._asked >= GLANCE_MS / 1000:
            self._asked = now
            if self._should_stop():
                raise ProcessStopped
        if now > self._deadline:
            raise ProcessLate
        return ready
