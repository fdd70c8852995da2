"""The house has the rooms of the plan, and inside a room every file means the same."""

import ast

import pytest

from tests.architecture.source import PACKAGE, ROOMS, files, is_service, shown, tree

# DESIGN section 4; rooms of later issues are on the plan before they are built.
PLAN = {
    "cli",
    "bootstrap",
    "settings.py",
    "web",
    "worker.py",
    "adapters",
    "wire",
    "programme",
    "oversight",
    "market",
    "settlement",
    "workshop",
    "compute",
    "usage",
    "contracts",
    "catalog",
    "trust",
    "evidence",
    "policy",
    "kernel",
}
# No rooms: the package itself, and data.
BESIDE_ROOMS = {"__init__.py", "__main__.py", "py.typed", "__pycache__", "samples"}


def test_every_room_is_on_the_plan() -> None:
    present = {entry.name for entry in PACKAGE.iterdir()} - BESIDE_ROOMS
    assert present - PLAN == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_documents_errors_and_verbs(room: str) -> None:
    folder = PACKAGE / room
    assert (folder / "types.py").is_file()
    assert (folder / "errors.py").is_file()
    assert (folder / "service.py").is_file() or (folder / "service" / "__init__.py").is_file()


def test_every_module_opens_with_a_sentence() -> None:
    silent = [shown(file) for file in files() if not (ast.get_docstring(tree(file)) or "").strip()]
    assert [one for one in silent if "/migrations/versions/" not in one] == []


# The worker marks a message as sent: its own outbox row, no document of a room.
OPENS_TRANSACTIONS_TOO = {"src/huiqi/worker.py"}


def test_only_services_open_transactions() -> None:
    openers = {
        f"{shown(file)}:{call.lineno}"
        for file in files()
        for call in ast.walk(tree(file))
        if _opens(call) and not is_service(file) and shown(file) not in OPENS_TRANSACTIONS_TOO
    }
    assert openers == set()


def _opens(node: ast.AST) -> bool:
    """``<something>work.run(…)`` or ``<something>work.read(…)``."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr in {"run", "read"} and ast.unparse(node.func.value).endswith("work")


# What a verb must not call while its transaction is open: other rooms, peers and engines.
OUTSIDE = {"_trust", "_contracts", "_catalog", "_usage", "_listing", "_platform", "_parent"}
OUTSIDE |= {"_peers", "_engine", "_projections", "_profiler", "_signer", "_directory", "_keys"}
# ``trust.me`` reads what is kept in memory; it opens nothing.
HARMLESS = {"self._trust.me"}


def test_no_other_room_is_called_inside_a_transaction() -> None:
    calls = {
        f"{shown(file)}:{call.lineno} {ast.unparse(call.func)}"
        for file in files()
        if is_service(file)
        for unit in ast.walk(tree(file))
        if isinstance(unit, ast.FunctionDef | ast.Lambda)
        and any(argument.arg == "tx" for argument in unit.args.args)
        for call in ast.walk(unit)
        if isinstance(call, ast.Call) and _goes_outside(call.func)
    }
    assert calls == set()


def _goes_outside(called: ast.expr) -> bool:
    if not (isinstance(called, ast.Attribute) and isinstance(called.value, ast.Attribute)):
        return False
    owner = called.value
    own = isinstance(owner.value, ast.Name) and owner.value.id == "self"
    return own and owner.attr in OUTSIDE and ast.unparse(called) not in HARMLESS
