"""Small in-memory parts around the room: keys, passwords, and the ways to a platform."""

from collections.abc import Sequence
from pathlib import Path

from huiqi.catalog.service import Listing
from huiqi.catalog.types import AllotRequest, Column, Hit, Profile, SignedRecord, SourceRef
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.ids import object_id
from huiqi.trust.service import key_id, suites
from huiqi.trust.types import MemberCredential, PublicKey, Signature


class MemoryKeys:
    """``trust.ports.KeyStore`` without a file."""

    def __init__(self) -> None:
        self._private: dict[str, bytes] = {}
        self._public: list[PublicKey] = []
        for name, suite in suites().items():
            private, public = suite.generate()
            self._private[name] = private
            self._public.append(PublicKey(name, key_id(public), public))

    def public(self) -> tuple[PublicKey, ...]:
        return tuple(self._public)

    def sign(self, suite: str, data: bytes) -> Signature:
        key = next(each for each in self._public if each.suite == suite)
        return Signature(suite, key.key_id, suites()[suite].sign(self._private[suite], data))


class NoPasswords:
    """``trust.ports.Passwords`` for systems without people."""

    def hash(self, password: str) -> str:
        return password[::-1]

    def verify(self, encoded: str, password: str) -> bool:
        return encoded == password[::-1]

    def decoy(self) -> str:
        return ""


class DirectoryAt:
    """``trust.ports.Directory`` that asks a platform in the same process."""

    def __init__(self, platform) -> None:
        self._platform = platform

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the name in the port
        return self._platform.credential(id)


class OneProfile:
    """``catalog.ports.Profiler`` that finds two columns in every file."""

    def profile(self, file: Path | str) -> tuple[SourceRef, Profile]:
        columns = (Column(name="carrier", type="VARCHAR"), Column(name="delay", type="BIGINT"))
        profile = Profile(
            rows=336_776, bytes=1, digest=sm3_hex(str(file).encode()), encoding="", columns=columns
        )
        return SourceRef("file@1", str(file)), profile


class CatalogAt:
    """``catalog.ports.PlatformCatalog`` that asks a listing in the same process.

    Identifiers are the same in every test, so that product names can be constants.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def allot(self, request: AllotRequest) -> str:
        return object_id(request.kind, subject=request.subject, area="3401", random="00000001")

    def search(self, text: str, limit: int) -> Sequence[Hit]:
        return self._listing.search(text, limit=limit)

    def fetch(self, id: str) -> SignedRecord:  # noqa: A002 - the name in the port
        return self._listing.fetch(id)
