"""The world that the claims about catalogues and identifiers are tried in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.catalog.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made
