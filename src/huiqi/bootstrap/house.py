"""How does one process come up, serve its systems and go down again?"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import structlog
import uvicorn

from huiqi.adapters.http.joining import hand_in
from huiqi.bootstrap.errors import (
    JoiningRefused,
    NoFreePort,
    NoSystems,
    UnknownSystem,
    WrongHost,
)
from huiqi.bootstrap.folder import DataFolder, Site
from huiqi.bootstrap.parts import Parts, assemble
from huiqi.bootstrap.routes import routes_of
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import ObjectType, RandomIds, SystemId, object_id
from huiqi.kernel.steps import end_at
from huiqi.kernel.work import OutboxState
from huiqi.settings import HIGHEST_PORT, Settings
from huiqi.trust.errors import WrongInvitation
from huiqi.trust.types import SystemKind
from huiqi.web.app import build_app
from huiqi.web.hosts import HostGuard
from huiqi.web.public_log import log_routes
from huiqi.web.wire_endpoint import wire_routes
from huiqi.wire.errors import PeerRefused
from huiqi.worker import Beat, Worker

log = structlog.get_logger("huiqi.house")

PORTS_TRIED = 20
# Verbs wait for each other across systems of this process; too few threads would be a deadlock.
THREADS = 128
LOG_BEAT_S, LIFE_BEAT_S, SWEEP_BEAT_S, ARRIVE_BEAT_S = 0.0, 1.0, 0.5, 2.0
BACKLOG = 512
# More requests at once than this are answered 503; each may hold a body of some megabytes.
MOST_REQUESTS = 1_000


class House:
    """One data directory, opened: its systems, assembled, not yet serving.

    Raises:
        NoSystems: there is no such directory, or nothing lives in it.
        DataDirectoryInUse: another process has it open.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.data.exists():
            raise NoSystems(path=settings.data.name)  # and leave no empty folder behind
        self.settings = settings
        self.folder = DataFolder(settings.data)
        # A killed process has left the address of its last life.
        (self.folder.path / "address").unlink(missing_ok=True)
        self.systems: list[Parts] = []
        if settings.kill_at:
            end_at(settings.kill_at)

    def open(self) -> "House":
        """Assemble every system of the directory.

        Raises:
            NoSystems: there is none yet.
        """
        sites = self.folder.sites()
        if not sites:
            raise NoSystems(path=self.settings.data.name)
        passphrase = self.folder.passphrase(self.settings.passphrase)
        for site in sites:
            folder, sources = self.folder.of(site.prefix), self.settings.sources
            self.systems.append(assemble(site, folder, passphrase, sources=sources))
        return self

    def close(self) -> None:
        """Close every system and let another process have the directory."""
        for parts in self.systems:
            parts.close()
        self.folder.release()

    def part(self, prefix: str) -> Parts:
        """One system of this house.

        Raises:
            UnknownSystem: none has this prefix.
        """
        for parts in self.systems:
            if parts.site.prefix == prefix:
                return parts
        known = ", ".join(parts.site.prefix for parts in self.systems)
        raise UnknownSystem(prefix=prefix[:80], known=known)


class Server:
    """A house that serves: HTTP, workers, and the arrival of each system in its space.

    Raises:
        HistoryRewritten: an older store than the kept checkpoint was put back.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        for parts in house.systems:
            parts.anchor.check()
        self.socket = _listen(house.settings)
        port = self.socket.getsockname()[1]
        self.base = house.settings.public_url or f"http://{_shown(house.settings.host)}:{port}"
        self._uvicorn: _Announcing | None = None

    def address(self, prefix: str) -> str:
        """Where a system of this house is reached."""
        return f"{self.base}/{prefix}"

    def stop(self) -> None:
        """End serving soon; may be called from any thread."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until stopped; ``ready`` is called in a thread once every system has arrived."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="work"))
        # Before anybody is served: a use that begins now must not be taken for a left-over.
        await asyncio.to_thread(_recover, self.house.systems)
        systems = {parts.site.prefix: parts.system for parts in self.house.systems}
        app = build_app(systems, extra=[*wire_routes(systems), *log_routes(systems)])
        settings = self.house.settings
        config = uvicorn.Config(
            HostGuard(app, names=_names(self.base, settings.host)),
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            limit_concurrency=MOST_REQUESTS,
            # A header that anybody can send must not say where a login comes from.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
        )
        self._uvicorn = _Announcing(config)
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self.socket]))
        living = asyncio.create_task(_plainly(self._live(self._uvicorn.up, ready)))
        await asyncio.wait({serving, living}, return_when=asyncio.FIRST_COMPLETED)
        self.stop()
        await serving
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living

    async def _live(self, up: asyncio.Event, ready: Callable[[], None]) -> None:
        await up.wait()
        await asyncio.to_thread(_know_each_other, self)
        async with asyncio.TaskGroup() as group:
            # A member works on while its issuer is away; a newcomer has nothing to work on yet.
            members = [parts for parts in self.house.systems if parts.trust.enrolled()]
            for parts in members:
                _set_to_work(parts, group)
            for parts in self.house.systems:
                await _until_done(f"{parts.site.prefix} arrives", self._arrival(parts))
                if parts not in members:
                    _set_to_work(parts, group)
            self.house.folder.announce(self.base)
            group.create_task(asyncio.to_thread(ready))

    def _arrival(self, parts: Parts) -> Callable[[], None]:
        return lambda: _arrive(self, parts)


