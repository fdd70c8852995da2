"""``compute.ports.Engine`` on DuckDB: which process answers a query, and when is it ended?

A session's projections are loaded once into a process of their own, which stays warm for the
next query over the same projections; the longest unused one makes room. DuckDB itself is never
imported here: a fault of the engine cannot reach this process.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from huiqi.adapters.engines.frames import (
    DAMAGED,
    TOO_LARGE,
    UNREADABLE,
    Answer,
    Ask,
    Build,
    Export,
    Exported,
    Failed,
    Load,
    Made,
    Ready,
    Reply,
    Request,
    Table,
)
from huiqi.adapters.engines.process import (
    GLANCE_MS,
    EngineProcess,
    ProcessGone,
    ProcessLate,
    ProcessStopped,
)
from huiqi.catalog.types import Column
from huiqi.compute.errors import (
    EngineBusy,
    EngineFailed,
    EngineStopped,
    EngineTimeout,
    LoanTooLarge,
    OutputTooLarge,
    ProjectionDamaged,
    SourceUnreadable,
)
from huiqi.compute.rendering import UNIT
from huiqi.compute.types import BuildOrder, Built, EngineResult, Session, SessionTable
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import IdSource, RandomIds

log = structlog.get_logger("huiqi.engine")

# An answer that people or programs read in one piece; larger data is a job for another mode.
MOST_ROWS = 10_000
MOST_BYTES = 8 * 1_048_576
# A build reads a whole source once.
BUILD_S = 300.0


class _Slot:
    """A place for one process: which projections it holds, and who uses it."""

    def __init__(self, session: Session) -> None:
        self.projections = frozenset(table.projection for table in session.tables)
        self.process: EngineProcess | None = None
        self.busy = True
        self.dropped = False


class DuckEngine:
    """The engine processes of one connector, whose sources lie below ``folder``."""

    def __init__(
        self,
        folder: Path,
        *,
        ids: IdSource | None = None,
        most_processes: int = 4,
        memory_mb: int = 2_048,
        threads: int = 2,
    ) -> None:
        self._data, self._ids = folder, ids or RandomIds()
        self._most, self._memory_mb, self._threads = most_processes, memory_mb, threads
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._free = threading.Condition()
        self._closed = False
        # A child dies with the thread that started it (PR_SET_PDEATHSIG), so one lasting thread
        # starts them all.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine-starter")

    def execute(
        self, session: Session, sql: str, *, timeout_s: float, should_stop: Callable[[], bool]
    ) -> EngineResult:
        """See ``Engine.execute``: 1 take or make a process 2 load 3 ask 4 give it back."""
        deadline = time.monotonic() + timeout_s
        name, slot = self._take(session, deadline, should_stop)
        keep = False
        try:
            if slot.process is None:
                self._start(slot, session, deadline, should_stop)
            cpu_s = int(timeout_s * self._threads) + 1
            ask = Ask(sql=sql, most_rows=MOST_ROWS, most_bytes=MOST_BYTES, cpu_s=cpu_s)
            reply = self._exchange(slot, ask, deadline, should_stop)
            keep = True
        except ProcessLate as error:
            raise EngineTimeout(seconds=int(timeout_s)) from error
        finally:
            self._give_back(name, slot, keep=keep)
        if isinstance(reply, Answer):
            return EngineResult(columns=reply.columns, rows=reply.rows, elapsed_ms=reply.elapsed_ms)
        raise self._failure(reply)

    def build(self, order: BuildOrder) -> Built:
        """See ``Engine.build``."""
        source = (self._data / order.location).resolve()
        if not source.is_relative_to(self._data.resolve()) or not source.is_file():
            raise SourceUnreadable(what=order.location)
        header = {
            "projection": order.projection,
            "contract": order.contract,
            "product": order.product,
            "data_version": order.data_version,
        }
        request = Build(
            source=str(source),
            columns=order.columns,
            row_filter=order.row_filter,
            unit=order.unit or "",
            unit_name=UNIT,
            key=order.key,
            salt=order.salt,
            target=str(order.target.resolve()),
            header=header,
            memory_mb=self._memory_mb,
            threads=self._threads,
        )
        reply = self._once(request)
        if isinstance(reply, Made):
            columns = tuple(Column(name=name, type=kind) for name, kind in reply.columns)
            return Built(rows=reply.rows, bytes=reply.bytes, digest=reply.digest, columns=columns)
        if isinstance(reply, Failed) and reply.kind in {UNREADABLE, "IO"}:
            log.warning("engine.source_unreadable", text=reply.text)
            raise SourceUnreadable(what=order.location)
        raise self._failure(reply)

    def export(self, table: SessionTable, columns: Sequence[str], *, most: int) -> bytes:
        """See ``Engine.export``."""
        request = Export(
            table=_table(table),
            columns=tuple(columns),
            most=most,
            memory_mb=self._memory_mb,
            threads=self._threads,
        )
        reply = self._once(request)
        if isinstance(reply, Exported):
            return reply.parquet
        if isinstance(reply, Failed) and reply.kind == TOO_LARGE:
            raise LoanTooLarge(limit=most)
        raise self._failure(reply)

    def drop(self, projection: str) -> None:
        """See ``Engine.drop``; a query that runs there gets EngineStopped."""
        with self._free:
            for name, slot in list(self._slots.items()):
                if projection in slot.projections:
                    self._end(name, slot)

    def close(self) -> None:
        """See ``Engine.close``; the engine cannot be used afterwards."""
        with self._free:
            self._closed = True
            for name, slot in list(self._slots.items()):
                self._end(name, slot)
        self._starter.shutdown(wait=True)

    def pids(self) -> tuple[int, ...]:
        """The ids of the running processes, for the operator's page and tests."""
        with self._free:
            found = [slot.process for slot in self._slots.values() if slot.process is not None]
            return tuple(process.pid for process in found if process.alive())

    def _take(
        self, session: Session, deadline: float, should_stop: Callable[[], bool]
    ) -> tuple[str, _Slot]:
        name = session.key
        with self._free:
            while True:
                if self._closed or should_stop():
                    raise EngineStopped
                slot = self._slots.get(name)
                if slot is not None and not slot.busy:
                    slot.busy = True
                    self._slots.move_to_end(name)
                    return name, slot
                if slot is None and self._make_room():
                    slot = self._slots[name] = _Slot(session)
                    return name, slot
                if time.monotonic() > deadline:
                    raise EngineBusy
                self._free.wait(GLANCE_MS / 1000)

    def _make_room(self) -> bool:
        if len(self._slots) < self._most:
            return True
        for name, slot in self._slots.items():
            if not slot.busy:
                self._end(name, slot)
                return True
        return False

    def _start(
        self, slot: _Slot, session: Session, deadline: float, should_stop: Callable[[], bool]
    ) -> None:
        slot.process = self._starter.submit(EngineProcess, self._memory_mb).result()
        tables = tuple(_table(table) for table in session.tables)
        load = Load(tables=tables, memory_mb=self._memory_mb, threads=self._threads)
        reply = self._exchange(slot, load, deadline, should_stop)
        if not isinstance(reply, Ready):
            process, slot.process = slot.process, None
            process.dispose()
            raise self._failure(reply)
        log.debug("engine.ready", pid=slot.process.pid, alone=reply.alone)

    def _exchange(
        self, slot: _Slot, request: Request, deadline: float, should_stop: Callable[[], bool]
    ) -> Reply:
        if slot.process is None or slot.dropped:
            raise EngineStopped
        try:
            return slot.process.exchange(request, deadline=deadline, should_stop=should_stop)
        except ProcessStopped as error:
            raise EngineStopped from error
        except ProcessGone as error:
            if slot.dropped:
                raise EngineStopped from error
            raise self._failure(Failed(kind="Died", text="the process ended")) from error

    def _give_back(self, name: str, slot: _Slot, *, keep: bool) -> None:
        with self._free:
            slot.busy = False
            healthy = slot.process is not None and slot.process.alive() and not slot.dropped
            if not (keep and healthy):
                self._end(name, slot)
            self._free.notify_all()

    def _end(self, name: str, slot: _Slot) -> None:
        """Kill a slot's process; one that is in use gives back its pipes itself."""
        slot.dropped = True
        if self._slots.get(name) is slot:
            del self._slots[name]
        if slot.process is None:
            return
        if slot.busy:
            slot.process.kill()
        else:
            slot.process.dispose()

    def _once(self, request: Request) -> Reply:
        process = self._starter.submit(EngineProcess, self._memory_mb).result()
        try:
            deadline = time.monotonic() + BUILD_S
            return process.exchange(request, deadline=deadline, should_stop=self._is_closed)
        except ProcessStopped as error:
            raise EngineStopped from error
        except ProcessLate as error:
            raise EngineTimeout(seconds=int(BUILD_S)) from error
        except ProcessGone as error:
            raise self._failure(Failed(kind="Died", text="the process ended")) from error
        finally:
            process.dispose()

    def _is_closed(self) -> bool:
        return self._closed

    def _failure(self, reply: Reply) -> HuiqiError:
        """The error for a reply that is no answer; the engine's text goes into our log only."""
        failed = reply if isinstance(reply, Failed) else Failed(kind="Nonsense", text="")
        if failed.kind == DAMAGED:
            return ProjectionDamaged(what=failed.text)
        if failed.kind == TOO_LARGE:
            return OutputTooLarge(limit=f"{MOST_ROWS} rows / {MOST_BYTES} bytes")
        incident = self._ids.uuid()
        log.warning("engine.failed", id=incident, kind=failed.kind, text=failed.text)
        return EngineFailed(kind=failed.kind, id=incident)


def _table(table: SessionTable) -> Table:
    return Table(
        name=table.name,
        projection=table.projection,
        path=str(table.path.resolve()) if table.path else "",
        key=table.key,
        parquet=table.parquet,
    )
