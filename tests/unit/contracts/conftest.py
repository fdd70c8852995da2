"""The world that most claims about contracts are tried in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.contracts.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()
