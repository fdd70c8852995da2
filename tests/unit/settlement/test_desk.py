"""A party keeps only the platform's word to itself, and finds whatever is wrong in it."""

from collections.abc import Mapping

import msgspec
import pytest

from huiqi.policy.types import Price
from huiqi.settlement.errors import ForgedDeposit, ForgedStatement, UnknownStatement
from huiqi.settlement.service import SettlementDesk
from huiqi.settlement.types import Charge, SignedStatement, Statement
from huiqi.trust.service import Trust
from huiqi.usage.types import GrantState
from tests.unit.settlement.world import C1, HOUR, OTHER, P1, Drawer, World, body_of, price


class Joined:
    """One use alone and one joint use of both providers, closed; what each party holds."""

    def __init__(self, world: World) -> None:
        self.world = world
        one = world.contract(world.p1, world.c1, price(100, 10, fee_bp=500, weight=2))
        two = world.contract(world.p2, world.c1, price(50, 20, fee_bp=300))
        alone = world.use(one, rows=4)
        first, second = world.joint(one, two, rows=7)
        world.deposit(first, second)
        world.clock.advance(HOUR)
        self.statements: Mapping[str, Statement] = world.close()
        self.alone, self.joint = body_of(alone).receipt_id, body_of(first).receipt_id
        self.drawers = {P1: Drawer(), OTHER: Drawer(), C1: Drawer()}
        self.drawers[P1].put(alone, first)
        self.drawers[OTHER].put(second)
        self.drawers[C1].put(alone, first, second)

    def trust(self, party: str) -> Trust:
        return {P1: self.world.p1, OTHER: self.world.p2, C1: self.world.c1}[party]

    def desk(self, party: str, statement: Statement | None = None) -> SettlementDesk:
        taken = statement or self.statements[party]
        return self.world.received(self.trust(party), self.drawers[party], taken)

    def found(self, party: str, statement: Statement | None = None) -> set[str]:
        """The fields in which a statement is found wrong."""
        desk = self.desk(party, statement)
        (held,) = desk.statements()
        return {mismatch.field for mismatch in desk.check(held.id)}

    def with_line(self, party: str, receipt_id: str, **changed: object) -> Statement:
        """The statement with one line changed, signed, its sums as if nothing had been."""
        lines = [
            msgspec.structs.replace(line, **changed) if line.receipt_id == receipt_id else line
            for line in self.statements[party].document.lines
        ]
        return self.world.forged(self.statements[party], lines=tuple(lines))

    def line(self, party: str, receipt_id: str) -> Charge:
        lines = self.statements[party].document.lines
        return next(line for line in lines if line.receipt_id == receipt_id)


@pytest.fixture
def joined(world: World) -> Joined:
    return Joined(world)


def refused(desk: SettlementDesk, world: World, signed: SignedStatement, why: str) -> None:
    with pytest.raises(ForgedStatement) as caught:
        desk.receive(world.platform.me(), signed)
    assert caught.value.params["why"] == why
    assert desk.statements() == []


@pytest.mark.parametrize("party", [P1, OTHER, C1])
def test_a_right_statement_is_found_right_by_every_party(joined: Joined, party: str) -> None:
    assert joined.found(party) == set()


def test_a_repeated_statement_changes_nothing(joined: Joined) -> None:
    desk = joined.desk(P1)
    desk.receive(joined.world.platform.me(), joined.statements[P1].signed)
    ((where, sha256, body),) = desk.documents()
    assert where == f"settlement/{joined.statements[P1].id}"
    assert (sha256, body) == (joined.statements[P1].sha256, joined.statements[P1].signed.body)
    assert [e.kind for e in joined.world.house.facts(P1)].count("StatementReceived") == 1
    with pytest.raises(UnknownStatement):
        desk.statement("none")


def test_other_bytes_of_a_kept_number_are_refused(joined: Joined) -> None:
    desk = joined.desk(P1)
    with pytest.raises(ForgedStatement):
        desk.receive(
            joined.world.platform.me(),
            joined.world.forged(joined.statements[P1], earned_fen=1).signed,
        )
    assert desk.statement(joined.statements[P1].id).signed == joined.statements[P1].signed


def test_a_statement_of_another_party_is_refused(joined: Joined) -> None:
    world = joined.world
    refused(world.desk(world.p1), world, joined.statements[C1].signed, "party")


def test_a_statement_that_somebody_else_sends_or_signs_is_refused(joined: Joined) -> None:
    world, signed = joined.world, joined.statements[P1].signed
    desk = world.desk(world.p1)
    with pytest.raises(ForgedStatement):
        desk.receive(world.c1.me(), signed)
    forged = msgspec.structs.replace(signed, signature=world.c1.sign(signed.body))
    refused(desk, world, forged, "signature")
    refused(desk, world, msgspec.structs.replace(signed, body=signed.body + b" "), "signature")


