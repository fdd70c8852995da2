"""A query fits its columns or is refused, and demands exactly what it touches."""

from pathlib import Path

import pytest

from huiqi.catalog.types import Column
from huiqi.compute.binding import bind, demand_of
from huiqi.compute.errors import QueryRefused, RowFilterUnreadable
from huiqi.compute.guard import read_query
from huiqi.compute.rendering import GroupCheck, quoted, sql_of
from huiqi.compute.shaping import granted, shape_of
from huiqi.kernel.ids import ContractId
from huiqi.policy.types import Bounds
from tests.unit.compute.attack_table import ATTACKS

FLIGHTS = (
    Column(name="origin", type="VARCHAR"),
    Column(name="carrier", type="VARCHAR"),
    Column(name="month", type="INTEGER"),
    Column(name="dep_delay", type="INTEGER"),
    Column(name="price", type="DECIMAL(10,2)"),
    Column(name="time_hour", type="TIMESTAMP"),
    Column(name="day", type="DATE"),
    Column(name="tailnum", type="VARCHAR"),
    Column(name="cancelled", type="BOOLEAN"),
    Column(name="tags", type="VARCHAR[]"),
)
WEATHER = (
    Column(name="origin", type="VARCHAR"),
    Column(name="time_hour", type="TIMESTAMP"),
    Column(name="precip", type="DOUBLE"),
)
CONTRACT = ContractId("C" * 47)


def sql(text: str, **more: object) -> str:
    query = bind(read_query(text, ("flights",)), [FLIGHTS])
    checks = more.get("checks", ())
    return sql_of(query, ["p_1"], checks=checks, most_rows=int(str(more.get("most", 100))))


def refusal(text: str) -> str:
    with pytest.raises(QueryRefused) as refused:
        bind(read_query(text, ("flights",)), [FLIGHTS])
    return refused.value.reason.code


def test_the_demand_names_every_column_that_is_touched_in_the_products_spelling() -> None:
    query = read_query(
        "SELECT f.ORIGIN, avg(F.dep_delay) AS d FROM flights f WHERE Month = 1 GROUP BY f.ORIGIN",
        ("flights",),
    )
    demand = demand_of(query, "flights", contract=CONTRACT, purpose="research", columns=FLIGHTS)
    assert demand.fields == ("dep_delay", "month", "origin")
    assert (demand.action, demand.output_kind) == ("compute", "aggregate")
    rows = read_query("SELECT origin FROM flights LIMIT 1", ("flights",))
    demand = demand_of(rows, "flights", contract=CONTRACT, purpose="research", columns=FLIGHTS)
    assert (demand.action, demand.output_kind) == ("read", "rows")


def test_each_contract_of_a_join_is_asked_for_its_own_columns_only() -> None:
    query = read_query(
        "SELECT w.precip, avg(f.dep_delay) AS d FROM flights f JOIN weather w"
        " ON f.origin = w.origin AND f.time_hour = w.time_hour GROUP BY w.precip",
        ("flights", "weather"),
    )
    demand = demand_of(query, "weather", contract=CONTRACT, purpose="x", columns=WEATHER)
    assert demand.fields == ("origin", "precip", "time_hour")


def test_the_sql_is_written_from_the_documents_alone() -> None:
    written = sql(
        "select Origin, sum(DEP_DELAY)*1.0/count(*) as mean from flights"
        " where carrier in ('A''B', 'x') and day > '2013-01-05' group by 1 order by mean limit 3",
        checks=(GroupCheck(0, 10, unit=True, rows_once=True),),
    )
    assert written == (
        'SELECT t0."origin" AS "Origin", ((CAST(sum(t0."dep_delay") AS DOUBLE)'
        ' * CAST(1.0 AS DOUBLE)) / CAST(count(*) AS DOUBLE)) AS "mean",'
        ' count(DISTINCT t0."__unit") AS "__group_0" FROM "p_1" AS t0'
        " WHERE t0.\"carrier\" IN ('A''B', 'x') AND t0.\"day\" > CAST('2013-01-05' AS DATE)"
        ' GROUP BY t0."origin" ORDER BY 2 ASC NULLS LAST LIMIT 3'
    )


