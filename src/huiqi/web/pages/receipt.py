"""What does one receipt say, who signed it, and how is it checked offline?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from huiqi.evidence.types import Proof
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.digests import sha256_hex, sm3_hex
from huiqi.trust.types import Signature
from huiqi.usage.service import Checked, Step
from huiqi.usage.types import Receipt, ReceiptBody
from huiqi.web.i18n import Tongue
from huiqi.web.pages.conditions import Fact, purpose_word
from huiqi.web.pages.evidence import checkpoint_facts, leaf_hash
from huiqi.web.words import DECISION, GRANT, Chip, chip, short


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One signature on a receipt; ``key`` is empty while it is missing."""

    name: str
    role: str
    suite: str
    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One step of the check: mark, what was checked, what was found."""

    tone: str
    icon: str
    name: str
    finding: str


@dataclass(frozen=True, kw_only=True)
class ReceiptPage:
    """One receipt as it is printed."""

    id: str
    outcome: Chip
    facts: tuple[Fact, ...]
    reasons: tuple[str, ...]
    signs: tuple[Signed, ...]
    complete: bool
    digests: tuple[Fact, ...]
    proven: bool
    position: str
    leaf_hash: str
    path: tuple[str, ...]
    root: str
    file: str
    command: str
    contract: str
    steps: tuple[CheckStep, ...]
    genuine: bool


@dataclass(frozen=True, kw_only=True)
class ReceiptLine:
    """One receipt in a list."""

    href: str
    id: str
    contract: str
    consumer: str
    provider: str
    at: str
    rows: str
    outcome: Chip
    complete: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ReceiptsPage:
    """The receipts in these books, newest first."""

    sentence: str
    lines: tuple[ReceiptLine, ...]
    contract: str


def body_of(receipt: Receipt) -> ReceiptBody:
    """What a kept receipt says; its bytes were checked when it was kept.

    Raises:
        msgspec.DecodeError: the bytes are damaged.
    """
    return msgspec.json.decode(receipt.body, type=ReceiptBody)


def receipts_page(
    tongue: Tongue,
    base: str,
    receipts: Iterable[Receipt],
    *,
    names: Mapping[str, str],
    contract: str = "",
    notes: Mapping[str, str] | None = None,
) -> ReceiptsPage:
    """The list; ``names`` maps subject codes to names, ``notes`` receipt ids to a remark."""
    lines = tuple(
        _line(tongue, base, receipt, names=names, notes=notes or {}) for receipt in receipts
    )
    return ReceiptsPage(
        sentence=tongue.count("%(n)s 张回执，每次使用每份合约一张。", len(lines)),
        lines=lines,
        contract=contract,
    )


def _line(
    tongue: Tongue,
    base: str,
    receipt: Receipt,
    *,
    names: Mapping[str, str],
    notes: Mapping[str, str],
) -> ReceiptLine:
    body = body_of(receipt)
    return ReceiptLine(
        href=f"{base}/receipts/{body.receipt_id}",
        id=body.receipt_id,
        contract=body.contract,
        consumer=names.get(body.consumer, body.consumer),
        provider=names.get(body.provider, body.provider),
        at=tongue.exactly(parse_instant(body.closed_at)),
        rows=f"{body.rows:,}",
        outcome=chip(tongue, GRANT, body.outcome),
        complete=receipt.consumer_signature is not None,
        note=notes.get(body.receipt_id, ""),
    )


def receipt_page(  # noqa: PLR0913 - what the page shows, each by its name
    tongue: Tongue,
    base: str,
    receipt: Receipt,
    *,
    names: Mapping[str, str],
    proof: Proof | None = None,
    reasons: Mapping[str, str] | None = None,
    checked: Checked | None = None,
) -> ReceiptPage:
    """One receipt; ``reasons`` turns reason codes into words where they are known."""
    body = body_of(receipt)
    note = checkpoint_facts(proof.checkpoint) if proof else None
    said = reasons or {}
    return ReceiptPage(
        id=body.receipt_id,
        outcome=chip(tongue, GRANT, body.outcome),
        facts=_facts(tongue, body, names),
        reasons=tuple(said.get(code, code) for code in body.reasons),
        signs=(
            _signed(
                names.get(body.provider, body.provider),
                tongue.say("提供方"),
                receipt.provider_signature,
            ),
            _signed(
                names.get(body.consumer, body.consumer),
                tongue.say("使用方"),
                receipt.consumer_signature,
            ),
        ),
        complete=receipt.consumer_signature is not None,
        digests=_digests(tongue, receipt, body),
        proven=proof is not None,
        position=tongue.say(
            "第 %(index)s 条，共 %(size)s 条", index=f"{proof.index + 1:,}", size=note.size
        )
        if proof and note
        else "",
        leaf_hash=leaf_hash(proof.leaf) if proof else "",
        path=proof.path if proof else (),
        root=note.root if note else "",
        file=f"{base}/receipts/{body.receipt_id}/file",
        command=f"huiqi verify receipt-{body.receipt_id}.json --keys keys.json",
        contract=body.contract,
        steps=tuple(_step(tongue, step) for step in checked.steps) if checked else (),
        genuine=checked is not None and checked.genuine,
    )


def _step(tongue: Tongue, step: Step) -> CheckStep:
    tone, icon = {True: ("ok", "check"), False: ("bad", "x"), None: ("idle", "info")}[step.passed]
    return CheckStep(
        tone=tone, icon=icon, name=tongue.read(step.name), finding=tongue.read(step.finding)
    )


def _facts(tongue: Tongue, body: ReceiptBody, names: Mapping[str, str]) -> tuple[Fact, ...]:
    parties = (names.get(body.provider, body.provider), names.get(body.consumer, body.consumer))
    facts = [
        Fact(tongue.say("事项"), tongue.say("受控使用")),
        Fact(tongue.say("双方"), tongue.among(list(parties))),
        Fact(tongue.say("合约"), body.contract),
        Fact(tongue.say("产品"), body.product),
        Fact(tongue.say("用途"), purpose_word(tongue, body.purpose)),
        Fact(tongue.say("判定"), chip(tongue, DECISION, body.decision).word),
        Fact(tongue.say("结果"), tongue.count("%(n)s 行", body.rows)),
        Fact(tongue.say("开始"), tongue.exactly(parse_instant(body.opened_at))),
        Fact(tongue.say("结束"), tongue.exactly(parse_instant(body.closed_at))),
    ]
    if len(body.joint) > 1:
        facts.append(Fact(tongue.say("联合使用"), tongue.count("%(n)s 份合约", len(body.joint))))
    used = body.counters.get("count")
    if used is not None:
        facts.append(Fact(tongue.say("累计"), tongue.count("已用 %(n)s 次", used)))
    return tuple(facts)


def _digests(tongue: Tongue, receipt: Receipt, body: ReceiptBody) -> tuple[Fact, ...]:
    found = [
        Fact(tongue.say("回执 SM3"), sm3_hex(receipt.body)),
        Fact(tongue.say("回执 SHA-256"), sha256_hex(receipt.body)),
        Fact(tongue.say("请求 SM3"), body.order_digest),
    ]
    if body.result_digest:
        found.append(Fact(tongue.say("结果 SM3"), body.result_digest))
    found.append(Fact(tongue.say("使用编号"), body.use_id))
    found.append(Fact(tongue.say("执行连接器"), body.executor))
    return tuple(found)


def _signed(name: str, role: str, signature: Signature | None) -> Signed:
    if signature is None:
        return Signed(name=name, role=role, suite="", key="", value="")
    return Signed(
        name=name,
        role=role,
        suite=signature.suite,
        key=signature.key_id,
        value=short(signature.value),
    )
