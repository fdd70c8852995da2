"""What do the engine's parent and child say to each other?

One frame: length (8 bytes, big endian), then a tagged msgspec message in MessagePack. The parent
sends one request and reads one reply.
"""

import msgspec

Cell = str | int | float | bool | None
LENGTH = 8
# A loan is the largest thing that passes; see wire's LARGEST_PROJECTION.
LONGEST = 512 * 1_048_576


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table to load: an encrypted file with its key, or Parquet bytes."""

    name: str
    projection: str
    path: str = ""
    key: bytes = b""
    parquet: bytes = b""


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the tables, then lock down; the child accepts it once."""

    tables: tuple[Table, ...]
    memory_mb: int
    threads: int


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run one SELECT."""

    sql: str
    most_rows: int
    most_bytes: int
    cpu_s: int


class Build(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write a projection file."""

    source: str
    columns: tuple[str, ...]
    row_filter: str
    unit: str
    unit_name: str
    key: bytes
    salt: bytes
    target: str
    header: dict[str, str]
    memory_mb: int
    threads: int


class Export(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Give columns of a projection as a Parquet file."""

    table: Table
    columns: tuple[str, ...]
    most: int
    memory_mb: int
    threads: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The tables are loaded and the process is locked down. ``alone``: it has no network."""

    alone: bool


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The rows of a SELECT."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    elapsed_ms: float


class Made(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A projection file is written; columns are (name, type)."""

    rows: int
    bytes: int
    digest: str
    columns: tuple[tuple[str, str], ...]


class Exported(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The Parquet file asked for."""

    parquet: bytes


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It did not work. ``kind`` may be told to anybody, ``text`` stays with the provider."""

    kind: str
    text: str


Request = Load | Ask | Build | Export
Reply = Ready | Answer | Made | Exported | Failed
# Kinds of failure that the parent turns into errors of their own.
DAMAGED, TOO_LARGE, UNREADABLE, REFUSED = "damaged", "too_large", "unreadable", "refused"

_encoder = msgspec.msgpack.Encoder()


def framed(message: Request | Reply) -> bytes:
    """The bytes of one frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH, "big") + body
