"""Which kinds of API handler are there? Reads are open to everybody logged in, deeds to roles."""

from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from huiqi.trust.types import Role


def read(path: str, *roles: Role) -> HTTPRouteHandler:
    """Answers with a document; anybody with a token, or with one of ``roles``."""
    return get(path, sync_to_thread=True, opt={"roles": roles})


def deed(path: str, *roles: Role, status: int = 200, open_to_all: bool = False) -> HTTPRouteHandler:
    """Changes something, and answers with the changed document."""
    return post(
        path,
        sync_to_thread=True,
        status_code=status,
        opt={"roles": roles, "open_to_all": open_to_all},
    )


CREATED = 201
NO_CONTENT = 204