def test_rows_are_counted_plainly_only_where_joins_cannot_repeat_them() -> None:
    text = "SELECT count(*) AS n FROM flights"
    once = sql(text, checks=(GroupCheck(0, 5, unit=False, rows_once=True),))
    assert 'count(*) AS "__group_0"' in once
    distinct = sql(text, checks=(GroupCheck(0, 5, unit=False, rows_once=False),))
    assert 'count(DISTINCT t0.rowid) AS "__group_0"' in distinct


def test_quotes_in_names_stay_inside_the_name() -> None:
    assert quoted('a"; DROP TABLE t --') == '"a""; DROP TABLE t --"'


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("column", "SELECT count(secret) AS n FROM flights"),
        ("column", "SELECT count(*) AS n FROM flights WHERE secret = 1"),
        ("column", "SELECT count(*) AS n FROM flights WHERE rowid = 1"),
        ("column", "SELECT __unit AS u FROM flights LIMIT 1"),
        ("type", "SELECT sum(origin) AS n FROM flights"),
        ("type", "SELECT avg(time_hour) AS n FROM flights"),
        ("type", "SELECT max(origin) + 1 AS n FROM flights"),
        ("type", "SELECT min(tags) AS n FROM flights"),
        ("type", "SELECT count(*) AS n FROM flights WHERE origin = 5"),
        ("type", "SELECT count(*) AS n FROM flights WHERE month = '5'"),
        ("type", "SELECT count(*) AS n FROM flights WHERE month = TRUE"),
        ("type", "SELECT count(*) AS n FROM flights WHERE tags = 'x'"),
        ("type", "SELECT count(*) AS n FROM flights WHERE origin = DATE '2013-01-01'"),
        ("type", "SELECT year(origin) AS y, count(*) AS n FROM flights GROUP BY ALL"),
        ("date", "SELECT count(*) AS n FROM flights WHERE time_hour > 'yesterday'"),
    ],
)
def test_what_does_not_fit_the_columns_is_refused(rule: str, text: str) -> None:
    assert refusal(text) == f"query.{rule}"


@pytest.mark.parametrize("attack", ["76 no-break space", "85 qualified alias", "86 rowid"])
def test_attempts_on_names_that_are_not_columns_are_refused(attack: str) -> None:
    assert refusal(ATTACKS[attack]) == "query.column"


def test_join_keys_of_different_kinds_are_refused() -> None:
    query = read_query(
        "SELECT count(*) AS n FROM flights f JOIN weather w ON f.month = w.origin",
        ("flights", "weather"),
    )
    with pytest.raises(QueryRefused, match="type"):
        bind(query, [FLIGHTS, WEATHER])


def test_only_granted_columns_are_projected() -> None:
    bounds = Bounds(fields=("origin", "month", "nosuch"), fields_denied=("month",))
    assert [column.name for column in granted(FLIGHTS, bounds)] == ["origin"]
    everything = granted(FLIGHTS, Bounds(fields_denied=("tailnum",)))
    assert [column.name for column in everything] == [
        column.name for column in FLIGHTS if column.name != "tailnum"
    ]


def shape_id(bounds: Bounds, *, contract: str = CONTRACT, version: str = "d1") -> str:
    return shape_of(
        bounds, contract=contract, offered=FLIGHTS, source=FLIGHTS, data_version=version
    ).id


def test_other_terms_or_other_data_give_another_projection() -> None:
    base = Bounds(fields=("origin",))
    ids = {
        shape_id(base),
        shape_id(base, contract="D" * 47),
        shape_id(base, version="d2"),
        shape_id(Bounds(fields=("origin", "month"))),
        shape_id(Bounds(fields=("origin",), row_filter="month = 1")),
        shape_id(Bounds(fields=("origin",), privacy_unit="tailnum")),
    }
    assert len(ids) == 6
    assert shape_id(base) == shape_id(Bounds(fields=("origin",), min_group=9))


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(row_filter="nosuch = 1"),
        Bounds(row_filter="month = 'x'"),
        Bounds(row_filter="month = 1 OR 1 = 1"),
        Bounds(privacy_unit="nosuch"),
    ],
)
def test_a_filter_or_unit_that_does_not_fit_the_source_denies(bounds: Bounds) -> None:
    with pytest.raises(RowFilterUnreadable):
        shape_id(bounds)


def test_the_room_imports_no_engine() -> None:
    room = Path("src/huiqi/compute")
    for file in room.rglob("*.py"):
        assert "import duckdb" not in file.read_text(), file
