"""Which spaces do the journeys share?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.space import Space, serving


@pytest.fixture(scope="session")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """A running demo space, for tests that leave it usable for the next one."""
    with serving(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"
