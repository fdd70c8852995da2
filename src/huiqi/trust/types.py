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


class Tie(StrEnum):
    """How a system came to know a member."""

    SELF = "self"
    ISSUER = "issuer"
    ADMITTED = "admitted"
    LEARNED = "learned"


class Standing(StrEnum):
    """Whether a member may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A member in the books of one system.

    ``reason`` says why it is suspended; ``checked_at`` is when its record was last confirmed.
    """

    member: Member
    tie: Tie
    standing: Standing = Standing.ACTIVE
    reason: str = ""
    checked_at: datetime


class Invitation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an invitation code says: where to apply, whom to expect there, and the secret.

    ``key_id`` is the fingerprint of the issuer's key in the national suite.
    """

    address: str
    issuer: SystemId
    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Invitation(issuer={self.issuer!r}, secret=***)"


class KeptInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation in the issuer's books; the secret itself is not kept.

    ``proof_key`` checks an application's proof. ``subject`` is the unified social credit code of
    the one organisation that may join with it; empty when any may. ``used_by`` and ``used_keys``
    (a digest of the newcomer's keys) are empty until somebody joins with it.
    """

    id: str
    kind: SystemKind
    note: str
    proof_key: str
    created_at: datetime
    expires_at: datetime
    used_by: str = ""
    used_keys: str = ""
    subject: str = ""


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """A newcomer's request to join, signed with each of its keys.

    ``invitation`` is the invitation's public identifier; ``proof`` (HMAC-SHA-256, hex) shows
    that the applicant holds the invitation's secret without sending it.
    """

    invitation: str
    issuer: SystemId
    kind: SystemKind
    subject: SubjectCode
    name: str
    area: str
    address: str
    keys: tuple[PublicKey, ...]
    at: datetime
    proof: str = ""
    signatures: tuple[Signature, ...] = ()


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an application, signed with the issuer's key that the invitation names.

    ``members`` are further systems that the newcomer should know (a platform's node).
    """

    credential: MemberCredential
    issuer: Member
    members: tuple[Member, ...] = ()
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


class KeptUser(msgspec.Struct, frozen=True):
    """A user as the store keeps it; ``password`` is the encoded argon2 hash."""

    user: User
    password: str


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
