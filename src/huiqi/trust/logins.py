"""Which logins and passwords are in form, how often may one try, what stands for a token?"""

import re
from collections.abc import Sequence
from datetime import timedelta

from huiqi.kernel.digests import sha256_hex
from huiqi.trust.errors import TooManyAttempts, WeakPassword, WrongUser
from huiqi.trust.types import Role

SESSION = timedelta(hours=12)
# N03 section 9.1 asks for a limit; the numbers are ours: a typist's errors, an office behind
# one address.
ATTEMPT_WINDOW = timedelta(minutes=15)
MOST_PER_LOGIN = 5
MOST_PER_SOURCE = 30
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
LONGEST_TOKEN = 100
_LOGIN = re.compile(r"\S{1,64}")
_LONGEST_NAME = 100


def clean_login(login: str) -> str:
    """The login as it is kept: without outer blanks, in lower case; empty when not in form."""
    folded = login.strip().lower()
    return folded if _LOGIN.fullmatch(folded) else ""


def check_user(login: str, name: str, roles: Sequence[Role]) -> None:
    """Accept a cleaned login, a name and at least one role.

    Raises:
        WrongUser: one of them is missing or too long.
    """
    if not login:
        raise WrongUser(part="login")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise WrongUser(part="name")
    if not roles:
        raise WrongUser(part="roles")


def check_password(password: str) -> None:
    """Accept a password that is strong enough (N03 section 9.1: letters, digits, special, >= 8).

    Raises:
        WeakPassword: it is not.
    """
    kinds = (
        any(c.isalpha() for c in password),
        any(c.isdigit() for c in password),
        any(not c.isalnum() for c in password),
    )
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not all(kinds):
        raise WeakPassword


def check_attempts(by_login: int, by_source: int) -> None:
    """Accept one more attempt.

    Raises:
        TooManyAttempts: five of the login or thirty of the source failed within 15 minutes.
    """
    if by_login >= MOST_PER_LOGIN or by_source >= MOST_PER_SOURCE:
        raise TooManyAttempts(minutes=int(ATTEMPT_WINDOW.total_seconds()) // 60)


def attempt_of(login: str, source: str) -> tuple[str, str]:
    """Digests of login and source: a password typed into the wrong field is not kept."""
    return sha256_hex(f"login\n{login}".encode()), sha256_hex(f"source\n{source}".encode())


def token_digest(token: str) -> str:
    """What is kept of a session's token."""
    return sha256_hex(f"session\n{token}".encode())


def csrf_of(token: str) -> str:
    """The form token that belongs to a session; tells nothing about the session's own token."""
    return sha256_hex(f"csrf\n{token}".encode())
