"""Which word, colour and mark does a state have, everywhere the same?"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from huiqi.catalog.types import ProductState
from huiqi.contracts.types import ContractStatus, PartyRole, ProposalKind
from huiqi.policy.types import Decision, Strength
from huiqi.trust.types import Role, SystemKind
from huiqi.usage.types import GrantState
from huiqi.web.i18n import Tongue, mark

State = TypeVar("State", bound=str)


class Chip(NamedTuple):
    """A state as it is shown: colour class of ``huiqi.css`` and the word."""

    tone: str
    word: str


PRODUCT: Mapping[ProductState, Chip] = {
    ProductState.DRAFT: Chip("", mark("草稿")),
    ProductState.IDENTIFIED: Chip("", mark("已赋码")),
    ProductState.REVIEWING: Chip("warn", mark("待审")),
    ProductState.LISTED: Chip("ok", mark("在架")),
    ProductState.REJECTED: Chip("bad", mark("已退回")),
    ProductState.SUSPENDED: Chip("warn", mark("暂停")),
    ProductState.WITHDRAWN: Chip("", mark("已下架")),
}

CONTRACT: Mapping[ContractStatus, Chip] = {
    ContractStatus.INITIATED: Chip("warn", mark("待答复")),
    ContractStatus.NEGOTIATING: Chip("warn", mark("协商中")),
    ContractStatus.SIGNING: Chip("warn", mark("待签署")),
    ContractStatus.SIGNED: Chip("run", mark("已签，待备案")),
    ContractStatus.SIGNING_FAILED: Chip("bad", mark("签署失败")),
    ContractStatus.PERFORMING: Chip("run", mark("履约中")),
    ContractStatus.TERMINATED: Chip("", mark("已终止")),
}

GRANT: Mapping[str, Chip] = {
    GrantState.ASKED.value: Chip("warn", mark("已发出")),
    GrantState.OPEN.value: Chip("run", mark("进行中")),
    GrantState.COMPLETED.value: Chip("ok", mark("完成")),
    GrantState.REFUSED.value: Chip("bad", mark("拒绝")),
    GrantState.FAILED.value: Chip("bad", mark("失败")),
    GrantState.REVOKED.value: Chip("bad", mark("已撤销")),
    GrantState.EXPIRED.value: Chip("warn", mark("已过期")),
}

DECISION: Mapping[str, Chip] = {
    Decision.ALLOWED.value: Chip("ok", mark("允许")),
    Decision.CONDITIONAL.value: Chip("warn", mark("有条件允许")),
    Decision.DENIED.value: Chip("bad", mark("拒绝")),
    Decision.DEFAULT_DENIED.value: Chip("bad", mark("默认拒绝")),
}

STANDING: Mapping[str, Chip] = {
    "active": Chip("ok", mark("有效")),
    "suspended": Chip("bad", mark("已停用")),
    "unknown": Chip("", mark("未知")),
}

ROUND: Mapping[ProposalKind, str] = {
    ProposalKind.REQUEST: mark("申请"),
    ProposalKind.OFFER: mark("提出条件"),
    ProposalKind.ACCEPT: mark("接受"),
    ProposalKind.DECLINE: mark("拒绝条件"),
}

SIDE: Mapping[PartyRole, str] = {
    PartyRole.PROVIDER: mark("提供方"),
    PartyRole.CONSUMER: mark("使用方"),
    PartyRole.SERVICE: mark("服务方"),
    PartyRole.OTHER: mark("平台"),
}

ROLE: Mapping[Role, str] = {
    Role.ADMIN: mark("管理员"),
    Role.OPERATOR: mark("运营方"),
    Role.PROVIDER: mark("提供方"),
    Role.CONSUMER: mark("使用方"),
    Role.AUDITOR: mark("审计员"),
}

KIND: Mapping[SystemKind, str] = {
    SystemKind.NODE: mark("功能节点"),
    SystemKind.PLATFORM: mark("服务平台"),
    SystemKind.CONNECTOR: mark("接入连接器"),
}

KIND_SENTENCE: Mapping[SystemKind, str] = {
    SystemKind.NODE: mark("发放标识，接纳平台。"),
    SystemKind.PLATFORM: mark("审核产品，备案合约，汇总回执，出具结算单。"),
    SystemKind.CONNECTOR: mark("发布数据或受控使用数据。"),
}

STRENGTH_MARK: Mapping[Strength | None, str] = {
    Strength.ENFORCED: "■",
    Strength.DETECTED: "◧",
    Strength.PROMISED: "□",
    None: "×",
}

STRENGTH_WORD: Mapping[Strength | None, str] = {
    Strength.ENFORCED: mark("强制执行"),
    Strength.DETECTED: mark("事后可查"),
    Strength.PROMISED: mark("仅承诺"),
    None: mark("无法执行"),
}

# What a fact of the evidence log is called; an unknown kind is shown by its own name.
FACT: Mapping[str, str] = {
    "MemberAdmitted": mark("成员接纳"),
    "MemberFounded": mark("系统建立"),
    "MemberEnrolled": mark("系统入网"),
    "MemberInvited": mark("发出邀请"),
    "MemberSuspended": mark("成员停用"),
    "MemberResumed": mark("成员恢复"),
    "UserAdded": mark("添加用户"),
    "IdentifierAllotted": mark("标识发放"),
    "ResourceRegistered": mark("资源登记"),
    "ProductSubmitted": mark("产品发布"),
    "ProductListed": mark("产品上架"),
    "ProductAdmitted": mark("产品受理"),
    "ProductApproved": mark("产品审核通过"),
    "ProductRejected": mark("产品退回"),
    "ProductReviewed": mark("产品审核结果"),
    "ProductWithdrawn": mark("产品下架"),
    "ProductSuspended": mark("产品暂停"),
    "ProductResumed": mark("产品恢复"),
    "ContractAllotted": mark("合约编号发放"),
    "OfferMade": mark("发起协商"),
    "OfferCountered": mark("提出新条件"),
    "OfferAccepted": mark("条件已接受"),
    "OfferDeclined": mark("拒绝条件"),
    "SigningIntended": mark("准备签署"),
    "AgreementSigned": mark("合约签署"),
    "SignatureReceived": mark("收到对方签名"),
    "SignatureRefused": mark("不接受对方签名"),
    "ContractFiled": mark("合约备案"),
    "ContractTerminated": mark("合约终止"),
    "ContractExpired": mark("合约到期"),
    "UseGranted": mark("准予使用"),
    "UseRefused": mark("拒绝使用"),
    "UseClosed": mark("使用结束"),
    "UseOrdered": mark("发出使用请求"),
    "UseDecided": mark("判定使用"),
    "UseAnswered": mark("使用得到答复"),
    "ReceiptHeld": mark("回执暂缓结算"),
    "ReceiptKept": mark("回执留存"),
    "ReceiptCountersigned": mark("回执会签"),
    "ReceiptDeposited": mark("回执存入平台"),
    "ReceiptDisputed": mark("回执有争议"),
    "ProjectionDestroyed": mark("投影销毁"),
    "ProjectionBuilt": mark("投影建立"),
    "StatementIssued": mark("结算单出具"),
    "StatementReceived": mark("结算单收到"),
    "SettlementTaken": mark("结算取数"),
    "SettlementPriced": mark("结算计价"),
    "SettlementPosted": mark("结算记账"),
    "SettlementClosed": mark("账期关闭"),
}


def chip(tongue: Tongue, words: Mapping[State, Chip], state: State) -> Chip:
    """The chip of ``state`` in the reader's language; an unknown state shows its own name."""
    known = words.get(state, Chip("", ""))
    return Chip(known.tone, tongue.say(known.word) if known.word else str(state))


def fact_name(tongue: Tongue, kind: str) -> str:
    """What a kind of fact is called in the reader's language."""
    known = FACT.get(kind)
    return tongue.say(known) if known else kind


def short(digest: str) -> str:
    """The head and tail of a digest, for the eye.

    >>> short("9f2c77ab00000000000000000000000000000000000000000000000000ab51e8")
    '9f2c77ab…ab51e8'
    """
    return digest if len(digest) <= 18 else f"{digest[:8]}…{digest[-6:]}"  # noqa: PLR2004 - what fits a cell
