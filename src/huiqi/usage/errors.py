"""What can go wrong around one use of data?"""

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    IntegrityError,
    InvalidError,
    MissingError,
)


class UnknownUse(MissingError):
    """No such use or grant is in these books; check the id, or ask the side that granted it."""

    code = "usage.unknown_use"
    zh = "找不到这次使用：{id}"
    en = "This use is not known here: {id}"


class UnknownReceipt(MissingError):
    """No such receipt is in these books; check the id on the list of uses."""

    code = "usage.unknown_receipt"
    zh = "找不到这张回执：{id}"
    en = "This receipt is not known here: {id}"


class GrantEnded(ConflictError):
    """The leave for this use is over, so no data may leave under it.

    Look at the reason: the contract ended, a party was suspended, or the lease ran out. When the
    contract is still in force, ask again with a new use id.
    """

    code = "usage.grant_ended"
    zh = "本次使用授权已结束：{reason_zh}"
    en = "The grant for this use has ended: {reason}"


class ForgedOrder(IntegrityError):
    """The order's bytes are not the canonical form of a use order; sign and send a fresh one."""

    code = "usage.forged_order"
    zh = "使用请求的内容与签名所覆盖的格式不符：{what}"
    en = "The order is not in the form that is signed: {what}"


class StaleOrder(DeniedError):
    """The order was signed too long ago, or in the future, so it could have been held back.

    Check the clocks of both systems and order again with a new use id.
    """

    code = "usage.stale_order"
    zh = "使用请求签署于 {at}，已超过 {seconds} 秒的有效期"
    en = "The order was signed at {at}; it is only good for {seconds} s"


class UseIdTaken(ConflictError):
    """The use id already stands for another order; choose a fresh UUID for every new use."""

    code = "usage.use_id_taken"
    zh = "使用编号 {use_id} 已用于另一份请求，请更换编号"
    en = "Use id {use_id} already stands for another order; choose a new one"


class DemandMisfit(InvalidError):
    """The analysed query and the signed order do not speak of the same contract or purpose.

    It is a fault of the executing connector; report it to its operator.
    """

    code = "usage.demand_misfit"
    zh = "查询分析与已签署的请求不一致：{what}"
    en = "The analysed query does not fit the signed order: {what}"


class WrongParty(DeniedError):
    """Somebody who is not a party of this contract, or not at this node, spoke about its use.

    Use the connector that the contract names, or have the contract changed.
    """

    code = "usage.wrong_party"
    zh = "{who} 不是合约 {contract} 约定的一方或节点"
    en = "{who} is not the party or node that contract {contract} names"


class RowsOverGrant(IntegrityError):
    """The answer holds more rows than were granted; nothing of it may leave.

    Narrow the query, or split it into several uses.
    """

    code = "usage.rows_over_grant"
    zh = "结果有 {rows} 行，超过本次授权的 {granted} 行"
    en = "The answer has {rows} rows, more than the {granted} granted"


class WrongResult(IntegrityError):
    """The result's bytes and the digest given for them differ; run the use again."""

    code = "usage.wrong_result"
    zh = "结果内容与其摘要不一致：{what}"
    en = "The result and its digest differ: {what}"


class ResultNotCanonical(InvalidError):
    """A cell of the result has no single byte form (not a number, infinite, or a foreign type).

    Turn such cells into text or an empty cell in the query.
    """

    code = "usage.result_not_canonical"
    zh = "结果中有无法规范化的单元格：{what}"
    en = "The result holds a cell that has no canonical form: {what}"


class ForgedReceipt(IntegrityError):
    """A receipt does not fit the order, the contract, the result or its signature.

    It was not countersigned; the dispute is in the evidence log. Ask the provider for the right
    receipt, and do not accept a statement that counts this one.
    """

    code = "usage.forged_receipt"
    zh = "回执不可信，未签署：{why}"
    en = "The receipt cannot be trusted and was not countersigned: {why}"
