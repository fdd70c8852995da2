"""``hq:consumerConnector``: which connectors may ask (T15 table A.1 限定使用连接器)?"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, Strength, Value


@dataclass(frozen=True)
class _Connectors(Term):
    operator: str
    systems: tuple[str, ...]

    def value(self) -> Value:
        return self.systems[0] if self.operator == "eq" else list(self.systems)

    def test(self) -> Test:
        accepted = frozenset(self.systems)

        def holds(context: Context) -> bool | None:
            asking = context.connector
            return asking in accepted if asking else None

        return holds

    def sentence(self) -> Text:
        said = wording.listed(self.systems)
        return Text(f"只能由以下连接器使用：{said.zh}", f"Use only by the connectors: {said.en}")

    def failure(self, context: Context) -> Text:
        if not context.connector:
            return wording.missing("使用方连接器", "consumer's connector")
        said, asking = self.sentence(), context.connector[:40]
        return Text(f"{said.zh}；请求来自 {asking}", f"{said.en}; the request is from {asking}")

    def in_sql(self) -> Held:
        return Held(
            Strength.ENFORCED,
            Text(
                "订单由使用方连接器签名，提供方连接器验签后判断",
                "The order is signed by the connector and its signature checked",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        return (("connector", Choice(frozenset(self.systems))),)


def _read(operator: str, value: Value, _: Setting) -> Term:
    systems = values.texts(value)
    if operator == "eq" and len(systems) > 1:
        raise values.wrong(value, "等于只能有一个值", "'eq' takes one value")
    return _Connectors(operator, systems)


CAPABILITY = Operand(
    name="hq:consumerConnector@1",
    operand="hq:consumerConnector",
    zh="使用方连接器",
    en="consumer's connector",
    operators=("eq", "isAnyOf"),
    read=_read,
    needs=("connector",),
)
