"""Which expressions does the closed query language have? Everything else is refused by name."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from sqlglot import exp

from huiqi.compute.errors import QueryRefused
from huiqi.compute.query import (
    Arithmetic,
    Condition,
    Expression,
    Function,
    Key,
    Literal,
    LiteralKind,
    Measure,
    Number,
    Operator,
    Part,
    Ref,
    Rounded,
)

# Longer lists are a way to spell out single records.
LONGEST_LIST = 100
LONGEST_TEXT = 200
DEEPEST_ARITHMETIC = 6
MOST_DIGITS = 15
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,18})?")
_AGGREGATES: Mapping[type[exp.Expr], Function] = {
    exp.Sum: Function.SUM,
    exp.Avg: Function.AVG,
    exp.Min: Function.MIN,
    exp.Max: Function.MAX,
}
_ARITHMETIC: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
_COMPARISONS: Mapping[type[exp.Expr], Operator] = {
    exp.EQ: Operator.EQ,
    exp.NEQ: Operator.NE,
    exp.LT: Operator.LT,
    exp.LTE: Operator.LE,
    exp.GT: Operator.GT,
    exp.GTE: Operator.GE,
}
_UNITS = {part.value.upper(): part for part in Part if part.name.startswith("TRUNC_")}


def only(node: exp.Expr, *allowed: str) -> None:
    """Refuse ``node`` when it carries any part that is not ``allowed``.

    Raises:
        QueryRefused: it does; the parser knows more of SQL than we let pass.
    """
    for part, value in node.args.items():
        if value and part not in allowed:
            name = f"{node.key.upper()} … {part.rstrip('_').upper()}"
            raise QueryRefused("clause", f"不支持“{name}”", f"'{name}' is not part of the language")


def bare(node: exp.Expr) -> exp.Expr:
    """``node`` without parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def identifier(node: object) -> str:
    """A plain name.

    Raises:
        QueryRefused: something else stands where a name belongs, or it is empty or over-long.
    """
    if isinstance(node, exp.Identifier) and 0 < len(node.name) <= LONGEST_TEXT:
        return node.name
    raise QueryRefused("name", "此处只能写一个名称", "only a plain name can stand here")


