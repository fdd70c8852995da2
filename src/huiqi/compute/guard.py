"""Is this text one query of the closed language, and what does it say?

Parsing is sqlglot's; what passes is copied piece by piece into ``query.Query``. The text itself
is never executed. Why closed: a filter list of bad words let four of fourteen aggregate attacks
through when measured; a grammar of good ones let none (``design/usage-control.md`` section 3.2).
"""

from collections.abc import Collection, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from huiqi.compute.errors import QueryRefused, RowFilterUnreadable
from huiqi.compute.grammar import Names, bare, conjuncts, identifier, only
from huiqi.compute.query import (
    Condition,
    Expression,
    Function,
    Join,
    Key,
    Measure,
    Ordering,
    Output,
    Query,
    Ref,
    Source,
    measures_of,
)

# Real questions are far below; parsing time and stack depth grow with these.
LONGEST_QUERY = 8_000
MOST_TOKENS = 1_000
DEEPEST = 16
MOST_TABLES = 4
MOST_OUTPUTS = 40
LONGEST_NAME = 64
LARGEST_LIMIT = 1_000_000
# Beside its own errors the parser lets these out on texts that make no sense.
PARSER_FAULTS = (
    SqlglotError,
    RecursionError,
    ValueError,
    AttributeError,
    TypeError,
    IndexError,
    KeyError,
)
# Our own columns beside the answer begin like this.
RESERVED = "__"


def read_query(sql: str, tables: Collection[str]) -> Query:
    """The query that ``sql`` says over ``tables``, each of which it uses exactly once.

    Raises:
        QueryRefused: the text is not one query of the closed language, with the rule it breaks.
    """
    select = _parsed(sql)
    sources = _sources(select, tables)
    aliases = {source.alias.casefold(): index for index, source in enumerate(sources)}
    if len(aliases) != len(sources):
        raise QueryRefused("alias", "表别名重复", "two tables have the same alias")
    names = Names(aliases)
    joins = tuple(_join(names, node, at + 1) for at, node in enumerate(select.args["joins"] or ()))
    grouped = select.args.get("group") is not None
    aggregate = grouped or any(_aggregates(node) for node in select.expressions)
    outputs = _outputs(names, select.expressions, aggregate=aggregate)
    if aggregate:
        _check_groups(names, select, outputs)
    return Query(
        tables=sources,
        joins=joins,
        outputs=outputs,
        conditions=_conditions(names, select),
        aggregate=aggregate,
        having=_having(names, select, aggregate=aggregate),
        order=_order(names, select, outputs),
        limit=_limit(select),
    )


def read_row_filter(predicate: str) -> tuple[Condition, ...]:
    """The conditions of a contract's row filter; columns are of table 0.

    Raises:
        RowFilterUnreadable: it is not a list of conditions joined by AND.
    """
    text = f"SELECT x FROM t WHERE {predicate}"  # noqa: S608 - it is read here, never executed
    try:
        query = read_query(text, ("t",))
    except QueryRefused as refusal:
        raise RowFilterUnreadable(why=refusal.reason.code) from refusal
    if query.aggregate or query.having or query.order or query.limit is not None:
        raise RowFilterUnreadable(why="query.clause")
    return query.conditions


def _parsed(sql: str) -> exp.Select:
    if not sql.strip() or len(sql) > LONGEST_QUERY:
        text = f"查询须为 1 到 {LONGEST_QUERY} 个字符"
        raise QueryRefused("length", text, f"a query has 1 to {LONGEST_QUERY} characters")
    try:
        _check_tokens(sqlglot.tokenize(sql, dialect="duckdb"))
        statements = sqlglot.parse(sql, dialect="duckdb")
    except PARSER_FAULTS as error:
        raise QueryRefused("syntax", "查询语法有误", "the query has a syntax error") from error
    if len(statements) != 1 or type(statements[0]) is not exp.Select:
        raise _one_select()
    select = statements[0]
    select.args.setdefault("joins", [])
    only(select, "expressions", "from_", "joins", "where", "group", "having", "order", "limit")
    return select


def _check_tokens(tokens: Sequence[Token]) -> None:
    if not tokens or tokens[0].token_type is not TokenType.SELECT:
        raise _one_select()
    if len(tokens) > MOST_TOKENS:
        raise QueryRefused("length", "查询过长", "the query is too long")
    depth = 0
    for token in tokens:
        if token.comments:
            raise QueryRefused("comment", "查询中不能有注释", "a query has no comments")
        if token.token_type is TokenType.SEMICOLON and token is not tokens[-1]:
            raise _one_select()
        opens, closes = token.token_type is TokenType.L_PAREN, token.token_type is TokenType.R_PAREN
        depth += int(opens) - int(closes)
        if depth > DEEPEST:
            raise QueryRefused("deep", "括号嵌套过深", "parentheses are nested too deeply")


