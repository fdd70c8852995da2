"""``hq:executor``: which connectors besides the provider's own may run a joint query?

Without this term only the provider's own node may: ``ownership`` adds that to every permission.
"""

from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.domains import Choice, Domain
from huiqi.policy.ownership import OWN, executor_of, run_at_home
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Context, RuleKind, Strength, Value


@dataclass(frozen=True)
class _Executors(Term):
    systems: tuple[str, ...]
    forbids: bool

    def value(self) -> Value:
        return list(self.systems)

    def test(self) -> Test:
        accepted = frozenset(self.systems)
        if self.forbids:
            return lambda context: _named(context, accepted)

        def holds(context: Context) -> bool | None:
            return _named(context, accepted) or run_at_home(context)

        return holds

    def sentence(self) -> Text:
        said = wording.listed(self.systems)
        return Text(
            f"除提供方连接器外，还可由以下连接器执行联合查询：{said.zh}",
            f"Besides the provider's own, these connectors may run a joint query: {said.en}",
        )

    def failure(self, context: Context) -> Text:
        executor = executor_of(context)
        if executor is None:
            return wording.missing("执行连接器", "executing connector")
        said = self.sentence()
        return Text(
            f"{said.zh}；本次执行连接器为 {executor[:40]}",
            f"{said.en}; this one is {executor[:40]}",
        )

    def in_sql(self) -> Held:
        return Held(
            Strength.DETECTED,
            Text(
                "加密投影会出借给对方连接器，由对方软件执行约束，事后凭回执核查",
                "The other connector's software holds it; receipts show it afterwards",
            ),
        )

    def axes(self) -> tuple[tuple[str, Domain], ...]:
        own = frozenset() if self.forbids else frozenset({OWN})
        return (("executor", Choice(frozenset(self.systems) | own)),)


def _named(context: Context, systems: frozenset[str]) -> bool | None:
    executor = executor_of(context)
    return None if executor is None else executor in systems


def _read(_operator: str, value: Value, setting: Setting) -> Term:
    return _Executors(values.texts(value), setting.kind is RuleKind.PROHIBITION)


CAPABILITY = Operand(
    name="hq:executor@1",
    operand="hq:executor",
    zh="执行连接器",
    en="executing connector",
    operators=("isAnyOf",),
    read=_read,
    needs=("more.executor",),
)
