"""Which file does a person take home to check a receipt without us?"""

from collections.abc import Sequence

import msgspec

from huiqi.evidence.types import Proof
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.kernel.errors import HuiqiError
from huiqi.trust.types import Member
from huiqi.usage.service import Checked, ReceiptFile, verify_receipt_file
from huiqi.usage.types import Receipt, ReceiptBody
from huiqi.web.system import System


def receipt_file(system: System, receipt: Receipt) -> bytes:
    """A ``huiqi-receipt/1`` document with everything these books hold about the receipt."""
    body = msgspec.json.decode(receipt.body, type=ReceiptBody)
    contract = None
    try:
        if system.contracts is not None:
            contract = system.contracts.contract(body.contract)
        elif system.contracts_desk is not None:
            contract = system.contracts_desk.contract(body.contract)
    except HuiqiError:
        contract = None
    order = system.usage.order(body.use_id) if system.usage else None
    if order is not None and sm3_hex(order.body) != body.order_digest:
        order = None
    # The platform's own log proves when a receipt was deposited, not what the parties hold.
    proof = proof_of(system, receipt) if system.usage else None
    file = ReceiptFile(
        receipt=receipt,
        members=tuple(parties_of(system, body)),
        order=order,
        agreement=contract.agreement if contract else None,
        proofs=(proof,) if proof else (),
    )
    return msgspec.json.encode(file)


def checked(system: System, receipt: Receipt) -> Checked:
    """The same steps that ``huiqi verify`` takes, with the keys that this system trusts."""
    body = msgspec.json.decode(receipt.body, type=ReceiptBody)
    return verify_receipt_file(receipt_file(system, receipt), parties_of(system, body))


def parties_of(system: System, body: ReceiptBody) -> Sequence[Member]:
    """The records of both parties, as far as they are known here."""
    found = []
    for node in dict.fromkeys((body.provider_node, body.consumer_node)):
        try:
            found.append(system.trust.member(node))
        except HuiqiError:
            continue
    return found


def proof_of(system: System, receipt: Receipt) -> Proof | None:
    """The proof of the newest entry that carries this receipt, None until one is integrated."""
    try:
        return system.evidence.proof_of_document(sha256_hex(receipt.body))
    except HuiqiError:
        return None
