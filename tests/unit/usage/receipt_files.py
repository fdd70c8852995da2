"""Receipt files, genuine and with one defect each; run as a module to write the golden ones.

``python -m tests.unit.usage.receipt_files`` writes them anew: signatures differ each time, the
findings must not.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.evidence_store import SqlEvidenceStore
from huiqi.evidence.service import Evidence
from huiqi.evidence.types import Proof
from huiqi.kernel.digests import sha256_hex
from huiqi.trust.types import Member
from huiqi.usage.files import ReceiptFile
from huiqi.usage.results import result_bytes
from huiqi.usage.types import Receipt, SignedOrder
from tests.unit.usage.world import COLUMNS, ROWS, MemoryKeys, Side, World, body_of, open_world, used

GOLDEN = Path(__file__).parents[2] / "golden" / "receipts"
# File -> the steps that do not pass when the reader trusts the members in ``keys.json``.
FINDINGS: Mapping[str, set[int]] = {
    "valid": set(),
    "valid-bare": set(),
    "other-format": {1},
    "not-json": {1},
    "loose-body": {2},
    "edited-body": {4, 5, 9},
    "wrong-key": {4},
    "wrong-suite": {4},
    "missing-countersignature": {5},
    "foreign-countersignature": {5},
    "foreign-order": {6},
    "edited-order": {6},
    "unsigned-order": {6},
    "altered-result": {7},
    "foreign-agreement": {8},
    "edited-agreement": {8},
    "half-signed-agreement": {8},
    "cut-proof": {9},
    "unsigned-checkpoint": {9},
    "foreign-proof": {9},
    "strangers-proof": {9},
}


class KeySigner:
    """Signs checkpoints with a connector's keys."""

    def __init__(self, keys: MemoryKeys) -> None:
        self._keys = keys

    def sign(self, data: bytes, suite: str) -> tuple[str, str]:
        made = self._keys.sign(suite, data)
        return made.key_id, made.value

    def keys(self) -> Mapping[str, tuple[str, str]]:
        return {key.suite: (key.key_id, key.value) for key in self._keys.public()}


def log_of(world: World, side: Side) -> Evidence:
    """The evidence log of one connector, with every fact integrated."""
    evidence = Evidence(
        scope=side.scope,
        work=SqlWork(world.database, side.scope),
        clock=world.clock,
        store=SqlEvidenceStore(),
        signer=KeySigner(side.keys),
        origin=f"huiqi/demo/{side.trust.me().id}",
    )
    evidence.integrate()
    return evidence


def fully_signed(world: World) -> tuple[SignedOrder, Receipt]:
    """A use that both sides have signed and kept."""
    order, outcome = used(world, world.contract())
    receipt = world.consumer.usage.keep(order, outcome).receipts[0]
    world.provider.usage.countersigned(world.consumer.trust.me(), receipt)
    return order, receipt


def genuine_file(world: World, receipt: Receipt) -> ReceiptFile:
    """A receipt with everything a file can hold."""
    digest = sha256_hex(receipt.body)
    proofs = [
        log_of(world, side).proof_of_document(digest) for side in (world.provider, world.consumer)
    ]
    data = world.provider.usage.receipt_file(str(body_of(receipt)["receiptId"]), proofs=proofs)
    file = msgspec.json.decode(data, type=ReceiptFile)
    return msgspec.structs.replace(file, result=result_bytes(COLUMNS, ROWS))


def with_receipt(file: ReceiptFile, **changed: object) -> ReceiptFile:
    """The file with another receipt."""
    receipt = msgspec.structs.replace(file.receipt, **changed)
    return msgspec.structs.replace(file, receipt=receipt)


def defective_files(world: World) -> dict[str, bytes]:
    """Every file by name."""
    _, receipt = fully_signed(world)
    _, other = fully_signed(world)
    file, foreign = genuine_file(world, receipt), genuine_file(world, other)
    assert file.order is not None
    assert foreign.order is not None
    assert file.agreement is not None
    body, agreement = file.receipt.body, file.agreement
    edited_order = file.order.body.replace(b"avg", b"sum")
    third = world.third.trust
    replaced = msgspec.structs.replace
    first, second = file.proofs
    edited_agreement = agreement.body.replace(b'"days":30', b'"days":31')
    named = {
        "valid": file,
        "valid-bare": ReceiptFile(receipt=file.receipt, members=file.members),
        "other-format": replaced(file, format="huiqi-receipt/2"),
        "loose-body": with_receipt(file, body=body.replace(b'":"', b'": "', 1)),
        "edited-body": with_receipt(file, body=body.replace(b'"count":1', b'"count":0')),
        "wrong-key": with_receipt(file, provider_signature=third.sign(body)),
        "wrong-suite": with_receipt(
            file, provider_signature=world.provider.trust.sign(body, "ed25519-sha256-aes")
        ),
        "missing-countersignature": with_receipt(file, consumer_signature=None),
        "foreign-countersignature": with_receipt(
            file, consumer_signature=world.provider.trust.sign(body)
        ),
        "foreign-order": replaced(file, order=foreign.order),
        "edited-order": replaced(file, order=replaced(file.order, body=edited_order)),
        "unsigned-order": replaced(
            file, order=replaced(file.order, signature=third.sign(file.order.body))
        ),
        "altered-result": replaced(file, result=result_bytes(COLUMNS, (ROWS[0], ("芜湖", 0.2)))),
        "foreign-agreement": replaced(file, agreement=foreign.agreement),
        "edited-agreement": replaced(file, agreement=replaced(agreement, body=edited_agreement)),
        "half-signed-agreement": replaced(
            file, agreement=replaced(agreement, signatures=agreement.signatures[1:])
        ),
        "cut-proof": replaced(file, proofs=(first, replaced(second, path=second.path[:-1]))),
        "unsigned-checkpoint": replaced(file, proofs=(_resigned(first), second)),
        "foreign-proof": replaced(file, proofs=foreign.proofs),
        "strangers-proof": replaced(file, proofs=(_strangers(world),)),
    }
    files = {name: msgspec.json.encode(made) for name, made in named.items()}
    return {**files, "not-json": files["valid"][:-9]}


def trusted(world: World) -> list[Member]:
    """What the reader of the files trusts."""
    return [world.provider.trust.me(), world.consumer.trust.me()]


def _resigned(proof: Proof) -> Proof:
    text, _, lines = proof.checkpoint.rpartition("\n\n")
    kept = lines.split("\n")[0]
    return msgspec.structs.replace(proof, checkpoint=f"{text}\n\n{kept}\n")


def _strangers(world: World) -> Proof:
    evidence = log_of(world, world.third)
    return evidence.proof(0)


def main() -> None:
    """Write the golden files."""
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        for name, data in defective_files(world).items():
            (GOLDEN / f"{name}.json").write_bytes(data)
        (GOLDEN / "keys.json").write_bytes(msgspec.json.encode(trusted(world)))


if __name__ == "__main__":
    sys.exit(main())
