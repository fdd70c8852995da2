"""How does the system's libcrypto 3 sign with SM2?

Only the EVP interface is used, so that providers and patches of the distribution apply. Every
call has its own context, key objects are read-only: safe from many threads, and the interpreter
lock is free while the library works.
"""

import ctypes
import ctypes.util
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import ClassVar

from huiqi.trust.errors import SigningFailed

_SIGNER_ID = b"1234567812345678"
# A DER signature of two 256-bit integers has at most 72 bytes.
_LONGEST_DER = 128
# OSSL_PARAM types and key selections of openssl/core.h, core_dispatch.h and evp.h.
_UNSIGNED, _UTF8, _OCTETS = 2, 4, 5
_PUBLIC_KEY, _KEY_PAIR = 0x86, 0x87
_OLDEST_MAJOR = 3
# Members of one space; a key object costs 35 us to make.
_KEYS_KEPT = 1024

# A known signature (ndi-identity section 3): a library that refuses it is not used.
_KNOWN_POINT = bytes.fromhex(
    "89bd9bc5c814a2bbfd4481d1c8537e48256534437df59a26059753d84bb32715"
    "39934b7c2d67bfc17144b9ebec7e8db0d308efe0710e5e3aa7fa2ed0d9da10f1"
)
_KNOWN_DATA = (
    b"msgcode=SyncLogoffInfo&msgversion=1.0.0&timestamp=1763863200000"
    b"&sequenceNum=20251123100000000000000000000001"
    b'&{"identityCode":"91349900MA8TE3T079/340000199001010016"}'
)
_KNOWN_DER = bytes.fromhex(
    "3045022100f007cce08e6128454d05c57bccfdf63b839537c94cb013f8f2002f9c1ac25850"
    "02206ccb0a172fc123cd05a3a97cc7ed9bcf74d8794e52a43dbfbe760f57e667c683"
)


class _Param(ctypes.Structure):
    """OSSL_PARAM of openssl/core.h."""

    _fields_: ClassVar = [  # type: ignore[mutable-override] # read once by ctypes
        ("key", ctypes.c_char_p),
        ("data_type", ctypes.c_uint),
        ("data", ctypes.c_void_p),
        ("data_size", ctypes.c_size_t),
        ("return_size", ctypes.c_size_t),
    ]


_PARAMS, _P, _SIZE = ctypes.POINTER(_Param), ctypes.c_void_p, ctypes.c_size_t
_SIZE_OUT = ctypes.POINTER(ctypes.c_size_t)
# Name, result, arguments: the part of the EVP interface that is used here.
_INTERFACE = (
    ("OPENSSL_version_major", ctypes.c_uint, ()),
    ("ERR_clear_error", None, ()),
    ("EVP_PKEY_CTX_new_from_name", _P, (_P, ctypes.c_char_p, ctypes.c_char_p)),
    ("EVP_PKEY_CTX_free", None, (_P,)),
    ("EVP_PKEY_fromdata_init", ctypes.c_int, (_P,)),
    ("EVP_PKEY_fromdata", ctypes.c_int, (_P, ctypes.POINTER(_P), ctypes.c_int, _PARAMS)),
    ("EVP_PKEY_keygen_init", ctypes.c_int, (_P,)),
    ("EVP_PKEY_generate", ctypes.c_int, (_P, ctypes.POINTER(_P))),
    ("EVP_PKEY_get_params", ctypes.c_int, (_P, _PARAMS)),
    ("EVP_PKEY_free", None, (_P,)),
    ("EVP_PKEY_CTX_set_params", ctypes.c_int, (_P, _PARAMS)),
    ("EVP_MD_CTX_new", _P, ()),
    ("EVP_MD_CTX_free", None, (_P,)),
    (
        "EVP_DigestSignInit_ex",
        ctypes.c_int,
        (_P, ctypes.POINTER(_P), ctypes.c_char_p, _P, ctypes.c_char_p, _P, _PARAMS),
    ),
    (
        "EVP_DigestSign",
        ctypes.c_int,
        (_P, ctypes.c_char_p, _SIZE_OUT, ctypes.c_char_p, _SIZE),
    ),
    (
        "EVP_DigestVerifyInit_ex",
        ctypes.c_int,
        (_P, ctypes.POINTER(_P), ctypes.c_char_p, _P, ctypes.c_char_p, _P, _PARAMS),
    ),
    (
        "EVP_DigestVerify",
        ctypes.c_int,
        (_P, ctypes.c_char_p, _SIZE, ctypes.c_char_p, _SIZE),
    ),
)


class _Key:
    """An EVP_PKEY that is freed with this object."""

    def __init__(self, library: ctypes.CDLL, pointer: int) -> None:
        self.pointer = pointer
        weakref.finalize(self, library.EVP_PKEY_free, pointer).atexit = False


class _Params:
    """An OSSL_PARAM array together with the buffers that it points to."""

    def __init__(self, *parts: tuple[bytes, int, bytes]) -> None:
        self.buffers = [ctypes.create_string_buffer(data, len(data)) for _, _, data in parts]
        self.array = (_Param * (len(parts) + 1))()
        for place, ((key, kind, data), buffer) in enumerate(zip(parts, self.buffers, strict=True)):
            address = ctypes.cast(buffer, ctypes.c_void_p)
            self.array[place] = _Param(key, kind, address, len(data), 0)


