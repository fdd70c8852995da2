"""Crypto suites: known answers, agreement between libraries, and no forgery passes."""

import os
from concurrent.futures import ThreadPoolExecutor

import gmalg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.trust.errors import SigningFailed
from huiqi.trust.ports import Suite
from huiqi.trust.service import suites
from huiqi.trust.suites.sm2_gmssl import Gmssl
from huiqi.trust.suites.sm2_libcrypto import Libcrypto
from huiqi.trust.suites.sm2_sm3_sm4 import CAPABILITY, Sm2Suite, chosen_library

# spec/ndi-identity.md section 3: a made-up key, verified with two independent implementations.
SM2_TEXT = (
    b"msgcode=SyncLogoffInfo&msgversion=1.0.0&timestamp=1763863200000"
    b"&sequenceNum=20251123100000000000000000000001"
    b'&{"identityCode":"91349900MA8TE3T079/340000199001010016"}'
)
SM2_D = "6948aa7a63a4e71dbbdc6277960903f8302bd3039cd0dfa43046c3d7cd4da90d"
SM2_Q = (
    "0489bd9bc5c814a2bbfd4481d1c8537e48256534437df59a26059753d84bb32715"
    "39934b7c2d67bfc17144b9ebec7e8db0d308efe0710e5e3aa7fa2ed0d9da10f1"
)
SM2_SIGNATURE = (
    "f007cce08e6128454d05c57bccfdf63b839537c94cb013f8f2002f9c1ac25850"
    "6ccb0a172fc123cd05a3a97cc7ed9bcf74d8794e52a43dbfbe760f57e667c683"
)
SM2_PRIVATE = bytes.fromhex(SM2_D + SM2_Q[2:])
# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
ED25519 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def _every_suite() -> list[Suite]:
    found: list[Suite] = [*suites().values(), Sm2Suite(Gmssl())]
    library = Libcrypto.found()
    return [*found, Sm2Suite(library)] if library is not None else found


EVERY = [pytest.param(suite, id=f"{suite.name}-{suite.backend}") for suite in _every_suite()]
SM2 = [pytest.param(p.values[0], id=p.id) for p in EVERY if "sm2" in str(p.id)]
SIGNED = [(suite, *suite.generate()) for suite in _every_suite()]


class Oracle:
    """SM2 in pure Python, written by others: the independent third opinion."""

    user = b"1234567812345678"

    def sign(self, private: bytes, data: bytes) -> str:
        r, s = gmalg.SM2(private[:32], self.user, b"\x04" + private[32:]).sign(data)
        return (r.rjust(32, b"\0") + s.rjust(32, b"\0")).hex()

    def verify(self, public: str, data: bytes, signature: str) -> bool:
        value = bytes.fromhex(signature)
        checker = gmalg.SM2(None, self.user, bytes.fromhex(public))
        return bool(checker.verify(data, value[:32], value[32:]))


@pytest.mark.parametrize("suite", SM2)
def test_the_sm2_vector_of_the_spec_holds(suite: Suite) -> None:
    assert suite.verify(SM2_Q, SM2_TEXT, SM2_SIGNATURE)
    assert not suite.verify(SM2_Q, SM2_TEXT + b"\n", SM2_SIGNATURE)
    assert suite.verify(SM2_Q, SM2_TEXT, suite.sign(SM2_PRIVATE, SM2_TEXT))


@pytest.mark.parametrize(("seed", "public", "message", "signature"), ED25519)
def test_the_vectors_of_rfc_8032_hold(seed: str, public: str, message: str, signature: str) -> None:
    suite = suites()["ed25519-sha256-aes"]
    data = bytes.fromhex(message)
    assert suite.sign(bytes.fromhex(seed), data) == signature
    assert suite.verify(public, data, signature)
    assert not suite.verify(public, data + b"\0", signature)


@pytest.mark.parametrize("signer", SM2)
@pytest.mark.parametrize("checker", SM2)
def test_the_libraries_believe_each_other(signer: Suite, checker: Suite) -> None:
    private, public = signer.generate()
    for data in (b"", b"a", os.urandom(10_000)):
        assert checker.verify(public, data, signer.sign(private, data))


