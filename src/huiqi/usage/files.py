"""Does this receipt file prove, without any network, what was used under which contract?

The format is ``huiqi-receipt/1``: one JSON document. The steps of ``verify_receipt_file``:

1. The file is of the known format.
2. The receipt is one, in canonical bytes.
3. The keys of both parties are among those that the reader trusts.
4. The provider has signed the receipt.
5. The consumer has signed the very same bytes.
6. The order, if included, is the one that the receipt names, signed by the consumer.
7. The result, if included, is the one that the receipt names.
8. The agreement, if included, is that of the contract, signed by both parties.
9. Each proof, if included, shows the receipt in the evidence log of one of the parties.
"""

from collections.abc import Callable, Sequence

import msgspec

from huiqi.contracts.types import Agreement, AgreementBody, PartyRole
from huiqi.evidence.errors import ForgedProof
from huiqi.evidence.service import verify_proof
from huiqi.evidence.types import Proof
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.digests import digests, sm3_hex
from huiqi.kernel.errors import InvalidError
from huiqi.kernel.facts import Entry
from huiqi.kernel.text import Text
from huiqi.trust.errors import ForgedSignature, UnknownSuite
from huiqi.trust.service import suite as crypto_suite
from huiqi.trust.service import verify_with
from huiqi.trust.types import Member, PublicKey, Signature
from huiqi.usage.errors import ForgedOrder, ForgedReceipt, WrongResult
from huiqi.usage.orders import read_order
from huiqi.usage.receipts import misfit_of_order, read_body
from huiqi.usage.results import result_table
from huiqi.usage.types import Receipt, ReceiptBody, SignedOrder

FORMAT = "huiqi-receipt/1"
# Facts whose document is the body of a receipt.
RECEIPT_FACTS = frozenset({"UseClosed", "UseRefused", "ReceiptKept", "ReceiptCountersigned"})
# A file with the rows of a large result stays below this; more is not read.
LARGEST_FILE = 64 * 1024 * 1024


class ReceiptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt with everything that a third party needs to check it. Bytes are base64 in JSON.

    ``members`` are the records of both parties, as claims; ``result`` are the ``result_bytes``.
    """

    format: str = FORMAT
    receipt: Receipt
    members: tuple[Member, ...]
    order: SignedOrder | None = None
    result: bytes | None = None
    agreement: Agreement | None = None
    proofs: tuple[Proof, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """What one step found. ``passed`` is None when there was nothing to check."""

    number: int
    name: Text
    passed: bool | None
    finding: Text


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of all steps, in order; ``body`` is None when there is no receipt in it."""

    steps: tuple[Step, ...]
    body: ReceiptBody | None

    @property
    def genuine(self) -> bool:
        """Both trusted parties signed this receipt, and nothing in the file contradicts it."""
        needed = {step.number for step in self.steps if step.passed} >= {1, 2, 3, 4, 5}
        return needed and all(step.passed is not False for step in self.steps)


_Found = tuple[bool | None, Text]
_NAMES = (
    Text("文件格式", "File format"),
    Text("回执内容", "Receipt body"),
    Text("双方密钥", "Keys of both parties"),
    Text("提供方签名", "Provider's signature"),
    Text("使用方签名", "Consumer's signature"),
    Text("使用请求", "Order"),
    Text("结果", "Result"),
    Text("合约", "Agreement"),
    Text("存证证明", "Evidence proofs"),
)
_ABSENT = Text("文件中未包含", "Not included in the file")
_SKIPPED = Text("前面的步骤未通过，未检查", "Not checked, because an earlier step failed")


def verify_receipt_file(data: bytes, keys: Sequence[Member | Sequence[PublicKey]]) -> Checked:
    """Check a receipt file, step by step; pure, and without any network.

    ``keys`` are what the reader trusts from elsewhere: members, or bare public keys. A bare key
    says that a trusted signer signed; that it belongs to the organisation named is then the
    file's word, so prefer members. Keys that only the file brings are used to check signatures,
    but then step 3 does not pass.
    """
    # 1. format
    file = _read(data)
    if file is None:
        return _checked([(False, Text("不是回执文件", f"Not a file of format {FORMAT}"))], None)
    found: list[_Found] = [(True, Text(FORMAT, FORMAT))]
    # 2. body
    try:
        body = read_body(file.receipt.body)
    except ForgedReceipt:
        found.append((False, Text("回执内容不规范或已改动", "The receipt is not in its byte form")))
        return _checked(found, None)
    found.append((True, Text(f"回执 {body.receipt_id}", f"Receipt {body.receipt_id}")))
    # 3. keys
    parties = _Parties(file, body, keys)
    found.append(parties.trusted())
    steps: tuple[Callable[[ReceiptFile, ReceiptBody, _Parties], _Found], ...] = (
        _provider_signature,  # 4
        _consumer_signature,  # 5
        _order,  # 6
        _result,  # 7
        _agreement,  # 8
        _proofs,  # 9
    )
    found += [step(file, body, parties) for step in steps]
    return _checked(found, body)


