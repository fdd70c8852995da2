"""How does a refusal travel between our systems?"""

import msgspec

from huiqi.kernel.errors import HuiqiError


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A typed refusal: stable code, category and a sentence in both languages."""

    code: str
    category: str
    zh: str
    en: str


def refusal_of(error: HuiqiError) -> Refused:
    """The body for ``error``."""
    return Refused(
        code=error.code, category=error.category, zh=error.text("zh"), en=error.text("en")
    )
