"""Page objects: what a person is shown follows from the documents."""

import pytest

from huiqi.catalog.types import ProductState
from huiqi.contracts.types import ContractStatus, PartyRole
from huiqi.kernel.text import Text
from huiqi.policy.service import Policies
from huiqi.policy.types import Decision, Reason
from huiqi.settlement.types import Mismatch, Replay, SignedStatement, Statement, StatementBody
from huiqi.trust.types import SystemKind
from huiqi.usage.types import UseOutcome
from huiqi.web.i18n import Tongue
from huiqi.web.pages.catalogue import catalogue_page
from huiqi.web.pages.contract import Answer, Dossier, contract_page
from huiqi.web.pages.contracts import contracts_page
from huiqi.web.pages.home import Books, home_page
from huiqi.web.pages.login import safe_next
from huiqi.web.pages.receipt import receipt_page
from huiqi.web.pages.review import review_page
from huiqi.web.pages.statements import statement_page
from huiqi.web.pages.use import Asked, use_page
from tests.unit.web.documents import (
    CONSUMER,
    NOW,
    PROVIDER,
    SIGNED,
    contract,
    hit,
    product,
    receipt,
)

S, R = ContractStatus, PartyRole
NAMES = {PROVIDER: "皖航数据", CONSUMER: "庐州气象"}


def test_the_number_in_the_sentence_is_the_length_of_the_list(zh: Tongue) -> None:
    books = Books(
        base="/c1",
        person="许澄",
        contracts=[
            contract(S.NEGOTIATING, waiting="02"),
            contract(S.SIGNING, waiting="02", number=2),
            contract(S.NEGOTIATING, waiting="01", number=3),
            contract(S.PERFORMING, number=4),
        ],
        products=[product(ProductState.REJECTED, reason="缺字段含义")],
    )
    page = home_page(zh, SystemKind.CONNECTOR, books)
    assert len(page.todos) == 3
    assert "有 3 件事" in page.sentence
    assert [todo.href for todo in page.todos][:2] == ["/c1/contracts/C-1", "/c1/contracts/C-2"]


def test_an_operator_is_told_of_products_to_review(en: Tongue) -> None:
    books = Books(base="/o", person="Zhou", pending=[product(ProductState.REVIEWING)])
    page = home_page(en, SystemKind.PLATFORM, books)
    assert page.sentence == "1 thing waits for you."
    assert page.todos[0].href == "/o/review#6-1"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (S.PERFORMING, "已签约"),
        (S.NEGOTIATING, "协商中"),
        (S.SIGNING, "待签署"),
        (S.TERMINATED, "可申请"),
    ],
)
def test_a_card_says_how_i_stand_to_the_product(zh: Tongue, status: S, word: str) -> None:
    page = catalogue_page(zh, "/c1", [hit()], query="", own=CONSUMER, contracts=[contract(status)])
    assert page.cards[0].relation.word == word
    assert bool(page.cards[0].relation_href) == (status is not S.TERMINATED)


def test_an_own_product_is_no_offer_to_myself(zh: Tongue) -> None:
    page = catalogue_page(zh, "/p1", [hit()], query="", own=PROVIDER, contracts=[])
    assert page.cards[0].relation.word == "本方产品"
    assert page.cards[0].price == "¥ 2.00 / 次、¥ 0.01 / 行"


def test_filters_count_exactly_the_rows_they_show(zh: Tongue) -> None:
    known = [contract(s, number=n) for n, s in enumerate(S)]
    page = contracts_page(zh, "/c1", known)
    for item in page.filters:
        code = item.href.partition("shown=")[2]
        assert item.count == len(contracts_page(zh, "/c1", known, shown=code).lines)


def page_of(tongue: Tongue, held, **more):  # type: ignore[no-untyped-def]
    policies = Policies()
    changes = policies.differences(held.proposals[0].terms, held.proposals[1].terms)
    dossier = Dossier(
        report=policies.report(held.terms, columns=list(held.columns)),
        changes={2: changes},
        counters={"count": 19, "rows": 3, "reserved": 0},
    )
    return contract_page(tongue, held, dossier, Answer(**more))


def test_only_who_has_the_move_can_answer(zh: Tongue) -> None:
    mine = page_of(zh, contract(S.NEGOTIATING, waiting="02"))
    theirs = page_of(zh, contract(S.NEGOTIATING, waiting="01"))
    assert (mine.may_accept, mine.my_turn) == (True, True)
    assert (theirs.may_accept, theirs.waiting) == (False, "皖航数据")


def test_nobody_signs_twice(zh: Tongue) -> None:
    assert page_of(zh, contract(S.SIGNING, waiting="02", signed=(R.PROVIDER,))).may_sign
    assert not page_of(zh, contract(S.SIGNING, waiting="01", signed=(R.CONSUMER,))).may_sign


