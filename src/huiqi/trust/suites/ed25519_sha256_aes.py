"""How are documents signed under the international suite: Ed25519 (RFC 8032)?"""

import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from huiqi.trust.errors import SigningFailed

_PUBLIC = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class Ed25519Suite:
    """Ed25519. A private key is the 32-byte seed of RFC 8032 section 5.1.5."""

    name = "ed25519-sha256-aes"
    digest = "sha256"
    backend = "cryptography"

    def generate(self) -> tuple[bytes, str]:
        """A fresh private key (32 bytes) and its public key (64 hex characters)."""
        private = Ed25519PrivateKey.generate()
        return private.private_bytes_raw(), private.public_key().public_bytes_raw().hex()

    def sign(self, private: bytes, data: bytes) -> str:
        """A signature over ``data``: 128 hex characters.

        Raises:
            SigningFailed: the private key has not 32 bytes.
        """
        try:
            key = Ed25519PrivateKey.from_private_bytes(private)
        except ValueError as error:
            raise SigningFailed(backend=self.backend) from error
        return key.sign(data).hex()

    def verify(self, public: str, data: bytes, signature: str) -> bool:
        """Whether ``signature`` is by ``public`` over ``data``; malformed input gives False."""
        if not _PUBLIC.fullmatch(public) or not _SIGNATURE.fullmatch(signature):
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            key.verify(bytes.fromhex(signature), data)
        except (InvalidSignature, ValueError):
            return False
        return True


CAPABILITY = Ed25519Suite()
