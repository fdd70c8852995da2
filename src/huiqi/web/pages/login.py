"""How does a person enter one system?"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LoginPage:
    """The login form. ``problem`` is why the last attempt failed; the password is never kept."""

    title: str
    login: str
    next: str
    problem: str
    others: tuple[tuple[str, str], ...]


def login_page(
    title: str, *, peers: Mapping[str, str], login: str = "", wanted: str = "", problem: str = ""
) -> LoginPage:
    """The login of the system called ``title``; ``peers`` are the others of this process."""
    return LoginPage(
        title=title,
        login=login,
        next=wanted,
        problem=problem,
        others=tuple((f"/{prefix}/login", name) for prefix, name in peers.items()),
    )


def safe_next(wanted: str, base: str) -> str:
    """``wanted`` when it is a page of the system at ``base``, else its first page.

    >>> safe_next("//evil.example/", "/p1"), safe_next("/p1/use?x=1", "/p1")
    ('/p1/', '/p1/use?x=1')
    """
    inside = wanted.startswith(f"{base}/") and not wanted.startswith(("//", "/\\"))
    clean = inside and wanted.isprintable() and "\\" not in wanted
    return wanted if clean else f"{base}/"
