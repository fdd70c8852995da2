"""What can go wrong when terms are read or asked for their bounds?"""

from huiqi.kernel.errors import DeniedError, IntegrityError, InvalidError


class WrongValue(InvalidError):
    """A constraint's value has not the form that its operand and operator need.

    Correct the value as the text says; until then terms that hold it cannot be signed.
    """

    code = "policy.wrong_value"
    zh = "值“{value}”不正确：{why_zh}"
    en = "Value '{value}' is not valid: {why_en}"


class WrongPredicate(WrongValue):
    """A field-value expression is not in the small language that can be enforced.

    Write conditions of the form ``column op literal``, ``column IN (…)`` or
    ``column BETWEEN a AND b``, joined by AND, 128 characters at most.
    """

    code = "policy.wrong_predicate"
    zh = "字段值表达式“{value}”不正确：{why_zh}"
    en = "Field-value expression '{value}' is not valid: {why_en}"


class NothingAllowed(DeniedError):
    """Bounds were asked for a use that no permission of the contract allows.

    Decide first; only an allowed use has bounds. The reasons stand in the decision.
    """

    code = "policy.nothing_allowed"
    zh = "合约没有任何允许策略允许操作“{action}”"
    en = "No permission of the contract allows the action '{action}'"


class UnreadableVocabulary(IntegrityError):
    """The vocabulary file of the installation does not hold what the standard defines.

    The installation is damaged; install the software again.
    """

    code = "policy.unreadable_vocabulary"
    zh = "词表文件已损坏，请重新安装软件"
    en = "The vocabulary file is damaged; install the software again"
