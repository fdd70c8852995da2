"""Which bytes stand for the rows that a use returned?

Both sides hash the same bytes: the provider when it signs the receipt, the consumer when it
checks what arrived. Canonical documents hold no floats, so a float becomes ``{"f": "0.1"}`` with
its shortest exact text, and an integer beyond 2**53-1 becomes ``{"i": "…"}``; text, truth values,
smaller integers and empty cells stand for themselves.
"""

from collections.abc import Sequence
from math import isfinite

import msgspec

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.usage.errors import ResultNotCanonical, WrongResult

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]
_Plain = str | int | bool | dict[str, str] | None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    # The order of the fields is that of sorted keys, so that the bytes are canonical.
    columns: tuple[str, ...]
    rows: tuple[tuple[_Plain, ...], ...]
    v: int = 1


def result_bytes(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The canonical bytes of a result: column names, then rows in the order returned.

    >>> result_bytes(["n", "mean"], [[3, 0.5]])
    b'{"columns":["n","mean"],"rows":[[3,{"f":"0.5"}]],"v":1}'

    Raises:
        ResultNotCanonical: a row is not as wide as the header, or a cell is infinite, not a
            number, or of a type that JSON does not have.
    """
    width = len(columns)
    plain = []
    for row in rows:
        if len(row) != width:
            raise ResultNotCanonical(what="width")
        plain.append(tuple(_plain(cell) for cell in row))
    return msgspec.json.encode(_Table(columns=tuple(columns), rows=tuple(plain)))


def result_table(data: bytes) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Columns and rows from the bytes that ``result_bytes`` made.

    Raises:
        WrongResult: the bytes were not made by ``result_bytes``.
    """
    try:
        table = msgspec.json.decode(data, type=_Table)
        rows = tuple(tuple(_cell(value) for value in row) for row in table.rows)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise WrongResult(what="form") from error
    return table.columns, rows


def _plain(cell: object) -> _Plain:
    if cell is None or isinstance(cell, str | bool):
        return cell
    if isinstance(cell, int):
        return cell if abs(cell) <= LARGEST_INTEGER else {"i": str(cell)}
    # What engines hand over is not always what the types say.
    if not isinstance(cell, float) or not isfinite(cell):
        raise ResultNotCanonical(what=type(cell).__name__)
    return {"f": repr(cell)}


def _cell(value: _Plain) -> Cell:
    if not isinstance(value, dict):
        return value
    match value:
        case {"f": text, **rest} if not rest:
            return float(text)
        case {"i": text, **rest} if not rest:
            return int(text)
        case _:
            raise ValueError("unknown cell")
