"""Passwords: argon2id at the recommended cost, and a decoy that costs the same."""

import pytest

from huiqi.adapters.passwords import ArgonPasswords


def test_a_password_belongs_to_its_hash_only() -> None:
    passwords = ArgonPasswords()
    encoded = passwords.hash("黄山-1")
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.verify(encoded, "黄山-1")
    assert not passwords.verify(encoded, "黄山-2")
    assert passwords.hash("黄山-1") != encoded


@pytest.mark.parametrize("encoded", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
def test_a_broken_hash_belongs_to_no_password(encoded: str) -> None:
    assert not ArgonPasswords().verify(encoded, "x")


def test_the_decoy_has_the_form_and_cost_of_a_real_hash() -> None:
    passwords = ArgonPasswords()
    real, decoy = passwords.hash("x"), passwords.decoy()
    assert real.split("$")[:4] == decoy.split("$")[:4]
    assert len(real) == len(decoy)
    assert not passwords.verify(decoy, "")
