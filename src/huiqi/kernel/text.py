"""How does a sentence that is made deep inside reach a Chinese and an English reader?"""

import msgspec

from huiqi.kernel.errors import Language


class Text(msgspec.Struct, frozen=True):
    """One sentence in both languages, already filled in."""

    zh: str
    en: str

    def read(self, language: Language) -> str:
        """The sentence in ``language``."""
        return self.zh if language == "zh" else self.en
