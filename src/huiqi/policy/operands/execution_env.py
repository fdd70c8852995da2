"""``executionEnv``: in which kind of environment may it run (T14 table C.6 row 15)?

SQL runs in environment 01, usage control; a term that demands another one cannot be held yet.
"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, RuleKind, Strength, Value
from huiqi.policy.vocabulary import ENVIRONMENTS

# Where the query gateway runs: 使用控制.
USAGE_CONTROL = "01"


@dataclass(frozen=True)
class _Environment(Term):
    operator: str
    codes: tuple[str, ...]
    forbids: bool

    def value(self) -> Value:
        single = self.operator in ("eq", "isA") and len(self.codes) == 1
        return self.codes[0] if single else list(self.codes)

    def test(self) -> Test:
        accepted = self._accepted()

        def holds(context: Context) -> bool | None:
            where = context.environment
            return None if where not in ENVIRONMENTS else where in accepted

        return holds

    def _accepted(self) -> frozenset[str]:
        codes = frozenset(self.codes)
        return frozenset(ENVIRONMENTS) - codes if self.operator == "isNoneOf" else codes

    def shown(self) -> Text:
        return wording.listed_names(ENVIRONMENTS[code].name for code in self.codes)

    def sentence(self) -> Text:
        said = self.shown()
        if self.operator == "isNoneOf":
            return Text(f"不得在以下环境运行：{said.zh}", f"Must not run in: {said.en}")
        return Text(f"只能在以下环境运行：{said.zh}", f"Run only in: {said.en}")

    def failure(self, context: Context) -> Text:
        where = ENVIRONMENTS.get(context.environment or "")
        if where is None:
            return wording.missing("运行环境", "execution environment")
        said = self.sentence()
        return Text(f"{said.zh}；本次为{where.zh}", f"{said.en}; this is {where.en}")

    def in_sql(self) -> Held:
        if self.forbids or USAGE_CONTROL in self._accepted():
            return Held(
                Strength.ENFORCED,
                Text(
                    "查询只在提供方连接器的使用控制环境中运行",
                    "Queries run only under the usage control of the connector",
                ),
            )
        return Held(
            None,
            Text("本软件目前只提供使用控制环境（01）", "Only usage control (01) is available here"),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("environment", Choice(self._accepted())),)


def _read(operator: str, value: Value, setting: Setting) -> Term:
    codes = values.texts(value)
    unknown = [code for code in codes if code not in ENVIRONMENTS]
    if unknown:
        raise values.wrong(
            unknown[0], "需要 01 至 07 的环境代码", "a code of an environment, 01 to 07, is needed"
        )
    if operator == "eq" and len(codes) > 1:
        raise values.wrong(value, "等于只能有一个值", "'eq' takes one value")
    return _Environment(operator, codes, setting.kind is RuleKind.PROHIBITION)


CAPABILITY = Operand(
    name="executionEnv@1",
    operand="executionEnv",
    zh="执行环境",
    en="execution environment",
    operators=("eq", "isA", "isAnyOf", "isNoneOf"),
    read=_read,
    needs=("environment",),
)