class Names:
    """Which table does a column name mean?"""

    def __init__(self, aliases: Mapping[str, int]) -> None:
        self._aliases = aliases

    def ref(self, node: exp.Expr) -> Ref:
        """The bare column ``node``.

        Raises:
            QueryRefused: not a bare column, unknown alias, or no alias though tables are joined.
        """
        node = bare(node)
        if not isinstance(node, exp.Column):
            what = node.key.upper()
            raise QueryRefused(
                "bare_column",
                f"此处只能写列名，不能写表达式（{what}）",
                f"only a bare column can stand here, not an expression ({what})",
            )
        only(node, "this", "table")
        name = identifier(node.this)
        if not node.args.get("table"):
            if len(self._aliases) == 1:
                return Ref(0, name)
            raise QueryRefused(
                "qualify",
                f"多表查询中请写明列“{name}”所属的表",
                f"say which table column '{name}' belongs to",
            )
        table = self._aliases.get(identifier(node.args["table"]).casefold())
        if table is None:
            owner = node.args["table"].name
            raise QueryRefused("table", f"表“{owner}”未声明", f"no table '{owner}' in this query")
        return Ref(table, name)

    def key(self, node: exp.Expr) -> Key:
        """A bare column, date_trunc(unit, column), year(column) or month(column).

        Raises:
            QueryRefused: anything else.
        """
        node = bare(node)
        match node:
            case exp.TimestampTrunc() | exp.DateTrunc():
                only(node, "this", "unit")
                unit = node.args.get("unit")
                part = _UNITS.get(unit.name.upper()) if isinstance(unit, exp.Expr) else None
                if part is None:
                    raise QueryRefused(
                        "unit",
                        "date_trunc 只支持 hour、day、month、year",
                        "date_trunc takes hour, day, month or year",
                    )
                return Key(self.ref(node.this), part)
            case exp.Year():
                only(node, "this")
                return Key(self.ref(node.this), Part.YEAR_OF)
            case exp.Month():
                only(node, "this")
                return Key(self.ref(node.this), Part.MONTH_OF)
            case _:
                return Key(self.ref(node))

    def expression(self, node: exp.Expr, depth: int = 0) -> Expression:
        """An aggregate, a number, ROUND or arithmetic of these.

        Raises:
            QueryRefused: anything else, or nesting beyond six.
        """
        node = bare(node)
        if depth > DEEPEST_ARITHMETIC:
            raise QueryRefused("deep", "算式嵌套过深", "the arithmetic is nested too deeply")
        if isinstance(node, exp.Round):
            only(node, "this", "decimals")
            return Rounded(self.expression(node.this, depth + 1), _digits(node))
        if type(node) in _ARITHMETIC:
            only(node, "this", "expression", "typed", "safe")
            left = self.expression(node.this, depth + 1)
            right = self.expression(node.expression, depth + 1)
            return Arithmetic(_ARITHMETIC[type(node)], left, right)
        if isinstance(node, exp.Literal | exp.Neg):
            return Number(_number(node))
        return self.measure(node)

    def measure(self, node: exp.Expr) -> Measure:
        """COUNT(*), COUNT(c), COUNT(DISTINCT c), SUM(c), AVG(c), MIN(c) or MAX(c).

        Raises:
            QueryRefused: another function, or an argument that is not a bare column.
        """
        if isinstance(node, exp.Count):
            return self._count(node)
        function = _AGGREGATES.get(type(node))
        if function is None:
            raise _unknown(node)
        only(node, "this")
        return Measure(function, self.ref(node.this))

    def _count(self, node: exp.Count) -> Measure:
        only(node, "this", "big_int")
        inner = node.this
        if isinstance(inner, exp.Star):
            only(inner)
            return Measure(Function.COUNT_ROWS)
        if isinstance(inner, exp.Distinct):
            only(inner, "expressions")
            if len(inner.expressions) != 1:
                raise QueryRefused("distinct", "DISTINCT 只能跟一列", "DISTINCT takes one column")
            return Measure(Function.COUNT_DISTINCT, self.ref(inner.expressions[0]))
        return Measure(Function.COUNT, self.ref(inner))

    def condition(self, node: exp.Expr) -> Condition:
        """One comparison of a key with literals.

        Raises:
            QueryRefused: OR, NOT, a sub-query, a comparison of two columns, LIKE …
        """
        node = bare(node)
        operator = _COMPARISONS.get(type(node))
        if operator is not None:
            only(node, "this", "expression")
            return Condition(self.key(node.this), operator, (literal(node.expression),))
        match node:
            case exp.In():
                only(node, "this", "expressions")
                if not 0 < len(node.expressions) <= LONGEST_LIST:
                    text = f"IN 列表须有 1 到 {LONGEST_LIST} 个值"
                    raise QueryRefused("list", text, f"IN takes 1 to {LONGEST_LIST} values")
                values = tuple(literal(value) for value in node.expressions)
                return Condition(self.key(node.this), Operator.IN, values)
            case exp.Between():
                only(node, "this", "low", "high")
                low, high = literal(node.args["low"]), literal(node.args["high"])
                return Condition(self.key(node.this), Operator.BETWEEN, (low, high))
            case exp.Is():
                return self._null_test(node, Operator.IS_NULL)
            case exp.Not() if isinstance(bare(node.this), exp.Is):
                return self._null_test(bare(node.this), Operator.IS_NOT_NULL)
            case _:
                what = node.key.upper()
                raise QueryRefused(
                    "condition",
                    f"条件只能是“列 比较 常量”并以 AND 相连（遇到 {what}）",
                    f"conditions are 'column operator literal' joined by AND, not {what}",
                )

    def _null_test(self, node: exp.Expr, operator: Operator) -> Condition:
        only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise QueryRefused("null", "IS 之后只能是 NULL", "only NULL can follow IS")
        return Condition(self.key(node.this), operator)


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts that AND joins, left to right."""
    stack = [node]
    while stack:
        part = bare(stack.pop())
        if isinstance(part, exp.And):
            only(part, "this", "expression")
            stack += [part.expression, part.this]
        else:
            yield part


def literal(node: exp.Expr) -> Literal:
    """A number, text, TRUE, FALSE, DATE '…' or TIMESTAMP '…'.

    Raises:
        QueryRefused: anything else, over-long text, or a date that does not exist.
    """
    node = bare(node)
    match node:
        case exp.Boolean():
            return Literal(LiteralKind.BOOLEAN, "TRUE" if node.this else "FALSE")
        case exp.Literal() if node.is_string:
            return Literal(LiteralKind.TEXT, _text(node.name))
        case exp.Literal() | exp.Neg():
            return Literal(LiteralKind.NUMBER, _number(node))
        case exp.Cast() if type(node) is exp.Cast:
            return _moment(node)
        case _:
            raise QueryRefused(
                "literal",
                f"比较的右边只能是常量（遇到 {node.key.upper()}）",
                f"only a literal can be compared with, not {node.key.upper()}",
            )


def moment(text: str, kind: LiteralKind) -> Literal:
    """A DATE or TIMESTAMP literal from ISO text.

    Raises:
        QueryRefused: there is no such date or time.
    """
    try:
        if kind is LiteralKind.DATE:
            return Literal(kind, date.fromisoformat(text.strip()).isoformat())
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        shown = text[:40]
        raise QueryRefused("date", f"“{shown}”不是日期时间", f"'{shown}' is no date") from error
    if instant.tzinfo is not None:
        raise QueryRefused("zone", "时间常量不带时区（UTC）", "times carry no zone; they are UTC")
    return Literal(kind, instant.isoformat(sep=" "))


def _moment(node: exp.Cast) -> Literal:
    only(node, "this", "to")
    kinds = {exp.DType.DATE: LiteralKind.DATE}
    kinds |= {
        exp.DType.TIMESTAMP: LiteralKind.TIMESTAMP,
        exp.DType.TIMESTAMPNTZ: LiteralKind.TIMESTAMP,
    }
    kind = kinds.get(node.to.this)
    inner = node.this
    if kind is None or not (isinstance(inner, exp.Literal) and inner.is_string):
        raise QueryRefused(
            "cast",
            "不能转换类型，只能写 DATE '…' 或 TIMESTAMP '…'",
            "no casts but DATE and TIMESTAMP",
        )
    return moment(inner.name, kind)


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise QueryRefused(
            "text", "文本常量过长或含控制字符", "a text literal is too long or binary"
        )
    return value


def _number(node: exp.Expr) -> str:
    sign, inner = ("-", bare(node.this)) if isinstance(node, exp.Neg) else ("", node)
    if isinstance(inner, exp.Literal) and not inner.is_string and _NUMBER.fullmatch(inner.name):
        return sign + str(inner.name)
    raise QueryRefused("number", "数字须写成十进制（如 12.5）", "write numbers plainly, as 12.5")


def _digits(node: exp.Round) -> int:
    given = node.args.get("decimals")
    text = _number(given) if given is not None else "0"
    if not text.isdigit() or int(text) > MOST_DIGITS:
        raise QueryRefused("round", "ROUND 的位数须为 0 到 15", "ROUND takes 0 to 15 digits")
    return int(text)


def _unknown(node: exp.Expr) -> QueryRefused:
    name = node.name if isinstance(node, exp.Anonymous) else node.key
    shown = name.upper()[:40]
    return QueryRefused(
        "function",
        f"不支持“{shown}”；可用 COUNT、SUM、AVG、MIN、MAX、ROUND 和四则运算",
        f"'{shown}' is not available; use COUNT, SUM, AVG, MIN, MAX, ROUND and arithmetic",
    )
