"""Field-value expressions: the small language is read exactly, and nothing else gets through."""

from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huiqi.policy.contradictions import contradictory
from huiqi.policy.errors import WrongPredicate
from huiqi.policy.predicates import Condition, Predicate, parse


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("city = '3401'", "\"city\" = '3401'"),
        ("month>=1 and month<=6", '"month" >= 1 AND "month" <= 6'),
        ("origin in ('JFK','LGA')", "\"origin\" IN ('JFK', 'LGA')"),
        ("d BETWEEN -1.50 AND 2 AND x != 'a'", '"d" BETWEEN -1.50 AND 2 AND "x" <> \'a\''),
        ("城市 = '合肥'", "\"城市\" = '合肥'"),
        ("name = 'O''Hare'", "\"name\" = 'O''Hare'"),
        ('"a ""b" = 1', '"a ""b" = 1'),
        ("a = 1 AND a = 1", '"a" = 1'),
    ],
)
def test_canonical_sql(text: str, sql: str) -> None:
    assert parse(text).sql() == sql


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "1 = 1",
        "a",
        "a =",
        "a = b",
        "a = 1 OR b = 2",
        "a = 1; DROP TABLE x",
        "a = 1 -- comment",
        "a = 1 /* x */",
        "lower(a) = 'x'",
        "a = (SELECT 1)",
        "a IN (SELECT b FROM t)",
        "a IN ()",
        "a LIKE '%x'",
        "a IS NULL",
        "NOT a = 1",
        "a BETWEEN 1",
        "a BETWEEN 1 OR 2",
        "a = 'unclosed",
        "a = E'\\n'",
        "a = 1e5",
        "a = 0x1F",
        "a = 1.2.3",
        "a = ١",
        "a = 'x\x00y'",
        "a = 'x\ny'",
        "a = 1234567890123456789",
        "and = 1",
        "a = 1 AND",
        "a == 1",
        "a = 1 b = 2",
        "a = '" + "x" * 130 + "'",
    ],
)
def test_everything_else_is_refused_with_words(text: str) -> None:
    with pytest.raises(WrongPredicate) as caught:
        parse(text)
    assert "字段值表达式" in caught.value.text("zh")


literals = st.one_of(
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=8),
    st.integers(-(10**12), 10**12),
    st.decimals("-1000", "1000", places=2),
)
names = st.text(st.characters(codec="utf-8", categories=["L", "P"]), min_size=1, max_size=6)
conditions = st.builds(
    lambda column, op, found: Condition(column, op, tuple(found)),
    names,
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.lists(literals, min_size=1, max_size=1),
)


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_the_canonical_text_means_the_same(condition: Condition) -> None:
    predicate = Predicate((condition,))
    assert parse(predicate.sql()) == predicate
    assert parse(predicate.text()) == predicate


def test_hostile_names_and_texts_stay_names_and_texts_in_the_engine() -> None:
    hostile = "x' OR 1=1 --"
    predicate = Predicate(
        (Condition('a"b', "=", (hostile,)), Condition("n", "<", (Decimal("1.5"),)))
    )
    connection = duckdb.connect(":memory:")
    connection.execute('CREATE TABLE t ("a""b" VARCHAR, n INTEGER)')
    connection.execute("INSERT INTO t VALUES (?, 1), ('other', 1), (?, 2)", [hostile, hostile])
    rows = connection.execute(f"SELECT * FROM t WHERE {predicate.sql()}").fetchall()  # noqa: S608 - the point of the test
    assert rows == [(hostile, 1)]
    connection.close()


def test_columns_are_named_once_in_order() -> None:
    assert parse("b = 1 AND a = 2 AND b < 3").columns() == ("b", "a")


@pytest.mark.parametrize(
    ("text", "no_row"),
    [
        ("a = 1 AND a = 2", True),
        ("a = 1 AND b = 2", False),
        ("a = 'x' AND a IN ('y', 'z')", True),
        ("a IN (1, 2) AND a > 1", False),
        ("a > 5 AND a < 3", True),
        ("a > 5 AND a <= 5", True),
        ("a >= 5 AND a <= 5", False),
        ("a BETWEEN 5 AND 3", True),
        ("a = 1 AND a <> 1", True),
        ("a = 1 AND a = 'x'", False),
    ],
)
def test_contradictions(text: str, no_row: bool) -> None:  # noqa: FBT001 - the expected answer
    assert contradictory(parse(text).conditions) is no_row
