"""A life cycle changes by its table only."""

from enum import StrEnum

import pytest

from huiqi.kernel.errors import ConflictError, IllegalStep
from huiqi.kernel.tables import Table


class S(StrEnum):
    NEW = "new"
    OPEN = "open"
    SHUT = "shut"


class M(StrEnum):
    OPEN = "open"
    SHUT = "shut"


class P(StrEnum):
    OWNER = "owner"
    PEER = "peer"


ROWS = {
    (S.NEW, M.OPEN, P.OWNER): S.OPEN,
    (S.OPEN, M.SHUT, P.OWNER): S.SHUT,
    (S.OPEN, M.SHUT, P.PEER): S.SHUT,
}


def test_every_triple_is_in_the_table_or_refused() -> None:
    table = Table(first=S.NEW, rows=ROWS)
    for triple in ((s, m, p) for s in S for m in M for p in P):
        assert table.allows(*triple) is (triple in ROWS)
        if triple in ROWS:
            assert table.step(*triple) is ROWS[triple]
        else:
            with pytest.raises(IllegalStep):
                table.step(*triple)


def test_a_refusal_names_state_message_and_sender() -> None:
    with pytest.raises(ConflictError) as caught:
        Table(first=S.NEW, rows=ROWS).step(S.SHUT, M.OPEN, P.PEER)
    assert caught.value.params == {"state": "shut", "message": "open", "sender": "peer"}
    assert "shut" in caught.value.text("zh")


def test_a_table_is_not_changed_by_who_made_it() -> None:
    rows = dict(ROWS)
    table = Table(first=S.NEW, rows=rows)
    rows[S.SHUT, M.OPEN, P.PEER] = S.OPEN
    assert not table.allows(S.SHUT, M.OPEN, P.PEER)
