"""What must an operand tell about a constraint so that it can be checked, shown and enforced?"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import wording
from huiqi.policy.domains import Domain
from huiqi.policy.types import Bounds, Context, Mode, RuleKind, Strength, Value

# True: holds. False: does not. None: cannot be known because a value is missing or not known,
# which refuses in a permission and forbids in a prohibition.
Test = Callable[[Context], bool | None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the rule around a constraint adds to its meaning.

    ``count_window`` is the counting window of ``count`` (None: the whole contract),
    ``frequency_unit`` that of ``frequency``.
    """

    kind: RuleKind
    count_window: str | None = None
    frequency_unit: str = "P1D"


@dataclass(frozen=True)
class Held:
    """How surely a term holds in a mode (None: not yet) and why."""

    strength: Strength | None
    reason: Text


NOT_IN_THIS_MODE = Held(
    None, Text("本软件在该使用方式下尚不能执行此条款", "Not enforceable in this mode yet")
)


class Term(ABC):
    """One constraint whose operator and value were understood."""

    @abstractmethod
    def value(self) -> Value:
        """The value in its one canonical form."""

    @abstractmethod
    def test(self) -> Test:
        """A closure that decides the constraint; built once, called at every use."""

    @abstractmethod
    def sentence(self) -> Text:
        """The constraint in plain words."""

    @abstractmethod
    def in_sql(self) -> Held:
        """How surely it holds when SQL is run under usage control."""

    def failure(self, context: Context) -> Text:  # noqa: ARG002 - others name the asked value
        """Why it does not hold for ``context``, naming the asked value and the limit."""
        return self.sentence()

    def shown(self) -> Text:
        """The value as people read it."""
        value = self.value()
        return wording.listed(value if isinstance(value, list) else [str(value)])

    def held(self, mode: Mode) -> Held:
        """How surely it holds in ``mode``, and why."""
        return self.in_sql() if mode is Mode.SQL else NOT_IN_THIS_MODE

    def narrowed(self, bounds: Bounds) -> Bounds:
        """``bounds`` with what the enforcement point must hold because of this term."""
        return bounds

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        """Which values it leaves open, for conflict checks."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return ()

    def misfits(self, types: Mapping[str, str]) -> tuple[Text, ...]:  # noqa: ARG002 - most compare nothing
        """What it compares with a column whose type does not take it; one sentence for each."""
        return ()

    def windows(self) -> tuple[str, ...]:
        """The counting windows whose counts it needs."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Operand:
    """A capability: everything the house knows about one operand.

    ``name`` is versioned and never reused; ``needs`` are fields of Context (``more.executor`` for
    an entry of ``more``); ``forbids`` says whether it may stand in a prohibition. ``read`` takes
    operator, value and setting; it raises WrongValue.
    """

    name: str
    operand: str
    zh: str
    en: str
    operators: tuple[str, ...]
    read: Callable[[str, Value, Setting], Term]
    needs: tuple[str, ...] = ()
    forbids: bool = True

    @property
    def title(self) -> Text:
        """What people call it."""
        return Text(self.zh, self.en)
