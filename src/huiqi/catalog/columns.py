"""Which columns does a resource or a product show to others, and how much of each?"""

from collections.abc import Mapping, Sequence

import msgspec

from huiqi.catalog.codes import LEVELS, PUBLIC_LEVEL
from huiqi.catalog.errors import UnknownColumn, WrongLevel
from huiqi.catalog.types import Column, Meaning


def types_of(columns: Sequence[Column]) -> dict[str, str]:
    """The DuckDB type of each column by its name, in their order."""
    return {column.name: column.type for column in columns}


def described(columns: Sequence[Column], meanings: Mapping[str, Meaning]) -> tuple[Column, ...]:
    """The columns with what the provider says about them.

    A meaning is found by the column's name or by the header it had in the file. Columns above
    level 1 lose their range: the least and the most value may be somebody's.

    Raises:
        UnknownColumn: a meaning is given for a column that is not there.
        WrongLevel: a level is not 1 to 5.
    """
    known = {column.name for column in columns} | {column.meaning for column in columns}
    for name, meaning in meanings.items():
        if not name or name not in known:
            raise UnknownColumn(column=name[:80])
        if meaning.level not in LEVELS:
            raise WrongLevel(column=name[:80], level=meaning.level[:20])
    return tuple(
        _described(column, meanings.get(column.name) or meanings.get(column.meaning))
        for column in columns
    )


def _described(column: Column, meaning: Meaning | None) -> Column:
    if meaning is None:
        return column
    said = msgspec.structs.replace(
        column,
        meaning=meaning.zh or column.meaning,
        meaning_en=meaning.en,
        level=meaning.level,
    )
    if meaning.level == PUBLIC_LEVEL:
        return said
    return msgspec.structs.replace(said, least="", most="")


def chosen(columns: Sequence[Column], names: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns of an offer, in the order of the resource; None means all.

    Raises:
        UnknownColumn: a name is not there, or none was given.
    """
    if names is None:
        return tuple(columns)
    known = {column.name for column in columns}
    missing = [name for name in names if name not in known]
    if missing or not names:
        raise UnknownColumn(column=missing[0][:80] if missing else "")
    wanted = set(names)
    return tuple(column for column in columns if column.name in wanted)
