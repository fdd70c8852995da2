"""The vocabulary is the standard's, whole, and other spellings find their way to it."""

import pytest

from huiqi.policy.vocabulary import (
    ACTIONS,
    CONSTRAINTS,
    ENVIRONMENTS,
    OPERATORS,
    action_code,
    environment_code,
    operand_code,
    operator_name,
)


def test_every_action_constraint_operator_and_environment_is_there() -> None:
    assert (len(ACTIONS), len(CONSTRAINTS), len(OPERATORS), len(ENVIRONMENTS)) == (21, 19, 12, 7)


def test_operators_carry_the_standards_numbers_in_order() -> None:
    assert [word.number for word in OPERATORS.values()] == [f"{n:02d}" for n in range(1, 13)]


def test_every_word_has_a_name_in_both_languages() -> None:
    words = [*ACTIONS.values(), *CONSTRAINTS.values(), *OPERATORS.values(), *ENVIRONMENTS.values()]
    assert all(word.zh and word.en for word in words)


def test_every_allowed_operator_of_a_constraint_exists() -> None:
    assert {name for word in CONSTRAINTS.values() for name in word.operators} <= set(OPERATORS)


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("plicyTransmit", "plicyTransmit"),
        ("policyTransmit", "plicyTransmit"),
        ("export", "download"),
        ("联合开发", "jointDevelop"),
        ("COMPUTE", "compute"),
        ("fly", "fly"),
    ],
)
def test_spellings_of_actions(spelling: str, code: str) -> None:
    assert action_code(spelling) == code


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("11", "lteq"), ("08", "isNoneOf"), ("isnoneof", "isNoneOf"), ("99", "99")],
)
def test_spellings_of_operators(spelling: str, name: str) -> None:
    assert operator_name(spelling) == name


def test_spellings_of_constraints_and_environments() -> None:
    assert operand_code("dataRecord") == "dateRecord"
    assert operand_code("执行环境") == "executionEnv"
    assert environment_code("02 数据沙箱") == environment_code("数据沙箱") == "02"
