"""How does an engine's value become a cell of an answer?"""

import math
from datetime import date, datetime, time
from typing import Any

from huiqi.adapters.engines.frames import Cell

# Beyond this, integers do not fit into MessagePack.
LARGEST = 2**63 - 1


def cell_of(value: Any) -> Cell:
    """A JSON value: NaN and infinity become empty, decimals, dates and the rest text.

    >>> from datetime import datetime
    >>> from decimal import Decimal
    >>> cell_of(datetime(2013, 1, 1, 5)), cell_of(Decimal("1.50")), cell_of(float("nan"))
    ('2013-01-01T05:00:00', '1.50', None)
    """
    match value:
        case None | bool() | str():
            cell: Cell = value
        case int():
            cell = value if abs(value) <= LARGEST else str(value)
        case float():
            cell = value if math.isfinite(value) else None
        case datetime() | date() | time():
            cell = value.isoformat()
        case bytes():
            cell = value.hex()
        case _:
            cell = str(value)
    return cell
