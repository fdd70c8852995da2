"""``count``: how often may the product be used, in the contract or in a window (T14 C.6 row 6)?"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value


@dataclass(frozen=True)
class _Count(Term):
    operator: str
    limit: int
    window: str | None

    def value(self) -> Value:
        return self.limit

    def test(self) -> Test:
        most, window = self._most(), self.window
        if window is None:

            def in_contract(context: Context) -> bool | None:
                used = context.used_count
                return None if used is None else used < most

            return in_contract

        def in_window(context: Context) -> bool | None:
            counts = context.used_in_unit
            used = None if counts is None else counts.get(window)
            return None if used is None else used < most

        return in_window

    def _most(self) -> int:
        return self.limit if self.operator == "lteq" else self.limit - 1

    def _used(self, context: Context) -> int | None:
        if self.window is None:
            return context.used_count
        return None if context.used_in_unit is None else context.used_in_unit.get(self.window)

    def sentence(self) -> Text:
        most = self._most()
        if self.window is None:
            return Text(f"该合约最多可用 {most} 次", f"The contract allows {most} uses at most")
        said = wording.per(values.span(self.window))
        return Text(
            f"该合约{said.zh}最多可用 {most} 次",
            f"The contract allows {most} uses {said.en} at most",
        )

    def failure(self, context: Context) -> Text:
        used = self._used(context)
        if used is None:
            return wording.missing("已用次数", "number of uses so far")
        said = self.sentence()
        return Text(f"{said.zh}，已用 {used} 次", f"{said.en}; {used} are used")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "次数在使用前原子预留，使用后提交，中断也不会多用",
                "Uses are reserved before and committed after; a crash never gives one more",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        axis = "count" if self.window is None else f"count/{self.window}"
        return ((axis, Span(least=1, most=self._most())),)

    def windows(self) -> tuple[str, ...]:
        return () if self.window is None else (self.window,)


def _read(operator: str, value: Value, setting: Setting) -> Term:
    return _Count(operator, values.whole(value), setting.count_window)


CAPABILITY = Operand(
    name="count@1",
    operand="count",
    zh="使用次数",
    en="number of uses",
    operators=("lteq", "lt"),
    read=_read,
    needs=("used_count", "used_in_unit"),
    forbids=False,
)
