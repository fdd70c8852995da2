"""Into which pieces does a text fall, so that Chinese and English can be searched alike?"""

import re
import unicodedata
from collections.abc import Iterator

# Words that stand in every data catalogue or say nothing; searching for them finds everything.
_GENERIC_WORDS = (
    "a an and any at by data dataset for from in info information of on or record table the to with"
)
_GENERIC_LATIN = frozenset(_GENERIC_WORDS.split())
_GENERIC_CHINESE = re.compile(r"数据集|数据|信息|资料|有关|相关|关于|以及|的|和|与|及|或|了|在")
_PARTS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\W_\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Below this, a final "s" is part of the word: "gas", "bus".
_SHORTEST_PLURAL = 4


def folded(word: str) -> str:
    """A Latin word in lower case and in the singular, by spelling alone.

    >>> [folded(w) for w in ("Flights", "delays", "cities", "airlines", "boxes", "class", "gas")]
    ['flight', 'delay', 'city', 'airline', 'box', 'class', 'gas']
    """
    word = word.casefold()
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > _SHORTEST_PLURAL:
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def parts(text: str) -> Iterator[str]:
    """The runs of Chinese characters and the folded Latin words of ``text``, in order.

    >>> list(parts("航班Delays 2013: dep_delay"))
    ['航班', 'delay', '2013', 'dep', 'delay']
    """
    for run in _PARTS.findall(_CAMEL.sub(" ", unicodedata.normalize("NFKC", text))):
        yield run if is_chinese(run) else folded(run)


def is_chinese(part: str) -> bool:
    """Whether ``part`` is a run of Chinese characters."""
    return bool(_CHINESE.match(part))


def tokens(text: str) -> Iterator[str]:
    """What an index keeps of ``text``: words, overlapping pairs and single characters.

    >>> list(tokens("航班表 x"))
    ['航', '班', '表', '航班', '班表', 'x']
    """
    for part in parts(text):
        if is_chinese(part):
            yield from part
            yield from pairs(part)
        else:
            yield part


def pairs(run: str) -> tuple[str, ...]:
    """The overlapping pairs of a run of Chinese characters."""
    return tuple(run[i : i + 2] for i in range(len(run) - 1))


def terms(query: str) -> tuple[str, ...]:
    """What a query asks for: distinct words and Chinese runs, generic words taken out.

    When nothing but generic words was asked for, they are kept.

    >>> terms("航班延误的数据 of airports")
    ('航班延误', 'airport')
    """
    asked = tuple(parts(query))
    wanted: list[str] = []
    for part in asked:
        if is_chinese(part):
            wanted += [run for run in _GENERIC_CHINESE.split(part) if run]
        elif part not in _GENERIC_LATIN:
            wanted.append(part)
    return tuple(dict.fromkeys(wanted or asked))
