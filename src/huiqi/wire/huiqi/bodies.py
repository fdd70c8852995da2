"""How does a document of ours become the body of a message, and back?

The plain dialect is the JSON of our documents: contract and receipt fields carry the names that
T14 and T15 print, actions, constraints and operators their codes. Reading is tolerant of unknown
fields and strict about known ones.
"""

from typing import TypeVar

import msgspec

from huiqi.wire.errors import MessageTooLarge, MessageUnreadable

Document = TypeVar("Document")

# A contract of 500 terms has 60 kB; anything far beyond is not a message of ours.
LARGEST_BODY = 1_048_576
# A lent projection travels inside a message; see docs/controlled-query.md.
LARGEST_PROJECTION = 256 * 1_048_576


def encode(document: object) -> bytes:
    """The JSON body for ``document``."""
    return msgspec.json.encode(document)


def decode(code: str, body: bytes, kind: type[Document], *, most: int = LARGEST_BODY) -> Document:
    """The document of type ``kind`` in ``body``.

    Raises:
        MessageTooLarge: the body is longer than ``most`` bytes.
        MessageUnreadable: not JSON, a field is missing or has a wrong type.
    """
    if len(body) > most:
        raise MessageTooLarge(message=code, limit=most)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageUnreadable(message=code, what=str(error)[:200]) from error
