"""Terms about the flight data that every test of the room starts from."""

from datetime import UTC, datetime

import msgspec

from huiqi.policy.types import (
    Constraint,
    Context,
    Duty,
    Mode,
    Policy,
    Price,
    Rule,
    RuleKind,
    Terms,
    Value,
)

PROVIDER_NODE = "591349900MAXXXX0P1L34017Q2M9K4XW"
CONSUMER_NODE = "552349900MAHU1Q01X9340200000007*"
OTHER_NODE = "5N2349900MF00TE5T0Q3401000000018"
PRODUCT = "691349900MAXXXX0P1L340100000123*"
COLUMNS = (
    "month", "day", "carrier", "origin", "dest", "dep_delay", "arr_delay", "distance",
    "time_hour", "tailnum",
)  # fmt: skip
AT = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)

FLIGHT_TERMS = """
{"policy": {"rules": [{"kind": "permission", "actions": ["compute"], "constraints": [
  {"operand": "time", "operator": "gteq", "value": "20261101000000"},
  {"operand": "time", "operator": "lteq", "value": "20271031235959"},
  {"operand": "count", "operator": "lteq", "value": 500},
  {"operand": "frequency", "operator": "lteq", "value": 60},
  {"operand": "timeWindow", "operator": "eq", "value": "PT1H"},
  {"operand": "dateRecord", "operator": "lteq", "value": 100000},
  {"operand": "dataField", "operator": "isPartOf", "value": ["month", "day", "carrier", "origin",
    "dest", "dep_delay", "arr_delay", "distance", "time_hour"]},
  {"operand": "valueExpression", "operator": "eq",
    "value": "origin IN ('EWR', 'JFK', 'LGA') AND month BETWEEN 1 AND 12"},
  {"operand": "hq:purpose", "operator": "isAnyOf", "value": ["research", "statistics"]},
  {"operand": "hq:minGroupSize", "operator": "gteq", "value": 10},
  {"operand": "hq:privacyUnit", "operator": "eq", "value": "tailnum"},
  {"operand": "hq:outputKind", "operator": "isAnyOf", "value": ["aggregate"]},
  {"operand": "executionEnv", "operator": "eq", "value": "01"},
  {"operand": "hq:consumerConnector", "operator": "isAnyOf",
    "value": ["552349900MAHU1Q01X9340200000007*"]},
  {"operand": "hq:executor", "operator": "isAnyOf",
    "value": ["5N2349900MF00TE5T0Q3401000000018"]}]}]},
 "mode": "sql", "days": 365,
 "price": {"plan": "per-use-and-row@1", "parameters": {"per_use_fen": 200, "per_row_fen": 1},
           "platform_fee_bp": 500, "joint_weight": 1}}
"""


def flight_terms() -> Terms:
    """Realistic terms that can be signed in mode sql."""
    return msgspec.json.decode(FLIGHT_TERMS, type=Terms)


def term(operand: str, operator: str, value: Value) -> Constraint:
    """One constraint."""
    return Constraint(operand, operator, value)


def permit(*constraints: Constraint, actions: tuple[str, ...] = ("compute",)) -> Rule:
    """A permission."""
    return Rule(RuleKind.PERMISSION, actions, constraints)


def forbid(*constraints: Constraint, actions: tuple[str, ...] = ("compute",)) -> Rule:
    """A prohibition."""
    return Rule(RuleKind.PROHIBITION, actions, constraints)


def oblige(action: str) -> Rule:
    """An obligation."""
    return Rule(RuleKind.OBLIGATION, (action,))


def after(rule: Rule, *actions: str) -> Rule:
    """``rule`` with pre-duties."""
    return msgspec.structs.replace(rule, duties=tuple(Duty(action) for action in actions))


def terms_of(*rules: Rule, days: int = 30, mode: Mode = Mode.SQL) -> Terms:
    """Terms with these rules and no price."""
    return Terms(Policy(rules), mode, days, Price())


def use(**changes: object) -> Context:
    """A use that ``flight_terms`` allow, with ``changes``."""
    usual = Context(
        at=AT,
        action="compute",
        subject="52349900MAHU1Q01X9",
        connector=CONSUMER_NODE,
        product=PRODUCT,
        environment="01",
        purpose="academic-research",
        requested_fields=("carrier", "dep_delay"),
        output_kind="aggregate",
        activation_time=datetime(2026, 11, 20, tzinfo=UTC),
        used_count=2,
        used_in_unit={"PT1M": 2, "PT1H": 2, "P1D": 2, "P7D": 2},
        used_rows=900,
        request_rows=100,
        more={"executor": PROVIDER_NODE, "provider_node": PROVIDER_NODE},
    )
    return msgspec.structs.replace(usual, **changes)
