"""What do the bounds of the contracts forbid of a query or its answer, and in which words?"""

from collections.abc import Sequence

from huiqi.compute.query import SINGLE_VALUE, Query, measures_of
from huiqi.compute.rendering import GroupCheck
from huiqi.compute.types import Row
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.text import Text
from huiqi.policy.types import Bounds, Reason

# What one answer may have in the end; the engine enforces the same.
MOST_ROWS = 10_000


def obstacle_of(query: Query, bounds: Sequence[Bounds]) -> Reason | None:
    """Why ``query`` cannot be answered under all these bounds; the strictest one wins."""
    grouped = max((one.min_group for one in bounds), default=1)
    if not query.aggregate:
        if grouped > 1 or any(one.aggregate_only for one in bounds):
            return _reason(
                "usage.aggregate_only",
                "合约只允许汇总结果，不能返回逐行数据",
                "the contract allows aggregates only, not rows",
            )
        if query.limit is None and rows_allowed(bounds) is None:
            return _reason("query.limit", "逐行查询须写 LIMIT", "a query for rows needs a LIMIT")
    measures = [m for output in query.outputs for m in measures_of(output.value)]
    if grouped > 1 and any(measure.function in SINGLE_VALUE for measure in measures):
        return _reason(
            "query.single_value",
            f"合约要求每组不少于 {grouped}，MIN 和 MAX 会露出单个取值，不能使用",
            f"groups must have at least {grouped}; MIN and MAX would show a single value",
        )
    return None


def rows_allowed(bounds: Sequence[Bounds], left: Sequence[int | None] = ()) -> int | None:
    """The least of what the contracts allow in rows; None when none of them limits rows."""
    limits = [one.most_rows for one in bounds] + list(left)
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None


def group_checks(
    bounds: Sequence[Bounds], has_unit: Sequence[bool], *, rows_once: bool
) -> tuple[GroupCheck, ...]:
    """One check per table whose contract has a minimum group size.

    ``rows_once``: the joins cannot repeat rows of the first table (a single table's never are).
    """
    return tuple(
        GroupCheck(table, one.min_group, has_unit[table], rows_once and table == 0)
        for table, one in enumerate(bounds)
        if one.min_group > 1
    )


def small_group(query: Query, rows: Sequence[Row], checks: Sequence[GroupCheck]) -> Reason | None:
    """Why the groups of an answer are too small; its last columns are those of ``checks``.

    No group at all is also too small, unless the query itself cuts small groups off: otherwise
    an empty answer would tell that nobody is there.
    """
    if not query.aggregate:
        return None
    for at, check in enumerate(checks):
        counts = [row[at - len(checks)] for row in rows]
        short = any(not isinstance(count, int) or count < check.least for count in counts)
        if short or (not rows and query.having < check.least):
            return group_too_small(check.least)
    return None


def group_too_small(least: int) -> Reason:
    """A group of the answer has fewer units than the contract asks for; how many is not said."""
    return _reason(
        "usage.group_too_small",
        f"结果中有分组少于合约要求的 {least} 个，请放宽条件，或加 HAVING COUNT(*) >= {least}",
        f"a group has fewer than the {least} the contract asks for; widen the query or add "
        f"HAVING COUNT(*) >= {least}",
    )


def too_many_rows(allowed: int) -> Reason:
    """The answer has more rows than the contracts leave."""
    return _reason(
        "usage.too_many_rows",
        f"结果超过合约剩余的 {allowed} 行",
        f"the answer has more than the {allowed} rows that the contract leaves",
    )


def refused_elsewhere() -> Reason:
    """Another contract of the same use refused, so that this one's data was not used."""
    return _reason(
        "compute.refused_elsewhere",
        "同一次使用涉及的另一份合约未获许可",
        "another contract of the same use did not allow it",
    )


def lender_unknown(table: str) -> Reason:
    """The executor was not told which connector holds a table's contract."""
    return _reason(
        "compute.lender_unknown",
        f"不知道表“{table}”的合约由哪个连接器执行",
        f"it is not known which connector holds the contract behind table '{table}'",
    )


def already_delivered() -> Reason:
    """The answer was delivered and countersigned; it is not kept any longer."""
    return _reason(
        "compute.already_delivered",
        "该使用已完成并签收，结果不再保存",
        "this use was completed and receipted; its answer is not kept any longer",
    )


def ended_as(state: str) -> Reason:
    """A repeat of a use that did not end well."""
    return _reason(
        f"compute.ended_{state}", f"该使用已结束（{state}）", f"this use has ended ({state})"
    )


def reason_of(error: HuiqiError) -> Reason:
    """An error as a reason, in its own words."""
    return Reason(code=error.code, text=Text(zh=error.text("zh"), en=error.text("en")))


def _reason(code: str, zh: str, en: str) -> Reason:
    return Reason(code=code, text=Text(zh=zh, en=en))