class _Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.up.set()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in range(settings.port, min(settings.port + PORTS_TRIED, HIGHEST_PORT) + 1):
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it; without it every answer on a kept connection waits 40 ms for
        # the peer's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((settings.host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            # Another port would not help: the name is unknown, or the address another machine's.
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise WrongHost(host=settings.host, why=error.strerror) from error
            continue
        return listener
    raise NoFreePort(port=settings.port, tried=PORTS_TRIED)


def _names(base: str, host: str) -> frozenset[str]:
    """The host names under which this process answers, beside addresses and localhost."""
    return frozenset({host.lower(), (urlsplit(base).hostname or "").lower()} - {""})


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _plainly(life: Coroutine[None, None, None]) -> None:
    """Await ``life``; what ended its tasks is raised by itself, not in a group.

    Raises:
        HuiqiError: what a system cannot start with.
    """
    try:
        await life
    except ExceptionGroup as group:
        typed, _others = group.split(HuiqiError)
        if typed is None:
            raise
        first = typed.exceptions[0]
        raise first from group


async def _until_done(what: str, act: Callable[[], None]) -> None:
    """Repeat ``act`` until the systems it needs answer.

    Raises:
        WrongInvitation: the code to join with is none.
        JoiningRefused: the issuer does not take this system in.
    """
    while True:
        try:
            await asyncio.to_thread(act)
        except (WrongInvitation, JoiningRefused):
            raise  # waiting does not make it right
        except HuiqiError as error:
            log.warning("house.waiting", what=what, code=error.code, why=error.text("en"))
            await asyncio.sleep(ARRIVE_BEAT_S)
        else:
            return


def _know_each_other(server: Server) -> None:
    """Systems of one house know where their issuer listens now, whatever port was free."""
    for parts in server.house.systems:
        if parts.site.issuer_prefix and parts.trust.enrolled():
            address = server.address(parts.site.issuer_prefix)
            if parts.trust.issuer().address != address:
                parts.trust.moved(parts.trust.issuer().id, address)


def _arrive(server: Server, parts: Parts) -> None:
    """Be a member: found or join at the first start, report the address at every other."""
    site, trust, address = parts.site, parts.trust, server.address(parts.site.prefix)
    if not trust.enrolled():
        _enrol(server, parts, address)
        return
    if trust.me().address != address:
        if site.kind is not SystemKind.NODE:
            parts.directory.report(address)
        trust.moved(trust.me().id, address)


def _enrol(server: Server, parts: Parts, address: str) -> None:
    site, trust = parts.site, parts.trust
    about = {"subject": site.subject, "name": site.name, "area": site.area, "address": address}
    if site.kind is SystemKind.NODE:
        root = object_id(
            ObjectType.REGIONAL_NODE,
            subject=site.subject,
            area=site.area,
            random=RandomIds().random_code(),
        )
        trust.found(id=SystemId(root), kind=site.kind, **about)
        return
    code = site.invitation or _invited(server, site)
    invitation, application = trust.apply(code, kind=site.kind, **about)
    try:
        welcome = hand_in(invitation, application)
    except PeerRefused as refusal:
        raise JoiningRefused(
            prefix=site.prefix, zh=refusal.params["zh"], en=refusal.params["en"]
        ) from refusal
    trust.welcomed(invitation, welcome)
    server.house.folder.joined(site.prefix)


def _invited(server: Server, site: Site) -> str:
    """The operator of an issuer in the same house hands over an invitation."""
    issuer = server.house.part(site.issuer_prefix)
    return issuer.trust.invite(site.kind, note=site.name)


def _set_to_work(parts: Parts, group: asyncio.TaskGroup) -> None:
    worker = _worker(parts)
    parts.database.on_commit(worker.wake)
    group.create_task(worker.run())


def _recover(systems: Sequence[Parts]) -> None:
    """Finish what a crash has cut off."""
    for parts in systems:
        system = parts.system
        _send_again(parts)
        for room in (system.contracts, system.contracts_desk, system.usage, system.settlement):
            if room is not None:
                room.recover()


def _send_again(parts: Parts) -> None:
    """Messages that were under way when the process ended are due at once.

    Nobody else sends them: the directory is locked.
    """
    scope, now = parts.system.scope, parts.clock.now()
    for queued in parts.outbox.waiting(scope):
        if queued.state is OutboxState.READY and queued.due_at > now:
            parts.outbox.retry(scope, queued.id, now, queued.last_error, dead=False)


def _worker(parts: Parts) -> Worker:
    system = parts.system
    beats = [Beat("integrate", LOG_BEAT_S, parts.anchor.integrate)]
    beats += [
        Beat("expire contracts", LIFE_BEAT_S, room.expire_due)
        for room in (system.contracts, system.contracts_desk)
        if room is not None
    ]
    if system.usage is not None:
        beats.append(Beat("expire uses", LIFE_BEAT_S, system.usage.expire_due))
    if system.compute is not None:
        beats.append(Beat("sweep projections", SWEEP_BEAT_S, system.compute.sweep))
    return Worker(
        scope=system.scope,
        clock=parts.clock,
        work=parts.work,
        outbox=parts.outbox,
        post=parts.post,
        find=parts.trust.member,
        routes=routes_of(parts),
        beats=beats,
    )