def test_signed_bytes_that_are_no_canonical_statement_are_refused(joined: Joined) -> None:
    world, right = joined.world, joined.statements[P1].signed.body
    desk = world.desk(world.p1)
    for body in (b"{}", b"\xff", right.replace(b",", b", ", 1), right.replace(b'"v":1', b'"v":2')):
        refused(desk, world, SignedStatement(body, world.platform.sign(body)), "form")
    other = world.platform.sign(right, "ed25519-sha256-aes")
    refused(desk, world, SignedStatement(right, other), "suite")
    another = world.forged(joined.statements[P1], platform_subject=C1)
    refused(desk, world, another.signed, "platform")


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("rows", {"rows": 5}),
        ("useFen", {"use_fen": 101}),
        ("rowFen", {"row_fen": 41}),
        ("jointRowFen", {"joint_row_fen": 41}),
        ("grossFen", {"gross_fen": 141}),
        ("feeBp", {"fee_bp": 501}),
        ("feeFen", {"fee_fen": 8}),
        ("netFen", {"net_fen": 1}),
        ("plan", {"plan": "flat@9"}),
        ("closedAt", {"closed_at": "2026-11-24T01:02:04.000000Z"}),
        ("provider", {"provider": OTHER}),
        ("consumer", {"consumer": OTHER}),
        ("product", {"product": "other"}),
        ("contract", {"contract": "other"}),
        ("useId", {"use_id": "other"}),
        ("weights", {"weights": (3,)}),
        ("joint", {"joint": ("other",)}),
    ],
)
@pytest.mark.parametrize("party", [P1, C1])
def test_a_wrong_line_is_found(
    joined: Joined, party: str, field: str, changed: dict[str, object]
) -> None:
    assert field in joined.found(party, joined.with_line(party, joined.alone, **changed))


def test_a_dearer_price_with_all_its_sums_is_found(joined: Joined) -> None:
    """A platform that charges 10 fen more, and adds up correctly."""
    line, document = joined.line(C1, joined.alone), joined.statements[C1].document
    dearer = msgspec.structs.replace(
        line, use_fen=line.use_fen + 10, gross_fen=line.gross_fen + 10, net_fen=line.net_fen + 10
    )
    lines = tuple(dearer if each == line else each for each in document.lines)
    statement = joined.world.forged(
        joined.statements[C1],
        lines=lines,
        owed_fen=document.owed_fen + 10,
        balance_fen=document.balance_fen - 10,
    )
    assert joined.found(C1, statement) == {"useFen", "grossFen", "netFen"}


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("owedFen", {"owed_fen": 1}),
        ("earnedFen", {"earned_fen": 1}),
        ("feeFen", {"fee_fen": 1}),
        ("balanceFen", {"balance_fen": 1}),
    ],
)
def test_a_wrong_sum_is_found(joined: Joined, field: str, changed: dict[str, object]) -> None:
    statement = joined.world.forged(joined.statements[P1], **changed)
    assert joined.found(P1, statement) == {field}


def test_a_receipt_that_is_not_mine_is_found(joined: Joined) -> None:
    joined.drawers[C1].held.pop(joined.alone)
    desk = joined.desk(C1)
    (found,) = desk.check(joined.statements[C1].id)
    assert (found.receipt_id, found.field, found.own) == (joined.alone, "receipt", "missing")


def test_a_charged_use_that_was_refused_is_found(joined: Joined) -> None:
    drawer = joined.drawers[P1]
    body = body_of(drawer.held[joined.alone])
    drawer.put(joined.world.signed(msgspec.structs.replace(body, outcome=GrantState.REFUSED.value)))
    assert joined.found(P1) == {"outcome"}


def test_a_contract_that_is_not_mine_is_found(joined: Joined) -> None:
    world = joined.world
    desk = world.desk(world.p2, joined.drawers[OTHER], world.known_to(world.c2))
    desk.receive(world.platform.me(), joined.statements[OTHER].signed)
    (found,) = desk.check(joined.statements[OTHER].id)
    assert found.field == "contract"


def test_a_contract_whose_plan_is_not_installed_here_is_found(joined: Joined) -> None:
    for contract in list(joined.world.shelf.held.values()):
        joined.world.shelf.reprice(contract, Price(plan="flat@9"))
    assert joined.found(C1) == {"plan"}


def test_a_line_that_stands_twice_is_found(joined: Joined) -> None:
    lines = joined.statements[P1].document.lines
    twice = joined.world.forged(joined.statements[P1], lines=(*lines, lines[0]))
    assert "times" in joined.found(P1, twice)


def test_a_line_that_stands_on_two_statements_is_found(joined: Joined) -> None:
    desk = joined.desk(P1)
    again = joined.world.forged(joined.statements[P1], statement_id="ST-000002-X", number=2)
    desk.receive(joined.world.platform.me(), again.signed)
    for held in desk.statements():
        assert {m.field for m in desk.check(held.id)} == {"statement"}


