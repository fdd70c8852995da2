"""What is written under src, read as syntax trees; nothing is imported or run here."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "huiqi"
ROOMS = (
    "trust",
    "evidence",
    "policy",
    "catalog",
    "contracts",
    "usage",
    "compute",
    "settlement",
)


@cache
def files() -> tuple[Path, ...]:
    """Every Python file under src."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree(file: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(file.read_text("utf-8"))


def shown(file: Path) -> str:
    """A path as readers of a failure want it: from the root of the repository."""
    return file.relative_to(ROOT).as_posix()


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield one


def public_methods(owner: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The methods that others may call."""
    for one in owner.body:
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
            yield one


def is_service(file: Path) -> bool:
    """Whether a file is a room's ``service.py`` or lies in its ``service`` package."""
    inside = file.relative_to(PACKAGE).parts
    return inside[0] in ROOMS and inside[1] in {"service", "service.py"}


@cache
def classes() -> dict[str, tuple[ast.ClassDef, ...]]:
    """Every class of the house by name; a name may be used in several rooms."""
    found: dict[str, list[ast.ClassDef]] = {}
    for file in files():
        for one in ast.walk(tree(file)):
            if isinstance(one, ast.ClassDef):
                found.setdefault(one.name, []).append(one)
    return {name: tuple(those) for name, those in found.items()}


@cache
def members_of(name: str) -> frozenset[str]:
    """Methods and fields of the classes of this name, inherited ones too."""
    found: set[str] = set()
    for one in classes().get(name, ()):
        for part in one.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(part.name)
            elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                found.add(part.target.id)
            elif isinstance(part, ast.Assign):
                found |= {each.id for each in part.targets if isinstance(each, ast.Name)}
        for base in one.bases:
            if isinstance(base, ast.Name) and base.id != name:
                found |= members_of(base.id)
    return frozenset(found)


@cache
def function_names() -> frozenset[str]:
    """The name of every function and method of the house."""
    return frozenset(one.name for file in files() for one in functions(tree(file)))
