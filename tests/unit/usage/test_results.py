"""A result has one byte form, the same on both sides."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.canonical import canonical_bytes
from huiqi.policy.types import Decision
from huiqi.usage.errors import ResultNotCanonical, WrongResult
from huiqi.usage.results import result_bytes, result_table
from huiqi.usage.types import UseOutcome

CELLS = st.one_of(
    st.none(), st.booleans(), st.text(), st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
TABLES = st.integers(0, 4).flatmap(
    lambda width: st.tuples(
        st.lists(st.text(), min_size=width, max_size=width),
        st.lists(st.lists(CELLS, min_size=width, max_size=width).map(tuple), max_size=5),
    )
)


@given(TABLES)
def test_a_result_comes_back_from_its_bytes(
    table: tuple[list[str], list[tuple[object, ...]]],
) -> None:
    columns, rows = table
    data = result_bytes(columns, rows)
    back = result_table(data)
    assert repr(back) == repr((tuple(columns), tuple(rows)))
    assert result_bytes(*back) == data


@given(TABLES)
def test_the_bytes_are_canonical(table: tuple[list[str], list[tuple[object, ...]]]) -> None:
    data = result_bytes(*table)
    assert canonical_bytes(msgspec.json.decode(data)) == data


@given(TABLES)
def test_what_arrives_over_the_wire_has_the_same_bytes(
    table: tuple[list[str], list[tuple[object, ...]]],
) -> None:
    sent = UseOutcome(
        use_id="u",
        decision=Decision.ALLOWED,
        reasons=(),
        columns=tuple(table[0]),
        rows=tuple(table[1]),
    )
    arrived = msgspec.json.decode(msgspec.json.encode(sent), type=UseOutcome)
    assert result_bytes(arrived.columns, arrived.rows) == result_bytes(*table)


def test_a_float_a_number_and_a_text_that_look_alike_differ() -> None:
    forms = {result_bytes(["a"], [[cell]]) for cell in (1, 1.0, "1.0", True, "1", -0.0, 0.0)}
    assert len(forms) == 7


@pytest.mark.parametrize("cell", [math.nan, math.inf, -math.inf, b"x", object()])
def test_a_cell_without_a_byte_form_is_refused(cell: object) -> None:
    with pytest.raises(ResultNotCanonical):
        result_bytes(["a"], [[cell]])


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ResultNotCanonical):
        result_bytes(["a", "b"], [[1]])


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b'{"columns":["a"],"rows":[[{"x":"1"}]],"v":1}',
     b'{"columns":["a"],"rows":[[{"f":"one"}]],"v":1}',
     b'{"columns":["a"],"rows":[[1.5]],"v":1}',
     b'{"columns":["a"],"rows":[[{"f":"1.0","i":"1"}]],"v":1}'],
)  # fmt: skip
def test_other_bytes_are_not_a_result(data: bytes) -> None:
    with pytest.raises(WrongResult):
        result_table(data)
