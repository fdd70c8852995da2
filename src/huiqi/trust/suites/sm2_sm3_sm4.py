"""How are documents signed under the national suite: SM2 with SM3 (GB/T 32918, GB/T 32905)?

Signer id ``1234567812345678``; a signature is r||s in lower-case hex (ndi-identity section 3).
Two libraries can do the work; which one does is chosen once, when this module is loaded.
"""

import re
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from huiqi.trust.suites.sm2_gmssl import Gmssl
from huiqi.trust.suites.sm2_libcrypto import Libcrypto

_PUBLIC = re.compile(r"04[0-9a-f]{128}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_HALF = 32


class Sm2Backend(Protocol):
    """A library that signs with SM2; keys are raw bytes, signatures DER."""

    name: str

    def generate(self) -> tuple[bytes, bytes]:
        """A fresh key pair: d (32 bytes) and x||y (64 bytes)."""
        ...

    def sign(self, d: bytes, point: bytes, data: bytes) -> bytes:
        """A DER signature by ``d``, whose public point is ``point``, over ``data``."""
        ...

    def verify(self, point: bytes, data: bytes, signature: bytes) -> bool:
        """Whether the DER ``signature`` is by ``point`` over ``data``; never raises."""
        ...


class Sm2Suite:
    """SM2 with SM3. A private key is d||x||y, 96 bytes: signing needs the public point too."""

    name = "sm2-sm3-sm4"
    digest = "sm3"

    def __init__(self, library: Sm2Backend) -> None:
        self._library = library
        self.backend = library.name

    def generate(self) -> tuple[bytes, str]:
        """A fresh private key (96 bytes) and its public key (hex of 04||x||y).

        Raises:
            SigningFailed: the library made no key.
        """
        d, point = self._library.generate()
        return d + point, f"04{point.hex()}"

    def sign(self, private: bytes, data: bytes) -> str:
        """A signature over ``data``: 128 hex characters.

        Raises:
            SigningFailed: the private key is not one, or the library gave no signature.
        """
        der = self._library.sign(private[:_HALF], private[_HALF:], data)
        r, s = decode_dss_signature(der)
        return f"{r:064x}{s:064x}"

    def verify(self, public: str, data: bytes, signature: str) -> bool:
        """Whether ``signature`` is by ``public`` over ``data``; malformed input gives False."""
        if not _PUBLIC.fullmatch(public) or not _SIGNATURE.fullmatch(signature):
            return False
        half = len(signature) // 2
        der = encode_dss_signature(int(signature[:half], 16), int(signature[half:], 16))
        return self._library.verify(bytes.fromhex(public[2:]), data, der)


def chosen_library() -> Sm2Backend:
    """The system's libcrypto 3 where it can do SM2, else the bundled gmssl-pyx."""
    found = Libcrypto.found()
    return found if found is not None else Gmssl()


CAPABILITY = Sm2Suite(chosen_library())
