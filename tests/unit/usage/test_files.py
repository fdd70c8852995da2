"""A receipt file is checked by anybody, without any network, step by step."""

import json

import msgspec
import pytest

from huiqi.trust.types import INTERNATIONAL_SUITE, Member
from huiqi.usage.files import Checked, ReceiptFile, verify_receipt_file
from tests.unit.usage.receipt_files import (
    FINDINGS,
    GOLDEN,
    defective_files,
    fully_signed,
    genuine_file,
    trusted,
)
from tests.unit.usage.world import World, body_of, completed, granted


def failed(checked: Checked) -> set[int]:
    """The steps that did not pass."""
    return {step.number for step in checked.steps if step.passed is False}


@pytest.fixture(scope="module")
def keys() -> list[Member]:
    return msgspec.json.decode((GOLDEN / "keys.json").read_bytes(), type=list[Member])


@pytest.mark.parametrize("name", FINDINGS)
def test_a_golden_file_fails_at_its_defect_alone(name: str, keys: list[Member]) -> None:
    checked = verify_receipt_file((GOLDEN / f"{name}.json").read_bytes(), keys)
    assert failed(checked) == FINDINGS[name], [s.finding.en for s in checked.steps]
    assert checked.genuine is (name in {"valid", "valid-bare"})
    assert [step.number for step in checked.steps] == list(range(1, 10))
    assert all(step.finding.zh and step.finding.en and step.name.zh for step in checked.steps)


def test_there_is_a_golden_file_for_every_finding_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*FINDINGS, "keys"}


def test_files_made_today_are_found_as_the_golden_ones(world: World) -> None:
    found = {
        name: failed(verify_receipt_file(data, trusted(world)))
        for name, data in defective_files(world).items()
    }
    assert found == FINDINGS


def test_the_valid_file_passes_every_step(keys: list[Member]) -> None:
    checked = verify_receipt_file((GOLDEN / "valid.json").read_bytes(), keys)
    assert [step.passed for step in checked.steps] == [True] * 9
    assert checked.body is not None
    assert checked.body.rows == 2


def test_what_is_not_included_is_said_to_be_so(keys: list[Member]) -> None:
    checked = verify_receipt_file((GOLDEN / "valid-bare.json").read_bytes(), keys)
    assert [step.passed for step in checked.steps] == [True] * 5 + [None] * 4


def test_keys_that_only_the_file_brings_prove_nothing(keys: list[Member]) -> None:
    data = (GOLDEN / "valid.json").read_bytes()
    for known in ([], keys[:1]):
        checked = verify_receipt_file(data, known)
        assert failed(checked) == {3}
        assert not checked.genuine


def test_bare_public_keys_are_enough(keys: list[Member]) -> None:
    data = (GOLDEN / "valid.json").read_bytes()
    assert verify_receipt_file(data, [member.keys for member in keys]).genuine


def test_one_party_cannot_lend_its_key_to_the_other(world: World) -> None:
    _, receipt = fully_signed(world)
    consumer, provider = world.consumer.trust, world.provider.trust.me()
    borrowed = msgspec.structs.replace(provider, keys=consumer.me().keys)
    twice = msgspec.structs.replace(receipt, provider_signature=consumer.sign(receipt.body))
    file = ReceiptFile(receipt=twice, members=(borrowed, consumer.me()))
    bare = [provider.keys, consumer.me().keys]
    assert failed(verify_receipt_file(msgspec.json.encode(file), bare)) == {3}
    assert failed(verify_receipt_file(msgspec.json.encode(file), trusted(world))) == {4}


def test_a_record_of_another_organisation_is_not_the_party(world: World) -> None:
    _, receipt = fully_signed(world)
    me = world.provider.trust.me()
    other = msgspec.structs.replace(me, subject=world.third.trust.me().subject)
    file = ReceiptFile(receipt=receipt, members=(me, world.consumer.trust.me()))
    known = [other, world.consumer.trust.me()]
    assert failed(verify_receipt_file(msgspec.json.encode(file), known)) == {3}
    alone = ReceiptFile(receipt=receipt, members=())
    assert failed(verify_receipt_file(msgspec.json.encode(alone), [])) == {3, 4, 5}


def test_the_own_file_of_each_side_is_genuine(world: World) -> None:
    _, receipt = fully_signed(world)
    receipt_id = str(body_of(receipt)["receiptId"])
    for side in (world.provider, world.consumer):
        data = side.usage.receipt_file(receipt_id)
        checked = verify_receipt_file(data, trusted(world))
        assert checked.genuine
        assert [step.passed for step in checked.steps][5:] == [True, None, True, None]
        assert json.loads(data)["format"] == "huiqi-receipt/1"


def test_a_receipt_without_countersignature_makes_a_file_that_is_not_genuine(world: World) -> None:
    contract = world.contract()
    receipt = world.provider.usage.close(granted(world, contract).id, completed())
    data = world.provider.usage.receipt_file(str(body_of(receipt)["receiptId"]))
    checked = verify_receipt_file(data, trusted(world))
    assert failed(checked) == {5}


def test_a_trusted_member_outweighs_the_record_in_the_file(world: World) -> None:
    _, receipt = fully_signed(world)
    file = genuine_file(world, receipt)
    third = world.third.trust.me()
    lying = [msgspec.structs.replace(member, keys=third.keys) for member in file.members]
    forged = msgspec.structs.replace(file, members=tuple(lying))
    assert verify_receipt_file(msgspec.json.encode(forged), trusted(world)).genuine


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff\xfe", b"[" * 9999, b"{" * 9999])
def test_any_bytes_are_answered(data: bytes) -> None:
    checked = verify_receipt_file(data, [])
    assert failed(checked) == {1}
    assert checked.body is None


def test_the_agreement_must_be_signed_in_the_suite_of_the_receipt(world: World) -> None:
    _, receipt = fully_signed(world)
    file = genuine_file(world, receipt)
    assert file.agreement is not None
    first = file.agreement.signatures[0]
    covered = b"|".join(
        (file.agreement.body, str(body_of(receipt)["contract"]).encode(), first.sign_time.encode())
    )
    other = msgspec.structs.replace(
        first, signature=world.provider.trust.sign(covered, INTERNATIONAL_SUITE)
    )
    agreement = msgspec.structs.replace(
        file.agreement, signatures=(other, *file.agreement.signatures[1:])
    )
    wrong = msgspec.structs.replace(file, agreement=agreement)
    assert failed(verify_receipt_file(msgspec.json.encode(wrong), trusted(world))) == {8}
