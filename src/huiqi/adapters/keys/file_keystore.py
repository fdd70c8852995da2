"""How are a system's private keys kept in an encrypted file, and data keys made and destroyed?

``keys/keystore.json`` holds the public keys in plain and everything secret encrypted with
AES-256-GCM under a key that scrypt makes of the passphrase; the plain part is authenticated
along. ``keys/data/`` holds one file per data key, encrypted under a key of the key store, so
that destroying one file makes unreadable what its key encrypted.
"""

import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from huiqi.adapters.keys import files
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.digests import sha256_hex
from huiqi.trust.errors import DataKeyGone, KeyStoreLocked, SealBroken, UnknownSuite
from huiqi.trust.service import key_id, suites
from huiqi.trust.types import PublicKey, Signature

_FILE = "keystore.json"
_KEY_BYTES, _NONCE_BYTES, _SALT_BYTES = 32, 12, 16
# 64 MiB and about 0.2 s per guess (RFC 7914 parameters for interactive use, doubled).
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**16, 8, 1


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The readable part of the file."""

    v: Literal[1]
    kdf: Literal["scrypt-65536-8-1"]
    salt: str
    public: tuple[PublicKey, ...]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; ``secret`` is nonce and ciphertext in hex."""

    head: _Head
    secret: str


class _Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What is encrypted: private keys by suite, and the key that seals everything else (hex)."""

    private: Mapping[str, str]
    sealing: str


class FileKeyStore:
    """``trust.ports.KeyStore`` in a folder, with seals and data keys for other rooms."""

    def __init__(self, folder: Path, head: _Head, kept: _Secrets) -> None:
        self._public = head.public
        self._private = {name: bytes.fromhex(value) for name, value in kept.private.items()}
        self._sealing = AESGCM(bytes.fromhex(kept.sealing))
        self._data = folder / "keys" / "data"
        self._lock = threading.Lock()

    def public(self) -> tuple[PublicKey, ...]:
        """The public key of every suite."""
        return self._public

    def sign(self, suite: str, data: bytes) -> Signature:
        """A signature with the key of this suite.

        Raises:
            UnknownSuite: there is no key of it.
            SigningFailed: the library gave no signature.
        """
        for key in self._public:
            if key.suite == suite and suite in suites():
                value = suites()[suite].sign(self._private[suite], data)
                return Signature(suite=suite, key_id=key.key_id, value=value)
        raise UnknownSuite(suite=suite[:64])

    def seal(self, data: bytes, purpose: str) -> bytes:
        """``data`` encrypted so that only this key store, told the same purpose, can open it."""
        return _encrypt(self._sealing, data, f"seal\n{purpose}".encode())

    def open_sealed(self, sealed: bytes, purpose: str) -> bytes:
        """The data in ``sealed``.

        Raises:
            SealBroken: edited, of another key store, or sealed for another purpose.
        """
        try:
            return _decrypt(self._sealing, sealed, f"seal\n{purpose}".encode())
        except InvalidTag as error:
            raise SealBroken from error

    def wrap_key(self, id: str) -> bytes:  # noqa: A002 - the word of the port
        """The 32-byte data key ``id``, made fresh and kept durably when there is none yet.

        Raises:
            KeyStoreUnwritable: the folder cannot be written.
            SealBroken: the kept key was edited.
        """
        fresh = secrets.token_bytes(_KEY_BYTES)
        wrapped = _encrypt(self._sealing, fresh, _wrapping(id))
        with self._lock:
            files.make_folder(self._data)
            made = files.create(self._path(id), wrapped)
        return fresh if made else self.unwrap_key(id)

    def unwrap_key(self, id: str) -> bytes:  # noqa: A002 - the word of the port
        """The kept data key ``id``, 32 bytes.

        Raises:
            DataKeyGone: there is none, or it was destroyed.
            SealBroken: the kept key was edited.
        """
        wrapped = files.read(self._path(id))
        if wrapped is None:
            raise DataKeyGone
        try:
            return _decrypt(self._sealing, wrapped, _wrapping(id))
        except InvalidTag as error:
            raise SealBroken from error

    def destroy_key(self, id: str) -> None:  # noqa: A002 - the word of the port
        """Destroy the data key ``id``: overwritten, flushed, removed; a repeat does nothing.

        Raises:
            KeyStoreUnwritable: the file system refuses, and the key may still be there.
        """
        with self._lock:
            files.shred(self._path(id))

    def _path(self, id: str) -> Path:  # noqa: A002 - the word of the port
        return self._data / f"{sha256_hex(id.encode())}.key"


def open_keystore(folder: Path, passphrase: str) -> FileKeyStore:
    """The key store below ``folder``, made with fresh keys on first use.

    Raises:
        KeyStoreLocked: wrong passphrase, or the file was edited or damaged.
        KeyStoreUnwritable: the folder cannot be read or written.
    """
    path = folder / "keys" / _FILE
    data = files.read(path)
    if data is None:
        files.make_folder(path.parent)
        head, kept, fresh = _fresh(passphrase)
        if files.create(path, fresh):
            return FileKeyStore(folder, head, kept)
        data = files.read(path)  # another process was faster
    if data is None:
        raise KeyStoreLocked(file=_FILE)
    try:
        found = msgspec.json.decode(data, type=_File, strict=True)
        key = _passphrase_key(passphrase, bytes.fromhex(found.head.salt))
        plain = _decrypt(key, bytes.fromhex(found.secret), canonical_bytes(found.head))
        kept = msgspec.json.decode(plain, type=_Secrets)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, InvalidTag) as error:
        raise KeyStoreLocked(file=_FILE) from error
    return FileKeyStore(folder, found.head, kept)


def _fresh(passphrase: str) -> tuple[_Head, _Secrets, bytes]:
    private: dict[str, str] = {}
    public: list[PublicKey] = []
    for name, method in suites().items():
        own, shown = method.generate()
        private[name] = own.hex()
        public.append(PublicKey(suite=name, key_id=key_id(shown), value=shown))
    salt = secrets.token_bytes(_SALT_BYTES)
    head = _Head(v=1, kdf="scrypt-65536-8-1", salt=salt.hex(), public=tuple(public))
    kept = _Secrets(private=private, sealing=secrets.token_hex(_KEY_BYTES))
    key = _passphrase_key(passphrase, salt)
    secret = _encrypt(key, msgspec.json.encode(kept), canonical_bytes(head))
    whole = msgspec.json.format(msgspec.json.encode(_File(head=head, secret=secret.hex())))
    return head, kept, whole


def _passphrase_key(passphrase: str, salt: bytes) -> AESGCM:
    kdf = Scrypt(salt=salt, length=_KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
    return AESGCM(kdf.derive(passphrase.encode()))


def _wrapping(id: str) -> bytes:  # noqa: A002 - the word of the port
    return f"data-key\n{id}".encode()


def _encrypt(key: AESGCM, data: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, data, context)


def _decrypt(key: AESGCM, sealed: bytes, context: bytes) -> bytes:
    if len(sealed) <= _NONCE_BYTES:
        raise InvalidTag
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
