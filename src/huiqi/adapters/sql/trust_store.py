"""How are members, invitations, received messages, users and sessions kept in SQL?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import BindParameter

from huiqi.adapters.sql.prepared import Prepared, prepare
from huiqi.adapters.sql.schema import metadata, scope_columns
from huiqi.adapters.sql.tx import sql
from huiqi.kernel.clock import iso, parse_instant
from huiqi.kernel.work import Scope, Tx
from huiqi.trust.types import (
    KeptInvitation,
    KeptUser,
    Known,
    Member,
    Standing,
    Tie,
    User,
)

member = Table(
    "trust_member",
    metadata,
    *scope_columns(),
    Column("id", String(32), nullable=False),
    Column("subject", String(18), nullable=False),
    Column("tie", String(16), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", String(32), nullable=False),
    Column("checked_at", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)
Index("ix_trust_member_subject", *member.c["space", "participant", "subject"])

invitation = Table(
    "trust_invitation",
    metadata,
    *scope_columns(),
    Column("id", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
)

# One row per received message, until its time window is over: replays are refused after a
# restart too.
seen = Table(
    "trust_seen",
    metadata,
    *scope_columns(),
    Column("sender", String(80), nullable=False),
    Column("sequence", String(80), nullable=False),
    Column("until", String(32), nullable=False),
    PrimaryKeyConstraint("space", "participant", "sender", "sequence"),
)
Index("ix_trust_seen_until", *seen.c["space", "participant", "until"])

user = Table(
    "trust_user",
    metadata,
    *scope_columns(),
    Column("id", String(36), nullable=False),
    Column("login", String(64), nullable=False),
    Column("password", String(200), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("space", "participant", "id"),
    UniqueConstraint("space", "participant", "login"),
)

session = Table(
    "trust_session",
    metadata,
    *scope_columns(),
    Column("token", String(64), nullable=False),
    Column("user_id", String(36), nullable=False),
    Column("expires_at", String(32), nullable=False),
    PrimaryKeyConstraint("space", "participant", "token"),
)
Index("ix_trust_session_expires_at", *session.c["space", "participant", "expires_at"])

attempt = Table(
    "trust_attempt",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    *scope_columns(),
    Column("login", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("at", String(32), nullable=False),
)
Index("ix_trust_attempt_login", *attempt.c["space", "participant", "login", "at"])
Index("ix_trust_attempt_source", *attempt.c["space", "participant", "source", "at"])
Index("ix_trust_attempt_at", *attempt.c["space", "participant", "at"])

_M, _I, _N, _U, _S, _A = member.c, invitation.c, seen.c, user.c, session.c, attempt.c


def _own(table: Table) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.space == bindparam("space"),
        table.c.participant == bindparam("participant"),
    )


def _put(table: Table) -> Prepared:
    """Insert a row, or replace the row of the same primary key."""
    row = upsert(table)
    key = list(table.primary_key.columns)
    rest = {column.name: row.excluded[column.name] for column in table.c if column not in key}
    return prepare(row.on_conflict_do_update(index_elements=key, set_=rest))


def _fields(table: Table) -> dict[str, BindParameter[Any]]:
    return {column.name: bindparam(column.name) for column in table.c if column.name != "id"}


_known = select(_M.tie, _M.standing, _M.reason, _M.checked_at, _M.document)
_PUT_MEMBER = _put(member)
_MEMBER = prepare(_known.where(*_own(member), _M.id == bindparam("of_id")))
_TIED = prepare(_known.where(*_own(member), _M.tie == bindparam("of_tie")))
_ALL = prepare(_known.where(*_own(member)).order_by(_M.since, _M.id))
_OF_SUBJECT = prepare(
    _known.where(*_own(member), _M.subject == bindparam("of_subject")).order_by(
        _M.since.desc(), _M.id
    )
)
_PUT_INVITATION = _put(invitation)
_INVITATION = prepare(select(_I.document).where(*_own(invitation), _I.id == bindparam("of_id")))
_SEE = prepare(upsert(seen).on_conflict_do_nothing())
_FORGET_SEEN = prepare(delete(seen).where(*_own(seen), _N.until < bindparam("before")))
_PUT_USER = prepare(upsert(user).on_conflict_do_nothing())
_USER = prepare(
    select(_U.document, _U.password).where(*_own(user), _U.login == bindparam("of_login"))
)
_USERS = prepare(select(_U.document).where(*_own(user)).order_by(_U.login))
_PUT_SESSION = prepare(insert(session))
_SESSION = prepare(
    select(_U.document, _S.expires_at)
    .join_from(
        session,
        user,
        (_U.space == _S.space) & (_U.participant == _S.participant) & (_U.id == _S.user_id),
    )
    .where(*_own(session), _S.token == bindparam("of_token"))
)
_END_SESSION = prepare(delete(session).where(*_own(session), _S.token == bindparam("of_token")))
_FORGET_SESSIONS = prepare(
    delete(session).where(*_own(session), _S.expires_at <= bindparam("before"))
)
_ADD_ATTEMPT = prepare(insert(attempt).values(_fields(attempt)))
_BY_LOGIN = prepare(
    select(func.count()).where(
        *_own(attempt), _A.login == bindparam("of_login"), _A.at > bindparam("after")
    )
)
_BY_SOURCE = prepare(
    select(func.count()).where(
        *_own(attempt), _A.source == bindparam("of_source"), _A.at > bindparam("after")
    )
)
_CLEAR_ATTEMPTS = prepare(delete(attempt).where(*_own(attempt), _A.login == bindparam("of_login")))
_FORGET_ATTEMPTS = prepare(delete(attempt).where(*_own(attempt), _A.at <= bindparam("before")))


class SqlTrustStore:
    """``trust.ports.TrustStore`` on SQL."""

    def put_member(self, scope: Scope, tx: Tx, known: Known) -> None:
        """Keep a member, in place of what was kept under its identifier."""
        sql(tx).change(
            _PUT_MEMBER,
            **_scoped(scope),
            id=known.member.id,
            subject=known.member.subject,
            tie=known.tie.value,
            standing=known.standing.value,
            reason=known.reason,
            since=iso(known.member.since),
            checked_at=iso(known.checked_at),
            document=msgspec.json.encode(known.member),
        )

    def known(self, scope: Scope, tx: Tx, member: str) -> Known | None:
        """The member of this identifier."""
        row = sql(tx).row(_MEMBER, **_scoped(scope), of_id=member)
        return _known_of(row) if row else None

    def tied(self, scope: Scope, tx: Tx, tie: Tie) -> Known | None:
        """The one member that is SELF or ISSUER."""
        row = sql(tx).row(_TIED, **_scoped(scope), of_tie=tie.value)
        return _known_of(row) if row else None

    def all_known(self, scope: Scope, tx: Tx) -> Sequence[Known]:
        """Every member, in the order of their joining."""
        return [_known_of(row) for row in sql(tx).rows(_ALL, **_scoped(scope))]

    def of_subject(self, scope: Scope, tx: Tx, subject: str) -> Sequence[Known]:
        """The systems of one organisation, newest first."""
        rows = sql(tx).rows(_OF_SUBJECT, **_scoped(scope), of_subject=subject)
        return [_known_of(row) for row in rows]

    def put_invitation(self, scope: Scope, tx: Tx, invitation: KeptInvitation) -> None:
        """Keep an invitation, in place of what was kept under its identifier."""
        sql(tx).change(
            _PUT_INVITATION,
            **_scoped(scope),
            id=invitation.id,
            expires_at=iso(invitation.expires_at),
            document=msgspec.json.encode(invitation),
        )

    def invitation(self, scope: Scope, tx: Tx, invitation: str) -> KeptInvitation | None:
        """The invitation of this identifier."""
        row = sql(tx).row(_INVITATION, **_scoped(scope), of_id=invitation)
        return msgspec.json.decode(row[0], type=KeptInvitation) if row else None

    def first_seen(self, scope: Scope, tx: Tx, message: tuple[str, str], until: datetime) -> bool:
        """Keep (sender, sequence) until ``until``; False when it is kept already."""
        sender, sequence = message
        row = {"sender": sender, "sequence": sequence, "until": iso(until)}
        return sql(tx).change(_SEE, **_scoped(scope), **row) == 1

    def forget_seen(self, scope: Scope, tx: Tx, now: datetime) -> None:
        """Drop the messages kept until before ``now``."""
        sql(tx).change(_FORGET_SEEN, **_scoped(scope), before=iso(now))

    def put_user(self, scope: Scope, tx: Tx, user: KeptUser) -> bool:
        """Keep a new user; False when the login is taken."""
        row = {
            "id": user.user.id,
            "login": user.user.login,
            "password": user.password,
            "document": msgspec.json.encode(user.user),
        }
        return sql(tx).change(_PUT_USER, **_scoped(scope), **row) == 1

    def user(self, scope: Scope, tx: Tx, login: str) -> KeptUser | None:
        """The user of this login."""
        row = sql(tx).row(_USER, **_scoped(scope), of_login=login)
        return KeptUser(user=_user_of(row[0]), password=row[1]) if row else None

    def users(self, scope: Scope, tx: Tx) -> Sequence[User]:
        """Every user, by login."""
        return [_user_of(row[0]) for row in sql(tx).rows(_USERS, **_scoped(scope))]

    def add_attempt(self, scope: Scope, tx: Tx, attempt: tuple[str, str], at: datetime) -> None:
        """Keep one attempt by (login digest, source digest)."""
        login, source = attempt
        sql(tx).change(_ADD_ATTEMPT, **_scoped(scope), login=login, source=source, at=iso(at))

    def attempts(
        self, scope: Scope, tx: Tx, attempt: tuple[str, str], since: datetime
    ) -> tuple[int, int]:
        """How many attempts the login and the source have made after ``since``."""
        login, source = attempt
        own, after = _scoped(scope), iso(since)
        ((by_login,),) = sql(tx).rows(_BY_LOGIN, **own, of_login=login, after=after)
        ((by_source,),) = sql(tx).rows(_BY_SOURCE, **own, of_source=source, after=after)
        return int(by_login), int(by_source)

    def clear_attempts(self, scope: Scope, tx: Tx, login: str) -> None:
        """Drop the attempts of a login digest."""
        sql(tx).change(_CLEAR_ATTEMPTS, **_scoped(scope), of_login=login)

    def put_session(
        self, scope: Scope, tx: Tx, token: str, user: str, expires_at: datetime
    ) -> None:
        """Keep a session by its token's digest."""
        row = {"token": token, "user_id": user, "expires_at": iso(expires_at)}
        sql(tx).change(_PUT_SESSION, **_scoped(scope), **row)

    def session(self, scope: Scope, tx: Tx, token: str) -> tuple[User, datetime] | None:
        """The user and the end of the session with this token digest."""
        row = sql(tx).row(_SESSION, **_scoped(scope), of_token=token)
        return (_user_of(row[0]), parse_instant(row[1])) if row else None

    def end_session(self, scope: Scope, tx: Tx, token: str) -> None:
        """Drop the session with this token digest."""
        sql(tx).change(_END_SESSION, **_scoped(scope), of_token=token)

    def forget_logins(self, scope: Scope, tx: Tx, now: datetime, since: datetime) -> None:
        """Drop sessions over at ``now`` and attempts made before ``since``."""
        sql(tx).change(_FORGET_SESSIONS, **_scoped(scope), before=iso(now))
        sql(tx).change(_FORGET_ATTEMPTS, **_scoped(scope), before=iso(since))


def _scoped(scope: Scope) -> dict[str, str]:
    return {"space": scope.space, "participant": scope.participant}


def _known_of(row: tuple[Any, ...]) -> Known:
    tie, standing, reason, checked_at, document = row
    return Known(
        member=msgspec.json.decode(document, type=Member),
        tie=Tie(tie),
        standing=Standing(standing),
        reason=reason,
        checked_at=parse_instant(checked_at),
    )


def _user_of(document: bytes) -> User:
    return msgspec.json.decode(document, type=User)
