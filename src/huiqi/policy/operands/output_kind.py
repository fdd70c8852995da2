"""``hq:outputKind``: may an answer hold single records, or aggregates only?"""

from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Context, Strength, Value

KINDS = {"aggregate": Text("统计结果", "aggregates"), "rows": Text("明细记录", "single records")}


@dataclass(frozen=True)
class _Output(Term):
    kinds: tuple[str, ...]

    def value(self) -> Value:
        return list(self.kinds)

    def test(self) -> Test:
        accepted = frozenset(self.kinds)

        def holds(context: Context) -> bool | None:
            kind = context.output_kind
            if kind in accepted:
                return True
            return False if kind in KINDS else None

        return holds

    def sentence(self) -> Text:
        said = wording.listed_names(KINDS[kind] for kind in self.kinds)
        return Text(f"结果只能是：{said.zh}", f"Answers may only be: {said.en}")

    def failure(self, context: Context) -> Text:
        asked = KINDS.get(context.output_kind or "")
        if asked is None:
            return wording.missing("结果类型", "kind of output")
        said = self.sentence()
        return Text(f"{said.zh}；请求的是{asked.zh}", f"{said.en}; asked were {asked.en}")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "查询须符合封闭的统计语法，否则拒绝执行",
                "Queries outside the closed grammar of aggregates are refused",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        only = bounds.aggregate_only or "rows" not in self.kinds
        return msgspec.structs.replace(bounds, aggregate_only=only)

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("output", Choice(frozenset(self.kinds))),)


def _read(_operator: str, value: Value, _: Setting) -> Term:
    kinds = values.texts(value)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise values.wrong(
            unknown[0], "只能是 aggregate 或 rows", "'aggregate' or 'rows' is needed"
        )
    return _Output(kinds)


CAPABILITY = Operand(
    name="hq:outputKind@1",
    operand="hq:outputKind",
    zh="结果类型",
    en="kind of output",
    operators=("isAnyOf",),
    read=_read,
    needs=("output_kind",),
)
