"""How many uses per second can be decided, with 1 to 100,000 contracts compiled?

Baseline: ``policy.reference``, which reads the same terms without compilation, in the same run.
"""

import gc
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from bench.lines import Line, MeasureFailed
from bench.options import Options
from bench.timing import median
from huiqi.policy.reference import reference_decision
from huiqi.policy.service import Compiled, Policies
from huiqi.policy.types import (
    Constraint,
    Context,
    Decision,
    Mode,
    Policy,
    Price,
    Rule,
    RuleKind,
    Terms,
    Value,
)

PROVIDER_NODE = "591349900MAXXXX0P1L34017Q2M9K4XW"
CONSUMER_NODE = "5N2349900MF00TE5T0Q3401000000018"
PRODUCT = "691349900MAXXXX0P1L340100000123*"
COLUMNS = ("month", "day", "carrier", "origin", "dest", "dep_delay", "arr_delay", "distance")
PURPOSES = (["research", "statistics"], ["research"], ["statistics"])
FIRST = 1_000
SEED = 20_261_124


def measure(options: Options) -> Sequence[Line]:
    """Decision times over books of three sizes, and what a refusal with its reasons costs."""
    policies = Policies()
    sizes = (1, 1_000, options.pick(100_000, 10_000))
    most = sizes[-1]
    options.say(f"      compiling {most:,} contracts")
    books, each_us = _compiled(policies, most)
    lines = []
    for size in sizes:
        lines += _over(policies, books[:size], options, allowed=True)
    lines += _over(policies, books, options, allowed=False)
    lines.append(
        Line(
            measure="compile one contract",
            value=each_us,
            unit="us",
            note=f"once per contract and start; mean of the first {FIRST:,}",
        )
    )
    return lines


def _compiled(policies: Policies, count: int) -> tuple[list[tuple[Terms, Compiled]], float]:
    """So many contracts with their terms, and the microseconds that one of the first took."""
    first = _terms(range(FIRST))
    began = time.perf_counter()
    books = [(terms, policies.compiled(str(at), terms)) for at, terms in enumerate(first)]
    each_us = (time.perf_counter() - began) / FIRST * 1e6
    # Looking for garbage in a growing heap would take as long as the compiling itself.
    gc.disable()
    rest = enumerate(_terms(range(FIRST, count)), start=FIRST)
    books += [(terms, policies.compiled(str(at), terms)) for at, terms in rest]
    gc.enable()
    return books, each_us


def _over(
    policies: Policies,
    books: Sequence[tuple[Terms, Compiled]],
    options: Options,
    *,
    allowed: bool,
) -> list[Line]:
    context = _use() if allowed else _refused_use()
    chosen = random.Random(SEED)  # noqa: S311 - a fixed order, no secret
    rounds = options.pick(10, 5)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        picked = chosen.choices(books, k=options.pick(1_000, 500))
        verdicts = [policies.decide(compiled, context).decision for _, compiled in picked]
        expected = [reference_decision(terms.policy, context) for terms, _ in picked]
        if verdicts != expected or (verdicts[0] is Decision.ALLOWED) is not allowed:
            raise MeasureFailed("the compiled and the plain reading of the terms disagree")
        ours += _times_ns([_deciding(policies, compiled, context) for _, compiled in picked])
        theirs += _times_ns([_reading(terms, context) for terms, _ in picked])
    us, baseline_us = median(ours) / 1e3, median(theirs) / 1e3
    what = (
        f"decide, contracts: {len(books):,}"
        if allowed
        else f"deny with reasons, contracts: {len(books):,}"
    )
    reasons = len(policies.decide(books[0][1], context).reasons)
    note = f"{1e6 / us:,.0f} a second on one core; random contract each time"
    if not allowed:
        note = f"{reasons} reasons in two languages; {1e6 / us:,.0f} a second"
    return [Line(measure=what, value=us, unit="us", baseline=baseline_us, note=note)]


def _deciding(policies: Policies, compiled: Compiled, context: Context) -> Callable[[], object]:
    return lambda: policies.decide(compiled, context)


def _reading(terms: Terms, context: Context) -> Callable[[], object]:
    return lambda: reference_decision(terms.policy, context)


def _times_ns(acts: Sequence[Callable[[], object]]) -> list[float]:
    """Each call timed alone, less what an empty call takes."""
    clock = time.perf_counter_ns
    taken: list[float] = []
    for act in acts:
        began = clock()
        act()
        taken.append(clock() - began)
    empty: list[float] = []
    for _ in range(len(acts)):
        began = clock()
        _nothing()
        empty.append(clock() - began)
    cost = median(empty)
    return [max(1.0, each - cost) for each in taken]


def _nothing() -> None:
    return None


def _terms(numbers: Iterable[int]) -> list[Terms]:
    """Terms as a provider of flight data would offer them, no two books alike."""
    made = []
    for at in numbers:
        permission = Rule(
            RuleKind.PERMISSION,
            ("compute",),
            (
                _holds("time", "gteq", "20260101000000"),
                _holds("time", "lteq", f"2027{1 + at % 12:02}01235959"),
                _holds("count", "lteq", 100 + at % 900),
                _holds("frequency", "lteq", 60),
                _holds("dateRecord", "lteq", 100_000 + at),
                _holds("dataField", "isPartOf", list(COLUMNS)),
                _holds("valueExpression", "eq", f"month BETWEEN 1 AND {1 + at % 12}"),
                _holds("hq:purpose", "isAnyOf", PURPOSES[at % 2]),
                _holds("hq:minGroupSize", "gteq", 5 + at % 20),
                _holds("hq:outputKind", "isAnyOf", ["aggregate"]),
                _holds("executionEnv", "isAnyOf", ["01"]),
                _holds("hq:consumerConnector", "isAnyOf", [CONSUMER_NODE]),
            ),
        )
        prohibition = Rule(RuleKind.PROHIBITION, ("read",))
        policy = Policy((permission, prohibition))
        price = Price(parameters={"per_use_fen": 200, "per_row_fen": 1})
        made.append(Terms(policy, Mode.SQL, 90, price))
    return made


def _holds(operand: str, operator: str, value: Value) -> Constraint:
    return Constraint(operand, operator, value)


def _use() -> Context:
    return Context(
        at=datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
        action="compute",
        subject="N2349900MF00TE5T0Q",
        connector=CONSUMER_NODE,
        product=PRODUCT,
        environment="01",
        purpose="academic-research",
        requested_fields=("carrier", "dep_delay"),
        output_kind="aggregate",
        activation_time=datetime(2026, 11, 20, tzinfo=UTC),
        used_count=2,
        used_in_unit={"PT1M": 2, "PT1H": 2, "P1D": 2},
        used_rows=900,
        request_rows=100,
        more={"executor": PROVIDER_NODE, "provider_node": PROVIDER_NODE},
    )


def _refused_use() -> Context:
    return msgspec.structs.replace(
        _use(),
        purpose="marketing",
        used_count=100_000,
        requested_fields=("carrier", "tailnum"),
    )
