"""What does an invitation code say, and does an applicant hold its secret?

The secret is shown once and never sent: an application carries the invitation's public
identifier and an HMAC under a key derived from the secret.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

import msgspec

from huiqi.kernel.digests import sha256_hex
from huiqi.trust.credentials import proof_bytes
from huiqi.trust.errors import (
    InvitationExpired,
    InvitationForAnother,
    InvitationUsed,
    WrongInvitation,
)
from huiqi.trust.types import Application, Invitation, KeptInvitation

# Long enough for the paperwork of joining, short enough that a lost mail does not matter.
INVITATION_DAYS = 30
_LONGEST_CODE = 2_000
_SHORTEST_SECRET = 40


def encode(invitation: Invitation) -> str:
    """The code to hand to a newcomer: unpadded base64url of JSON."""
    return base64.urlsafe_b64encode(msgspec.json.encode(invitation)).decode().rstrip("=")


def decode(code: str) -> Invitation:
    """What the code says; blanks and line breaks from copying do not matter.

    Raises:
        WrongInvitation: it is not an invitation code.
    """
    text = "".join(code.split())
    try:
        if len(text) > _LONGEST_CODE or not text.isascii():
            raise WrongInvitation
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(plain, type=Invitation)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongInvitation from error
    if len(found.secret) < _SHORTEST_SECRET:
        raise WrongInvitation
    return found


def invitation_id(secret: str) -> str:
    """The public identifier of the invitation with this secret, 32 hex characters."""
    return sha256_hex(f"huiqi-invitation-id/1\n{secret}".encode())[:32]


def proof_key(secret: str) -> str:
    """The key that proves possession of the secret, in hex."""
    return sha256_hex(f"huiqi-invitation-proof/1\n{secret}".encode())


def proof_of(application: Application, key: str) -> str:
    """The proof that belongs to ``application`` under ``key`` (HMAC-SHA-256, hex)."""
    return hmac.new(bytes.fromhex(key), proof_bytes(application), "sha256").hexdigest()


def check_use(
    kept: KeptInvitation | None, application: Application, *, keys: str, now: datetime
) -> str:
    """Who joined with this invitation and these keys before; empty when it is free to use.

    ``keys`` is the digest of the applicant's keys. The same keys may ask again at any time.

    Raises:
        WrongInvitation: unknown, for another kind of system, or the proof is wrong.
        InvitationForAnother: it is bound to another organisation.
        InvitationUsed: another system joined with it.
        InvitationExpired: it is older than 30 days.
    """
    if kept is None or kept.kind != application.kind:
        raise WrongInvitation
    # Bytes, because compare_digest refuses text that is not ASCII.
    expected = proof_of(application, kept.proof_key).encode()
    if not hmac.compare_digest(expected, application.proof.encode()):
        raise WrongInvitation
    # Only to who holds the secret: others do not learn that it is bound.
    if kept.subject not in ("", application.subject):
        raise InvitationForAnother(subject=application.subject[:80])
    if kept.used_by and kept.used_keys != keys:
        raise InvitationUsed
    if not kept.used_by and now > kept.expires_at:
        raise InvitationExpired
    return kept.used_by


def expiry(now: datetime) -> datetime:
    """When an invitation made now ends."""
    return now + timedelta(days=INVITATION_DAYS)
