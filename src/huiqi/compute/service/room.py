"""What do all verbs of the room share?"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from huiqi.compute.errors import EngineBusy, OrderUnreadable, QueryRefused, UseUnderWay
from huiqi.compute.guard import read_query
from huiqi.compute.ports import ComputePeers, Engine, ProjectionStore
from huiqi.compute.query import Query
from huiqi.contracts.types import Contract
from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import MissingError
from huiqi.kernel.ids import ContractId, IdSource
from huiqi.kernel.work import Scope, Work
from huiqi.usage.types import SignedOrder, UseOrder

if TYPE_CHECKING:
    from huiqi.catalog.service import Catalog
    from huiqi.contracts.service import Contracts
    from huiqi.policy.service import Policies
    from huiqi.trust.service import Trust
    from huiqi.usage.service import Usage


LONGEST_ORDER = 65_536
# How many verbs of one kind may be under way at once. Each holds a thread of this process that
# mostly waits: for a peer, or for one of the few engine processes.
MOST_AT_ONCE = 12


class Places:
    """A number of places for one kind of work; who finds none is told at once and waits nowhere."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one place.

        Raises:
            EngineBusy: there is none.
        """
        if not self._free.acquire(blocking=False):
            raise EngineBusy
        try:
            yield
        finally:
            self._free.release()


class Room:
    """The parts of the room, and the questions that several verbs ask."""

    def __init__(  # noqa: PLR0913 - the parts of a room, named, once
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        trust: "Trust",
        catalog: "Catalog",
        contracts: "Contracts",
        usage: "Usage",
        policies: "Policies",
        engine: Engine,
        projections: ProjectionStore,
        peers: ComputePeers,
    ) -> None:
        self._scope, self._work, self._clock, self._ids = scope, work, clock, ids
        self._trust, self._catalog, self._contracts = trust, catalog, contracts
        self._usage, self._policies = usage, policies
        self._engine, self._projections, self._peers = engine, projections, peers
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._asked, self._worked, self._loaned = Places(), Places(), Places()
        self._building: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        # (use id, contract) -> (grant id, executor) of what is lent out. After a restart nothing
        # is: the usage room ends such grants as expired.
        self._lent: dict[tuple[str, str], tuple[str, str]] = {}
        # Whether columns are a key of a projection; both never change.
        self._unique: dict[tuple[str, tuple[str, ...]], bool] = {}

    @contextmanager
    def _alone(self, use_id: str) -> Iterator[None]:
        """Hold a use id while it is being executed.

        Raises:
            UseUnderWay: somebody else holds it.
        """
        with self._lock:
            if use_id in self._running:
                raise UseUnderWay(use_id=use_id[:40])
            self._running.add(use_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(use_id)

    def _known(self, contract: str) -> Contract | None:
        """The contract, if it is in these books at all."""
        try:
            return self._contracts.contract(contract)
        except MissingError:
            return None

    def _provided(self, contract: str) -> Contract | None:
        """The contract, if this connector enforces it as the provider's."""
        known = self._known(contract)
        mine = known is not None and known.provider.node == self._trust.me().id
        return known if mine else None


def table_of(order: UseOrder, contract: str) -> str:
    """The name under which an order's text speaks of a contract's product."""
    return next(name for name, one in order.tables.items() if one == contract)


def order_of(signed: SignedOrder) -> UseOrder:
    """The order inside the signed bytes; whether it is genuine is for the usage room to say.

    Raises:
        OrderUnreadable: there is none.
    """
    # Far above any order that the guard accepts; what is longer would only fill the books.
    if len(signed.body) > LONGEST_ORDER:
        raise OrderUnreadable
    try:
        return msgspec.json.decode(signed.body, type=UseOrder)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise OrderUnreadable from error


def joint_of(order: UseOrder) -> tuple[ContractId, ...]:
    """All contracts of an order, sorted, each once."""
    return tuple(sorted(set(order.tables.values())))


def read_text(order: UseOrder) -> Query:
    """The query that an order's text says.

    Raises:
        QueryRefused: it is not one of the closed language, or two tables are one contract's.
    """
    if len(set(order.tables.values())) != len(order.tables):
        raise QueryRefused(
            "self_join", "同一份合约只能对应一张表", "one contract stands for one table only"
        )
    return read_query(order.sql, tuple(order.tables))