def _read(data: bytes) -> ReceiptFile | None:
    if len(data) > LARGEST_FILE:
        return None
    try:
        file = msgspec.json.decode(data, type=ReceiptFile)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return file if file.format == FORMAT else None


def _checked(found: Sequence[_Found], body: ReceiptBody | None) -> Checked:
    missing = len(_NAMES) - len(found)
    every = (*found, *((None, _SKIPPED) for _ in range(missing)))
    return Checked(
        steps=tuple(
            Step(number, name, passed, finding)
            for number, (name, (passed, finding)) in enumerate(
                zip(_NAMES, every, strict=True), start=1
            )
        ),
        body=body,
    )


class _Parties:
    """The two parties of a receipt: whose keys check what, and which of them are trusted."""

    def __init__(
        self,
        file: ReceiptFile,
        body: ReceiptBody,
        keys: Sequence[Member | Sequence[PublicKey]],
    ) -> None:
        self._trusted: dict[str, Member] = {
            known.id: known for known in keys if isinstance(known, Member)
        }
        self._bare = {key for known in keys if not isinstance(known, Member) for key in known}
        self._claimed: dict[str, Member] = {member.id: member for member in file.members}
        self._provider, self._consumer = body.provider_node, body.consumer_node
        self._nodes: dict[str, str] = {
            body.provider: body.provider_node,
            body.consumer: body.consumer_node,
        }

    def trusted(self) -> _Found:
        """Step 3."""
        for subject, node in self._nodes.items():
            member = self.member(node)
            if member is None:
                what = Text(f"缺少 {node} 的成员信息", f"No record of {node} is given")
                return False, what
            if member.subject != subject:
                return False, Text(
                    f"{node} 不属于 {subject}", f"{node} is not a system of {subject}"
                )
            if node not in self._trusted and not self._bare.intersection(member.keys):
                return False, Text(
                    f"{node} 的公钥仅由文件自带，未经您信任的来源证实",
                    f"The keys of {node} come from the file alone; you do not trust them yet",
                )
        shared = set(self.keys(self._provider)).intersection(self.keys(self._consumer))
        if shared and self._provider != self._consumer:
            # With bare keys a party could else name its own key as the other's and sign twice.
            return False, Text("双方使用了同一公钥", "Both parties are said to have the same key")
        return True, Text("双方公钥均可信", "The keys of both parties are trusted")

    def member(self, node: str) -> Member | None:
        """The record of a system: the reader's own before the file's."""
        return self._trusted.get(node) or self._claimed.get(node)

    def keys(self, node: str) -> tuple[PublicKey, ...]:
        """The keys that may sign for a system: trusted ones, else those of the file."""
        member = self.member(node)
        if member is None:
            return ()
        trusted = tuple(key for key in member.keys if key in self._bare)
        return member.keys if node in self._trusted or not trusted else trusted

    def node_of(self, subject: str) -> str:
        """The system of one of the two parties; empty for anybody else."""
        return self._nodes.get(subject, "")

    def signed(self, node: str, data: bytes, signature: Signature) -> bool:
        """Whether a system signed ``data``."""
        try:
            verify_with(self.keys(node), data, signature)
        except (ForgedSignature, UnknownSuite):
            return False
        return True


def _provider_signature(file: ReceiptFile, body: ReceiptBody, parties: _Parties) -> _Found:
    signature = file.receipt.provider_signature
    return _signature(file, body, (parties, body.provider_node, signature))


def _consumer_signature(file: ReceiptFile, body: ReceiptBody, parties: _Parties) -> _Found:
    signature = file.receipt.consumer_signature
    if signature is None:
        return False, Text("使用方尚未签署", "The consumer has not signed")
    return _signature(file, body, (parties, body.consumer_node, signature))


def _signature(file: ReceiptFile, body: ReceiptBody, by: tuple[_Parties, str, Signature]) -> _Found:
    parties, node, signature = by
    if signature.suite != body.suite:
        return False, Text("签名套件与合约约定不同", "The suite is not the one of the contract")
    if not parties.signed(node, file.receipt.body, signature):
        return False, Text(f"不是 {node} 的签名", f"Not a signature of {node}")
    return True, Text(f"{node} 已签署", f"Signed by {node}")


