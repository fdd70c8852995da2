r"""In which form does a projection lie on disk?

``HQPROJ1\n``, the header's length (4 bytes, big endian), the header (JSON), then AES-256-GCM
chunks of at most 1 MiB of plain text, each with its tag. Every chunk authenticates the whole
header and its own number and whether it is the last (the STREAM construction), so that cutting,
reordering and swapping of chunks or headers are found. Every file has a key of its own.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"HQPROJ1\n"
CHUNK = 1_048_576
TAG = 16
LONGEST_HEADER = 65_536


class Damaged(Exception):
    """The file is not what was written, or the key is not its key."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says of itself, authenticated with every chunk."""

    projection: str
    contract: str
    product: str
    data_version: str
    suite: str = "aes-256-gcm-stream"


def seal(target: Path, header: Header, key: bytes, plain: BinaryIO) -> tuple[int, str]:
    """Write ``plain`` encrypted to ``target``, durably; its size in bytes and SM3 hex.

    The file appears under its name only when it is whole.
    """
    text = msgspec.json.encode(header)
    start = MAGIC + len(text).to_bytes(4, "big") + text
    digest = hashes.Hash(hashes.SM3())
    part = target.with_suffix(".part")
    size = 0
    part.unlink(missing_ok=True)  # of a build that was killed
    with open(part, "xb", opener=_private) as file:
        for piece in _pieces(start, key, plain):
            digest.update(piece)
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size, digest.finalize().hex()


def _private(path: str, flags: int) -> int:
    """Made here, through no link, for the owner of the process alone."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _pieces(start: bytes, key: bytes, plain: BinaryIO) -> Iterator[bytes]:
    yield start
    cipher = AESGCM(key)
    chunk = plain.read(CHUNK)
    number = 0
    while True:
        following = plain.read(CHUNK)
        yield cipher.encrypt(_nonce(number, last=not following), chunk, start)
        if not following:
            return
        chunk, number = following, number + 1


def unseal(source: Path, key: bytes, *, projection: str, plain: BinaryIO) -> Header:
    """Decrypt ``source`` into ``plain`` and give its header.

    Raises:
        Damaged: a byte was changed, the file was cut or is another projection, or a wrong key.
        OSError: the file cannot be read.
    """
    with source.open("rb") as file:
        start = file.read(len(MAGIC) + 4)
        length = int.from_bytes(start[len(MAGIC) :], "big")
        if start[: len(MAGIC)] != MAGIC or length > LONGEST_HEADER:
            raise Damaged
        text = file.read(length)
        _decrypt(file, key, start + text, plain)
    try:
        header = msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError as error:
        raise Damaged from error
    if header.projection != projection:
        raise Damaged
    return header


def _decrypt(file: BinaryIO, key: bytes, start: bytes, plain: BinaryIO) -> None:
    cipher = AESGCM(key)
    chunk = file.read(CHUNK + TAG)
    number = 0
    while True:
        following = file.read(CHUNK + TAG)
        try:
            plain.write(cipher.decrypt(_nonce(number, last=not following), chunk, start))
        except (InvalidTag, ValueError) as error:
            raise Damaged from error
        if not following:
            return
        chunk, number = following, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    # The key is used for one file only, so the counter alone keeps nonces apart.
    return number.to_bytes(11, "big") + bytes([last])
