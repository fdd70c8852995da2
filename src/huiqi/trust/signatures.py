"""Is this signature by one of these keys over these bytes?"""

from collections.abc import Mapping, Sequence
from functools import cache

from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.registry import capabilities
from huiqi.trust.errors import ForgedSignature, UnknownSuite
from huiqi.trust.ports import Suite
from huiqi.trust.types import PublicKey, Signature

KEY_ID_LENGTH = 16


@cache
def suites() -> Mapping[str, Suite]:
    """Every installed crypto suite by name."""
    return capabilities("huiqi.trust.suites")


def suite(name: str) -> Suite:
    """The suite of this name.

    Raises:
        UnknownSuite: none is installed.
    """
    found = suites().get(name)
    if found is None:
        raise UnknownSuite(suite=name[:64])
    return found


def key_id(public: str) -> str:
    """The fingerprint of a public key given in hex: 16 hex characters of SM3 over its bytes.

    >>> key_id("00")
    '2daef60e7a0b8f5e'

    Raises:
        ValueError: ``public`` is not hex.
    """
    return sm3_hex(bytes.fromhex(public))[:KEY_ID_LENGTH]


def genuine(key: PublicKey) -> bool:
    """Whether the key is of an installed suite and carries its own fingerprint."""
    try:
        return key.suite in suites() and key.key_id == key_id(key.value)
    except ValueError:
        return False


def verify_with(keys: Sequence[PublicKey], data: bytes, signature: Signature) -> None:
    """Accept ``signature`` over ``data`` if one of ``keys`` made it; needs no network, no store.

    Raises:
        ForgedSignature: no such key among ``keys``, or the signature is not by it over ``data``.
        UnknownSuite: the signature's suite is not installed here.
    """
    method = suite(signature.suite)
    for key in keys:
        if (
            key.suite == signature.suite
            and key.key_id == signature.key_id
            and method.verify(key.value, data, signature.value)
        ):
            return
    raise ForgedSignature(key=signature.key_id[:64])
