"""How does a message of another system reach a verb?

Every message is authenticated before its body is read: the stamp in the headers is checked by
the trust room. Answers and refusals carry a stamp of their own. Only ``SystemJoin`` comes without
one, since a newcomer has no identifier yet; its application is signed inside.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from huiqi.kernel.errors import HuiqiError
from huiqi.trust.errors import NotEnrolled
from huiqi.trust.types import Application, Stamp
from huiqi.web.interfaces import JOIN, Interface, interfaces_of, join
from huiqi.web.system import System
from huiqi.wire.errors import InterfaceUnknown, MessageTooLarge, MessageUnreadable
from huiqi.wire.huiqi.bodies import LARGEST_BODY, decode, encode
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from huiqi.wire.huiqi.errors_body import Refused, refusal_of

log = structlog.get_logger("huiqi.wire")

# Categories as HTTP statuses; a sender tries again on 404, 429 and 5xx only.
STATUS = {
    "invalid": 400,
    "denied": 403,
    "missing": 409,
    "conflict": 409,
    "unavailable": 503,
    "integrity": 422,
}
# What is longer is not even read. Up to here the sender learns by a signed refusal what the limit
# of its interface is.
LONGEST_READ = 4 * LARGEST_BODY
# Messages wait for other systems, often for one of this very process. Each system therefore has
# threads of its own: were they shared, systems that wait for each other could take them all.
THREADS = 32
# Who comes when this many wait already is told to come again, before memory fills with bodies.
MOST_WAITING = 128
UNKNOWN = Refused(
    code="wire.internal", category="error", zh="系统内部错误，已记录", en="Internal error, logged"
)


BUSY = Refused(
    code="wire.busy", category="unavailable", zh="系统繁忙，请稍后重发", en="Busy; send it again"
)


class Doors:
    """The interfaces of every system hosted here, made once."""

    def __init__(self, systems: Mapping[str, System]) -> None:
        self._systems = systems
        self._interfaces = {prefix: interfaces_of(system) for prefix, system in systems.items()}
        # Counted by the one thread that runs the event loop.
        self._waiting = dict.fromkeys(systems, 0)
        self._pools = {
            prefix: ThreadPoolExecutor(THREADS, thread_name_prefix=f"wire-{prefix}")
            for prefix in systems
        }

    def system(self, prefix: str) -> System:
        """The system of that prefix.

        Raises:
            NotFoundException: none is hosted here.
        """
        if prefix not in self._systems:
            raise NotFoundException
        return self._systems[prefix]

    async def answered(
        self, prefix: str, code: str, call: tuple[Mapping[str, str], bytes]
    ) -> Response[bytes]:
        """``answer`` in a thread of that system; 503 when too many messages wait for one."""
        self.system(prefix)
        if self._waiting[prefix] >= MOST_WAITING:
            return _plain(STATUS["unavailable"], encode(BUSY))
        self._waiting[prefix] += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pools[prefix], answer, self, prefix, code, call)
        finally:
            self._waiting[prefix] -= 1

    def interface(self, prefix: str, code: str) -> Interface:
        """The interface ``code`` of a system.

        Raises:
            InterfaceUnknown: it has none of that name.
        """
        found = self._interfaces[prefix].get(code)
        if found is None:
            raise InterfaceUnknown(message=code[:64])
        return found


def answer(
    doors: Doors, prefix: str, code: str, call: tuple[Mapping[str, str], bytes]
) -> Response[bytes]:
    """What the system ``prefix`` says to one message (headers in lower case, body).

    1. read the stamp 2. authenticate 3. decode 4. act 5. stamp the answer
    """
    system = doors.system(prefix)
    headers, body = call
    stamp: Stamp | None = None
    try:
        if code == JOIN:
            welcome = join(system, decode(code, body, Application))
            return _plain(200, encode(welcome))
        stamp = stamp_of(headers)
        if stamp.code != code:
            raise MessageUnreadable(message=code[:64], what="msgcode")
        sender = system.trust.check_request(stamp, body)
        interface = doors.interface(prefix, code)
        if len(body) > interface.most:
            raise MessageTooLarge(message=code[:64], limit=interface.most)
        document: object = decode(code, body, interface.kind, most=interface.most)
        reply = encode(interface.act(sender, document))
        return _stamped(system, stamp, 200, reply)
    except HuiqiError as error:
        log.info("wire.refused", system=prefix, message=code[:64], code=error.code)
        return _refusal(system, stamp, STATUS.get(error.category, 500), refusal_of(error))
    except msgspec.ValidationError as error:
        log.warning("wire.unencodable", system=prefix, message=code[:64], error=str(error)[:200])
        return _refusal(system, stamp, 500, UNKNOWN)


def _refusal(system: System, stamp: Stamp | None, status: int, refused: Refused) -> Response[bytes]:
    body = encode(refused)
    if stamp is None:
        return _plain(status, body)
    try:
        return _stamped(system, stamp, status, body)
    except NotEnrolled:
        # Nobody here can sign yet: the sender shall come again.
        return _plain(STATUS["unavailable"], body)
    except HuiqiError:
        # The request's stamp is so far out of form that no reply can name it.
        return _plain(status, body)


def _stamped(system: System, request: Stamp, status: int, body: bytes) -> Response[bytes]:
    stamp = system.trust.stamp_reply(request, body)
    return _plain(status, body, headers_of(stamp))


def _plain(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        body, status_code=status, media_type="application/json", headers=dict(headers or {})
    )


def wire_routes(systems: Mapping[str, System]) -> list[ControllerRouterHandler]:
    """The handler that takes every message between systems."""
    doors = Doors(systems)

    @post(
        "/{prefix:str}/wire/{code:str}",
        status_code=200,
        include_in_schema=False,
        request_max_body_size=LONGEST_READ,
        opt={"public": True},
    )
    async def receive(
        request: Request[object, object, State],
        prefix: FromPath[str],
        code: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await doors.answered(prefix, code, (headers, body))

    return [receive]
