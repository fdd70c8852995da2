"""The log that most tests of evidence start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.evidence.logs import Log, open_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with open_log(tmp_path) as opened:
        yield opened