@pytest.mark.parametrize("party", [P1, C1])
def test_a_receipt_of_the_period_that_is_left_out_is_found_even_the_first(
    joined: Joined, party: str
) -> None:
    """Also one that closed at the very instant from which the period counts."""
    document = joined.statements[party].document
    lines = tuple(line for line in document.lines if line.receipt_id != joined.alone)
    short = joined.world.forged(joined.statements[party], lines=lines)
    desk = joined.desk(party, short)
    missing = [m for m in desk.check(short.id) if m.field == "receipt"]
    assert [(m.receipt_id, m.stated) for m in missing] == [(joined.alone, "missing")]


def test_a_receipt_that_closed_at_the_end_of_the_last_period_is_not_of_this_one(
    world: World,
) -> None:
    contract, drawer = world.contract(world.p1, world.c1, price(100)), Drawer()
    at_the_end = world.use(contract)
    first = world.close()[C1]
    world.clock.advance(HOUR)
    after = world.use(contract)
    second = world.close()[C1]
    drawer.put(at_the_end, after)
    desk = world.received(world.c1, drawer, second)
    assert desk.check(second.id) == ()
    desk.receive(world.platform.me(), first.signed)
    assert desk.check(first.id) == ()


def test_a_late_receipt_is_missed_until_the_statement_that_has_it(world: World) -> None:
    contract, drawer = world.contract(world.p1, world.c1, price(100)), Drawer()
    on_time, late = world.use(contract), world.receipt(contract)
    drawer.put(on_time, late)
    first = world.close()[C1]
    desk = world.received(world.c1, drawer, first)
    assert [m.receipt_id for m in desk.check(first.id)] == [body_of(late).receipt_id]
    world.deposit(late)
    world.clock.advance(HOUR)
    second = world.close()[C1]
    desk.receive(world.platform.me(), second.signed)
    assert desk.check(first.id) == desk.check(second.id) == ()


def test_a_receipt_that_nobody_countersigned_is_not_missed(joined: Joined) -> None:
    world = joined.world
    contract = world.shelf.contract(joined.line(P1, joined.alone).contract)
    closed_at = joined.line(P1, joined.alone).closed_at
    receipt = world.receipt(contract, closed_at=closed_at)
    joined.drawers[P1].put(msgspec.structs.replace(receipt, consumer_signature=None))
    unsigned = world.receipt(contract, closed_at=closed_at)
    joined.drawers[P1].put(unsigned)
    joined.drawers[P1].unsigned.add(body_of(unsigned).receipt_id)
    assert joined.found(P1) == set()


def test_a_damaged_receipt_of_ones_own_is_said_so(joined: Joined) -> None:
    held = joined.drawers[P1].held
    held[joined.alone] = msgspec.structs.replace(held[joined.alone], body=b"garbage")
    with pytest.raises(ForgedDeposit):
        joined.found(P1)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("weights", {"weights": (1, 1)}),
        ("weights", {"weights": (2,)}),
        ("weights", {"weights": (2, 0)}),
        ("weights", {"weights": ()}),
        ("jointRowFen", {"joint_row_fen": 69}),
        ("jointRowFen", {"joint_row_fen": -5}),
        ("rowFen", {"row_fen": 0}),
        ("joint", {"joint": ()}),
    ],
)
def test_the_provider_of_a_part_finds_what_is_wrong_in_its_part(
    joined: Joined, field: str, changed: dict[str, object]
) -> None:
    assert field in joined.found(P1, joined.with_line(P1, joined.joint, **changed))


def test_the_provider_of_a_part_finds_joint_contracts_that_its_receipt_does_not_name(
    joined: Joined,
) -> None:
    line = joined.line(P1, joined.joint)
    more = joined.with_line(
        P1, joined.joint, joint=(*line.joint, "~other"), weights=(*line.weights, 1)
    )
    assert "joint" in joined.found(P1, more)


def test_the_provider_of_a_part_finds_joint_contracts_in_the_wrong_order(joined: Joined) -> None:
    line = joined.line(P1, joined.joint)
    turned = joined.with_line(P1, joined.joint, joint=line.joint[::-1], weights=line.weights[::-1])
    assert "joint" in joined.found(P1, turned)


def test_only_the_consumer_can_find_a_wrong_sum_for_all_rows_above_ones_own(
    joined: Joined,
) -> None:
    """What the provider of a part cannot know, said plainly: the others' prices."""
    line = joined.line(P1, joined.joint)
    assert line.joint_row_fen == 140
    whole, row = 150, 100
    gross = line.use_fen + row
    fee = (gross * line.fee_bp + 5_000) // 10_000
    raised = {
        "joint_row_fen": whole,
        "row_fen": row,
        "gross_fen": gross,
        "fee_fen": fee,
        "net_fen": gross - fee,
    }
    by_provider = joined.found(P1, joined.with_line(P1, joined.joint, **raised))
    assert by_provider == {"earnedFen", "balanceFen"}  # the sums were left as they were
    by_consumer = joined.found(C1, joined.with_line(C1, joined.joint, **raised))
    assert {"jointRowFen", "rowFen", "grossFen"} <= by_consumer
