"""Which identifiers exist, what do they look like, and is this one genuine?

Layouts: NDI-TR-2025-04 (N04) sections 4.1 to 4.3, T14 B.2.2 for contracts. Check character:
GB/T 17710 MOD 37-2 (N04 App. B). Subject codes of organisations: GB 32100.
"""

import secrets
import uuid
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from huiqi.kernel.clock import SHANGHAI
from huiqi.kernel.errors import InvalidError

SubjectCode = NewType("SubjectCode", str)
SystemId = NewType("SystemId", str)
ProductId = NewType("ProductId", str)
ResourceId = NewType("ResourceId", str)
ContractId = NewType("ContractId", str)

ALPHABET_37 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
ALPHABET_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_RANDOM_ALPHABET = ALPHABET_37[:36]
# Emit U+2022 as N04 prints it; peers also send U+00B7.
EXTENSION_SEPARATORS = ("\u2022", "\u00b7")
OBJECT_LENGTH = 32
CONTRACT_LENGTH = 47
SUBJECT_LENGTH = 18
RANDOM_LENGTH = 8
LONGEST_EXTENSION = 32


class WrongIdentifier(InvalidError):
    """An identifier has a wrong length, character, type or check character.

    Copy it again from where it was published; the last character catches most mistakes.
    """

    code = "kernel.wrong_identifier"
    zh = "标识“{identifier}”不正确：{why}"
    en = "Identifier '{identifier}' is not valid: {why}"


class WrongSubjectCode(InvalidError):
    """A unified social credit code fails its check character (GB 32100).

    Compare it with the business licence; letters I, O, S, V and Z never occur.
    """

    code = "kernel.wrong_subject_code"
    zh = "统一社会信用代码“{subject}”不正确，请核对第 18 位校验码"
    en = "Unified social credit code '{subject}' is not valid; check its 18th character"


class ObjectType(StrEnum):
    """First character of an N04 object identifier."""

    GLOBAL_NODE = "1"
    REGIONAL_NODE = "2"
    INDUSTRY_NODE = "3"
    BUSINESS_NODE = "4"
    CONNECTOR = "5"
    PRODUCT = "6"
    RESOURCE = "7"


# T14 does not publish the type character; see docs/divergences.md and spec/README.md conflict 2.
CONTRACT_TYPE = "C"


class IdSource(Protocol):
    """Where fresh identifiers come from; handed in so that tests can foresee them."""

    def uuid(self) -> str:
        """A fresh UUID as 36 lower-case characters."""
        ...

    def random_code(self) -> str:
        """Eight characters of 0-9 A-Z, the random part of N04 identifiers."""
        ...


class RandomIds:
    """Identifiers from the operating system's randomness."""

    def uuid(self) -> str:
        """A version 4 UUID."""
        return str(uuid.uuid4())  # noqa: TID251 - this is the one source of uuids

    def random_code(self) -> str:
        """Eight random characters of 0-9 A-Z."""
        return "".join(secrets.choice(_RANDOM_ALPHABET) for _ in range(RANDOM_LENGTH))


