"""``compute.ports.ProjectionStore`` on a folder: files here, their wrapped keys there.

    projections/<participant>/<id>.hqp    the encrypted file
    projections/<participant>/<id>.json   its description
    keys/projections/<participant>/<id>.key  its key, sealed by the system's keystore

Destroying overwrites and unlinks the file and the key; overwriting alone is no proof on a disk
that copies on write, so it is the destruction of the key that counts.
"""

import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from huiqi.compute.errors import ProjectionDamaged, ProjectionMissing
from huiqi.compute.types import Projection
from huiqi.kernel.errors import IntegrityError
from huiqi.kernel.work import Scope

KEY_BYTES = 32
PIECE = 1_048_576


class Seals(Protocol):
    """Seals small secrets under the passphrase of the system's keystore."""

    def seal(self, data: bytes, purpose: str) -> bytes:
        """``data`` encrypted for one purpose."""
        ...

    def open_sealed(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed. Raises: IntegrityError when it was edited or is for another purpose."""
        ...


class FileProjectionStore:
    """Projections and their sealed keys below a connector's ``folder``, made when missing."""

    def __init__(self, folder: Path, seals: Seals) -> None:
        self._folder, self._keys = folder / "projections", folder / "keys" / "projections"
        for place in (self._folder, self._keys):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Projection]] = {}
        self._seals = seals

    def find(self, scope: Scope, projection: str) -> Projection | None:
        """See ``ProjectionStore.find``."""
        with self._lock:
            found = self._of(scope).get(projection)
        if found is None or not self._file(scope, projection).exists():
            return None
        return found if self._key_file(scope, projection).exists() else None

    def all(self, scope: Scope) -> Sequence[Projection]:
        """See ``ProjectionStore.all``."""
        with self._lock:
            return tuple(self._of(scope).values())

    def begin(self, scope: Scope, projection: str) -> tuple[Path, bytes]:
        """See ``ProjectionStore.begin``."""
        key = secrets.token_bytes(KEY_BYTES)
        file = self._file(scope, projection)
        sealed = self._seals.seal(key, _purpose(projection))
        _write_whole(self._key_file(scope, projection), sealed)
        return file, key

    def keep(self, scope: Scope, projection: Projection) -> None:
        """See ``ProjectionStore.keep``."""
        _write_whole(self._description(scope, projection.id), msgspec.json.encode(projection))
        with self._lock:
            self._of(scope)[projection.id] = projection

    def open(self, scope: Scope, projection: str) -> tuple[Path, bytes]:
        """See ``ProjectionStore.open``."""
        if self.find(scope, projection) is None:
            raise ProjectionMissing(id=projection)
        try:
            sealed = self._key_file(scope, projection).read_bytes()
            key = self._seals.open_sealed(sealed, _purpose(projection))
        except FileNotFoundError as error:
            raise ProjectionMissing(id=projection) from error
        except IntegrityError as error:
            raise ProjectionDamaged(what="key") from error
        return self._file(scope, projection), key

    def destroy(self, scope: Scope, projection: str) -> None:
        """See ``ProjectionStore.destroy``: 1 the file 2 what an unfinished build left 3 the key."""
        file = self._file(scope, projection)
        _shred(file)
        _shred(file.with_suffix(".part"))
        _shred(self._key_file(scope, projection))

    def forget(self, scope: Scope, projection: str) -> None:
        """See ``ProjectionStore.forget``."""
        self._description(scope, projection).unlink(missing_ok=True)
        with self._lock:
            self._of(scope).pop(projection, None)

    def _of(self, scope: Scope) -> dict[str, Projection]:
        """What the folder holds, read once; what a crash left unfinished is shredded."""
        if scope.participant not in self._known:
            known: dict[str, Projection] = {}
            for file in sorted(self._place(scope, self._folder).glob("*.json")):
                found = msgspec.json.decode(file.read_bytes(), type=Projection)
                known[found.id] = found
            self._known[scope.participant] = known
            for file in sorted(self._place(scope, self._keys).glob("*.key")):
                if file.stem not in known:
                    self.destroy(scope, file.stem)
        return self._known[scope.participant]

    def _place(self, scope: Scope, below: Path) -> Path:
        place = below / scope.participant
        place.mkdir(exist_ok=True, mode=0o700)
        return place

    def _file(self, scope: Scope, projection: str) -> Path:
        if not projection.isalnum():
            raise ProjectionMissing(id=projection[:40])
        return self._place(scope, self._folder) / f"{projection}.hqp"

    def _description(self, scope: Scope, projection: str) -> Path:
        return self._place(scope, self._folder) / f"{projection}.json"

    def _key_file(self, scope: Scope, projection: str) -> Path:
        return self._place(scope, self._keys) / f"{projection}.key"


def _purpose(projection: str) -> str:
    return f"projection {projection}"


def _write_whole(file: Path, data: bytes) -> None:
    part = file.with_suffix(".new")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(data)
        target.flush()
        os.fsync(target.fileno())
    part.replace(file)
    _sync_folder(file.parent)


def _shred(file: Path) -> None:
    if not file.exists():
        return
    with file.open("r+b") as target:
        left = os.fstat(target.fileno()).st_size
        while left > 0:
            left -= target.write(secrets.token_bytes(min(left, PIECE)))
        target.flush()
        os.fsync(target.fileno())
    file.unlink()
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
