"""``timeWindow``: a counting window, a span since activation, or a daily slot (T14 C.6 row 2)?

``eq PnX`` is the window in which ``count`` or ``frequency`` of the same rule counts; ``lteq`` and
``lt PnX`` are the span since activation; ``isPartOf HH:MM/HH:MM`` is a daily slot in Shanghai.
"""

from dataclasses import dataclass
from datetime import timedelta

from huiqi.kernel.clock import SHANGHAI
from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value

_BY_CLOCK = Held(
    Strength.ENFORCED,
    Text(
        "每次使用和续租时按提供方连接器的可信时钟判断",
        "Decided by the clock of the provider's connector at each use and renewal",
    ),
)
_NONE = timedelta(0)


@dataclass(frozen=True)
class _Window(Term):
    seconds: int

    def value(self) -> Value:
        return values.span_text(self.seconds)

    def test(self) -> Test:
        return lambda _: True

    def sentence(self) -> Text:
        said = wording.per(self.seconds)
        return Text(f"次数按{said.zh}计", f"Uses are counted {said.en}")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "计数器在使用前原子预留，使用后提交",
                "Counters are reserved before a use and committed after it",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("window", Choice(frozenset({values.span_text(self.seconds)}))),)


@dataclass(frozen=True)
class _Elapsed(Term):
    operator: str
    seconds: int

    def value(self) -> Value:
        return values.span_text(self.seconds)

    def test(self) -> Test:
        limit = timedelta(seconds=self.seconds)
        inside = self.operator == "lteq"

        def holds(context: Context) -> bool | None:
            start = context.activation_time
            if start is None:
                return None
            passed = context.at - start
            return passed >= _NONE and (passed < limit or (inside and passed == limit))

        return holds

    def sentence(self) -> Text:
        said = wording.length(self.seconds)
        return Text(f"合约生效后 {said.zh}内可用", f"Use within {said.en} from activation")

    def failure(self, context: Context) -> Text:
        if context.activation_time is None:
            return wording.missing("合约生效时间", "time of activation")
        said, start = self.sentence(), wording.moment(context.activation_time)
        now = wording.moment(context.at)
        return Text(
            f"{said.zh}，生效时间为 {start}，请求时间为 {now}",
            f"{said.en}; activated at {start}, requested at {now}",
        )

    def in_sql(self) -> Held:
        return _BY_CLOCK

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("elapsed", Span(most=self.seconds - (self.operator == "lt"))),)


@dataclass(frozen=True)
class _Slot(Term):
    start: int
    end: int

    def value(self) -> Value:
        return values.slot_text(self.start, self.end)

    def test(self) -> Test:
        minutes = self._minutes()

        def holds(context: Context) -> bool | None:
            local = context.at.astimezone(SHANGHAI)
            return local.hour * 60 + local.minute in minutes

        return holds

    def _minutes(self) -> frozenset[int]:
        if self.start < self.end:
            return frozenset(range(self.start, self.end))
        return frozenset(range(self.start, values.DAY_MINUTES)) | frozenset(range(self.end))

    def sentence(self) -> Text:
        said = values.slot_text(self.start, self.end).replace("/", "–")
        return Text(
            f"每天只能在 {said}（北京时间）使用", f"Use only at {said} Beijing time each day"
        )

    def failure(self, context: Context) -> Text:
        said, now = self.sentence(), wording.moment(context.at)
        return Text(f"{said.zh}，请求时间为 {now}", f"{said.en}; the request is at {now}")

    def in_sql(self) -> Held:
        return _BY_CLOCK

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("slot", Choice(frozenset(str(minute) for minute in self._minutes()))),)


def _read(operator: str, value: Value, _: Setting) -> Term:
    match operator:
        case "eq":
            return _Window(values.span(value))
        case "isPartOf":
            return _Slot(*values.slot(value))
        case _:
            return _Elapsed(operator, values.span(value))


CAPABILITY = Operand(
    name="timeWindow@1",
    operand="timeWindow",
    zh="时间窗口",
    en="time window",
    operators=("eq", "lteq", "lt", "isPartOf"),
    read=_read,
    needs=("at", "activation_time"),
)
