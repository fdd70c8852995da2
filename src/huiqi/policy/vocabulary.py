"""Which words may terms use, what are they called, and which other spellings mean the same?

The table is ``vocabulary.json``: actions, constraints and operators of T14 (tables C.5, C.6, 5.2)
and the codes of execution environments.
"""

from collections.abc import Mapping
from importlib import resources

import msgspec

from huiqi.kernel.text import Text
from huiqi.policy.errors import UnreadableVocabulary

# Words that stand for more than a code: T14 App. D row 2, quirk 14.
EXPORT = "export"


class Word(msgspec.Struct, frozen=True):
    """One term of the standard: its code on the wire, its names, and its other spellings."""

    code: str
    zh: str
    en: str
    group: str = ""
    format: str = ""
    number: str = ""
    odrl: str = ""
    operators: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()

    @property
    def name(self) -> Text:
        """What people call it."""
        return Text(self.zh, self.en)


class _Part(msgspec.Struct, frozen=True):
    source: str
    words: tuple[Word, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: str
    actions: _Part
    constraints: _Part
    operators: _Part
    environments: _Part


def _load() -> _File:
    data = resources.files("huiqi.policy").joinpath("vocabulary.json").read_bytes()
    try:
        return msgspec.json.decode(data, type=_File)
    except msgspec.DecodeError as broken:
        raise UnreadableVocabulary from broken


def _by_code(part: _Part) -> dict[str, Word]:
    return {word.code: word for word in part.words}


def _spellings(words: Mapping[str, Word]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words.values():
        for spelling in (*word.accept, word.zh, word.number, word.odrl):
            if spelling and spelling not in words:
                found.setdefault(spelling.casefold(), word.code)
    for code in words:
        found[code.casefold()] = code
    return found


_FILE = _load()
ACTIONS: Mapping[str, Word] = _by_code(_FILE.actions)
CONSTRAINTS: Mapping[str, Word] = _by_code(_FILE.constraints)
OPERATORS: Mapping[str, Word] = _by_code(_FILE.operators)
ENVIRONMENTS: Mapping[str, Word] = _by_code(_FILE.environments)
_ACTION_SPELLINGS = _spellings(ACTIONS)
_CONSTRAINT_SPELLINGS = _spellings(CONSTRAINTS)
_OPERATOR_SPELLINGS = _spellings(OPERATORS)
_ENVIRONMENT_SPELLINGS = _spellings(ENVIRONMENTS)


def action_code(spelling: str) -> str:
    """The code of an action; an unknown spelling comes back as it is, and stays unknown.

    >>> action_code("policyTransmit"), action_code("计算"), action_code("fly")
    ('plicyTransmit', 'compute', 'fly')
    """
    return _ACTION_SPELLINGS.get(spelling.strip().casefold(), spelling)


def operator_name(spelling: str) -> str:
    """The name of an operator from its two-digit code, name or Chinese word.

    >>> operator_name("11"), operator_name("LTEQ"), operator_name("小于或等于")
    ('lteq', 'lteq', 'lteq')
    """
    return _OPERATOR_SPELLINGS.get(spelling.strip().casefold(), spelling)


def operand_code(spelling: str) -> str:
    """The code of a constraint; profile terms (``hq:…``) and unknown words come back as they are.

    >>> operand_code("dataRecord"), operand_code("使用次数"), operand_code("hq:purpose")
    ('dateRecord', 'count', 'hq:purpose')
    """
    return _CONSTRAINT_SPELLINGS.get(spelling.strip().casefold(), spelling)


def environment_code(spelling: str) -> str:
    """The code of an execution environment from ``02``, ``02 数据沙箱`` or ``数据沙箱``.

    >>> environment_code("02 数据沙箱")
    '02'
    """
    word = spelling.strip()
    first = word.partition(" ")[0]
    return _ENVIRONMENT_SPELLINGS.get(
        word.casefold(), _ENVIRONMENT_SPELLINGS.get(first.casefold(), word)
    )


def action_name(code: str) -> Text:
    """What people call an action; its code when it is unknown."""
    return ACTIONS[code].name if code in ACTIONS else Text(code, code)


def operator_word(name: str) -> Text:
    """What people call an operator; its name when it is unknown."""
    return OPERATORS[name].name if name in OPERATORS else Text(name, name)
