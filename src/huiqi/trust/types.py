"""Which documents say who somebody is?"""

from datetime import datetime
from enum import StrEnum

import msgspec

from huiqi.kernel.ids import SubjectCode, SystemId

# Suites are versioned names in contracts and evidence; never reused.
NATIONAL_SUITE = "sm2-sm3-sm4"
INTERNATIONAL_SUITE = "ed25519-sha256-aes"


class SystemKind(StrEnum):
    """The kinds of running system (DESIGN section 1)."""

    NODE = "node"
    PLATFORM = "platform"
    CONNECTOR = "connector"


class PublicKey(msgspec.Struct, frozen=True):
    """A public key of one suite; ``value`` is hex (SM2: 04||x||y, 65 bytes; Ed25519: 32 bytes).

    ``key_id`` is the first 16 hex characters of SM3 over the key's bytes.
    """

    suite: str
    key_id: str
    value: str


class Signature(msgspec.Struct, frozen=True):
    """A signature; ``value`` is hex r||s (128 characters) for both suites."""

    suite: str
    key_id: str
    value: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One running system and the organisation behind it, as others may know it.

    ``address`` is the base URL of its interfaces, without a trailing slash.
    """

    id: SystemId
    kind: SystemKind
    subject: SubjectCode
    name: str
    area: str
    address: str
    keys: tuple[PublicKey, ...]
    since: datetime


class MemberCredential(msgspec.Struct, frozen=True):
    """A member's record with the signature of who vouches for it (the platform or the node)."""

    member: Member
    issuer: SystemId
    signature: Signature


class Role(StrEnum):
    """What a person may do in the console of one system."""

    ADMIN = "admin"
    OPERATOR = "operator"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    AUDITOR = "auditor"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who logs in to one system."""

    id: str
    login: str
    name: str
    roles: tuple[Role, ...]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A login: ``token`` goes into the cookie, ``csrf`` into every form."""

    token: str
    csrf: str
    user: User
    expires_at: datetime


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The authentication of one message between systems (header names of N03 section 8.2).

    The signed text is the lines ``msgcode``, ``msgversion``, ``timestamp``, ``sequenceNum``,
    ``sender``, ``receiver`` and the SM3 hex of the body, joined by line feeds. A reply carries a
    stamp of its own, with the request's ``sequenceNum`` in ``in_reply_to`` as one line more.
    """

    code: str
    version: str
    timestamp: str
    sequence: str
    sender: str
    receiver: str
    signature: Signature
    in_reply_to: str = ""
