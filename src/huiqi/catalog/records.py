"""Which bytes does a provider sign about a product, and are these bytes what they claim?"""

import re

import msgspec

from huiqi.catalog.errors import ForgedRecord
from huiqi.catalog.types import ProductRecord
from huiqi.kernel.canonical import NotCanonical, canonical_bytes
from huiqi.kernel.ids import ObjectType, WrongIdentifier, check_object_id, owner_of

LARGEST_COUNT = 2**53 - 1
# A letter or underscore of any script, then letters, digits and underscores.
_COLUMN = re.compile(r"[^\W\d]\w{0,62}")


def signed_bytes(record: ProductRecord) -> bytes:
    """The canonical bytes of ``record``: what its provider signs."""
    return canonical_bytes(record)


def record_of(body: bytes) -> ProductRecord:
    """The record in ``body``.

    Raises:
        ForgedRecord: not a product record, or not in its one canonical form (an unknown field,
            another order, blanks), so that a digest would not mean one thing.
    """
    try:
        record = msgspec.json.decode(body, type=ProductRecord)
        canonical = canonical_bytes(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotCanonical) as error:
        raise ForgedRecord(why="form") from error
    if canonical != body:
        raise ForgedRecord(why="form")
    return record


def check_genuine(record: ProductRecord) -> None:
    """Accept a record whose identifiers are genuine and belong to its provider.

    Numbered as in the documentation:
    1. product, resource and connector identifiers have their type and check character (N04)
    2. their characters 2 to 19 are the provider's subject code (N04 section 4)
    3. columns have distinct, usable names; counts are not negative

    Raises:
        ForgedRecord: names the step's subject in ``why``.
    """
    named = (
        (record.id, ObjectType.PRODUCT),
        (record.resource, ObjectType.RESOURCE),
        (record.provider_node, ObjectType.CONNECTOR),
    )
    for identifier, kind in named:
        try:
            check_object_id(identifier, kind)  # 1
        except WrongIdentifier as error:
            raise ForgedRecord(why=f"identifier {identifier[:80]}") from error
        if owner_of(identifier) != record.provider:  # 2
            raise ForgedRecord(why=f"owner of {identifier[:80]}")
    names = [column.name for column in record.columns]  # 3
    if not names or len({name.casefold() for name in names}) < len(names):
        raise ForgedRecord(why="columns")
    if not all(_COLUMN.fullmatch(name) for name in names):
        raise ForgedRecord(why="columns")
    if not 0 <= record.rows <= LARGEST_COUNT or not 1 <= record.version <= LARGEST_COUNT:
        raise ForgedRecord(why="counts")
