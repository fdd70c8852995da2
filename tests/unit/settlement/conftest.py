"""One world per test, and one that a module's examples share with fresh books each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.settlement.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("shared")) as made:
        yield made
