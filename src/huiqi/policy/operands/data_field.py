"""``dataField``: which columns may be asked for (T14 table C.6 row 10)?

In a permission every asked column must be in the list (``isNoneOf``: outside it). In a prohibition
one such column is enough, else a forbidden column could hide among others.
"""

from dataclasses import dataclass

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Bounds, Context, RuleKind, Strength, Value


@dataclass(frozen=True)
class _Fields(Term):
    operator: str
    fields: tuple[str, ...]
    forbids: bool

    def value(self) -> Value:
        return list(self.fields)

    def test(self) -> Test:
        exact = frozenset(self.fields)
        folded = frozenset(field.casefold() for field in self.fields)
        outside = self.operator == "isNoneOf"
        forbids = self.forbids

        def inside_only(context: Context) -> bool | None:
            asked = context.requested_fields
            return None if asked is None else exact.issuperset(asked)

        def none_inside(context: Context) -> bool | None:
            asked = context.requested_fields
            return None if asked is None else folded.isdisjoint(f.casefold() for f in asked)

        def some_inside(context: Context) -> bool | None:
            free = none_inside(context)
            return None if free is None else not free

        def some_outside(context: Context) -> bool | None:
            covered = inside_only(context)
            return None if covered is None else not covered

        if forbids:
            return some_outside if outside else some_inside
        return none_inside if outside else inside_only

    def sentence(self) -> Text:
        said = wording.listed(self.fields)
        if self.operator == "isNoneOf":
            return Text(f"不得使用字段：{said.zh}", f"These fields must not be used: {said.en}")
        return Text(f"只能使用字段：{said.zh}", f"Only these fields may be used: {said.en}")

    def failure(self, context: Context) -> Text:
        asked = context.requested_fields
        if asked is None:
            return wording.missing("请求的字段", "list of requested fields")
        said, wrong = self.sentence(), wording.listed(self._wrong(asked))
        return Text(
            f"{said.zh}；请求了不允许的字段：{wrong.zh}",
            f"{said.en}; not allowed but requested: {wrong.en}",
        )

    def _wrong(self, asked: tuple[str, ...]) -> list[str]:
        if self.operator == "isNoneOf":
            folded = {field.casefold() for field in self.fields}
            return [field for field in asked if field.casefold() in folded]
        return [field for field in asked if field not in self.fields]

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "只把允许的列放入合约专用的加密投影，其他列物理上不存在",
                "Only granted columns are in the contract's encrypted projection",
            ),
        )

    def narrowed(self, bounds: Bounds) -> Bounds:
        if self.operator == "isNoneOf":
            denied = dict.fromkeys((*bounds.fields_denied, *self.fields))
            return msgspec.structs.replace(bounds, fields_denied=tuple(denied))
        before = bounds.fields
        fields = self.fields if before is None else tuple(f for f in before if f in self.fields)
        return msgspec.structs.replace(bounds, fields=fields)

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        names = frozenset(self.fields)
        if self.operator == "isNoneOf":
            return (("fields", Choice(without=names)),)
        return (("fields", Choice(names)),)

    def columns(self) -> tuple[str, ...]:
        return self.fields


def _read(operator: str, value: Value, setting: Setting) -> Term:
    return _Fields(operator, values.texts(value), setting.kind is RuleKind.PROHIBITION)


CAPABILITY = Operand(
    name="dataField@1",
    operand="dataField",
    zh="数据字段",
    en="data fields",
    operators=("isA", "isAnyOf", "isAllOf", "isPartOf", "isNoneOf"),
    read=_read,
    needs=("requested_fields",),
)
