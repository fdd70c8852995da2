"""How does gmssl-pyx sign with SM2, where the system has no libcrypto 3 that can?"""

import gmssl_pyx

from huiqi.trust.errors import SigningFailed


class Gmssl:
    """SM2 of the GmSSL library that the gmssl-pyx wheel brings along."""

    name = "gmssl-pyx"

    def generate(self) -> tuple[bytes, bytes]:
        """A fresh key pair: d (32 bytes) and x||y (64 bytes).

        Raises:
            SigningFailed: the library made no key.
        """
        try:
            point, d = gmssl_pyx.sm2_key_generate()
        except gmssl_pyx.GmsslInnerError as error:
            raise SigningFailed(backend=self.name) from error
        return bytes(d), bytes(point)

    def sign(self, d: bytes, point: bytes, data: bytes) -> bytes:
        """A DER signature.

        Raises:
            SigningFailed: the key is not one, or the library gave no signature.
        """
        try:
            return bytes(gmssl_pyx.sm2_sign(d, point, data))
        except gmssl_pyx.GmsslInnerError as error:
            raise SigningFailed(backend=self.name) from error

    def verify(self, point: bytes, data: bytes, signature: bytes) -> bool:
        """Whether the DER signature holds; what the library cannot read does not."""
        try:
            on_curve = gmssl_pyx.normalize_sm2_public_key(point)
            return bool(gmssl_pyx.sm2_verify(on_curve, data, signature))
        except gmssl_pyx.GmsslInnerError:
            return False
