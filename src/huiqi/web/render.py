"""How does a page object become HTML?"""

import hashlib
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from litestar import MediaType, Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from huiqi.web.frame import frame_of
from huiqi.web.visit import FORM_COOKIE, Visit

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"


# Marks that change in which order a line is read, and control characters: in the texts of other
# organisations they can make one thing look like another.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(value: object) -> object:
    """A text with every unseen mark shown as U+FFFD; anything else, our own HTML too, as it is.

    >>> visible("abc\u202egnp.exe") == "abc\ufffdgnp.exe"
    True
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSEEN.sub("\ufffd", value)
    return value


@cache
def environment() -> jinja2.Environment:
    """The templates, with autoescaping for everything and undefined names as errors."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["sprite"] = Markup((TEMPLATES / "_sprite.svg").read_text("utf-8"))  # noqa: S704 - our own file
    made.globals["static_version"] = _static_version()
    made.filters["path"] = lambda text: quote(str(text), safe="")
    return made


def _static_version() -> str:
    digest = hashlib.sha256()
    for file in sorted(STATIC.glob("*.css")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


def html(visit: Visit, template: str, page: object) -> str:
    """The page as text, in the visitor's language."""
    return environment().get_template(template).render(_context(visit, page))


def _context(visit: Visit, page: object) -> dict[str, Any]:
    tongue = visit.tongue
    return {
        "page": page,
        "frame": frame_of(visit),
        "base": visit.base,
        "token": visit.token,
        "_": tongue.say,
        "n_": tongue.count,
        "read": tongue.read,
        "when": tongue.when,
        "exactly": tongue.exactly,
        "day": tongue.day,
        "among": tongue.among,
        "language": tongue.language,
    }


def show(
    visit: Visit, template: str, page: object, *, status: int = HTTPStatus.OK.value
) -> Response[bytes]:
    """The page as a response that no cache keeps."""
    body = html(visit, template, page).encode()
    cookies = [] if visit.session else [_form_cookie(visit)]
    return Response(
        body,
        status_code=status,
        media_type=MediaType.HTML,
        cookies=cookies,
        headers={"cache-control": "no-store"},
    )


def _form_cookie(visit: Visit) -> Cookie:
    return Cookie(
        key=FORM_COOKIE,
        value=visit.anonymous_token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=visit.secure,
    )