class CountingIds:
    """Foreseeable identifiers for tests and replays: one, two, three."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        """The next number in the form of a UUID."""
        self._count += 1
        return str(uuid.UUID(int=self._count))

    def random_code(self) -> str:
        """The next number as eight digits."""
        self._count += 1
        return f"{self._count:08d}"


def check_character(body: str) -> str:
    """The MOD 37-2 check character of ``body`` (GB/T 17710; N04 App. B).

    >>> check_character("691349900MAXXXX0P1L340100000123")
    '*'
    """
    total = sum(ALPHABET_37.index(c) * pow(2, i, 37) for i, c in enumerate(reversed(body), start=1))
    return ALPHABET_37[(1 - total) % 37]


def split_extension(identifier: str) -> tuple[str, str | None]:
    """The 32-character core and the extension code of a product or resource identifier."""
    for separator in EXTENSION_SEPARATORS:
        core, found, extension = identifier.partition(separator)
        if found:
            return core, extension
    return identifier, None


def object_id(kind: ObjectType, *, subject: str, area: str, random: str) -> str:
    """A 32-character N04 identifier: type, subject 18, area 4, random 8, check 1.

    >>> owner = "91349900MAXXXX0P1L"
    >>> object_id(ObjectType.CONNECTOR, subject=owner, area="3401", random="7Q2M9K4X")
    '591349900MAXXXX0P1L34017Q2M9K4XW'

    Raises:
        WrongIdentifier: a part has a wrong length or character.
    """
    body = f"{kind.value}{subject}{area}{random}"
    identifier = body + check_character(body) if _clean(body) else body + "?"
    check_object_id(identifier)
    return identifier


def check_object_id(identifier: str, *kinds: ObjectType) -> None:
    """Accept a genuine N04 identifier, of one of ``kinds`` when any are given.

    Raises:
        WrongIdentifier: length, characters, type, area, extension or check character are wrong.
    """
    why = _object_fault(identifier)
    if why is None and kinds and identifier[0] not in {kind.value for kind in kinds}:
        why = "type"
    if why is not None:
        raise WrongIdentifier(identifier=identifier[:80], why=why)


def _object_fault(identifier: str) -> str | None:
    core, extension = split_extension(identifier)
    if len(core) != OBJECT_LENGTH:
        return "length"
    if not _clean(core[:-1]) or core[-1] not in ALPHABET_37:
        return "character"
    if core[0] not in "1234567":
        return "type"
    if not core[19:23].isdigit():
        return "area"
    if extension is not None and not (core[0] in "67" and 1 <= len(extension) <= LONGEST_EXTENSION):
        return "extension"
    return None if check_character(core[:-1]) == core[-1] else "check character"


def owner_of(identifier: str) -> SubjectCode:
    """The subject code inside an object identifier: characters 2 to 19 (N04 section 4)."""
    return SubjectCode(identifier[1:19])


def contract_id(*, platform: str, at: datetime, random: str) -> ContractId:
    """A 47-character contract identifier allotted by ``platform`` at ``at``.

    Layout: ``C`` + characters 1 to 23 of the platform's identifier + local time
    ``YYYYMMDDHHMMSS`` (Asia/Shanghai) + random 8 + check (T14 table C.1).

    Raises:
        WrongIdentifier: ``platform`` is not a business node's identifier.
    """
    check_object_id(platform, ObjectType.BUSINESS_NODE)
    stamp = at.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S")
    body = f"{CONTRACT_TYPE}{platform[:23]}{stamp}{random}"
    identifier = body + check_character(body)
    check_contract_id(identifier)
    return ContractId(identifier)


def check_contract_id(identifier: str) -> None:
    """Accept a genuine 47-character contract identifier.

    Raises:
        WrongIdentifier: length, characters, time digits or check character are wrong.
    """
    if len(identifier) != CONTRACT_LENGTH:
        why: str | None = "length"
    elif not _clean(identifier[:-1]) or identifier[-1] not in ALPHABET_37:
        why = "character"
    elif not identifier[24:38].isdigit():
        why = "time"
    else:
        why = None if check_character(identifier[:-1]) == identifier[-1] else "check character"
    if why is not None:
        raise WrongIdentifier(identifier=identifier[:80], why=why)


def check_subject_code(code: str) -> SubjectCode:
    """A genuine unified social credit code (GB 32100, 18 characters).

    Raises:
        WrongSubjectCode: wrong length, character or check character.
    """
    genuine = len(code) == SUBJECT_LENGTH and all(c in ALPHABET_31 for c in code)
    if genuine:
        total = sum(ALPHABET_31.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
        genuine = ALPHABET_31[-total % 31] == code[17]
    if not genuine:
        raise WrongSubjectCode(subject=code[:40])
    return SubjectCode(code)


def _clean(body: str) -> bool:
    return all(c in _RANDOM_ALPHABET for c in body)
