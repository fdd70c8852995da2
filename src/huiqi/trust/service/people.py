"""Which person is this, and until when?"""

import secrets
from collections.abc import Sequence

from huiqi.kernel.work import Tx
from huiqi.trust.errors import DuplicateLogin, LoginBusy, WrongLogin
from huiqi.trust.logins import (
    ATTEMPT_WINDOW,
    LONGEST_PASSWORD,
    LONGEST_TOKEN,
    SESSION,
    attempt_of,
    check_attempts,
    check_password,
    check_user,
    clean_login,
    csrf_of,
    token_digest,
)
from huiqi.trust.service.membership import Membership
from huiqi.trust.types import KeptUser, Role, Session, Tie, User

_TOKEN_BYTES = 32
# How long a login waits for others; longer, and a flood would hold every thread.
PATIENCE_S = 2.0


class People(Membership):
    """The users of one system and their sessions."""

    def add_user(self, *, login: str, name: str, password: str, roles: Sequence[Role]) -> User:
        """A new user; logins are compared in lower case.

        Raises:
            WrongUser: login, name or roles are missing or too long.
            WeakPassword: under 8 characters, or without letter, digit or special character.
            DuplicateLogin: the login is taken.
        """
        folded = clean_login(login)
        check_user(folded, name, roles)
        check_password(password)
        user = User(
            id=self._ids.uuid(), login=folded, name=name.strip(), roles=tuple(dict.fromkeys(roles))
        )
        kept = KeptUser(user=user, password=self._passwords.hash(password))

        def verb(tx: Tx) -> None:
            if not self._store.put_user(self._scope, tx, kept):
                raise DuplicateLogin
            mine = self._store.tied(self._scope, tx, Tie.SELF)
            actor = mine.member.id if mine is not None else self._scope.participant
            details = {"roles": ",".join(sorted(user.roles))}
            tx.record(self._fact("UserAdded", user.id, actor=actor, details=details))

        self._work.run(verb)
        return user

    def users(self) -> Sequence[User]:
        """Every user, by login."""
        return self._work.read(lambda tx: self._store.users(self._scope, tx))

    def log_in(self, login: str, password: str, *, source: str) -> Session:
        """A session of 12 hours for the person with this login and password.

        1. an attempt is counted before it is made, so that many at once count as many
        2. the password is checked outside any transaction, at the same cost for an unknown
        login 3. a success clears the attempts of the login and opens the session. Of its token
        only a SHA-256 digest is kept. ``source`` is the network address of the person.

        Raises:
            WrongLogin: login and password do not belong together.
            LoginBusy: too many people log in at this moment.
            TooManyAttempts: five failures of the login or thirty of the source in 15 minutes.
        """
        folded = clean_login(login)
        attempt = attempt_of(folded, source)
        if not self._password_checks.acquire(timeout=PATIENCE_S):
            raise LoginBusy
        try:
            kept = self._work.run(lambda tx: self._count_attempt(tx, attempt, folded))
            encoded = kept.password if kept is not None else self._passwords.decoy()
            right = self._passwords.verify(encoded, password[: LONGEST_PASSWORD + 1])
        finally:
            self._password_checks.release()
        if kept is None or not right:
            raise WrongLogin
        return self._open_session(kept.user, attempt)

    def session(self, token: str) -> Session | None:
        """The session of this token while it lasts."""
        if not 0 < len(token) <= LONGEST_TOKEN:
            return None
        digest = token_digest(token)
        found = self._work.read(lambda tx: self._store.session(self._scope, tx, digest))
        if found is None or found[1] <= self._clock.now():
            return None
        user, expires_at = found
        return Session(token=token, csrf=csrf_of(token), user=user, expires_at=expires_at)

    def log_out(self, token: str) -> None:
        """End the session of this token, if there is one."""
        digest = token_digest(token[:LONGEST_TOKEN])
        self._work.run(lambda tx: self._store.end_session(self._scope, tx, digest))

    def _count_attempt(self, tx: Tx, attempt: tuple[str, str], login: str) -> KeptUser | None:
        now = self._clock.now()
        since = now - ATTEMPT_WINDOW
        self._store.forget_logins(self._scope, tx, now, since)
        check_attempts(*self._store.attempts(self._scope, tx, attempt, since))
        self._store.add_attempt(self._scope, tx, attempt, now)
        return self._store.user(self._scope, tx, login)

    def _open_session(self, user: User, attempt: tuple[str, str]) -> Session:
        # Not from the handed-in ids: a session must never be foreseeable.
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        expires_at = self._clock.now() + SESSION

        def verb(tx: Tx) -> None:
            self._store.clear_attempts(self._scope, tx, attempt[0])
            self._store.put_session(self._scope, tx, token_digest(token), user.id, expires_at)

        self._work.run(verb)
        return Session(token=token, csrf=csrf_of(token), user=user, expires_at=expires_at)
