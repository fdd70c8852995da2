"""One served space for every attack over HTTP."""

from collections.abc import Iterator

import pytest

from tests.support.space import Space, serving


@pytest.fixture(scope="session")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    with serving(tmp_path_factory.mktemp("security") / "data") as served:
        yield served
