"""A capability is a file; its name carries a version, because contracts and evidence hold it."""

import ast
import importlib
import re

import pytest

from huiqi.kernel.registry import capabilities
from tests.architecture.source import PACKAGE, files, tree

VERSIONED = re.compile(r"[A-Za-z0-9:.-]+@[1-9][0-9]*")
# Crypto suites are named by their algorithms, which never change under one name.
SUITES = "huiqi.trust.suites"
FOLDERS = ("huiqi.policy.operands", "huiqi.settlement.pricing", SUITES)


def _folders_with_capabilities() -> set[str]:
    return {
        ".".join(("huiqi", *file.parent.relative_to(PACKAGE).parts))
        for file in files()
        for one in tree(file).body
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "CAPABILITY"
    }


def test_capabilities_lie_in_known_folders_only() -> None:
    assert _folders_with_capabilities() == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_capability_of_a_folder_is_found(folder: str) -> None:
    package = importlib.import_module(folder)
    assert capabilities(folder), package.__doc__


@pytest.mark.parametrize("folder", [one for one in FOLDERS if one != SUITES])
def test_every_capability_name_is_versioned(folder: str) -> None:
    assert [name for name in capabilities(folder) if not VERSIONED.fullmatch(name)] == []


def test_suites_are_named_by_their_algorithms() -> None:
    assert set(capabilities(SUITES)) == {"sm2-sm3-sm4", "ed25519-sha256-aes"}
