"""How does a small secret file get onto the disk whole, readable by its owner alone, and off it?"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huiqi.trust.errors import KeyStoreUnwritable

_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents; it can be entered by the owner alone.

    Raises:
        KeyStoreUnwritable: the file system refuses.
    """
    with _typed_trouble():
        folder.mkdir(mode=_FOLDER_OWNER_ONLY, parents=True, exist_ok=True)


def create(path: Path, data: bytes) -> bool:
    """Write a new file all at once and durably, mode 0600; False when it exists already.

    Raises:
        KeyStoreUnwritable: the file system refuses.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _typed_trouble():
        try:
            _write_new(draft, data)
            try:
                os.link(draft, path)
            except FileExistsError:
                return False
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    return True


def read(path: Path) -> bytes | None:
    """The bytes of a file; None when there is none.

    Raises:
        KeyStoreUnwritable: the file system refuses.
    """
    with _typed_trouble():
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def shred(path: Path) -> None:
    """Overwrite a file with random bytes, flush, remove it, flush; nothing if there is none.

    A copying file system or a wear-levelling disk may keep the old blocks: what was in the file
    has to be encrypted under another key as well.

    Raises:
        KeyStoreUnwritable: the file system refuses.
    """
    with _typed_trouble():
        try:
            with path.open("r+b", buffering=0) as file:
                file.write(secrets.token_bytes(path.stat().st_size))
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        _sync_folder(path.parent)


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _typed_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyStoreUnwritable(why=type(error).__name__) from error
