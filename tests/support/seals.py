"""Seals for tests: real encryption under a key that stays the same for one folder."""

from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import IntegrityError

NONCE = bytes(12)


class FolderSeals:
    """``adapters.projections.Seals`` whose key is derived from the folder's name."""

    def __init__(self, folder: Path) -> None:
        self._cipher = AESGCM(bytes.fromhex(sha256_hex(str(folder).encode())))

    def seal(self, data: bytes, purpose: str) -> bytes:
        return self._cipher.encrypt(NONCE, data, purpose.encode())

    def open_sealed(self, sealed: bytes, purpose: str) -> bytes:
        try:
            return self._cipher.decrypt(NONCE, sealed, purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(what="seal") from error