class Libcrypto:
    """SM2 of the system's OpenSSL 3."""

    name = "libcrypto"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._signer = _Params((b"distid", _OCTETS, _SIGNER_ID))
        self._private = lru_cache(maxsize=16)(self._private_key)
        self._public = lru_cache(maxsize=_KEYS_KEPT)(self._public_key)

    @classmethod
    def found(cls) -> "Libcrypto | None":
        """The system's library, or None where there is none of version 3 that can do SM2."""
        path = ctypes.util.find_library("crypto")
        if path is None:
            return None
        try:
            library = ctypes.CDLL(path)
            for name, result, arguments in _INTERFACE:
                function = getattr(library, name)
                function.restype, function.argtypes = result, list(arguments)
        except (OSError, AttributeError):
            return None
        if library.OPENSSL_version_major() < _OLDEST_MAJOR:
            return None
        candidate = cls(library)
        works = candidate.verify(_KNOWN_POINT, _KNOWN_DATA, _KNOWN_DER)
        return candidate if works else None

    def generate(self) -> tuple[bytes, bytes]:
        """A fresh key pair: d (32 bytes) and x||y (64 bytes).

        Raises:
            SigningFailed: the library made no key.
        """
        made = ctypes.c_void_p()
        with self._key_context() as context:
            ready = self._library.EVP_PKEY_keygen_init(context) == 1
            if not ready or self._library.EVP_PKEY_generate(context, ctypes.byref(made)) != 1:
                raise self._failed()
        key = _Key(self._library, made.value or 0)
        asked = _Params(
            (b"priv", _UNSIGNED, bytes(32)),
            (b"qx", _UNSIGNED, bytes(32)),
            (b"qy", _UNSIGNED, bytes(32)),
        )
        if self._library.EVP_PKEY_get_params(key.pointer, asked.array) != 1:
            raise self._failed()
        d, x, y = (_native(buffer.raw) for buffer in asked.buffers)
        return d, x + y

    def sign(self, d: bytes, point: bytes, data: bytes) -> bytes:
        """A DER signature.

        Raises:
            SigningFailed: the key is not one, or the library gave no signature.
        """
        key = self._private(d, point)
        if key is None:
            raise self._failed()
        der = ctypes.create_string_buffer(_LONGEST_DER)
        size = ctypes.c_size_t(_LONGEST_DER)
        with self._digest_context() as context:
            done = self._ready(
                self._library.EVP_DigestSignInit_ex, context, key
            ) and self._library.EVP_DigestSign(context, der, ctypes.byref(size), data, len(data))
        if done != 1:
            raise self._failed()
        return der.raw[: size.value]

    def verify(self, point: bytes, data: bytes, signature: bytes) -> bool:
        """Whether the DER signature holds; what the library cannot read does not."""
        key = self._public(point)
        if key is None:
            return False
        with self._digest_context() as context:
            holds = self._ready(
                self._library.EVP_DigestVerifyInit_ex, context, key
            ) and self._library.EVP_DigestVerify(
                context, signature, len(signature), data, len(data)
            )
        if holds != 1:
            self._library.ERR_clear_error()
        return bool(holds == 1)

    def _ready(self, start: Callable[..., int], context: int | None, key: _Key) -> bool:
        """Whether a digest context took the key and the signer id (which 3.0 takes only then)."""
        inner = ctypes.c_void_p()
        started = start(context, ctypes.byref(inner), b"SM3", None, None, key.pointer, None)
        return (
            started == 1 and self._library.EVP_PKEY_CTX_set_params(inner, self._signer.array) == 1
        )

    def _private_key(self, d: bytes, point: bytes) -> _Key | None:
        return self._key(
            _KEY_PAIR,
            (b"group", _UTF8, b"SM2"),
            (b"pub", _OCTETS, b"\x04" + point),
            (b"priv", _UNSIGNED, _native(d)),
        )

    def _public_key(self, point: bytes) -> _Key | None:
        return self._key(_PUBLIC_KEY, (b"group", _UTF8, b"SM2"), (b"pub", _OCTETS, b"\x04" + point))

    def _key(self, selection: int, *parts: tuple[bytes, int, bytes]) -> _Key | None:
        params = _Params(*parts)
        made = ctypes.c_void_p()
        with self._key_context() as context:
            done = self._library.EVP_PKEY_fromdata_init(
                context
            ) == 1 and self._library.EVP_PKEY_fromdata(
                context, ctypes.byref(made), selection, params.array
            )
        if done != 1 or not made.value:
            self._library.ERR_clear_error()
            return None
        return _Key(self._library, made.value)

    @contextmanager
    def _key_context(self) -> Iterator[int | None]:
        context: int | None = self._library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        try:
            yield context
        finally:
            self._library.EVP_PKEY_CTX_free(context)

    @contextmanager
    def _digest_context(self) -> Iterator[int | None]:
        context: int | None = self._library.EVP_MD_CTX_new()
        try:
            yield context
        finally:
            self._library.EVP_MD_CTX_free(context)

    def _failed(self) -> SigningFailed:
        self._library.ERR_clear_error()  # Python's own ssl module reads the same queue
        return SigningFailed(backend=self.name)


def _native(number: bytes) -> bytes:
    """Big-endian bytes in the machine's order, or back: how OSSL_PARAM holds integers."""
    return number if sys.byteorder == "big" else number[::-1]
