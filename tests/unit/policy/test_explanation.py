"""Terms and their changes are told in plain sentences in both languages."""

import msgspec

from huiqi.policy.service import Policies
from huiqi.policy.types import Difference, Duty, Price, Rule, RuleKind, Terms
from tests.unit.policy.samples import after, flight_terms, forbid, permit, term, terms_of

MARKETING = term("hq:purpose", "isA", "marketing")


def zh(terms: Terms) -> list[str]:
    return [text.zh for text in Policies().explain(terms)]


def changed(before: Terms, after_: Terms) -> list[tuple[str, str | None, str | None]]:
    found = Policies().differences(before, after_)
    assert all(isinstance(each, Difference) for each in found)
    return [
        (d.where, d.before.zh if d.before else None, d.after.zh if d.after else None) for d in found
    ]


def test_there_is_one_sentence_for_each_term() -> None:
    terms = flight_terms()
    (rule,) = terms.policy.rules
    scalars = 2 + 1 + len(terms.price.parameters) + 2
    sentences = Policies().explain(terms)
    assert len(sentences) == 1 + len(rule.constraints) + scalars
    assert all(text.zh and text.en for text in sentences)


def test_sentences_are_plain() -> None:
    said = zh(flight_terms())
    assert "该合约最多可用 500 次" in said
    assert "每小时最多可用 60 次" in said
    assert "只能用于：研究开发、统计分析" in said
    assert "每次使用 2.00 元" in said
    assert "合约自签订起 365 天有效" in said


def test_prohibitions_and_duties_read_as_what_they_are() -> None:
    rule = Rule(RuleKind.PERMISSION, ("compute",), (), (Duty("compensate", (), "P3D"),))
    said = zh(terms_of(rule, forbid(MARKETING)))
    assert said[1] == "使用前须先完成：补偿（3 天内）"
    assert said[2:4] == ["禁止的操作：计算", "满足此条件时禁止：使用目的属于实例 市场营销"]


def test_what_is_not_understood_is_still_shown() -> None:
    assert "height小于或等于 3" in zh(terms_of(permit(term("height", "lteq", 3))))[1]


def test_equal_terms_do_not_differ() -> None:
    assert changed(flight_terms(), flight_terms()) == []


def test_the_order_of_rules_is_no_difference() -> None:
    one, other = permit(), forbid(MARKETING)
    assert changed(terms_of(one, other), terms_of(other, one)) == []


def test_a_changed_a_new_and_a_removed_clause() -> None:
    before = terms_of(permit(term("count", "lteq", 3), MARKETING))
    later = terms_of(permit(term("count", "lteq", 9), term("executionEnv", "eq", "01")), days=60)
    assert changed(before, later) == [
        ("rules[0].constraints[0]", "该合约最多可用 3 次", "该合约最多可用 9 次"),
        ("rules[0].constraints[1]", None, "只能在以下环境运行：使用控制"),
        ("rules[0].constraints[1]", "只能用于：市场营销", None),
        ("days", "合约自签订起 30 天有效", "合约自签订起 60 天有效"),
    ]


def test_added_actions_rules_duties_and_prices() -> None:
    before = terms_of(permit())
    wider = terms_of(after(permit(actions=("compute", "read")), "compensate"), forbid())
    later = msgspec.structs.replace(wider, price=Price(parameters={"per_use_fen": 150}))
    assert changed(before, later) == [
        ("rules[0].actions", "允许的操作：计算", "允许的操作：计算、读取"),
        ("rules[0].duties[0]", None, "使用前须先完成：补偿"),
        ("rules[1].actions", None, "禁止的操作：计算"),
        ("price.parameters.per_use_fen", None, "每次使用 1.50 元"),
    ]


def test_a_removed_rule_is_told_whole() -> None:
    gone = changed(terms_of(permit(), forbid(MARKETING)), terms_of(permit()))
    assert [after_ for _, _, after_ in gone] == [None, None]


def test_purposes_and_words_are_offered_to_forms() -> None:
    codes = {purpose.code for purpose in Policies().purposes()}
    assert {"research", "statistics", "service-operation", "marketing"} <= codes
    words = dict(Policies().vocabulary())
    assert words["hq:minGroupSize"].zh == "最小分组人数"
    assert words["lteq"].en == "is at most"
