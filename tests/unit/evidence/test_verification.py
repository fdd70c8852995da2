"""Offline proofs: the golden one holds, and every defect is refused at its step."""

from pathlib import Path

import msgspec
import pytest

from huiqi.evidence.errors import ForgedProof
from huiqi.evidence.notes import ED25519, SM2
from huiqi.evidence.ports import Keys
from huiqi.evidence.service import parse_proof, verify_proof
from huiqi.evidence.types import Proof
from huiqi.kernel.facts import Entry
from tests.unit.evidence.logs import ORIGIN, KeySigner, check_signature

GOLDEN = Path(__file__).parents[2] / "golden" / "evidence"
DEFECTS = sorted(GOLDEN.glob("step*.json"))
VALID = (GOLDEN / "valid.json").read_bytes()


def keys() -> Keys:
    found = msgspec.json.decode((GOLDEN / "keys.json").read_bytes())
    return {suite: [(key_id, public) for key_id, public in each] for suite, each in found.items()}


def verified(data: bytes, known: Keys | None = None, origin: str | None = None) -> Entry:
    known = keys() if known is None else known
    return verify_proof(parse_proof(data), known, check=check_signature, origin=origin)


def test_the_golden_proof_holds_and_gives_its_entry() -> None:
    entry = verified(VALID, origin=ORIGIN)
    assert (entry.seq, entry.subject, entry.details["purpose"]) == (17, "contract-2", "评估")


@pytest.mark.parametrize("suite", [ED25519, SM2])
def test_a_verifier_that_knows_one_suite_alone_accepts_it(suite: str) -> None:
    assert verified(VALID, {suite: keys()[suite]}).seq == 17


def test_there_are_defects_for_every_step() -> None:
    assert {path.name[:5] for path in DEFECTS} == {f"step{n}" for n in range(1, 6)}
    assert len(DEFECTS) >= 30


@pytest.mark.parametrize("path", DEFECTS, ids=lambda path: path.stem)
def test_every_defect_is_refused_at_its_step(path: Path) -> None:
    with pytest.raises(ForgedProof) as refused:
        verified(path.read_bytes())
    assert refused.value.params["step"] == path.name[4]
    for language in ("zh", "en"):
        assert path.name[4] in refused.value.text(language)
        assert "{" not in refused.value.text(language)


def test_a_proof_of_strangers_keys_is_refused_at_step_3() -> None:
    for known in (KeySigner().known(), {}, {ED25519: []}):
        with pytest.raises(ForgedProof) as refused:
            verified(VALID, known)
        assert refused.value.params["step"] == "3"


def test_a_proof_of_another_log_of_the_same_keys_is_refused_when_the_log_is_named() -> None:
    with pytest.raises(ForgedProof) as refused:
        verified(VALID, origin="huiqi/huizhou/other")
    assert refused.value.params["step"] == "2"


def test_no_flipped_bit_leaves_a_proof_of_another_entry() -> None:
    genuine = verified(VALID)
    for place in range(0, len(VALID), 11):
        flipped = VALID[:place] + bytes([VALID[place] ^ 1]) + VALID[place + 1 :]
        try:
            entry = verified(flipped)
        except ForgedProof:
            continue
        assert entry == genuine  # a blank between JSON values, or the name of an ignored key


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"null", b'{"index":"1"}'])
def test_what_is_not_a_proof_is_refused_at_step_1(data: bytes) -> None:
    with pytest.raises(ForgedProof) as refused:
        parse_proof(data)
    assert refused.value.params["step"] == "1"


def test_a_proof_survives_json() -> None:
    proof = parse_proof(VALID)
    assert msgspec.json.decode(msgspec.json.encode(proof), type=Proof) == proof
