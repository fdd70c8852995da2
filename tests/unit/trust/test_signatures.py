"""Checking signatures offline: the right key, the right suite, the right bytes."""

import pytest

from huiqi.trust.errors import ForgedSignature, UnknownSuite
from huiqi.trust.service import key_id, suites, verify_with
from huiqi.trust.signatures import genuine
from huiqi.trust.types import INTERNATIONAL_SUITE, NATIONAL_SUITE, PublicKey, Signature
from tests.unit.trust.systems import MemoryKeys

KEYS = MemoryKeys()


def test_both_suites_are_found() -> None:
    assert set(suites()) == {NATIONAL_SUITE, INTERNATIONAL_SUITE}
    assert {suite.digest for suite in suites().values()} == {"sm3", "sha256"}


def test_a_key_id_is_the_beginning_of_sm3_over_the_keys_bytes() -> None:
    assert key_id(b"abc".hex()) == "66c7f0f462eeedd9"


@pytest.mark.parametrize("suite", [NATIONAL_SUITE, INTERNATIONAL_SUITE])
def test_a_signature_holds_for_its_key_and_bytes_only(suite: str) -> None:
    signature = KEYS.sign(suite, b"data")
    verify_with(KEYS.public(), b"data", signature)
    others = MemoryKeys().public()
    for keys, data in ((KEYS.public(), b"date"), (others, b"data"), ((), b"data")):
        with pytest.raises(ForgedSignature):
            verify_with(keys, data, signature)


def test_a_foreign_key_under_the_right_key_id_does_not_help() -> None:
    signature = KEYS.sign(NATIONAL_SUITE, b"data")
    posed = [
        PublicKey(suite=key.suite, key_id=signature.key_id, value=key.value)
        for key in MemoryKeys().public()
    ]
    assert not any(genuine(key) for key in posed)
    with pytest.raises(ForgedSignature):
        verify_with(posed, b"data", signature)


def test_a_signature_under_the_name_of_the_other_suite_is_forged() -> None:
    given = KEYS.sign(NATIONAL_SUITE, b"data")
    posed = Signature(suite=INTERNATIONAL_SUITE, key_id=given.key_id, value=given.value)
    with pytest.raises(ForgedSignature):
        verify_with(KEYS.public(), b"data", posed)


def test_a_suite_that_is_not_installed_is_named() -> None:
    with pytest.raises(UnknownSuite) as caught:
        verify_with(KEYS.public(), b"", Signature(suite="rot13", key_id="", value=""))
    assert "rot13" in caught.value.text("en")


@pytest.mark.parametrize("value", ["", "zz", "0", "04"])
def test_a_key_that_is_none_is_not_genuine(value: str) -> None:
    assert not genuine(PublicKey(suite=NATIONAL_SUITE, key_id="x", value=value))
