"""What do the connector and its profiling process say to each other?"""

from collections.abc import Mapping

import msgspec

from huiqi.catalog.types import Profile

# Names inside the work folder: fixed, so that no name chosen by a user reaches an SQL text.
SOURCE = "source"
COPY = "copy.parquet"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Profile ``file`` (absolute path) in the present folder; ``shown`` is its name in errors.

    ``memory_mb`` bounds the engine, ``cpu_s`` the whole process, ``most_bytes`` the file.
    """

    file: str
    shown: str
    most_bytes: int
    memory_mb: int
    cpu_s: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Either a profile (the copy is complete) or the code and parameters of a catalogue error."""

    profile: Profile | None = None
    code: str = ""
    params: Mapping[str, str] = {}
