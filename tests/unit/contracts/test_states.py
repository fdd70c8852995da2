"""The life cycle: every triple is in the table or refused."""

from itertools import product

import pytest

from huiqi.contracts.states import TABLE, Message, Sender, message_of, sender_of
from huiqi.contracts.types import ContractStatus, PartyRole, ProposalKind
from huiqi.kernel.errors import IllegalStep

S, M, W = ContractStatus, Message, Sender
ALIVE = [status for status in S if status is not S.TERMINATED]
TRIPLES = list(product(S, M, W))


@pytest.mark.parametrize("triple", TRIPLES, ids=lambda t: "-".join(part.value for part in t))
def test_every_triple_is_in_the_table_or_refused(triple: tuple[S, M, W]) -> None:
    if triple in TABLE.rows:
        assert TABLE.step(*triple) is TABLE.rows[triple]
        return
    with pytest.raises(IllegalStep):
        TABLE.step(*triple)


def test_nothing_leaves_the_end() -> None:
    assert not [row for row in TABLE.rows if row[0] is S.TERMINATED]


@pytest.mark.parametrize("status", ALIVE)
@pytest.mark.parametrize("party", [W.PROVIDER, W.CONSUMER])
def test_either_party_may_leave_in_every_status(status: S, party: W) -> None:
    assert TABLE.step(status, M.TERMINATE, party) is S.TERMINATED


def test_only_the_platform_puts_a_contract_in_force_and_only_when_both_signed() -> None:
    into_force = [row for row, after in TABLE.rows.items() if after is S.PERFORMING]
    assert into_force == [(S.SIGNED, M.FILE, W.PLATFORM)]


def test_only_an_acceptance_leads_to_signing() -> None:
    ways = {row[1] for row, after in TABLE.rows.items() if after is S.SIGNING}
    assert ways == {M.ACCEPT, M.SIGN}
    assert all(row[0] is S.SIGNING for row in TABLE.rows if row[1] is M.SIGN)


def test_nobody_accepts_for_the_other_party_of_the_first_round() -> None:
    assert not TABLE.allows(S.INITIATED, M.ACCEPT, W.CONSUMER)


def test_every_status_can_be_reached() -> None:
    reached, before = {TABLE.first}, set[S]()
    while reached != before:
        before = set(reached)
        reached |= {after for row, after in TABLE.rows.items() if row[0] in before}
    assert reached == set(S)


def test_roles_and_rounds_have_their_place_in_the_table() -> None:
    assert {sender_of(role) for role in PartyRole if role is not PartyRole.SERVICE} == {
        W.PROVIDER,
        W.CONSUMER,
        W.PLATFORM,
    }
    assert {message_of(kind).value for kind in ProposalKind} == {
        kind.value for kind in ProposalKind
    }
