"""What does the policy room answer: are terms sound, may this use happen, what must be held?

No state but a cache of compiled terms; every answer follows from its arguments alone.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from huiqi.kernel.ids import SystemId
from huiqi.kernel.text import Text
from huiqi.policy import values
from huiqi.policy.bounding import bounds_of
from huiqi.policy.checks import findings
from huiqi.policy.compilation import Compiled as Compiled
from huiqi.policy.compilation import compiled_terms
from huiqi.policy.decisions import decide
from huiqi.policy.differencing import differences_of
from huiqi.policy.enforceability import term_reports
from huiqi.policy.explanation import sentences
from huiqi.policy.library import OPERANDS
from huiqi.policy.normalisation import normalised_terms
from huiqi.policy.purposes import PURPOSES
from huiqi.policy.purposes import Purpose as Purpose
from huiqi.policy.types import (
    Bounds,
    Context,
    Difference,
    EnforceabilityReport,
    Finding,
    Terms,
    Verdict,
)
from huiqi.policy.vocabulary import ACTIONS, OPERATORS

# About 4 KB each; a connector with more live contracts compiles the rest again in a millisecond.
MOST_CACHED = 10_000


class Policies:
    """The verbs of the room. Safe to call from several threads."""

    def __init__(self) -> None:
        self._cache: OrderedDict[str, Compiled] = OrderedDict()
        self._lock = threading.Lock()

    def check(
        self,
        terms: Terms,
        *,
        columns: Sequence[str] | None = None,
        ceiling: Terms | None = None,
        types: Mapping[str, str] | None = None,
    ) -> tuple[Finding, ...]:
        """Everything wrong or doubtful in ``terms``; with an error they cannot be signed.

        ``columns`` are those of the product; ``ceiling`` are the listed terms not to exceed.
        ``types`` maps column names to DuckDB types as profiled; what is not in it is not checked.
        """
        return findings(terms, columns=columns, ceiling=ceiling, types=types)

    def report(
        self,
        terms: Terms,
        *,
        columns: Sequence[str] | None = None,
        node: SystemId | None = None,
        types: Mapping[str, str] | None = None,
    ) -> EnforceabilityReport:
        """How surely each term holds in its mode. ``node`` is the provider's own connector.

        ``types`` as in ``check``: a literal that its column does not take makes it not signable.
        """
        found = findings(terms, columns=columns, types=types)
        return EnforceabilityReport(
            mode=terms.mode,
            terms=term_reports(terms, node),
            findings=found,
            signable=not any(finding.severity == "error" for finding in found),
        )

    def compiled(self, key: str, terms: Terms) -> Compiled:
        """The closures of ``terms``, kept under ``key`` (contract id and digest of the terms)."""
        with self._lock:
            known = self._cache.get(key)
            if known is not None:
                self._cache.move_to_end(key)
                return known
        made = compiled_terms(terms)
        with self._lock:
            self._cache[key] = made
            if len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        return made

    def forget(self, key: str) -> None:
        """Drop what is kept under ``key``: the contract is over."""
        with self._lock:
            self._cache.pop(key, None)

    def decide(self, compiled: Compiled, context: Context) -> Verdict:
        """May this use happen? All reasons are given when it may not."""
        return decide(compiled, context)

    def bounds(self, compiled: Compiled, context: Context) -> Bounds:
        """What the enforcement point must hold, by the permission that allows ``context``.

        Raises:
            NothingAllowed: no permission holds; decide first, with the same context.
        """
        return bounds_of(compiled, context)

    def units(self, compiled: Compiled) -> tuple[str, ...]:
        """The counting windows whose counts a decision needs, such as ``PT1M`` and ``P1D``."""
        return compiled.units

    def window_seconds(self, unit: str) -> int:
        """The length of a counting window in seconds; windows are fixed from activation on.

        Raises:
            WrongValue: ``unit`` is not an ISO 8601 span of fixed length.
        """
        return values.span(unit)

    def explain(self, terms: Terms) -> tuple[Text, ...]:
        """One plain sentence for each term."""
        return sentences(terms)

    def differences(self, before: Terms, after: Terms) -> tuple[Difference, ...]:
        """What changed, clause by clause; empty when both say the same."""
        return differences_of(before, after)

    def normalised(self, terms: Terms) -> Terms:
        """``terms`` in canonical spelling; what is not understood stays as it is."""
        return normalised_terms(terms)

    def purposes(self) -> tuple[Purpose, ...]:
        """The purposes that ``hq:purpose`` and an order may name, parents first."""
        return tuple(PURPOSES.values())

    def vocabulary(self) -> tuple[tuple[str, Text], ...]:
        """Code and name of every known action, operand and operator, for forms."""
        actions = ((word.code, word.name) for word in ACTIONS.values())
        operands = ((operand.operand, operand.title) for operand in OPERANDS.values())
        operators = ((word.code, word.name) for word in OPERATORS.values())
        return (*actions, *operands, *operators)
