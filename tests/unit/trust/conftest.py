"""The house of systems that the tests of trust live in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.trust.systems import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened
