"""How does a verb change the world all at once or not at all?

A verb hands ``Work.run`` a plain function. Whatever it writes through stores, records as facts
and sends to others becomes durable together, in one transaction and one fsync, or not at all.
Never call another room's verb from inside such a function.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from huiqi.kernel.facts import Fact

Result = TypeVar("Result")


class Scope(msgspec.Struct, frozen=True):
    """Whose books are open: a logical space and one participant's subject code (18 characters)."""

    space: str
    participant: str


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message for another system, written in the transaction of the state change.

    ``key`` orders messages: of one key only the oldest unsent one is due (use the contract or
    product id). ``to`` is the receiving system's identifier, ``code`` the interface (msgcode,
    N03 section 8.2), ``body`` the exact bytes to send.
    """

    key: str
    to: str
    code: str
    body: bytes


class OutboxState(StrEnum):
    """Where an outgoing message stands."""

    READY = "ready"
    SENT = "sent"
    DEAD = "dead"


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An outgoing message as the outbox holds it."""

    id: int
    message: Outgoing
    state: OutboxState
    due_at: datetime
    tries: int
    last_error: str
    created_at: datetime


class Tx(Protocol):
    """One open transaction. Stores of the same adapter accept it; nobody else looks inside."""

    def record(self, fact: Fact) -> int:
        """Give ``fact`` its number in the owner's log (0-based) and keep it."""
        ...

    def send(self, message: Outgoing) -> None:
        """Put ``message`` into the outbox; it leaves after the commit."""
        ...


class Work(Protocol):
    """Opens transactions on the books of one participant."""

    def run(self, verb: Callable[[Tx], Result]) -> Result:
        """Run ``verb`` in a transaction; when this returns, everything is durable.

        An exception of ``verb`` undoes everything it did and is raised here.

        Raises:
            UnavailableError: the store cannot write (disk full, damaged, closed).
        """
        ...

    def read(self, query: Callable[[Tx], Result]) -> Result:
        """Run ``query`` on a consistent snapshot that cannot write."""
        ...


class Outbox(Protocol):
    """The due messages of one participant: at least once, in order per key."""

    def claim(self, scope: Scope, now: datetime, lease_s: int, limit: int) -> Sequence[Queued]:
        """Up to ``limit`` due messages, each hidden from others for ``lease_s`` seconds."""
        ...

    def sent(self, scope: Scope, tx: Tx, message_id: int) -> None:
        """The peer has it."""
        ...

    def retry(
        self, scope: Scope, message_id: int, due_at: datetime, error: str, *, dead: bool
    ) -> None:
        """The attempt failed with ``error``; try again at ``due_at``, or give up when ``dead``."""
        ...

    def waiting(self, scope: Scope, key: str | None = None) -> Sequence[Queued]:
        """Unsent messages, oldest first, of one key or all: what a page shows as waiting."""
        ...
