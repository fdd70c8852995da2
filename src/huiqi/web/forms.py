"""What did a person write into a form?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from litestar.datastructures import UploadFile

from huiqi.kernel.errors import InvalidError

TOKEN_FIELD = "_token"  # noqa: S105 - the name of a field, not a secret
# More digits than any real count; keeps int() cheap.
LONGEST_NUMBER = 15
FEN_PER_YUAN = 100
# Up to a million million yuan, with at most two decimals.
_YUAN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")


class WrongField(InvalidError):
    """One field of a form holds something that cannot be used.

    Correct the field that the sentence names; everything else that was entered is kept.
    """

    code = "web.wrong_field"
    zh = "“{label}”填写有误：{value}"
    en = "'{label}' cannot be used: {value}"

    def __init__(self, field: str, **params: object) -> None:
        self.field = field
        super().__init__(field=field, **params)


@dataclass(frozen=True)
class Form:
    """The fields of one submitted form, each with every value in the order of the page."""

    values: Mapping[str, Sequence[str]]
    files: Mapping[str, UploadFile]

    def text(self, name: str, default: str = "") -> str:
        """The first value without surrounding blanks."""
        found = self.values.get(name)
        return found[0].strip() if found else default

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value that is not blank."""
        return tuple(value.strip() for value in self.values.get(name, ()) if value.strip())

    def has(self, name: str) -> bool:
        """Whether the field came with the form at all: a checked box, a pressed button."""
        return name in self.values

    def whole(self, name: str, *, label: str) -> int | None:
        """A whole number of at least 0, None when blank.

        Raises:
            WrongField: not a whole number.
        """
        given = self.text(name).replace(",", "")
        if not given:
            return None
        if not (given.isascii() and given.isdigit() and len(given) <= LONGEST_NUMBER):
            raise WrongField(name, label=label, value=given[:40])
        return int(given)

    def fen(self, name: str, *, label: str) -> int | None:
        """An amount in yuan with up to two decimals, as fen; None when blank.

        Raises:
            WrongField: not an amount, negative, or finer than one fen.
        """
        given = self.text(name).replace(",", "")
        if not given:
            return None
        if _YUAN.fullmatch(given) is None:
            raise WrongField(name, label=label, value=given[:40])
        return int(Decimal(given) * FEN_PER_YUAN)


def form_of(fields: Mapping[str, object]) -> Form:
    """A ``Form`` from Litestar's multi dictionary or any mapping of names to values or lists."""
    values: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    pairs = fields.multi_items() if hasattr(fields, "multi_items") else fields.items()
    for name, value in pairs:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, UploadFile):
                files[name] = item
            else:
                values.setdefault(name, []).append(str(item))
    return Form(values=values, files=files)