def _order(file: ReceiptFile, body: ReceiptBody, parties: _Parties) -> _Found:
    if file.order is None:
        return None, _ABSENT
    try:
        order = read_order(file.order)
    except ForgedOrder:
        return False, Text("使用请求内容不规范", "The order is not in its byte form")
    misfit = misfit_of_order(body, order, file.order)
    if misfit is not None:
        return False, Text(f"使用请求与回执不符：{misfit}", f"The order differs in: {misfit}")
    if not parties.signed(body.consumer_node, file.order.body, file.order.signature):
        return False, Text("使用请求不是使用方签署", "The order is not signed by the consumer")
    return True, Text("使用请求与回执一致", "The order is the one that was receipted")


def _result(file: ReceiptFile, body: ReceiptBody, _: _Parties) -> _Found:
    if file.result is None:
        return None, _ABSENT
    try:
        _columns, rows = result_table(file.result)
    except WrongResult:
        return False, Text("结果内容不规范", "The result is not in its byte form")
    if sm3_hex(file.result) != body.result_digest or len(rows) != body.rows:
        return False, Text("结果与回执中的摘要不符", "The result is not the one that was receipted")
    return True, Text(f"结果一致，共 {body.rows} 行", f"The result is the same, {body.rows} rows")


def _agreement(file: ReceiptFile, body: ReceiptBody, parties: _Parties) -> _Found:
    agreement = file.agreement
    if agreement is None:
        return None, _ABSENT
    agreed = _read_agreement(agreement)
    if agreed is None:
        return False, Text("合约内容不规范或已改动", "The agreement is not in its byte form")
    sides = {(party.role, party.subject, party.node) for party in agreed.parties}
    both = (
        (PartyRole.PROVIDER, body.provider, body.provider_node),
        (PartyRole.CONSUMER, body.consumer, body.consumer_node),
    )
    terms = (agreed.contract_id, agreed.product, agreed.suite)
    if terms != (body.contract, body.product, body.suite) or not sides.issuperset(both):
        return False, Text("这是另一份合约", "It is the agreement of another contract or party")
    for role, _subject, node in both:
        signature = next((s for s in agreement.signatures if s.role is role), None)
        if signature is None or signature.node != node or signature.signature.suite != body.suite:
            return False, Text(f"合约缺少 {node} 的签名", f"{node} has not signed the agreement")
        # What a party signs: body | contract id | sign time (T14 table 1 row 9).
        covered = b"|".join((agreement.body, body.contract.encode(), signature.sign_time.encode()))
        if not parties.signed(node, covered, signature.signature):
            return False, Text(
                f"合约上不是 {node} 的签名", f"Not {node}'s signature on the agreement"
            )
    return True, Text("合约由双方签署", "The agreement is signed by both parties")


def _read_agreement(agreement: Agreement) -> AgreementBody | None:
    marks = digests(agreement.body)
    try:
        agreed = msgspec.json.decode(agreement.body, type=AgreementBody)
        exact = canonical_bytes(agreed) == agreement.body
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, InvalidError):
        return None
    return (
        agreed if exact and (marks.sm3, marks.sha256) == (agreement.sm3, agreement.sha256) else None
    )


def _proofs(file: ReceiptFile, body: ReceiptBody, parties: _Parties) -> _Found:
    if not file.proofs:
        return None, _ABSENT
    for proof in file.proofs:
        if (fault := _fault_of_proof(proof, file, body, parties)) is not None:
            return False, fault
    owners = len(file.proofs)
    return True, Text(f"{owners} 份存证证明均有效", f"{owners} proofs lead to a signed checkpoint")


def _fault_of_proof(
    proof: Proof, file: ReceiptFile, body: ReceiptBody, parties: _Parties
) -> Text | None:
    node = parties.node_of(_owner(proof))
    if not node:
        return Text("存证日志不属于双方", "The log is not one of the two parties'")
    keys: dict[str, list[tuple[str, str]]] = {}
    for key in parties.keys(node):
        keys.setdefault(key.suite, []).append((key.key_id, key.value))
    try:
        entry = verify_proof(proof, keys, check=_holds)
    except ForgedProof as error:
        return Text(error.text("zh"), error.text("en"))
    marks = digests(file.receipt.body)
    same = (entry.sha256, entry.sm3, entry.subject) == (marks.sha256, marks.sm3, body.contract)
    if not same or entry.kind not in RECEIPT_FACTS:
        return Text("存证条目记录的是另一份文件", "The entry is about another document")
    return None


def _owner(proof: Proof) -> str:
    """Whose log the leaf says it is of; only to choose the keys that the proof must satisfy."""
    try:
        return msgspec.json.decode(proof.leaf, type=Entry).owner
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""


def _holds(suite: str, public: str, data: bytes, signature: str) -> bool:
    try:
        return crypto_suite(suite).verify(public, data, signature)
    except UnknownSuite:
        return False
