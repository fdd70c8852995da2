"""``time``: is the request's instant inside the agreed range (T14 table C.6 row 1)?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value

_TICK = timedelta(microseconds=1)
_WORDS = {
    "gt": Text("只能在 {} 之后使用", "Use only after {}"),
    "gteq": Text("从 {} 起可以使用", "Use from {} on"),
    "lt": Text("只能在 {} 之前使用", "Use only before {}"),
    "lteq": Text("最晚可用到 {}", "Use until {} at the latest"),
}


@dataclass(frozen=True)
class _Time(Term):
    operator: str
    limit: datetime

    def value(self) -> Value:
        return values.instant_text(self.limit)

    def test(self) -> Test:
        limit = self.limit
        tests: dict[str, Test] = {
            "gt": lambda context: context.at > limit,
            "gteq": lambda context: context.at >= limit,
            "lt": lambda context: context.at < limit,
            "lteq": lambda context: context.at <= limit,
        }
        return tests[self.operator]

    def sentence(self) -> Text:
        said, words = wording.moment(self.limit), _WORDS[self.operator]
        return Text(words.zh.format(said), words.en.format(said))

    def failure(self, context: Context) -> Text:
        said, now = self.sentence(), wording.moment(context.at)
        return Text(f"{said.zh}，请求时间为 {now}", f"{said.en}; the request is at {now}")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "每次使用和续租时按提供方连接器的可信时钟判断，到期即停",
                "Decided by the clock of the provider's connector at each use and renewal",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        at = self.limit
        spans = {
            "gt": Span(least=_ticks(at) + 1),
            "gteq": Span(least=_ticks(at)),
            "lt": Span(most=_ticks(at) - 1),
            "lteq": Span(most=_ticks(at)),
        }
        return (("time", spans[self.operator]),)


def _ticks(at: datetime) -> int:
    return (at - values.EPOCH) // _TICK


def _read(operator: str, value: Value, _: Setting) -> Term:
    return _Time(operator, values.instant(value))


CAPABILITY = Operand(
    name="time@1",
    operand="time",
    zh="时间范围",
    en="time range",
    operators=("gt", "gteq", "lt", "lteq"),
    read=_read,
    needs=("at",),
)
