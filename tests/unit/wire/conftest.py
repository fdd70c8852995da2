"""Two members of one space on a real store, for calls between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.trust.systems import C1, House, open_house
from tests.unit.wire.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with open_house(tmp_path) as house:
        yield _pair(house)


def _pair(house: House) -> Pair:
    platform = house.platform(house.node())
    return Pair(house, platform, house.connector(platform, C1))
