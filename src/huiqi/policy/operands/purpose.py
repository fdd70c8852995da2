"""``hq:purpose``: for what may it be used (profile term; purposes after W3C DPV)?

A purpose that is not in the table counts as not known: it refuses, also for ``isNoneOf``.
"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.purposes import KNOWN_SPELLINGS, PURPOSES, below, purpose_code, spellings
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value


@dataclass(frozen=True)
class _Purposes(Term):
    operator: str
    codes: tuple[str, ...]

    def value(self) -> Value:
        single = self.operator in ("eq", "isA")
        return self.codes[0] if single else list(self.codes)

    def test(self) -> Test:
        accepted = spellings(self._accepted())

        def holds(context: Context) -> bool | None:
            declared = context.purpose
            if declared in accepted:
                return True
            return False if declared in KNOWN_SPELLINGS else None

        return holds

    def _accepted(self) -> frozenset[str]:
        if self.operator == "eq":
            return frozenset(self.codes)
        covered = frozenset().union(*(below(code) for code in self.codes))
        return frozenset(PURPOSES) - covered if self.operator == "isNoneOf" else covered

    def shown(self) -> Text:
        return wording.listed_names(PURPOSES[code].name for code in self.codes)

    def sentence(self) -> Text:
        said = self.shown()
        if self.operator == "isNoneOf":
            return Text(f"不得用于：{said.zh}", f"Must not be used for: {said.en}")
        return Text(f"只能用于：{said.zh}", f"Only for the purpose of: {said.en}")

    def failure(self, context: Context) -> Text:
        declared = context.purpose
        if declared is None:
            return wording.missing("使用目的", "purpose")
        said = self.sentence()
        if declared not in KNOWN_SPELLINGS:
            return Text(
                f"{said.zh}；声明的目的“{declared[:40]}”不在目的表中",
                f"{said.en}; the declared purpose '{declared[:40]}' is not in the table",
            )
        name = PURPOSES[purpose_code(declared)].name
        return Text(f"{said.zh}；声明的目的为{name.zh}", f"{said.en}; declared was {name.en}")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "按使用方签名订单中声明的目的判断；声明是否属实只能事后核查",
                "Decided by the purpose in the consumer's signed order; "
                "whether the claim is true can only be checked afterwards",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("purpose", Choice(self._accepted())),)


def _read(operator: str, value: Value, _: Setting) -> Term:
    codes = values.texts(value)
    unknown = [code for code in codes if code not in PURPOSES]
    if unknown:
        raise values.wrong(unknown[0], "不在目的表中", "not in the table of purposes")
    if operator in ("eq", "isA") and len(codes) > 1:
        raise values.wrong(value, "只能有一个目的", "one purpose only")
    return _Purposes(operator, codes)


CAPABILITY = Operand(
    name="hq:purpose@1",
    operand="hq:purpose",
    zh="使用目的",
    en="purpose",
    operators=("isA", "isAnyOf", "isNoneOf", "eq"),
    read=_read,
    needs=("purpose",),
)
