"""``hq:privacyUnit``: which column says who a record is about, for counting group sizes?"""

from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import values
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Strength, Value


@dataclass(frozen=True)
class _Unit(Term):
    column: str

    def value(self) -> Value:
        return self.column

    def test(self) -> Test:
        return lambda _: True

    def sentence(self) -> Text:
        return Text(
            f"分组大小按字段 {self.column} 的不同取值计算",
            f"Group sizes count distinct values of {self.column}",
        )

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "改写后的查询按该字段去重计数",
                "The rewritten query counts this field's distinct values",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        return msgspec.structs.replace(bounds, privacy_unit=self.column)

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("unit", Choice(frozenset({self.column}))),)

    def columns(self) -> tuple[str, ...]:
        return (self.column,)


def _read(_operator: str, value: Value, _: Setting) -> Term:
    return _Unit(values.text(value))


CAPABILITY = Operand(
    name="hq:privacyUnit@1",
    operand="hq:privacyUnit",
    zh="隐私单元",
    en="privacy unit",
    operators=("eq",),
    read=_read,
    forbids=False,
)
