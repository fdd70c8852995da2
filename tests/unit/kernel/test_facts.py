"""What is written down for ever: chained per subject, bounded, and without the document itself."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.canonical import NotCanonical
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.kernel.facts import LONGEST_LEAF, NO_PREVIOUS, Entry, Fact, FactTooLong, entry_of

NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)


def fact(document: bytes | None = None, **details: Any) -> Fact:
    return Fact(
        kind="UseClosed", subject="C1", actor="李四", at=NOW, details=details, document=document
    )


def entry(made: Fact, seq: int = 0, chain: tuple[int, str] = (0, NO_PREVIOUS)) -> tuple[Entry, str]:
    return entry_of(made, space="demo", owner="91349900MAXXXX0P1L", seq=seq, chain=chain)


@given(st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=8))
def test_the_entries_of_a_subject_form_a_counted_chain(rows: list[int]) -> None:
    chain = (0, NO_PREVIOUS)
    for seq, number in enumerate(rows):
        made, end = entry(fact(rows=number), seq, chain)
        assert (made.seq, made.n, made.prev) == (seq, seq + 1, chain[1])
        assert end == sha256_hex(made.leaf())
        chain = (made.n, end)


def test_every_part_of_a_fact_changes_the_hash() -> None:
    plain = fact(rows=1)
    ends = {
        entry(changed)[1]
        for changed in (
            plain,
            msgspec.structs.replace(plain, kind="UseOpened"),
            msgspec.structs.replace(plain, subject="C2"),
            msgspec.structs.replace(plain, actor="王五"),
            msgspec.structs.replace(plain, at=NOW.replace(microsecond=1)),
            msgspec.structs.replace(plain, details={"rows": 2}),
            msgspec.structs.replace(plain, document=b""),
            msgspec.structs.replace(plain, document=b"x"),
        )
    }
    ends |= {entry(plain, 1)[1], entry(plain, 0, (1, NO_PREVIOUS))[1], entry(plain, 0, (0, "1"))[1]}
    assert len(ends) == 11


def test_of_a_document_only_its_digests_are_written() -> None:
    made, _ = entry(fact(b"the agreement"))
    assert (made.sha256, made.sm3) == (sha256_hex(b"the agreement"), sm3_hex(b"the agreement"))
    assert b"agreement" not in made.leaf()


def test_an_entry_without_document_has_empty_digests() -> None:
    made, _ = entry(fact())
    assert (made.sha256, made.sm3) == ("", "")


def test_an_entry_fits_into_a_bundle_or_is_refused() -> None:
    rest = len(entry(fact(text=""))[0].leaf())
    fits, _ = entry(fact(text="x" * (LONGEST_LEAF - rest)))
    assert len(fits.leaf()) == LONGEST_LEAF
    with pytest.raises(FactTooLong) as caught:
        entry(fact(text="x" * (LONGEST_LEAF - rest + 1)))
    assert caught.value.params == {"kind": "UseClosed", "bytes": "65536", "limit": "65535"}


def test_the_limit_is_counted_in_bytes_not_characters() -> None:
    with pytest.raises(FactTooLong):
        entry(fact(text="存" * 22_000))


def test_details_without_a_single_form_are_refused() -> None:
    with pytest.raises(NotCanonical):
        entry(fact(price=1.5))
