"""What can go wrong between the first request and the end of a contract?"""

from collections.abc import Sequence

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)
from huiqi.policy.types import Finding


class UnknownContract(MissingError):
    """These books hold no contract of that identifier; check it, or wait for the first request."""

    code = "contracts.unknown_contract"
    zh = "没有合约 {contract}"
    en = "There is no contract {contract}"


class WrongParty(DeniedError):
    """The sender or caller is not the party that may do this; the named party has to."""

    code = "contracts.wrong_party"
    zh = "合约 {contract} 的这一步只能由约定的当事方执行（不符：{what}）"
    en = "Only the right party may take this step of contract {contract} (mismatch: {what})"


class SameParty(ConflictError):
    """Provider and consumer are the same organisation or system; no contract is needed."""

    code = "contracts.same_party"
    zh = "合约双方不能是同一主体"
    en = "The two parties of a contract must be different organisations"


class NotYourTurn(ConflictError):
    """Rounds alternate: wait for the other party's answer, or terminate to leave at once."""

    code = "contracts.not_your_turn"
    zh = "合约 {contract} 正等待对方答复，轮到对方提出下一轮"
    en = "Contract {contract} waits for the other party's answer; the next round is theirs"


class ConflictingRound(ConflictError):
    """Another proposal already stands in that round; reload the contract and answer that one."""

    code = "contracts.conflicting_round"
    zh = "合约 {contract} 第 {round} 轮已有不同内容，请刷新后再答复"
    en = "Round {round} of contract {contract} already holds something else; reload and answer it"


class EarlierMessageMissing(UnavailableError):
    """A message before this one has not arrived yet; the sender's system sends this one again."""

    code = "contracts.earlier_message_missing"
    zh = "合约 {contract} 之前的消息尚未到达，请稍后重发"
    en = "An earlier message of contract {contract} has not arrived yet; send this one again later"


class InvalidTerms(InvalidError):
    """Terms are unknown or contradict each other; ``findings`` name each place to put right."""

    code = "contracts.invalid_terms"
    zh = "条款不能接受：{zh}"
    en = "The terms cannot be accepted: {en}"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(
            zh="；".join(f"{each.where} {each.text.zh}" for each in self.findings),
            en="; ".join(f"{each.where} {each.text.en}" for each in self.findings),
        )


class EditedTerms(IntegrityError):
    """A proposal's digest is not that of its terms, or an acceptance names other terms.

    The message was altered or made by faulty software; ask the sender to propose again.
    """

    code = "contracts.edited_terms"
    zh = "合约 {contract} 的条款与其摘要不一致，已拒收"
    en = "The terms of contract {contract} do not match their digest; the message was refused"


class ImplausibleTime(InvalidError):
    """A time in a message lies in the future or before what it answers; check both clocks."""

    code = "contracts.implausible_time"
    zh = "合约 {contract} 的时间 {at} 不合理，请核对双方系统时钟"
    en = "The time {at} in contract {contract} is not plausible; check the clocks of both systems"


class WrongText(InvalidError):
    """A note or reason is missing or too long; write it within the length that is named."""

    code = "contracts.wrong_text"
    zh = "“{field}”须填写 {least} 至 {most} 个字符"
    en = "'{field}' must have {least} to {most} characters"


class WrongSuite(IntegrityError):
    """A signature was made with another suite than the contract names; the party signs again."""

    code = "contracts.wrong_suite"
    zh = "合约 {contract} 的签名未使用约定的密码套件 {suite}"
    en = "A signature of contract {contract} does not use the agreed suite {suite}"


class ProductNotOffered(ConflictError):
    """The product is not listed, or not with that content; search again and start from there."""

    code = "contracts.product_not_offered"
    zh = "数据产品 {product} 未上架或内容已变更，请重新检索"
    en = "Product {product} is not listed or has changed; search for it again"


class NotAgreed(ConflictError):
    """No proposal has been accepted yet, so there is nothing to sign; go on negotiating."""

    code = "contracts.not_agreed"
    zh = "合约 {contract} 尚未协商一致"
    en = "Nothing has been agreed yet in contract {contract}"


class NotSignable(ConflictError):
    """A term cannot be held by the software that would enforce it; negotiate without that term."""

    code = "contracts.not_signable"
    zh = "合约 {contract} 含有无法执行的条款，不能签署：{zh}"
    en = "Contract {contract} has terms that cannot be enforced and is not signed: {en}"

    def __init__(self, *, contract: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(
            contract=contract,
            zh="；".join(f"{each.where} {each.text.zh}" for each in self.findings),
            en="; ".join(f"{each.where} {each.text.en}" for each in self.findings),
        )


class AgreementOver(ConflictError):
    """The agreed period has passed before the contract was in force; negotiate a new one."""

    code = "contracts.agreement_over"
    zh = "合约 {contract} 的有效期已过，请重新发起"
    en = "The agreed period of contract {contract} is over; start a new one"


class AgreementUnreadable(InvalidError):
    """A filed agreement is not the canonical form of our document; file the exact signed bytes."""

    code = "contracts.agreement_unreadable"
    zh = "备案的合约正文格式不规范：{what}"
    en = "The filed agreement is not in canonical form: {what}"


class EditedAgreement(IntegrityError):
    """A signature or filing covers other bytes than those that follow from the negotiation.

    Somebody changed the text after it was agreed. Do not sign; compare the two texts with the
    other party and negotiate again.
    """

    code = "contracts.edited_agreement"
    zh = "合约 {contract} 的正文与协商结果不一致，签名已拒收"
    en = "The text of contract {contract} differs from what was negotiated; it was refused"


class ConflictingSignature(ConflictError):
    """The party already gave another signature for the same agreement; the first one stands."""

    code = "contracts.conflicting_signature"
    zh = "合约 {contract} 已有该方的另一份签名，以先到者为准"
    en = "Contract {contract} already has another signature of that party; the first one stands"


class MissingSignature(InvalidError):
    """A filing lacks a party's signature or holds one too many; both parties sign, then file."""

    code = "contracts.missing_signature"
    zh = "合约 {contract} 的签名不齐或有多余签名，须由双方各签署一次"
    en = "Contract {contract} must be filed with exactly one signature of each party"


class NotAllotted(DeniedError):
    """The platform did not give that contract identifier to the sender; ask for one first."""

    code = "contracts.not_allotted"
    zh = "合约标识 {contract} 不是本平台分配给该连接器的"
    en = "Contract identifier {contract} was not allotted to that connector by this platform"


class PartyNotMember(DeniedError):
    """A party is not an active member of the space; it has to be admitted or resumed first."""

    code = "contracts.party_not_member"
    zh = "{party} 不是本空间的有效成员"
    en = "{party} is not an active member of this space"


class ConflictingFiling(ConflictError):
    """Another text was already filed under this identifier; that one is the contract."""

    code = "contracts.conflicting_filing"
    zh = "合约 {contract} 已按另一正文备案"
    en = "Another text was already filed for contract {contract}"


class FilingRefused(ConflictError):
    """The platform refused this very agreement before; negotiate again and sign the new text."""

    code = "contracts.filing_refused"
    zh = "合约 {contract} 的这一正文此前已被拒绝备案：{reason}"
    en = "This text of contract {contract} was refused before: {reason}"
