"""``dateRecord``: how many records may all answers together hold (T14 table C.6 row 9)?"""

from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Context, Strength, Value


@dataclass(frozen=True)
class _Records(Term):
    operator: str
    limit: int

    def value(self) -> Value:
        return self.limit

    def test(self) -> Test:
        most = self._most()

        def holds(context: Context) -> bool | None:
            used, asked = context.used_rows, context.request_rows
            return None if used is None or asked is None else used + asked <= most

        return holds

    def _most(self) -> int:
        return self.limit if self.operator == "lteq" else self.limit - 1

    def sentence(self) -> Text:
        most = self._most()
        return Text(
            f"全部结果合计最多 {most} 行", f"All answers together hold {most} records at most"
        )

    def failure(self, context: Context) -> Text:
        used, asked = context.used_rows, context.request_rows
        if used is None or asked is None:
            return wording.missing("记录行数", "number of records")
        said = self.sentence()
        return Text(
            f"{said.zh}，已用 {used} 行，本次请求 {asked} 行",
            f"{said.en}; {used} are used and {asked} asked",
        )

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "结果行数在返回前计入，超出即拒绝",
                "Rows are counted before they leave; more is refused",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        most = self._most() if bounds.most_rows is None else min(bounds.most_rows, self._most())
        return msgspec.structs.replace(bounds, most_rows=max(most, 0))

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("records", Span(least=1, most=self._most())),)


def _read(operator: str, value: Value, _: Setting) -> Term:
    return _Records(operator, values.whole(value))


CAPABILITY = Operand(
    name="dateRecord@1",
    operand="dateRecord",
    zh="数据记录数",
    en="number of records",
    operators=("lteq", "lt"),
    read=_read,
    needs=("used_rows", "request_rows"),
    forbids=False,
)
