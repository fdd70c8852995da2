"""How does one open connection run prepared statements?"""

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from huiqi.adapters.sql.prepared import Prepared


class Connection:
    """One open SQLite connection that runs prepared statements."""

    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw

    def rows(self, statement: Prepared, params: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """Every row of the answer."""
        return self.raw.execute(statement.sql, {**statement.fixed, **params}).fetchall()

    def change(self, statement: Prepared, params: Mapping[str, Any]) -> int:
        """Run a write; the number of rows it touched."""
        self.raw.execute(statement.sql, {**statement.fixed, **params})
        return self.raw.changes()

    def last_id(self) -> int:
        """The integer primary key of the row inserted last."""
        return self.raw.last_insert_rowid()
