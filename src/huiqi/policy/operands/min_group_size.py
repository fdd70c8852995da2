"""``hq:minGroupSize``: behind how many subjects must every group of an answer stand?"""

from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Domain, Span
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Context, Strength, Value

# A larger threshold would refuse every answer; it is a slip of the pen.
LARGEST = 1_000_000


@dataclass(frozen=True)
class _GroupSize(Term):
    least: int

    def value(self) -> Value:
        return self.least

    def test(self) -> Test:
        rows_fit = self.least == 1

        def holds(context: Context) -> bool | None:
            kind = context.output_kind
            return None if kind is None else rows_fit or kind == "aggregate"

        return holds

    def sentence(self) -> Text:
        return Text(
            f"每个统计分组至少包含 {self.least} 个对象",
            f"Every group holds at least {self.least} subjects",
        )

    def failure(self, context: Context) -> Text:
        if context.output_kind is None:
            return wording.missing("结果类型", "kind of output")
        said = self.sentence()
        return Text(f"{said.zh}，不能返回明细", f"{said.en}, so single records cannot be returned")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "封闭的统计语法，有分组过小时整次查询被拒绝；多次查询的差值仍可能泄露信息",
                "A closed grammar of aggregates; a query with a group that is too small is refused "
                "whole; differences of many queries can still tell something",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        return msgspec.structs.replace(bounds, min_group=max(bounds.min_group, self.least))

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("group", Span(least=self.least)),)


def _read(_operator: str, value: Value, _: Setting) -> Term:
    least = values.whole(value)
    if not 1 <= least <= LARGEST:
        raise values.wrong(value, "需要 1 至 1000000", "1 to 1000000 is needed")
    return _GroupSize(least)


CAPABILITY = Operand(
    name="hq:minGroupSize@1",
    operand="hq:minGroupSize",
    zh="最小分组人数",
    en="least group size",
    operators=("gteq",),
    read=_read,
    needs=("output_kind",),
    forbids=False,
)
