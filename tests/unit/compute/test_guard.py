"""The guard passes the closed language and refuses everything else, by name."""
# ruff: noqa: S608 - queries under test are put together here; they are never executed as text

import pytest
import sqlglot

from huiqi.compute.errors import QueryRefused, RowFilterUnreadable
from huiqi.compute.guard import LONGEST_QUERY, read_query, read_row_filter
from huiqi.compute.query import (
    Arithmetic,
    Condition,
    Function,
    Key,
    Literal,
    LiteralKind,
    Measure,
    Number,
    Operator,
    Ordering,
    Part,
    Ref,
    Rounded,
    refs_of,
)
from tests.unit.compute.attack_table import ATTACKS

# Refused because there is no such column, when the query is bound: see test_binding.
NAMES = ("76", "85", "86")


@pytest.mark.parametrize("attack", [name for name in ATTACKS if not name.startswith(NAMES)])
def test_every_attempt_of_the_table_is_refused_with_a_reason(attack: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        read_query(ATTACKS[attack].format(file="/etc/hostname"), ("flights",))
    reason = refused.value.reason
    assert reason.code.startswith("query.")
    assert reason.text.zh
    assert reason.text.en


def test_an_aggregate_query_is_read_piece_by_piece() -> None:
    query = read_query(
        "SELECT origin, date_trunc('month', time_hour) AS m, count(*) AS n,"
        " round(100.0 * sum(dep_delay) / count(*), 2) AS share, count(DISTINCT tailnum)"
        " FROM flights WHERE dep_delay >= -5 AND origin IN ('JFK', 'LGA')"
        " AND time_hour BETWEEN DATE '2013-01-01' AND TIMESTAMP '2013-06-30 23:00:00'"
        " AND arr_delay IS NOT NULL AND (dest <> 'BOS')"
        " GROUP BY origin, 2 HAVING COUNT(*) >= 10 ORDER BY n DESC, 1 LIMIT 5;",
        ("flights",),
    )
    origin, month = Key(Ref(0, "origin")), Key(Ref(0, "time_hour"), Part.TRUNC_MONTH)
    share = Arithmetic(
        "/",
        Arithmetic("*", Number("100.0"), Measure(Function.SUM, Ref(0, "dep_delay"))),
        Measure(Function.COUNT_ROWS),
    )
    assert [output.value for output in query.outputs] == [
        origin,
        month,
        Measure(Function.COUNT_ROWS),
        Rounded(share, 2),
        Measure(Function.COUNT_DISTINCT, Ref(0, "tailnum")),
    ]
    assert [output.name for output in query.outputs] == [
        "origin", "m", "n", "share", "count_distinct_tailnum",
    ]  # fmt: skip
    assert query.conditions[0] == Condition(
        Key(Ref(0, "dep_delay")), Operator.GE, (Literal(LiteralKind.NUMBER, "-5"),)
    )
    assert query.conditions[2].values == (
        Literal(LiteralKind.DATE, "2013-01-01"),
        Literal(LiteralKind.TIMESTAMP, "2013-06-30 23:00:00"),
    )
    assert query.conditions[3].operator is Operator.IS_NOT_NULL
    assert (query.having, query.limit) == (10, 5)
    assert query.order == (Ordering(2, True, False), Ordering(0, False, False))  # noqa: FBT003 - fields of a document
    assert "dest" in {ref.name for ref in refs_of(query)}


def test_joins_are_equalities_between_the_new_table_and_an_earlier_one() -> None:
    query = read_query(
        "SELECT w.precip, avg(f.dep_delay) AS d FROM flights f LEFT JOIN weather AS w"
        " ON w.origin = f.origin AND date_trunc('hour', f.time_hour) = w.time_hour"
        " GROUP BY w.precip",
        ("flights", "weather"),
    )
    join = query.joins[0]
    assert join.outer
    assert join.pairs[0] == (Key(Ref(0, "origin")), Key(Ref(1, "origin")))
    assert join.pairs[1] == (Key(Ref(0, "time_hour"), Part.TRUNC_HOUR), Key(Ref(1, "time_hour")))


def test_a_query_for_rows_has_bare_columns_only() -> None:
    query = read_query("SELECT origin, dest d FROM flights WHERE month = 1 LIMIT 7", ("flights",))
    assert not query.aggregate
    assert query.limit == 7
    with pytest.raises(QueryRefused, match="bare column"):
        read_query("SELECT year(time_hour) FROM flights LIMIT 7", ("flights",))


def test_group_by_all_and_by_alias_mean_the_dimensions() -> None:
    for group in ("ALL", "o", "1", "origin"):
        text = f"SELECT origin AS o, count(*) AS n FROM flights GROUP BY {group}"
        assert read_query(text, ("flights",)).outputs[0].value == Key(Ref(0, "origin"))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("qualify", "SELECT a, count(*) AS n FROM flights f JOIN weather w ON f.a=w.a GROUP BY a"),
        ("table", "SELECT x.a, count(*) AS n FROM flights f JOIN weather w ON f.a=w.a GROUP BY 1"),
        ("bare_column", "SELECT count(*) AS n FROM flights f JOIN weather w ON f.a = 1"),
        ("on", "SELECT count(*) AS n FROM flights f JOIN weather w ON f.a = f.b"),
        ("on", "SELECT count(*) AS n FROM flights f JOIN weather w ON f.a < w.a"),
        ("on", "SELECT count(*) AS n FROM flights f JOIN weather w ON f.a = w.a OR f.b = w.b"),
        ("join", "SELECT count(*) AS n FROM flights f RIGHT JOIN weather w ON f.a = w.a"),
        ("join", "SELECT count(*) AS n FROM flights f CROSS JOIN weather w"),
        ("join", "SELECT count(*) AS n FROM flights f, weather w"),
        ("clause", "SELECT count(*) AS n FROM flights f JOIN weather w USING (a)"),
        ("clause", "SELECT count(*) AS n FROM flights f ASOF JOIN weather w ON f.a >= w.a"),
        ("alias", "SELECT count(*) AS n FROM flights x JOIN weather X ON x.a = x.b"),
    ],
)  # fmt: skip
def test_joins_outside_the_language_are_refused(rule: str, text: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        read_query(text, ("flights", "weather"))
    assert refused.value.reason.code == f"query.{rule}"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("unused", "SELECT count(*) AS n FROM weather"),
        ("table", "SELECT count(*) AS n FROM passengers"),
        ("from", "SELECT 1 AS x"),
        ("measure", "SELECT origin FROM flights, weather GROUP BY origin"),
    ],
)
def test_tables_are_those_of_the_order(rule: str, text: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        read_query(text.replace(", weather", ""), ("flights", "weather")[: 1 + (rule == "unused")])
    assert refused.value.reason.code == f"query.{rule}"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("length", ""),
        ("length", "SELECT count(*) AS n FROM flights WHERE a = '" + "x" * LONGEST_QUERY + "'"),
        ("deep", "SELECT " + "(" * 40 + "count(*)" + ")" * 40 + " AS n FROM flights"),
        ("deep", "SELECT " + "1+" * 30 + "count(*) AS n FROM flights"),
        ("syntax", "SELECT count(* FROM flights"),
        ("syntax", "SELECT 'open FROM flights"),
        ("group", "SELECT origin, count(*) AS n FROM flights"),
        ("group", "SELECT origin, count(*) AS n FROM flights GROUP BY origin, dest"),
        ("twice", "SELECT count(*) AS n, sum(a) AS N FROM flights"),
        ("alias", "SELECT count(*) + 1 FROM flights"),
        ("alias", "SELECT count(*) AS __group_0 FROM flights"),
        ("having", "SELECT count(*) AS n FROM flights HAVING sum(a) >= 3"),
        ("having", "SELECT count(*) AS n FROM flights HAVING count(*) >= 1.5"),
        ("having", "SELECT count(*) AS n FROM flights HAVING count(*) <= 3"),
        ("limit", "SELECT a FROM flights LIMIT 0"),
        ("limit", "SELECT a FROM flights LIMIT 1+1"),
        ("clause", "SELECT a FROM flights LIMIT 10%"),
        ("order", "SELECT a FROM flights ORDER BY b LIMIT 1"),
        ("position", "SELECT a FROM flights ORDER BY 7 LIMIT 1"),
        ("list", f"SELECT a FROM flights WHERE b IN ({', '.join(['1'] * 101)}) LIMIT 1"),
        ("literal", "SELECT a FROM flights WHERE b = c LIMIT 1"),
        ("literal", "SELECT a FROM flights WHERE b = abs(1) LIMIT 1"),
        ("literal", "SELECT a FROM flights WHERE d > current_date LIMIT 1"),
        ("cast", "SELECT a FROM flights WHERE b = CAST('1' AS INT) LIMIT 1"),
        ("date", "SELECT a FROM flights WHERE d = DATE '2013-02-30' LIMIT 1"),
        ("zone", "SELECT a FROM flights WHERE d = TIMESTAMP '2013-02-03 01:00:00+08' LIMIT 1"),
        ("number", "SELECT a FROM flights WHERE b = 1e400 LIMIT 1"),
        ("unit", "SELECT date_trunc('decade', d) AS x, count(*) AS n FROM flights GROUP BY ALL"),
        ("round", "SELECT round(avg(a), 99) AS x FROM flights"),
        ("condition", "SELECT a FROM flights WHERE b LIKE 'x%' LIMIT 1"),
        ("condition", "SELECT a FROM flights WHERE b LIMIT 1"),
        ("bare_column", "SELECT a FROM flights WHERE abs(b) = 1 LIMIT 1"),
        ("null", "SELECT a FROM flights WHERE b IS TRUE LIMIT 1"),
        ("distinct", "SELECT count(DISTINCT a, b) AS n FROM flights"),
    ],
)
def test_what_is_outside_the_language_is_refused_by_its_rule(rule: str, text: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        read_query(text, ("flights",))
    assert refused.value.reason.code == f"query.{rule}"


def test_text_literals_cannot_break_out() -> None:
    query = read_query(
        "SELECT a FROM flights WHERE b = 'x'' OR 1=1 --' AND c = '中文' LIMIT 1", ("flights",)
    )
    assert query.conditions[0].values[0].text == "x' OR 1=1 --"
    with pytest.raises(QueryRefused, match="binary"):
        read_query("SELECT a FROM flights WHERE b = 'x\u200b\x07' LIMIT 1", ("flights",))


def test_a_row_filter_is_a_list_of_conditions_and_nothing_more() -> None:
    conditions = read_row_filter("\"origin\" IN ('EWR', 'JFK') AND month BETWEEN 1 AND 12")
    assert [condition.operator for condition in conditions] == [Operator.IN, Operator.BETWEEN]
    for smuggled in ("a = 1 LIMIT 1", "a = 1 OR b = 2", "a = 1 ORDER BY x", "a = 1; DROP TABLE t",
                     "a = 1 GROUP BY x", "", "a = (SELECT 1)"):  # fmt: skip
        with pytest.raises(RowFilterUnreadable):
            read_row_filter(smuggled)


def test_the_parser_is_the_version_whose_tree_was_studied() -> None:
    assert sqlglot.__version__.startswith("30."), "read the guard again before a new major version"
