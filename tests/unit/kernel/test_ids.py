"""Identifiers: the vectors of the standard, and every small mistake is caught."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.ids import (
    ALPHABET_37,
    ObjectType,
    WrongIdentifier,
    WrongSubjectCode,
    check_contract_id,
    check_object_id,
    check_subject_code,
    contract_id,
    object_id,
    owner_of,
)

# spec/ndi-identifiers.md section 2, worked vectors 1 to 6 and 8
GENUINE = [
    "21234990057TE5TA08U340000000002Y",
    "31234990057TE5TA08U0065A1B2C3D4V",
    "491349900MA8TE3T0793401TDS00001B",
    "591349900MAXXXX0P1L34017Q2M9K4XW",
    "691349900MAXXXX0P1L340100000123*",
    "791349900MA8TE3T0793400DR250001A•1215202502281BH95JZY",
    "552349900MAHU1Q01X9340200000007*",
]
FORGED = [
    "691349900MAXXXX0P1L310100000123*",
    "691349900MAXXXX0P1L340100000213*",
    "591349900MAXXXX0P1L34017Q2M9K4Xw",
    "591349900MAXXXX0P1L34017Q2M9K4X",
    "691349900MAXXXX0P1L340100000123*•",
]
body = st.text(alphabet=ALPHABET_37[:36], min_size=8, max_size=8)


@pytest.mark.parametrize("identifier", GENUINE)
def test_vectors_of_the_standard_are_accepted(identifier: str) -> None:
    check_object_id(identifier)


@pytest.mark.parametrize("identifier", FORGED)
def test_negative_vectors_are_refused(identifier: str) -> None:
    with pytest.raises(WrongIdentifier):
        check_object_id(identifier)


def _made(random: str) -> str:
    return object_id(ObjectType.PRODUCT, subject="91349900MAXXXX0P1L", area="3401", random=random)


@given(body, st.integers(0, 31), st.sampled_from(ALPHABET_37))
def test_every_single_character_error_is_caught(random: str, place: int, other: str) -> None:
    genuine = _made(random)
    if genuine[place] == other:
        return
    with pytest.raises(WrongIdentifier):
        check_object_id(genuine[:place] + other + genuine[place + 1 :])


@given(body, st.integers(0, 30))
def test_every_swap_of_neighbours_is_caught(random: str, place: int) -> None:
    genuine = _made(random)
    left, right = genuine[place], genuine[place + 1]
    if left == right:
        return
    with pytest.raises(WrongIdentifier):
        check_object_id(genuine[:place] + right + left + genuine[place + 2 :])


def test_a_wrong_kind_is_refused() -> None:
    with pytest.raises(WrongIdentifier):
        check_object_id(GENUINE[3], ObjectType.PRODUCT)


def test_the_owner_stands_inside_the_identifier() -> None:
    assert owner_of("591349900MAXXXX0P1L34017Q2M9K4XW") == "91349900MAXXXX0P1L"


def test_contract_vector_of_the_standard() -> None:
    at = datetime(2026, 11, 23, 1, 30, 0, tzinfo=UTC)
    made = contract_id(platform="491349900MA8TE3T0793401TDS00001B", at=at, random="0000002A")
    assert made == "C491349900MA8TE3T0793401202611230930000000002AD"


@pytest.mark.parametrize(
    "identifier",
    [
        "C491349900MA8TE3T0793401202611230930000000002AE",
        "C491349900MA8TE3T079340120261123093000000002AD",
        "C491349900MA8TE3T0793401X02611230930000000002AD",
    ],
)
def test_wrong_contract_ids_are_refused(identifier: str) -> None:
    with pytest.raises(WrongIdentifier):
        check_contract_id(identifier)


@pytest.mark.parametrize(
    "code", ["91349900MA8TE3T079", "1234990057TE5TA08U", "52349900MAHU1Q01X9", "N2349900MF00TE5T0Q"]
)
def test_subject_codes_of_the_standard_are_accepted(code: str) -> None:
    assert check_subject_code(code) == code


@pytest.mark.parametrize("code", ["91349900MA8TE3T078", "91349900MA8TE3S079", "", "9134"])
def test_wrong_subject_codes_are_refused_with_words(code: str) -> None:
    with pytest.raises(WrongSubjectCode) as caught:
        check_subject_code(code)
    assert "统一社会信用代码" in caught.value.text("zh")