@pytest.mark.parametrize("suite", SM2)
def test_the_oracle_and_the_suite_believe_each_other(suite: Suite) -> None:
    private, public = suite.generate()
    oracle = Oracle()
    assert oracle.verify(public, b"data", suite.sign(private, b"data"))
    assert not oracle.verify(public, b"date", suite.sign(private, b"data"))
    assert suite.verify(public, b"data", oracle.sign(private, b"data"))
    assert oracle.verify(SM2_Q, SM2_TEXT, SM2_SIGNATURE)


@pytest.mark.parametrize("suite", EVERY)
def test_signatures_have_128_characters_and_keys_their_length(suite: Suite) -> None:
    for _ in range(20):
        private, public = suite.generate()
        assert len(suite.sign(private, b"x")) == 128
        assert len(public) == (130 if "sm2" in suite.name else 64)
    assert len({suite.generate()[1] for _ in range(5)}) == 5


@given(st.sampled_from(SIGNED), st.binary(max_size=64), st.integers(0, 511), st.data())
def test_a_flipped_bit_anywhere_is_refused(
    signed: tuple[Suite, bytes, str], data: bytes, bit: int, draw: st.DataObject
) -> None:
    suite, private, public = signed
    signature = suite.sign(private, data)
    assert suite.verify(public, data, signature)
    flipped = int(signature, 16) ^ (1 << bit)
    assert not suite.verify(public, data, f"{flipped:0128x}")
    if data:
        place = draw.draw(st.integers(0, len(data) * 8 - 1))
        other = (int.from_bytes(data, "big") ^ (1 << place)).to_bytes(len(data), "big")
        assert not suite.verify(public, other, signature)
    key = bytearray.fromhex(public)
    key[bit % len(key)] ^= 1
    assert not suite.verify(key.hex(), data, signature)


@pytest.mark.parametrize("suite", EVERY)
def test_malformed_input_is_false_and_never_an_exception(suite: Suite) -> None:
    private, public = suite.generate()
    signature = suite.sign(private, b"x")
    keys = [
        "",
        "zz",
        public[:-2],
        public + "00",
        public.upper(),
        "0" * len(public),
        "f" * len(public),
    ]
    keys += ["04" + "0" * 128, "04" + "f" * 128, "码" * len(public), f" {public}"]
    for key in keys:
        assert not suite.verify(key, b"x", signature)
    values = ["", "zz", signature[:-2], signature + "00", "0" * 128, "f" * 128, "码" * 128]
    values += [signature[:64] + "0" * 64, "0" * 64 + signature[64:], f"{signature}\n"]
    for value in values:
        assert not suite.verify(public, b"x", value)
    assert suite.verify(public, b"x", signature)


@pytest.mark.parametrize("suite", EVERY)
@pytest.mark.parametrize("private", [b"", b"1", bytes(96), b"\xff" * 96, bytes(31)])
def test_what_is_no_private_key_does_not_sign(suite: Suite, private: bytes) -> None:
    with pytest.raises(SigningFailed) as caught:
        suite.sign(private, b"x")
    assert suite.backend in caught.value.text("zh")


@pytest.mark.parametrize("suite", EVERY)
def test_many_threads_sign_and_verify_at_once(suite: Suite) -> None:
    private, public = suite.generate()

    def both(number: int) -> bool:
        data = str(number).encode()
        signature = suite.sign(private, data)
        wrong = suite.verify(public, data + b"x", signature)
        return suite.verify(public, data, signature) and not wrong

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(both, range(200)))


def test_the_library_is_chosen_once_and_shown() -> None:
    expected = "libcrypto" if Libcrypto.found() is not None else "gmssl-pyx"
    assert CAPABILITY.backend == expected


@pytest.mark.parametrize("path", [None, "libc.so.6", "/nowhere/libcrypto.so.3"])
def test_without_a_fit_libcrypto_the_wheel_does_the_work(
    monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _: path)
    assert chosen_library().name == "gmssl-pyx"


def test_a_libcrypto_that_fails_the_known_answer_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huiqi.trust.suites.sm2_libcrypto._KNOWN_DATA", b"something else")
    assert chosen_library().name == "gmssl-pyx"
