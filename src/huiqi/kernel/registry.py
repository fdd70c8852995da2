"""Which capabilities are present? A capability is a file; nothing else has to change.

A file in the right folder exports ``CAPABILITY`` with a versioned ``name`` such as
``per-use-and-row@1``. Names are written into contracts and evidence and are never reused.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from huiqi.kernel.errors import IntegrityError


class DuplicateCapability(IntegrityError):
    """Two files claim one capability name; the process does not start.

    Names stand in contracts and evidence for ever: give the newer file a name of its own.
    """

    code = "kernel.duplicate_capability"
    zh = "能力名称重复：{name}"
    en = "Capability name used twice: {name}"


def capabilities(package: str) -> dict[str, Any]:
    """Every ``CAPABILITY`` below ``package`` by name, then those of installed plug-ins.

    Plug-ins announce themselves under the entry-point group of the same name as the package.

    Raises:
        DuplicateCapability: a name was claimed twice.
    """
    found: dict[str, Any] = {}
    for capability in _all(package):
        if capability.name in found:
            raise DuplicateCapability(name=capability.name)
        found[capability.name] = capability
    return dict(sorted(found.items()))


def _all(package: str) -> Iterator[Any]:
    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__, prefix=f"{package}."):
        loaded = importlib.import_module(module.name)
        if hasattr(loaded, "CAPABILITY"):
            yield loaded.CAPABILITY
    for entry in entry_points(group=package):
        yield entry.load()
