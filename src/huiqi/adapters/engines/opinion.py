"""Does DuckDB's own parser see the same harmless SELECT that our writer meant?

The guard parses with sqlglot; this is the second opinion, in the process that executes. It lets
pass what ``compute.rendering`` writes and nothing more.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

import duckdb

_CLASSES = frozenset(
    [
        "COLUMN_REF",
        "CONSTANT",
        "FUNCTION",
        "COMPARISON",
        "CONJUNCTION",
        "OPERATOR",
        "BETWEEN",
        "CAST",
        "TYPE",
    ]
)
_FUNCTIONS = frozenset(
    [
        "count_star",
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "round",
        "date_trunc",
        "year",
        "month",
        "row",
        "+",
        "-",
        "*",
        "/",
    ]
)
_OPERATORS = frozenset({"COMPARE_IN", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"})
_NODES = frozenset(
    [
        "SELECT_NODE",
        "BASE_TABLE",
        "JOIN",
        "ORDER_MODIFIER",
        "LIMIT_MODIFIER",
        "ASCENDING",
        "DESCENDING",
    ]
)


class Refused(Exception):
    """DuckDB's parser sees something that we never write."""


def check(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str]) -> None:
    """Accept one plain SELECT over ``tables``.

    Raises:
        Refused: it is something else, or reads something else.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise Refused("one select")
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"] or len(tree["statements"]) != 1:
        raise Refused("not serializable")
    statement = tree["statements"][0]
    if statement["named_param_map"]:
        raise Refused("parameter")
    _walk(statement["node"], tables)


def _walk(node: object, tables: Collection[str]) -> None:
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            _check(part, tables)
            stack += part.values()
        elif isinstance(part, list):
            stack += part


def _check(node: Mapping[str, Any], tables: Collection[str]) -> None:
    if "class" in node:
        _check_expression(node)
    elif node.get("type") == "BASE_TABLE":
        _check_table(node, tables)
    elif node.get("type") == "JOIN":
        if node["join_type"] not in {"INNER", "LEFT"} or node["ref_type"] != "REGULAR":
            raise Refused("join")
    elif node.get("type") == "SELECT_NODE":
        more = (node["qualify"], node["sample"], node["cte_map"]["map"])
        if any(more) or len(node["group_sets"]) > 1:
            raise Refused("clause")
    elif isinstance(node.get("type"), str) and node["type"] not in _NODES:
        raise Refused(node["type"])


def _check_expression(node: Mapping[str, Any]) -> None:
    if node["class"] not in _CLASSES:
        raise Refused(node["class"])
    if node["class"] == "FUNCTION":
        plain = not node["filter"] and not node["order_bys"]["orders"] and not node["schema"]
        if node["function_name"] not in _FUNCTIONS or not plain:
            raise Refused(node["function_name"])
    if node["class"] == "OPERATOR" and node["type"] not in _OPERATORS:
        raise Refused(node["type"])
    if node["type"] == "CONJUNCTION_OR":
        raise Refused("or")


def _check_table(node: Mapping[str, Any], tables: Collection[str]) -> None:
    elsewhere = node["schema_name"] or node["catalog_name"] or node["sample"] or node["at_clause"]
    if elsewhere or node["table_name"] not in tables:
        raise Refused("table")
