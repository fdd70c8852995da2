"""The house and the browser that the tests of the console use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from huiqi.web.i18n import Tongue
from huiqi.web.system import System
from tests.unit.web.house import Browser, hosted


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[dict[str, System]]:
    with hosted(tmp_path) as found:
        yield found


@pytest.fixture
def browser(systems: dict[str, System]) -> Iterator[Browser]:
    opened = Browser(systems)
    with opened.client:
        yield opened


@pytest.fixture
def zh() -> Tongue:
    return Tongue("zh")


@pytest.fixture
def en() -> Tongue:
    return Tongue("en")
