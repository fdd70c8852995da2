"""What can go wrong while data is computed on under a grant?"""

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)
from huiqi.kernel.text import Text
from huiqi.policy.types import Reason


class QueryRefused(InvalidError):
    """The query says something that the closed query language does not allow.

    Read the rule in the text and rewrite the query: name columns, aggregate bare columns, join
    conditions with AND. Nothing was counted or charged.
    """

    code = "compute.query_refused"
    zh = "查询不被接受：{why_zh}"
    en = "The query is not accepted: {why_en}"

    def __init__(self, rule: str, zh: str, en: str) -> None:
        super().__init__(why_zh=zh, why_en=en)
        self.reason = Reason(code=f"query.{rule}", text=Text(zh=zh, en=en))


class RowFilterUnreadable(IntegrityError):
    """The row filter of a contract is not a predicate this connector can apply, so it denies.

    The provider has to terminate the contract and offer terms whose filter is a list of
    conditions on columns of the product.
    """

    code = "compute.row_filter_unreadable"
    zh = "合约的行过滤条件无法执行，已拒绝使用：{why}"
    en = "The contract's row filter cannot be applied, so use is denied: {why}"


class OrderUnreadable(InvalidError):
    """The signed bytes are not a use order; sign and send a fresh one."""

    code = "compute.order_unreadable"
    zh = "使用请求无法识别"
    en = "The use order cannot be read"


class NotForThisExecutor(DeniedError):
    """The order names another connector as executor, or somebody else than the consumer sent it.

    Send the order to the connector it names, from the connector that signed it.
    """

    code = "compute.not_for_this_executor"
    zh = "该使用请求不是发给本连接器执行的：{what}"
    en = "This order is not for this connector to run: {what}"


class UseUnderWay(ConflictError):
    """The same use id is being executed right now; wait for its answer, then repeat the call."""

    code = "compute.use_under_way"
    zh = "使用编号 {use_id} 正在执行，请稍后再取结果"
    en = "Use {use_id} is under way; ask again for its outcome later"


class UnknownLoan(MissingError):
    """No loan of this use is out: it was never lent, has ended, or this connector restarted.

    The executor ends the use; the consumer may order again with a new use id.
    """

    code = "compute.unknown_loan"
    zh = "没有使用编号 {use_id} 的在借数据，或已收回"
    en = "No loan is out for use {use_id}, or it was called back"


class LoanTooLarge(UnavailableError):
    """The lent columns are larger than a message may be; query fewer columns of that table."""

    code = "compute.loan_too_large"
    zh = "需要借出的数据超过 {limit} 字节，请减少所用的列"
    en = "The data to lend is over {limit} bytes; use fewer columns"


class LenderMismatch(IntegrityError):
    """The other connector's answer speaks of another use, contract or product than was asked.

    Nothing was computed. Tell the operator of that connector.
    """

    code = "compute.lender_mismatch"
    zh = "出借方的回复与请求不符：{what}"
    en = "The lender's answer does not fit the request: {what}"


class AnswerWithheld(ConflictError):
    """The answer was computed but may not leave: a provider's record of it is not there.

    Repeat the call with the same use id once that provider is reachable.
    """

    code = "compute.answer_withheld"
    zh = "结果已算出，但对方连接器的使用记录尚未落账，暂不交付；请用同一使用编号重试"
    en = "The answer is withheld until every provider has recorded it; repeat with the same use id"


class EngineFailed(UnavailableError):
    """The data engine could not answer the query.

    The consumer sees only the class and the id; the provider finds the engine's text in the log
    of its connector under that id.
    """

    code = "compute.engine_failed"
    zh = "计算引擎未能执行（{kind}，编号 {id}）"
    en = "The engine could not run the query ({kind}, id {id})"


class EngineTimeout(UnavailableError):
    """The query ran longer than allowed and its process was ended; narrow the query."""

    code = "compute.engine_timeout"
    zh = "查询超过 {seconds} 秒，已中止"
    en = "The query took longer than {seconds} s and was ended"


class EngineStopped(ConflictError):
    """The use was ended while the engine worked, because a grant or the connector ended.

    Nothing was returned. Look at the contract for the reason before you ask again.
    """

    code = "compute.engine_stopped"
    zh = "执行中的查询已被中止"
    en = "The running query was ended"


class EngineBusy(UnavailableError):
    """Every engine process is at work; try again in a moment."""

    code = "compute.engine_busy"
    zh = "计算引擎繁忙，请稍后再试"
    en = "All engine processes are busy; try again shortly"


class OutputTooLarge(InvalidError):
    """The answer has more rows or bytes than one answer may have; aggregate more or add LIMIT."""

    code = "compute.output_too_large"
    zh = "结果超过 {limit} 上限，请进一步汇总或加 LIMIT"
    en = "The answer is over the limit of {limit}; aggregate further or add LIMIT"


class ProjectionDamaged(IntegrityError):
    """A projection file fails its authentication: edited, cut, swapped, or a wrong key.

    It is not used. The provider deletes it (it is rebuilt from the source at the next use) and
    finds out who could write to the connector's folder.
    """

    code = "compute.projection_damaged"
    zh = "投影数据文件未通过完整性校验：{what}"
    en = "The projection file fails its integrity check: {what}"


class ProjectionMissing(MissingError):
    """The projection or its key is gone, most likely because its contract ended.

    A contract in force gets a new one at its next use; nothing has to be done by hand.
    """

    code = "compute.projection_missing"
    zh = "投影数据或其密钥不存在：{id}"
    en = "The projection or its key is not there: {id}"


class SourceUnreadable(UnavailableError):
    """The product's data cannot be read or lies outside the connector's data folder.

    The provider checks that the registered file is still there and unchanged.
    """

    code = "compute.source_unreadable"
    zh = "产品的数据源无法读取：{what}"
    en = "The product's data cannot be read: {what}"
