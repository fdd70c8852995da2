"""What does trust need from outside: keys, passwords, a directory, a store, a way to peers?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from huiqi.kernel.work import Scope, Tx
from huiqi.trust.types import (
    KeptInvitation,
    KeptUser,
    Known,
    Member,
    MemberCredential,
    PublicKey,
    Signature,
    Tie,
    User,
)


class Suite(Protocol):
    """A crypto suite: the capability of a file in ``trust/suites``.

    ``digest`` names its hash function, ``backend`` the library that does the work.
    """

    name: str
    digest: str
    backend: str

    def generate(self) -> tuple[bytes, str]:
        """A fresh private key and its public key in hex."""
        ...

    def sign(self, private: bytes, data: bytes) -> str:
        """A signature over ``data``: hex r||s, 128 characters. Raises: SigningFailed."""
        ...

    def verify(self, public: str, data: bytes, signature: str) -> bool:
        """Whether the signature holds; malformed input gives False."""
        ...


class KeyStore(Protocol):
    """The private keys of one system; they never leave it."""

    def public(self) -> tuple[PublicKey, ...]:
        """The public key of every suite."""
        ...

    def sign(self, suite: str, data: bytes) -> Signature:
        """A signature with this system's key of ``suite``. Raises: UnknownSuite, SigningFailed."""
        ...


class Passwords(Protocol):
    """A slow one-way function for passwords."""

    def hash(self, password: str) -> str:
        """The encoded hash to keep."""
        ...

    def verify(self, encoded: str, password: str) -> bool:
        """Whether ``password`` belongs to ``encoded``; costs the same when it does not."""
        ...

    def decoy(self) -> str:
        """An encoded hash of no password, at which a check costs as much as at a real one."""
        ...


class Directory(Protocol):
    """Where a system asks for members that it does not know: its issuer."""

    def lookup(self, id: str) -> MemberCredential:  # noqa: A002 - the field's name in the message
        """The issuer's credential for ``id``.

        Raises:
            MissingError: the issuer does not know it either.
            MemberSuspended: the issuer has suspended it.
            UnavailableError: the issuer does not answer.
        """
        ...


class Post(Protocol):
    """The way out: a signed call to another system."""

    def call(self, to: Member, code: str, body: bytes, *, most: int = ...) -> bytes:
        """The body of the peer's genuine answer, at most ``most`` bytes."""
        ...


class TrustStore(Protocol):
    """The books of trust of one participant."""

    def put_member(self, scope: Scope, tx: Tx, known: Known) -> None:
        """Keep a member, in place of what was kept under its identifier."""
        ...

    def known(self, scope: Scope, tx: Tx, member: str) -> Known | None:
        """The member of this identifier."""
        ...

    def tied(self, scope: Scope, tx: Tx, tie: Tie) -> Known | None:
        """The one member that is SELF or ISSUER."""
        ...

    def all_known(self, scope: Scope, tx: Tx) -> Sequence[Known]:
        """Every member, in the order of their joining."""
        ...

    def of_subject(self, scope: Scope, tx: Tx, subject: str) -> Sequence[Known]:
        """The systems of one organisation, newest first."""
        ...

    def put_invitation(self, scope: Scope, tx: Tx, invitation: KeptInvitation) -> None:
        """Keep an invitation, in place of what was kept under its identifier."""
        ...

    def invitation(self, scope: Scope, tx: Tx, invitation: str) -> KeptInvitation | None:
        """The invitation of this identifier."""
        ...

    def first_seen(self, scope: Scope, tx: Tx, message: tuple[str, str], until: datetime) -> bool:
        """Keep (sender, sequence) until ``until``; False when it is kept already."""
        ...

    def forget_seen(self, scope: Scope, tx: Tx, now: datetime) -> None:
        """Drop the messages kept until before ``now``."""
        ...

    def put_user(self, scope: Scope, tx: Tx, user: KeptUser) -> bool:
        """Keep a new user; False when the login is taken."""
        ...

    def user(self, scope: Scope, tx: Tx, login: str) -> KeptUser | None:
        """The user of this login."""
        ...

    def users(self, scope: Scope, tx: Tx) -> Sequence[User]:
        """Every user, by login."""
        ...

    def add_attempt(self, scope: Scope, tx: Tx, attempt: tuple[str, str], at: datetime) -> None:
        """Keep one attempt by (login digest, source digest)."""
        ...

    def attempts(
        self, scope: Scope, tx: Tx, attempt: tuple[str, str], since: datetime
    ) -> tuple[int, int]:
        """How many attempts the login and the source have made after ``since``."""
        ...

    def clear_attempts(self, scope: Scope, tx: Tx, login: str) -> None:
        """Drop the attempts of a login digest."""
        ...

    def put_session(
        self, scope: Scope, tx: Tx, token: str, user: str, expires_at: datetime
    ) -> None:
        """Keep a session by its token's digest."""
        ...

    def session(self, scope: Scope, tx: Tx, token: str) -> tuple[User, datetime] | None:
        """The user and the end of the session with this token digest."""
        ...

    def end_session(self, scope: Scope, tx: Tx, token: str) -> None:
        """Drop the session with this token digest."""
        ...

    def forget_logins(self, scope: Scope, tx: Tx, now: datetime, since: datetime) -> None:
        """Drop sessions over at ``now`` and attempts made before ``since``."""
        ...
