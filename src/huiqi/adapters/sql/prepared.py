"""How is a statement written once and compiled once?"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement


class Prepared(msgspec.Struct, frozen=True):
    """A compiled statement: SQL text with named parameters, and the values fixed in it."""

    sql: str
    fixed: Mapping[str, Any]


def prepare(statement: ClauseElement) -> Prepared:
    """Compile a SQLAlchemy Core statement at import time; use ``bindparam`` for what varies.

    >>> from sqlalchemy import bindparam, column, select
    >>> prepare(select(column("a")).where(column("b") == bindparam("b"))).sql.split()[-1]
    ':b'
    """
    compiled = statement.compile(
        dialect=sqlite_dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}
    )
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(sql=str(compiled), fixed=fixed)
