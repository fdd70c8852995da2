"""One space for a module: its clock only moves on, its contracts are each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey_rooms.space import Space, open_space


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """Five systems of the production assembly."""
    folder: Path = tmp_path_factory.mktemp("space")
    with open_space(folder) as made:
        yield made
