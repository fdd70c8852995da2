"""What does the house know about each operand?

Files in ``operands/`` enforce theirs. A constraint of the standard without such a file is known:
it can be read and shown, but never holds, so nothing with it can be signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from huiqi.kernel.registry import capabilities
from huiqi.kernel.text import Text
from huiqi.policy import values
from huiqi.policy.term import Held, Operand, Setting, Term, Test
from huiqi.policy.types import Value
from huiqi.policy.vocabulary import CONSTRAINTS, Word, operator_word


@dataclass(frozen=True)
class _Known(Term):
    """A constraint that is understood in words but that nothing here can hold yet."""

    word: Word
    operator: str
    given: Value

    def value(self) -> Value:
        return self.given

    def test(self) -> Test:
        return lambda _: None

    def sentence(self) -> Text:
        operator, shown = operator_word(self.operator), self.shown()
        return Text(
            f"{self.word.zh}{operator.zh} {shown.zh}",
            f"The {self.word.en} {operator.en} {shown.en}",
        )

    def in_sql(self) -> Held:
        return Held(
            None,
            Text(
                f"本软件已认识“{self.word.zh}”，但目前不能执行，不能签署",
                f"The {self.word.en} is known but cannot be enforced here yet",
            ),
        )


def _read_known(word: Word, operator: str, value: Value, _: Setting) -> Term:
    given: Value = values.whole(value) if isinstance(value, int) else value
    return _Known(word, operator, given if isinstance(given, int) else _words(given))


def _words(value: str | list[str]) -> str | list[str]:
    return list(values.texts(value)) if isinstance(value, list) else values.text(value)


def _known_only(word: Word) -> Operand:
    return Operand(
        name=f"{word.code}@0",
        operand=word.code,
        zh=word.zh,
        en=word.en,
        operators=word.operators,
        read=partial(_read_known, word),
    )


def _library() -> dict[str, Operand]:
    found = {word.code: _known_only(word) for word in CONSTRAINTS.values()}
    for capability in capabilities("huiqi.policy.operands").values():
        found[capability.operand] = capability
    return found


OPERANDS: Mapping[str, Operand] = _library()
