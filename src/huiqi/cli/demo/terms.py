"""Which products are offered in the demo, on which terms?"""

from collections.abc import Sequence
from typing import Any

import msgspec

DAYS = 90
FLIGHT_COLUMNS = (
    "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_delay",
    "carrier", "origin", "dest", "air_time", "distance", "hour", "time_hour",
)  # fmt: skip
# The product also holds the aircraft's tail number, which the contract of the demo leaves out.
OFFERED_FLIGHT_COLUMNS = (*FLIGHT_COLUMNS, "tailnum")
ROUTE_COLUMNS = ("month", "carrier", "flight", "origin", "dest", "air_time", "distance")
WEATHER_COLUMNS = (
    "origin", "year", "month", "day", "hour", "temp", "humid",
    "wind_dir", "wind_speed", "precip", "visib", "time_hour",
)  # fmt: skip
VISIBILITY_COLUMNS = ("origin", "month", "day", "hour", "visib", "pressure", "time_hour")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with a product: the parts of the demo's terms that differ."""

    columns: Sequence[str]
    uses: int
    min_group: int
    purposes: Sequence[str] = ("research", "statistics")
    rows: int = 2000
    per_use_fen: int
    per_row_fen: int
    fee_bp: int = 300
    weight: int = 1
    only: str = ""
    executors: Sequence[str] = ()


def terms(wish: Wish) -> dict[str, Any]:
    """The terms document (JSON) for ``wish``: aggregates only, in SQL mode, for ``DAYS`` days."""
    constraints = [
        _holds("count", "lteq", wish.uses),
        _holds("frequency", "lteq", 200),
        _holds("dateRecord", "lteq", wish.rows),
        _holds("dataField", "isPartOf", list(wish.columns)),
        _holds("executionEnv", "isAnyOf", ["01"]),
        _holds("hq:purpose", "isAnyOf", list(wish.purposes)),
        _holds("hq:minGroupSize", "gteq", wish.min_group),
        _holds("hq:outputKind", "isAnyOf", ["aggregate"]),
    ]
    if wish.only:
        constraints.append(_holds("valueExpression", "eq", wish.only))
    if wish.executors:
        constraints.append(_holds("hq:executor", "isAnyOf", list(wish.executors)))
    return {
        "policy": {
            "rules": [
                {"kind": "permission", "actions": ["compute"], "constraints": constraints},
                {"kind": "prohibition", "actions": ["read"]},
            ]
        },
        "mode": "sql",
        "days": DAYS,
        "price": {
            "plan": "per-use-and-row@1",
            "parameters": {"per_use_fen": wish.per_use_fen, "per_row_fen": wish.per_row_fen},
            "platform_fee_bp": wish.fee_bp,
            "joint_weight": wish.weight,
        },
    }


def _holds(operand: str, operator: str, value: object) -> dict[str, Any]:
    return {"operand": operand, "operator": operator, "value": value}
