"""Which bytes stand for a document when it is hashed or signed?

Signed documents hold only strings, integers, booleans, null, lists and objects with ASCII keys.
Within these limits sorted compact JSON is the same as RFC 8785 (JCS), at a fiftieth of the cost.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from huiqi.kernel.errors import InvalidError

# Beyond this, JSON numbers are not exact in other languages (RFC 8785, section 3.2.2.3).
LARGEST_INTEGER = 2**53 - 1
DEEPEST = 32


class NotCanonical(InvalidError):
    """The document holds something that has no single byte form; nothing was signed or written.

    Use text, whole numbers up to 2**53-1, booleans, null, lists and objects with ASCII keys.
    """

    code = "kernel.not_canonical"
    zh = "文档不能规范化：{what}"
    en = "The document has no canonical form: {what}"


def canonical_bytes(document: object) -> bytes:
    """UTF-8 JSON, keys sorted by code point, no blanks.

    ``document`` is a msgspec Struct or plain JSON values. Equal documents give equal bytes on
    every machine.

    Raises:
        NotCanonical: a float, a non-ASCII key, an integer beyond 2**53-1, nesting over 32, half
            of a surrogate pair, or an object that JSON does not know.
    """
    try:
        plain = msgspec.to_builtins(document, order="deterministic")
        _check(plain, depth=0)
        return msgspec.json.encode(plain, order="sorted")
    except RecursionError as error:
        raise NotCanonical(what="nesting") from error
    except UnicodeEncodeError as error:
        raise NotCanonical(what="surrogate") from error
    except TypeError as error:
        raise NotCanonical(what=type(document).__name__) from error


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise NotCanonical(what="nesting")
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise NotCanonical(what="integer")
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise NotCanonical(what="key")
                _check(item, depth + 1)
        case Sequence():
            for item in value:
                _check(item, depth + 1)
        case _:
            raise NotCanonical(what=type(value).__name__)
