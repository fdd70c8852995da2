"""Which fingerprints do documents carry?

SHA-256 so that foreign tools can check them, SM3 (GB/T 32905) so that domestic law accepts them.
"""

import hashlib

import msgspec
from cryptography.hazmat.primitives import hashes


class Digests(msgspec.Struct, frozen=True):
    """Both fingerprints of the same bytes, lower-case hex, 64 characters each."""

    sha256: str
    sm3: str


def sha256_hex(data: bytes) -> str:
    """SHA-256 of ``data`` as 64 hex characters."""
    return hashlib.sha256(data).hexdigest()


def sm3_hex(data: bytes) -> str:
    """SM3 of ``data`` as 64 hex characters.

    >>> sm3_hex(b"abc")
    '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
    """
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize().hex()


def digests(data: bytes) -> Digests:
    """Both fingerprints of ``data``."""
    return Digests(sha256=sha256_hex(data), sm3=sm3_hex(data))
