"""Which products match a few words, how well, and in which of their fields?

An index in memory; the store stays the truth. Every word of the query must match a product;
when no product has them all, at least half of them must. A Chinese run matches when at least
half of its overlapping character pairs occur. A Latin word that occurs nowhere stands for words
that begin with it or differ by one letter, at half the weight.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from huiqi.catalog.codes import topic_of
from huiqi.catalog.types import ProductRecord
from huiqi.catalog.words import is_chinese, pairs, terms, tokens

# name > keywords > abstract > column meanings > column names
WEIGHTS: Mapping[str, int] = {
    "name": 10,
    "keywords": 8,
    "abstract": 5,
    "topic": 4,
    "meanings": 3,
    "provider": 3,
    "columns": 2,
}
# N05 A.1 gives keywords 128 characters; what is longer is cut, not refused.
LONGEST_QUERY = 128
_MOST_TERMS = 16
_SHORTEST_PREFIX = 3
_SHORTEST_MISSPELT = 5
_SCALE = 100


class Match(NamedTuple):
    """One product that matched; ``fields`` in the order of their weight."""

    id: str
    score: int
    fields: tuple[str, ...]


# How well one term of the query matches the products that have it, and where.
_Found = dict[str, tuple[float, frozenset[str]]]


class Index:
    """Words of products and where they occur. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._where: dict[str, dict[str, frozenset[str]]] = {}
        self._words: dict[str, frozenset[str]] = {}

    def put(self, record: ProductRecord) -> None:
        """Index a product, in place of what was known of it."""
        self.drop(record.id)
        found: dict[str, set[str]] = {}
        for field, text in _texts(record):
            for token in tokens(text):
                found.setdefault(token, set()).add(field)
        for token, fields in found.items():
            self._where.setdefault(token, {})[record.id] = frozenset(fields)
        self._words[record.id] = frozenset(found)

    def drop(self, product_id: str) -> None:
        """Forget a product."""
        for token in self._words.pop(product_id, frozenset()):
            holders = self._where[token]
            del holders[product_id]
            if not holders:
                del self._where[token]

    def find(self, query: str) -> list[Match]:
        """Every match of ``query``, best first; none when it holds no word."""
        wanted = terms(query[:LONGEST_QUERY])[:_MOST_TERMS]
        found = [self._chinese(t) if is_chinese(t) else self._latin(t) for t in wanted]
        matches = _together(found, least=len(wanted)) or _together(
            found, least=(len(wanted) + 1) // 2
        )
        return sorted(matches, key=lambda match: (-match.score, match.id))

    def _latin(self, word: str) -> _Found:
        if word in self._where:
            return self._score((word,), least=1)
        near = tuple(known for known in self._where if _near(word, known))
        return {key: (score / 2, at) for key, (score, at) in self._score(near, least=1).items()}

    def _chinese(self, run: str) -> _Found:
        wanted = pairs(run) or (run,)
        return self._score(wanted, least=(len(wanted) + 1) // 2)

    def _score(self, wanted: tuple[str, ...], *, least: int) -> _Found:
        hits: dict[str, list[tuple[float, frozenset[str]]]] = {}
        for token in wanted:
            holders = self._where.get(token, {})
            rarity = math.log(1 + len(self._words) / len(holders)) if holders else 0.0
            for product_id, fields in holders.items():
                weight = sum(WEIGHTS[field] for field in fields)
                hits.setdefault(product_id, []).append((weight * rarity, fields))
        return {
            product_id: (
                sum(score for score, _ in scores) / len(wanted),
                frozenset().union(*(fields for _, fields in scores)),
            )
            for product_id, scores in hits.items()
            if len(scores) >= least
        }


def _together(found: list[_Found], *, least: int) -> list[Match]:
    everywhere = {product_id for one in found for product_id in one}
    matches = []
    for product_id in everywhere:
        parts = [one[product_id] for one in found if product_id in one]
        if len(parts) < least:
            continue
        fields = frozenset().union(*(at for _, at in parts))
        score = round(_SCALE * sum(score for score, _ in parts))
        ordered = tuple(field for field in WEIGHTS if field in fields)
        matches.append(Match(product_id, max(score, 1), ordered))
    return matches


def _texts(record: ProductRecord) -> Iterator[tuple[str, str]]:
    yield "name", record.name
    yield "abstract", record.abstract
    yield "provider", record.provider_name
    topic = topic_of(record.topic)
    if topic is not None:
        yield "topic", topic.zh
        yield "topic", topic.en
    for keyword in record.keywords:
        yield "keywords", keyword
    for column in record.columns:
        yield "columns", column.name
        yield "meanings", column.meaning
        yield "meanings", column.meaning_en


def _near(word: str, known: str) -> bool:
    if is_chinese(known) or not known.isalpha():
        return False
    if len(word) >= _SHORTEST_PREFIX and known.startswith(word):
        return True
    return len(word) >= _SHORTEST_MISSPELT and word[0] == known[0] and _one_edit(word, known)


def _one_edit(left: str, right: str) -> bool:
    """Whether one letter was changed, left out, added, or swapped with its neighbour."""
    if abs(len(left) - len(right)) > 1:
        return False
    short, long = sorted((left, right), key=len)
    i = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    swapped = short[i + 1 : i + 2] + short[i : i + 1] + short[i + 2 :]
    return short[i + 1 :] == long[i + 1 :] or swapped == long[i:]
