"""``valueExpression``: which rows are granted (T14 table C.6 row 11)?

It is no question to a request: rows outside it are not in the projection at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import predicates, values
from huiqi.policy.domains import Conditions, Domain
from huiqi.policy.fitting import misfits
from huiqi.policy.predicates import LONGEST, Predicate
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Strength, Value


@dataclass(frozen=True)
class _Rows(Term):
    predicate: Predicate
    written: str

    def value(self) -> Value:
        canonical = self.predicate.text()
        return canonical if len(canonical) <= LONGEST else self.written

    def test(self) -> Test:
        return lambda _: True

    def sentence(self) -> Text:
        said = self.predicate.text()
        return Text(f"只能使用满足条件的记录：{said}", f"Only records where {said} may be used")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "只把满足条件的行放入合约专用的加密投影，其他行物理上不存在",
                "Only granted rows are in the contract's encrypted projection",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        mine, before = self.predicate.sql(), bounds.row_filter
        columns = dict.fromkeys((*bounds.row_filter_columns, *self.predicate.columns()))
        return msgspec.structs.replace(
            bounds,
            row_filter=mine if before is None else f"{before} AND {mine}",
            row_filter_columns=tuple(columns),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("rows", Conditions(frozenset(self.predicate.conditions))),)

    def columns(self) -> tuple[str, ...]:
        return self.predicate.columns()

    def misfits(self, types: Mapping[str, str]) -> tuple[Text, ...]:
        return tuple(misfit.text() for misfit in misfits(self.predicate, types))


def _read(_operator: str, value: Value, _: Setting) -> Term:
    written = values.text(value)
    return _Rows(predicates.parse(written), written)


CAPABILITY = Operand(
    name="valueExpression@1",
    operand="valueExpression",
    zh="数据字段值",
    en="field values",
    operators=("eq", "isA"),
    read=_read,
    forbids=False,
)
