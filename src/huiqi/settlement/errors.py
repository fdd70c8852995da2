"""What can go wrong with money?"""

from huiqi.kernel.errors import ConflictError, IntegrityError, InvalidError, MissingError


class UnsettledReceipt(ConflictError):
    """A receipt lacks a signature or belongs to no filed contract, so it cannot be settled.

    Ask the other party to countersign it; the deposit is repeated by itself.
    """

    code = "settlement.unsettled_receipt"
    zh = "回执 {receipt} 不能入账：{why}"
    en = "Receipt {receipt} cannot be settled: {why}"


class ForgedDeposit(IntegrityError):
    """A deposited receipt is not what its signatures cover, or another was deposited before.

    Nothing was booked. Compare the receipt file with the one the other party holds.
    """

    code = "settlement.forged_deposit"
    zh = "回执 {receipt} 未通过校验：{why}"
    en = "Receipt {receipt} failed verification: {why}"


class UnknownPricePlan(InvalidError):
    """A contract names a price plan that is not installed here.

    Install the plan's file or agree on one of the plans that ``docs/rooms.md`` lists.
    """

    code = "settlement.unknown_price_plan"
    zh = "没有名为 {plan} 的计价方案"
    en = "There is no price plan named {plan}"


class WrongPrice(InvalidError):
    """A parameter of a price is unknown, negative or too large, or weight or fee are out of range.

    Amounts are whole numbers of fen, the joint weight is at least 1, the platform's fee is 0 to
    10000 basis points. Agree on new terms.
    """

    code = "settlement.wrong_price"
    zh = "计价方案 {plan} 的参数无效：{what}"
    en = "The parameters of price plan {plan} are not valid: {what}"


class WrongPeriod(InvalidError):
    """A period cannot end in the future, nor before the end of the period closed last.

    Close it without a time, which means now, or give a time between the two.
    """

    code = "settlement.wrong_period"
    zh = "结算期截止时间 {until} 无效：不得晚于现在，也不得早于上一期的截止时间"
    en = "A period cannot end at {until}: not after now, nor before the end of the last period"


class UnknownStatement(MissingError):
    """There is no statement or closing of that number in these books. Look at the list."""

    code = "settlement.unknown_statement"
    zh = "找不到结算单 {id}"
    en = "There is no statement {id}"


class ForgedStatement(IntegrityError):
    """A statement is not signed by this space's platform, or is for somebody else.

    It was not kept. Ask the platform's operator.
    """

    code = "settlement.forged_statement"
    zh = "结算单未通过校验：{why}"
    en = "The statement failed verification: {why}"


class Unbalanced(IntegrityError):
    """Postings of one entry do not sum to zero. The closing was stopped before anything was booked.

    This is a fault of the software or of the store: run ``huiqi fsck`` and report it.
    """

    code = "settlement.unbalanced"
    zh = "分录 {entry} 借贷不平，差 {fen} 分"
    en = "Entry {entry} is out of balance by {fen} fen"
