"""Which kinds of failure exist, and how one speaks to its reader?

A room subclasses a category and gives it a stable ``code`` and a sentence in both languages.
Categories know nothing of HTTP; ``web`` and ``wire`` map them to their own form.
A policy outcome is a value with reasons, never one of these.
"""

from typing import ClassVar, Literal

Language = Literal["zh", "en"]


class HuiqiError(Exception):
    """A failure with a stable code, a page under ``docs/errors/`` and a text in two languages.

    ``params`` fill the placeholders of ``zh`` and ``en``; they never hold secrets, keys,
    rows of data or the text of a data engine.
    """

    category: ClassVar[str] = "error"
    code: ClassVar[str] = "kernel.error"
    zh: ClassVar[str] = "出现错误"
    en: ClassVar[str] = "An error occurred"

    def __init__(self, **params: object) -> None:
        self.params: dict[str, str] = {key: str(value) for key, value in params.items()}
        super().__init__(f"{self.code}: {self.text('en')}")

    def text(self, language: Language) -> str:
        """The sentence for the reader in ``language``, placeholders filled."""
        template = self.zh if language == "zh" else self.en
        return template.format_map(_Known(self.params))


class _Known(dict[str, str]):
    """Leaves a placeholder visible when its value was not given, instead of failing twice."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class InvalidError(HuiqiError):
    """The input cannot be understood or breaks a rule of form."""

    category = "invalid"
    code = "kernel.invalid"
    zh = "输入无效：{what}"
    en = "Invalid input: {what}"


class DeniedError(HuiqiError):
    """The caller is not who they must be, or may not do this."""

    category = "denied"
    code = "kernel.denied"
    zh = "没有权限：{what}"
    en = "Not permitted: {what}"


class MissingError(HuiqiError):
    """The thing asked for does not exist in the caller's scope."""

    category = "missing"
    code = "kernel.missing"
    zh = "找不到：{what}"
    en = "Not found: {what}"


class ConflictError(HuiqiError):
    """The request is well formed but does not fit the present state."""

    category = "conflict"
    code = "kernel.conflict"
    zh = "与当前状态冲突：{what}"
    en = "Conflicts with the present state: {what}"


class UnavailableError(HuiqiError):
    """Something needed from outside does not answer now; the same call may succeed later."""

    category = "unavailable"
    code = "kernel.unavailable"
    zh = "暂时不可用：{what}"
    en = "Temporarily unavailable: {what}"


class IntegrityError(HuiqiError):
    """Stored or received bytes are not what they were: forged, edited or damaged."""

    category = "integrity"
    code = "kernel.integrity"
    zh = "完整性校验失败：{what}"
    en = "Integrity check failed: {what}"


class ClockBackwards(UnavailableError):
    """The computer's clock is behind the last recorded fact; nothing is done until it is right.

    Set the clock right (network time). If the recorded fact itself is from the future, wait.
    """

    code = "kernel.clock_backwards"
    zh = "系统时钟比最近一条存证早 {seconds} 秒，请先校时"
    en = "The system clock is {seconds} s behind the last recorded fact; set it right first"


class IllegalStep(ConflictError):
    """A life-cycle table has no row for this message in this state from this sender.

    Nothing was changed. Look at the present state: somebody may have been faster.
    """

    code = "kernel.illegal_step"
    zh = "状态“{state}”下不能由“{sender}”执行“{message}”"
    en = "'{message}' by '{sender}' is not possible in state '{state}'"
