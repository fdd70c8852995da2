"""Which items does a list mean that was sent as text, and which codes do its words stand for?"""

import re
from collections.abc import Callable

import msgspec

from huiqi.policy.purposes import purpose_code
from huiqi.policy.types import Constraint, Value
from huiqi.policy.vocabulary import environment_code

_LIST_OPERATORS = frozenset({"isAnyOf", "isAllOf", "isNoneOf", "isPartOf"})
_LISTS = frozenset({"hq:purpose", "executionEnv", "hq:consumerConnector", "hq:executor"})
_SEPARATORS = re.compile(r"[,，、;；]")


def listed_value(constraint: Constraint) -> Constraint:
    """``constraint`` with a list for ``[a, b]``, ``a, b`` or JSON text, and codes for words.

    >>> listed_value(Constraint("dataField", "isA", "[month, origin]")).value
    ['month', 'origin']
    """
    value = constraint.value
    if isinstance(value, str) and _wants_list(constraint):
        value = _items(value)
    if constraint.operand == "hq:purpose":
        value = _each(value, purpose_code)
    if constraint.operand == "executionEnv":
        value = _each(value, environment_code)
    return msgspec.structs.replace(constraint, value=value)


def _wants_list(constraint: Constraint) -> bool:
    if constraint.operand in ("dataField", "hq:outputKind"):
        return True
    return constraint.operand in _LISTS and constraint.operator in _LIST_OPERATORS


def _items(text: str) -> Value:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        bare = text.strip().removeprefix("[").removesuffix("]")
    items = [item.strip().strip("\"'") for item in _SEPARATORS.split(bare)]
    return items if all(items) else text


def _each(value: Value, code: Callable[[str], str]) -> Value:
    if isinstance(value, list):
        return [code(item) for item in value]
    return code(value) if isinstance(value, str) else value
