"""What lies in a data directory, and who may open it?

huiqi-data/
  lock          held while a process serves this directory
  secret        opens the keystores, unless HUIQI_PASSPHRASE is set (mode 0600)
  systems.json  which systems live here
  <prefix>/     store.db, checkpoint, keys/, resources/, projections/ of one system
"""

import fcntl
import os
import secrets
import shutil
from pathlib import Path

import msgspec

from huiqi.bootstrap.errors import (
    DataDirectoryDamaged,
    DataDirectoryInUse,
    DataDirectoryUnwritable,
    SystemExists,
)
from huiqi.trust.types import SystemKind

SECRET_BYTES = 32


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One system that lives in a data directory.

    ``invitation`` is the code to join with at the first start; empty for a node, which founds
    itself. ``issuer_prefix`` names the issuer's prefix when it lives in the same directory.
    """

    prefix: str
    kind: SystemKind
    subject: str
    name: str
    name_en: str
    area: str
    space: str
    invitation: str = ""
    issuer_prefix: str = ""


class DataFolder:
    """One data directory, locked for this process.

    Raises:
        DataDirectoryInUse: another process serves it.
        DataDirectoryUnwritable: it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / "lock").open("a")
        except OSError as error:
            raise DataDirectoryUnwritable(path=path.name, why=error.strerror) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise DataDirectoryInUse(path=path.name) from error
        if not _is_still(path / "lock", self._lock.fileno()):
            # Somebody deleted the directory between the two steps above.
            self._lock.close()
            raise DataDirectoryInUse(path=path.name)

    def announce(self, base: str) -> None:
        """Note where this directory's systems are reached now."""
        write_whole(self.path / "address", base.encode())

    def release(self) -> None:
        """Let another process open the directory."""
        (self.path / "address").unlink(missing_ok=True)
        self.unlock()

    def unlock(self) -> None:
        """Give up the lock, whatever is left of the directory."""
        self._lock.close()

    def of(self, prefix: str) -> Path:
        """The folder of one system, made when it is not there."""
        folder = self.path / prefix
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def passphrase(self, configured: str) -> str:
        """The configured passphrase, else the one kept in ``secret``, made at the first start."""
        if configured:
            return configured
        file = self.path / "secret"
        if not file.exists():
            write_whole(file, secrets.token_hex(SECRET_BYTES).encode())
        return file.read_text().strip()

    def sites(self) -> tuple[Site, ...]:
        """The systems that live here, in the order in which they start.

        Raises:
            DataDirectoryDamaged: ``systems.json`` cannot be read.
        """
        file = self.path / "systems.json"
        if not file.exists():
            return ()
        try:
            return msgspec.json.decode(file.read_bytes(), type=tuple[Site, ...])
        except (msgspec.DecodeError, OSError, RecursionError) as error:
            raise DataDirectoryDamaged(path="systems.json", why=str(error)[:200]) from error

    def add(self, site: Site) -> None:
        """Let ``site`` live here; one that has not joined yet is replaced, with its invitation.

        Raises:
            SystemExists: another system has the same prefix.
        """
        sites = self.sites()
        same = [other for other in sites if other.prefix == site.prefix]
        if any(not other.invitation or other.kind is not site.kind for other in same):
            raise SystemExists(prefix=site.prefix)
        if same:
            self._write(tuple(site if each in same else each for each in sites))
        else:
            self._write((*sites, site))

    def joined(self, prefix: str) -> None:
        """Forget the invitation of ``prefix``: it was used."""
        self._write(
            tuple(
                msgspec.structs.replace(site, invitation="") if site.prefix == prefix else site
                for site in self.sites()
            )
        )

    def _write(self, sites: tuple[Site, ...]) -> None:
        text = msgspec.json.format(msgspec.json.encode(sites), indent=2)
        write_whole(self.path / "systems.json", text)


def write_whole(file: Path, data: bytes) -> None:
    """Write ``data`` so that after a crash the file is either the old one or the new one.

    Raises:
        DataDirectoryUnwritable: the disk is full or the folder cannot be written; the old file
            is as it was.
    """
    fresh = file.with_name(file.name + ".new")
    try:
        with open(fresh, "wb", opener=_private) as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        fresh.replace(file)
        _sync_folder(file.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise DataDirectoryUnwritable(path=file.name, why=error.strerror) from error


def _private(path: str, flags: int) -> int:
    """Open for the owner of the process alone."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Make the new name of a file as durable as what is in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_still(file: Path, descriptor: int) -> bool:
    """Whether ``file`` is the one that is open as ``descriptor``."""
    try:
        there = file.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def erase(path: Path) -> None:
    """Delete a data directory that no process serves.

    Raises:
        DataDirectoryInUse: a process serves it now.
        DataDirectoryDamaged: it does not look like a data directory of Huiqi.
    """
    if not (path / "systems.json").exists():
        raise DataDirectoryDamaged(path=path.name, why="systems.json is missing")
    folder = DataFolder(path)
    try:
        shutil.rmtree(path)
    finally:
        folder.unlock()
