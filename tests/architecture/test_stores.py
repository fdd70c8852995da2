"""Every store method takes the scope first, so that no query can forget whose rows it reads."""

import ast

from tests.architecture.source import PACKAGE, public_methods, shown, tree

FOLDER = PACKAGE / "adapters" / "sql"
# Class.method -> why it needs no scope. Empty today.
WITHOUT_SCOPE: dict[str, str] = {}


def _stores() -> list[tuple[str, ast.ClassDef]]:
    """Classes of store files, and of the projections: (file, class)."""
    found = [*FOLDER.glob("*_store.py"), FOLDER / "outbox.py", PACKAGE / "adapters/projections.py"]
    return [
        (shown(file), one)
        for file in sorted(found)
        for one in tree(file).body
        if isinstance(one, ast.ClassDef) and one.name.endswith(("Store", "Outbox"))
    ]


def test_every_store_method_takes_the_scope_first() -> None:
    wrong = [
        f"{file} {owner.name}.{method.name}"
        for file, owner in _stores()
        for method in public_methods(owner)
        if f"{owner.name}.{method.name}" not in WITHOUT_SCOPE
        and [argument.arg for argument in method.args.args][1:2] != ["scope"]
    ]
    assert wrong == []


def test_every_room_that_keeps_something_has_its_store() -> None:
    names = {owner.name for _file, owner in _stores()}
    rooms = ("Trust", "Evidence", "Catalog", "Identifier", "Contract", "Usage", "Settlement")
    assert names >= {f"Sql{room}Store" for room in rooms}


def test_every_table_of_a_store_carries_the_scope() -> None:
    bare = [
        f"{shown(file)}:{call.lineno}"
        for file in sorted(FOLDER.glob("*.py"))
        for call in ast.walk(tree(file))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Table"
        and not any(_is_scope(argument) for argument in call.args)
    ]
    assert bare == []


def _is_scope(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Starred) and ast.unparse(argument.value) == "scope_columns()"
