"""How does anything in the house change its state? Only through one of these tables."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from huiqi.kernel.errors import IllegalStep

State = TypeVar("State", bound=StrEnum)
Message = TypeVar("Message", bound=StrEnum)
Sender = TypeVar("Sender", bound=StrEnum)


class Table(Generic[State, Message, Sender]):
    """A life cycle as data: (state, message, sender) -> next state. What is missing is refused."""

    def __init__(
        self, *, first: State, rows: Mapping[tuple[State, Message, Sender], State]
    ) -> None:
        self.first = first
        self.rows = dict(rows)

    def step(self, state: State, message: Message, sender: Sender) -> State:
        """The state after ``message`` from ``sender`` in ``state``.

        Raises:
            IllegalStep: the table has no such row.
        """
        after = self.rows.get((state, message, sender))
        if after is None:
            raise IllegalStep(state=state.value, message=message.value, sender=sender.value)
        return after

    def allows(self, state: State, message: Message, sender: Sender) -> bool:
        """Whether ``step`` would succeed: for showing or hiding a button."""
        return (state, message, sender) in self.rows
