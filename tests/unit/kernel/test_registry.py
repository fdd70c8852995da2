"""A capability is a file; a name is never used twice."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from huiqi.kernel.registry import DuplicateCapability, capabilities


def capability(name: str) -> str:
    return f"class C:\n    name = {name!r}\nCAPABILITY = C\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "sample_capabilities"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "b.py").write_text(capability("b@1"))
    (folder / "a.py").write_text(capability("a@1"))
    (folder / "rules.py").write_text("LIMIT = 3\n")
    yield folder
    for name in [name for name in sys.modules if name.startswith("sample_capabilities")]:
        del sys.modules[name]


def test_every_file_with_a_capability_is_found_in_order_of_names(package: Path) -> None:
    assert list(capabilities(package.name)) == ["a@1", "b@1"]


def test_a_name_claimed_twice_is_refused(package: Path) -> None:
    (package / "c.py").write_text(capability("a@1"))
    with pytest.raises(DuplicateCapability, match="a@1"):
        capabilities(package.name)


def test_an_installed_plug_in_is_found_and_may_not_take_a_name(package: Path) -> None:
    plugin = package.parent
    (plugin / "sample_plugin.py").write_text(capability("p@1"))
    info = plugin / "sample_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-plugin\nVersion: 1.0\n")
    entries = f"[{package.name}]\np = sample_plugin:CAPABILITY\n"
    (info / "entry_points.txt").write_text(entries)
    assert list(capabilities(package.name)) == ["a@1", "b@1", "p@1"]
    (package / "d.py").write_text(capability("p@1"))
    with pytest.raises(DuplicateCapability, match="p@1"):
        capabilities(package.name)
