"""Fixtures of the computing room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.compute.world import ComputeWorld, open_compute_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ComputeWorld]:
    """Two providers and a consumer."""
    with open_compute_world(tmp_path) as made:
        yield made