def _one_select() -> QueryRefused:
    return QueryRefused(
        "one_select", "只能是一条 SELECT 语句", "a query is exactly one SELECT statement"
    )


def _sources(select: exp.Select, tables: Collection[str]) -> tuple[Source, ...]:
    start = select.args.get("from_")
    if start is None:
        raise QueryRefused("from", "查询必须写明数据表", "a query names the tables it reads")
    only(start, "this")
    nodes = [start.this, *(join.this for join in select.args["joins"])]
    if len(nodes) > MOST_TABLES:
        raise QueryRefused("tables", "一次最多连接 4 张表", "a query joins at most 4 tables")
    known = {table.casefold(): table for table in tables}
    sources = tuple(_source(node, known) for node in nodes)
    used = [source.table for source in sources]
    if len(set(used)) != len(used):
        raise QueryRefused("self_join", "同一张表只能用一次", "a table can be used only once")
    for table in tables:
        if table not in used:
            text = f"请求中的表“{table}”未在查询中使用"
            raise QueryRefused("unused", text, f"table '{table}' of the order is not used")
    return sources


def _source(node: exp.Expr, known: dict[str, str]) -> Source:
    if type(node) is not exp.Table:
        raise QueryRefused("table", "FROM 之后只能是表名", "only a table name can follow FROM")
    only(node, "this", "alias")
    name = identifier(node.this)
    table = known.get(name.casefold())
    if table is None:
        shown = name[:40]
        raise QueryRefused("table", f"没有表“{shown}”", f"there is no table '{shown}' here")
    alias = node.args.get("alias")
    if alias is None:
        return Source(table, name)
    only(alias, "this")
    return Source(table, identifier(alias.this))


def _join(names: Names, node: exp.Join, position: int) -> Join:
    only(node, "this", "on", "side", "kind")
    side, kind = node.side.upper(), node.kind.upper()
    if (
        side not in {"", "LEFT"}
        or kind not in {"", "INNER", "OUTER"}
        or node.args.get("on") is None
    ):
        raise QueryRefused(
            "join",
            "只支持 INNER JOIN 和 LEFT JOIN，并须写 ON 等值条件",
            "only INNER JOIN and LEFT JOIN with ON are available",
        )
    pairs = tuple(_pair(names, part, position) for part in conjuncts(node.args["on"]))
    return Join(side == "LEFT", pairs)


def _pair(names: Names, node: exp.Expr, position: int) -> tuple[Key, Key]:
    if type(node) is exp.EQ:
        only(node, "this", "expression")
        left, right = names.key(node.this), names.key(node.expression)
        if right.ref.table != position:
            left, right = right, left
        if right.ref.table == position and left.ref.table < position:
            return left, right
    raise QueryRefused(
        "on",
        "ON 只能是“新表的列 = 前面表的列”并以 AND 相连",
        "ON is 'column of the new table = column of an earlier one', joined by AND",
    )


def _aggregates(node: exp.Expr) -> bool:
    return node.find(exp.AggFunc) is not None


def _outputs(names: Names, nodes: Sequence[exp.Expr], *, aggregate: bool) -> tuple[Output, ...]:
    if not 0 < len(nodes) <= MOST_OUTPUTS:
        text = f"结果须有 1 到 {MOST_OUTPUTS} 列"
        raise QueryRefused("columns", text, f"an answer has 1 to {MOST_OUTPUTS} columns")
    outputs = tuple(_output(names, node, aggregate=aggregate) for node in nodes)
    folded = [output.name.casefold() for output in outputs]
    for name in folded:
        if folded.count(name) > 1:
            raise QueryRefused("twice", f"结果列名“{name}”重复", f"two columns are named '{name}'")
    return outputs


def _output(names: Names, node: exp.Expr, *, aggregate: bool) -> Output:
    alias = ""
    if type(node) is exp.Alias:
        only(node, "this", "alias")
        alias, node = identifier(node.args["alias"]), node.this
    node = bare(node)
    if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and node.is_star):
        raise QueryRefused("star", "请逐一写出列名，不能用 *", "name the columns instead of *")
    value: Key | Expression
    if not aggregate:
        value = Key(names.ref(node))
    elif _aggregates(node):
        value = names.expression(node)
    else:
        value = names.key(node)
    name = alias or _default_name(value)
    if len(name) > LONGEST_NAME or name.startswith(RESERVED) or not name.isprintable():
        raise QueryRefused(
            "alias", "结果列名过长或被保留", "a column alias is too long or reserved"
        )
    return Output(name, value)


