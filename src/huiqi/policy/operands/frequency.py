"""``frequency``: how many uses per minute, hour or day (T14 table C.6 row 7)?

The unit is the ``timeWindow eq`` of the same rule when that is PT1M, PT1H or P1D; else P1D, the
strictest reading.
"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value


@dataclass(frozen=True)
class _Frequency(Term):
    operator: str
    limit: int
    unit: str

    def value(self) -> Value:
        return self.limit

    def test(self) -> Test:
        most, unit = self._most(), self.unit

        def holds(context: Context) -> bool | None:
            counts = context.used_in_unit
            used = None if counts is None else counts.get(unit)
            return None if used is None else used < most

        return holds

    def _most(self) -> int:
        return self.limit if self.operator == "lteq" else self.limit - 1

    def sentence(self) -> Text:
        said, most = wording.per(values.span(self.unit)), self._most()
        return Text(f"{said.zh}最多可用 {most} 次", f"At most {most} uses {said.en}")

    def failure(self, context: Context) -> Text:
        used = (context.used_in_unit or {}).get(self.unit)
        if used is None:
            return wording.missing("本时段已用次数", "number of uses in this period")
        said = self.sentence()
        return Text(f"{said.zh}，本时段已用 {used} 次", f"{said.en}; {used} are used in this one")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text("按时段计数，使用前原子预留", "Counted per period, reserved before each use"),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return ((f"frequency/{self.unit}", Span(least=1, most=self._most())),)

    def windows(self) -> tuple[str, ...]:
        return (self.unit,)


def _read(operator: str, value: Value, setting: Setting) -> Term:
    return _Frequency(operator, values.whole(value), setting.frequency_unit)


CAPABILITY = Operand(
    name="frequency@1",
    operand="frequency",
    zh="使用频次",
    en="frequency of use",
    operators=("lteq", "lt"),
    read=_read,
    needs=("used_in_unit",),
    forbids=False,
)