def test_an_auditor_sees_and_does_nothing(zh: Tongue) -> None:
    page = page_of(zh, contract(S.NEGOTIATING, waiting="02"), may_act=False)
    assert not page.may_accept
    assert not page.may_answer
    assert not page.may_terminate


def test_rounds_show_clause_by_clause_what_changed(zh: Tongue) -> None:
    page = page_of(zh, contract(S.NEGOTIATING, waiting="02"))
    before, after = page.rounds[0].changes[0]
    assert ("50" in before, "20" in after) == (True, True)


def test_a_quota_warns_before_it_is_used_up(zh: Tongue) -> None:
    quota = page_of(zh, contract(S.PERFORMING)).quotas[0]
    assert (quota.used, quota.limit, quota.percent, quota.tone) == ("19", "20", 95, "warn")


def test_every_condition_shows_its_strength(zh: Tongue) -> None:
    page = page_of(zh, contract(S.NEGOTIATING, waiting="02"))
    assert {line.mark for line in page.conditions} <= {"■", "◧", "□", "×"}
    assert all(line.reason for line in page.conditions)


def test_a_rejected_decision_keeps_the_reason_with_its_product(zh: Tongue) -> None:
    report = Policies().report(product(ProductState.REVIEWING).record.terms)
    pending = [(product(ProductState.REVIEWING, n), report) for n in (1, 2)]
    page = review_page(zh, pending, failed="6-2", reason="太短", problem="请写原因")
    assert [c.reason for c in page.candidates] == ["", "太短"]
    assert [c.problem for c in page.candidates] == ["", "请写原因"]


def test_a_refusal_is_shown_with_every_reason(zh: Tongue) -> None:
    outcome = UseOutcome(
        use_id="u",
        decision=Decision.DENIED,
        reasons=(Reason("policy.count", Text("次数用完", "used up")),),
        receipts=(receipt(outcome="refused"),),
    )
    page = use_page(
        zh, [contract(S.PERFORMING)], [], counters={}, asked=Asked(), use_id="u", outcome=outcome
    )
    assert page.answered is not None
    assert page.answered.reasons == ("次数用完",)
    assert page.answered.table is None
    assert page.usable[0].columns == ("origin", "delay")


def test_only_contracts_in_force_can_be_used(zh: Tongue) -> None:
    known = [contract(s, number=n) for n, s in enumerate(S)]
    known.append(contract(S.PERFORMING, mine=R.PROVIDER, number=99))
    page = use_page(zh, known, [], counters={}, asked=Asked(), use_id="u")
    assert len(page.usable) == 1


def test_a_receipt_says_who_has_not_signed(en: Tongue) -> None:
    page = receipt_page(en, "/p1", receipt(countersigned=False), names=NAMES)
    assert not page.complete
    assert [bool(sign.key) for sign in page.signs] == [True, False]
    assert not page.genuine


def statement() -> Statement:
    body = StatementBody(
        v=1,
        statement_id="ST-1",
        run="R-1",
        number=1,
        platform="4",  # type: ignore[arg-type]
        platform_subject=PROVIDER,
        party=CONSUMER,
        since="",
        until="2026-03-09T01:41:20.318000Z",
        lines=(),
        owed_fen=123_456,
        earned_fen=0,
        fee_fen=0,
        balance_fen=-123_456,
        suite="sm2-sm3-sm4",
    )
    return Statement(
        id="ST-1", document=body, signed=SignedStatement(b"", SIGNED), sha256="", issued_at=NOW
    )


def test_a_statement_that_differs_says_where(zh: Tongue) -> None:
    found = Mismatch(receipt_id="r-1", field="rowFen", stated="7", own="6")
    page = statement_page(zh, statement(), names=NAMES, mismatches=[found])
    assert page.check is not None
    assert page.check.tone == "bad"
    assert "7" in page.mismatches[0]
    assert (page.verdict, page.balance) == ("本期应付", "1,234.56")


def test_a_replay_is_only_good_when_bytes_and_sum_agree(zh: Tongue) -> None:
    for same, total, tone in ((True, 0, "ok"), (True, 1, "bad"), (False, 0, "bad")):
        replay = Replay(run="R", statements=1, same=same, differing=(), sum_fen=total)
        page = statement_page(zh, statement(), names=NAMES, replay=replay)
        assert page.check is not None
        assert page.check.tone == tone


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/p2/", "/p1\\..", "", "/p1/\n"]
)
def test_the_login_never_leads_elsewhere(wanted: str) -> None:
    assert safe_next(wanted, "/p1") == "/p1/"