def _default_name(value: Key | Expression) -> str:
    match value:
        case Key(ref=Ref(name=name), part=part):
            return f"{name}_{part.value.strip('()')}" if part.value else name
        case Measure(function=function, ref=ref):
            return f"{function.value}_{ref.name}" if ref else "count"
        case _:
            raise QueryRefused("alias", "请用 AS 为算式命名", "name the arithmetic with AS")


def _check_groups(names: Names, select: exp.Select, outputs: Sequence[Output]) -> None:
    if not any(measures_of(output.value) for output in outputs):
        raise QueryRefused("measure", "汇总查询至少要有一个度量", "a grouped query has a measure")
    keys = {output.value for output in outputs if isinstance(output.value, Key)}
    group = select.args.get("group")
    if group is None:
        grouped: set[Key] = set()
    elif group.args.get("all") is True and not group.expressions:
        only(group, "all")
        grouped = keys
    else:
        only(group, "expressions")
        grouped = {_group_key(names, node, outputs) for node in group.expressions}
    if grouped != keys:
        raise QueryRefused(
            "group",
            "GROUP BY 的列须与 SELECT 中的维度列完全一致",
            "GROUP BY names exactly the dimensions that SELECT shows",
        )


def _group_key(names: Names, node: exp.Expr, outputs: Sequence[Output]) -> Key:
    at = _position(node, outputs)
    pointed = outputs[at].value if at is not None else None
    return pointed if isinstance(pointed, Key) else names.key(node)


def _position(node: exp.Expr, outputs: Sequence[Output]) -> int | None:
    """Which output a number or a name points at."""
    node = bare(node)
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        at = int(node.name) - 1
        if at in range(len(outputs)):
            return at
        raise QueryRefused("position", "列序号超出范围", "there is no column of that number")
    if isinstance(node, exp.Column) and not node.args.get("table"):
        for at, output in enumerate(outputs):
            if output.name.casefold() == node.name.casefold():
                return at
    return None


def _conditions(names: Names, select: exp.Select) -> tuple[Condition, ...]:
    where = select.args.get("where")
    if where is None:
        return ()
    only(where, "this")
    return tuple(names.condition(part) for part in conjuncts(where.this))


def _having(names: Names, select: exp.Select, *, aggregate: bool) -> int:
    having = select.args.get("having")
    if having is None:
        return 0
    node = bare(having.this)
    if aggregate and type(node) is exp.GTE and isinstance(bare(node.this), exp.Count):
        counted = names.measure(bare(node.this)) == Measure(Function.COUNT_ROWS)
        floor = bare(node.expression)
        if counted and isinstance(floor, exp.Literal) and floor.is_int:
            return min(int(floor.name), LARGEST_LIMIT)
    raise QueryRefused(
        "having", "HAVING 只能写 COUNT(*) >= 整数", "HAVING can only be COUNT(*) >= a whole number"
    )


def _order(names: Names, select: exp.Select, outputs: Sequence[Output]) -> tuple[Ordering, ...]:
    order = select.args.get("order")
    if order is None:
        return ()
    only(order, "expressions")
    return tuple(_ordering(names, node, outputs) for node in order.expressions)


def _ordering(names: Names, node: exp.Expr, outputs: Sequence[Output]) -> Ordering:
    if type(node) is not exp.Ordered:
        raise QueryRefused("order", "ORDER BY 写法不支持", "this ORDER BY is not available")
    only(node, "this", "desc", "nulls_first")
    at = _position(node.this, outputs)
    if at is None:
        inner = bare(node.this)
        value = names.expression(inner) if _aggregates(inner) else names.key(inner)
        found = [index for index, output in enumerate(outputs) if output.value == value]
        if not found:
            raise QueryRefused("order", "只能按结果列排序", "ORDER BY takes columns of the answer")
        at = found[0]
    return Ordering(at, bool(node.args.get("desc")), bool(node.args.get("nulls_first")))


def _limit(select: exp.Select) -> int | None:
    limit = select.args.get("limit")
    if limit is None:
        return None
    if type(limit) is exp.Limit:
        only(limit, "expression")
        count = bare(limit.expression)
        if isinstance(count, exp.Literal) and not count.is_string and count.name.isdigit():
            rows = int(count.name)
            if 0 < rows <= LARGEST_LIMIT:
                return rows
    raise QueryRefused("limit", "LIMIT 须为正整数", "LIMIT is a positive whole number")
