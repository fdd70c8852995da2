"""How strongly is each condition held? One line for each term, with ■ ◧ □ or ×."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from huiqi.kernel.money import yuan
from huiqi.policy.service import Policies, Purpose
from huiqi.policy.types import EnforceabilityReport, Finding, Price, Strength, TermReport
from huiqi.web.i18n import Tongue
from huiqi.web.words import STRENGTH_MARK, STRENGTH_WORD

_TONE = {
    Strength.ENFORCED: "ok",
    Strength.DETECTED: "warn",
    Strength.PROMISED: "idle",
    None: "bad",
}
BASIS_POINTS_PER_PERCENT = 100


@dataclass(frozen=True)
class Condition:
    """One term as a line: mark and word of its strength, the sentence, the reason."""

    mark: str
    word: str
    tone: str
    sentence: str
    reason: str


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


def conditions(tongue: Tongue, report: EnforceabilityReport) -> tuple[Condition, ...]:
    """The report as lines in the reader's language."""
    return tuple(_line(tongue, term) for term in report.terms)


def _line(tongue: Tongue, term: TermReport) -> Condition:
    return Condition(
        mark=STRENGTH_MARK[term.strength],
        word=tongue.say(STRENGTH_WORD[term.strength]),
        tone=_TONE[term.strength],
        sentence=tongue.read(term.term),
        reason=tongue.read(term.reason),
    )


def objections(tongue: Tongue, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The errors among findings, as sentences: why something cannot be signed or published."""
    return tuple(tongue.read(f.text) for f in findings if f.severity == "error")


def price_facts(tongue: Tongue, price: Price) -> tuple[Fact, ...]:
    """What use costs, line by line."""
    facts = []
    per_use = price.parameters.get("per_use_fen", 0)
    per_row = price.parameters.get("per_row_fen", 0)
    if per_use:
        facts.append(Fact(tongue.say("每次使用"), f"¥ {yuan(per_use)}"))
    if per_row:
        facts.append(Fact(tongue.say("每行结果"), f"¥ {yuan(per_row)}"))
    if not facts:
        facts.append(Fact(tongue.say("价格"), tongue.say("免费")))
    if price.platform_fee_bp:
        share = price.platform_fee_bp / BASIS_POINTS_PER_PERCENT
        facts.append(Fact(tongue.say("其中平台服务费"), f"{share:g}%"))
    return tuple(facts)


def price_line(tongue: Tongue, price: Price) -> str:
    """What use costs in one short line: ``¥ 2.00 / 次，¥ 0.01 / 行``."""
    parts = []
    per_use = price.parameters.get("per_use_fen", 0)
    per_row = price.parameters.get("per_row_fen", 0)
    if per_use:
        parts.append(tongue.say("¥ %(amount)s / 次", amount=yuan(per_use)))
    if per_row:
        parts.append(tongue.say("¥ %(amount)s / 行", amount=yuan(per_row)))
    return tongue.among(parts) if parts else tongue.say("免费")


@cache
def known_purposes() -> Mapping[str, Purpose]:
    """Every purpose by its code, parents first; they are the same in every system."""
    return {purpose.code: purpose for purpose in Policies().purposes()}


class PurposeChoice(NamedTuple):
    """A purpose to choose; ``plain`` ones are shown at once, the others folded."""

    code: str
    word: str
    plain: bool


def purposes(tongue: Tongue, chosen: Sequence[str] = ()) -> tuple[PurposeChoice, ...]:
    """Purposes to choose from; chosen ones that are not known follow as they are."""
    known = known_purposes()
    listed = (
        PurposeChoice(p.code, tongue.read(p.name), not p.parent or p.code in chosen)
        for p in known.values()
    )
    return (
        *listed,
        *(PurposeChoice(code, code, plain=True) for code in chosen if code not in known),
    )


def purpose_word(tongue: Tongue, code: str) -> str:
    """What a purpose is called; an unknown one is shown by its code."""
    known = known_purposes().get(code)
    return tongue.read(known.name) if known else code
