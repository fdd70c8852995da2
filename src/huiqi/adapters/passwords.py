"""How are passwords kept: argon2id (RFC 9106) with the parameters of its second profile."""

from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY


class ArgonPasswords:
    """``trust.ports.Passwords`` through argon2-cffi."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

    def hash(self, password: str) -> str:
        """The encoded hash with its salt and parameters."""
        return self._hasher.hash(password)

    def verify(self, encoded: str, password: str) -> bool:
        """Whether ``password`` belongs to ``encoded``."""
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    def decoy(self) -> str:
        """An encoded hash with these parameters that belongs to no password."""
        of = self._hasher
        cost = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
        salt = b64encode(bytes(of.salt_len)).decode().rstrip("=")
        digest = b64encode(bytes(of.hash_len)).decode().rstrip("=")
        return f"$argon2id$v=19${cost}${salt}${digest}"
