"""How does a failure look to a program, and to a person?

Programs get RFC 9457 problem details, people a page with one sentence. What is unknown becomes
500 with an id and no text; the text goes to the log under the same id.
"""

import uuid
from http import HTTPStatus
from traceback import format_exception
from urllib.parse import quote

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import ClientException, HTTPException, NotFoundException
from litestar.response import Redirect

from huiqi.kernel.errors import HuiqiError, Language
from huiqi.kernel.text import Text
from huiqi.trust.errors import TooManyAttempts, WrongLogin
from huiqi.web.pages.error import error_page
from huiqi.web.render import show
from huiqi.web.visit import (
    STATE_KEY,
    AnyRequest,
    NotLoggedIn,
    Visit,
    arrive,
    cookie_token,
    tongue_of,
)

log = structlog.get_logger("huiqi.web")

PROBLEM_JSON = "application/problem+json"

STATUS_OF_CATEGORY: dict[str, HTTPStatus] = {
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "denied": HTTPStatus.FORBIDDEN,
    "missing": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "integrity": HTTPStatus.UNPROCESSABLE_ENTITY,
}
STATUS_OF_ERROR: dict[type[HuiqiError], HTTPStatus] = {
    NotLoggedIn: HTTPStatus.UNAUTHORIZED,
    WrongLogin: HTTPStatus.UNAUTHORIZED,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
}


_SENTENCES: dict[HTTPStatus, Text] = {
    HTTPStatus.BAD_REQUEST: Text("请求的格式不正确", "The request is malformed"),
    HTTPStatus.NOT_FOUND: Text("没有这个接口", "There is no such interface"),
    HTTPStatus.METHOD_NOT_ALLOWED: Text(
        "这个接口不接受该请求方法", "This interface does not take that method"
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Text("请求内容过大", "The request is too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Text(
        "不支持这种内容类型", "This content type is not taken here"
    ),
}
_ANY_OTHER = Text("请求未被接受", "The request was not taken")
# A message of the validator names a field and a type, never a value; still it is kept short.
_LONGEST_PLACE, _MOST_PLACES = 160, 5


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457 problem details, with our stable ``code`` and the error's parameters."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    instance: str = ""
    params: dict[str, str] = {}


def status_of(error: HuiqiError) -> HTTPStatus:
    """The HTTP status of a typed error: by class where one is named, else by category."""
    named = STATUS_OF_ERROR.get(type(error))
    return named or STATUS_OF_CATEGORY.get(error.category, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem_of(error: HuiqiError, language: Language, *, instance: str = "") -> Problem:
    """Problem details of a typed error in the caller's language."""
    status = status_of(error)
    return Problem(
        type=f"urn:huiqi:error:{error.code}",
        title=status.phrase,
        status=status.value,
        code=error.code,
        detail=error.text(language),
        instance=instance,
        params=error.params,
    )


def for_programs(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer an API call that failed."""
    language = tongue_of(request).language
    match error:
        case HuiqiError():
            problem = problem_of(error, language, instance=request.scope["path"])
        case HTTPException():
            problem = _problem_of_http(error, language, request.scope["path"])
        case RecursionError() | UnicodeDecodeError():
            # Only a body can be nested that deep, or be no UTF-8.
            problem = _problem_of_http(ClientException(), language, request.scope["path"])
        case _:
            problem = _unknown(error, request.scope["path"])
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_JSON
    )


def for_people(request: AnyRequest, error: Exception) -> Response[bytes] | Redirect:
    """Answer a page request that failed: a page, or the login when there is none."""
    if isinstance(error, NotLoggedIn):
        return _to_login(request)
    visit = _visit(request)
    match error:
        case HuiqiError():
            status, sentence, mark = status_of(error), error.text(visit.tongue.language), ""
        case HTTPException():
            status, sentence, mark = HTTPStatus(error.status_code), "", ""
        case _:
            problem = _unknown(error, visit.path)
            status, sentence, mark = HTTPStatus(problem.status), "", problem.instance
    page = error_page(visit.tongue, status=status, sentence=sentence, mark=mark, base=visit.base)
    return show(visit, "error.html", page, status=status.value)


def answer(request: AnyRequest, error: Exception) -> Response[bytes] | Redirect:
    """The one exception handler: programs and people are told apart by the path."""
    parts = request.scope["path"].split("/")
    if "api" in parts[1:3] or "wire" in parts[2:3]:
        return for_programs(request, error)
    return for_people(request, error)


def no_such_file(request: AnyRequest, _error: Exception) -> Response[bytes] | Redirect:
    """The answer for a path under which no file can lie."""
    return for_people(request, NotFoundException())


def _visit(request: AnyRequest) -> Visit:
    known: Visit | None = request.scope["state"].get(STATE_KEY)
    return known or arrive(request, token=cookie_token(request))


def _to_login(request: AnyRequest) -> Redirect:
    visit = _visit(request)
    wanted = visit.full_path if request.method == "GET" else visit.base + "/"
    return Redirect(f"{visit.base}/login?next={quote(wanted, safe='')}", status_code=303)


def _problem_of_http(error: HTTPException, language: Language, path: str) -> Problem:
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The framework's own trouble, mostly a caller that hung up: one line says it, and anybody
        # can cause thousands.
        mark = _mark()
        log.warning("http_trouble", id=mark, path=path[:200], detail=error.detail[:200])
        return _trouble(mark)
    return Problem(
        type="about:blank",
        title=status.phrase,
        status=status.value,
        code=f"http.{status.value}",
        detail=_SENTENCES.get(status, _ANY_OTHER).read(language) + _where(error),
        instance=path,
    )


def _where(error: HTTPException) -> str:
    """Which fields of a document are not of the expected form, as the validator says it."""
    if not isinstance(error.extra, list):
        return ""
    found = [each for each in error.extra if isinstance(each, dict)]
    places = [
        f"{each.get('key', '')} {each.get('message', '')}".strip()[:_LONGEST_PLACE]
        for each in found[:_MOST_PLACES]
    ]
    return ": " + "; ".join(places) if places else ""


def _unknown(error: Exception, path: str) -> Problem:
    mark = _mark()
    # Formatted here: a renderer that prints local variables would print what people typed.
    log.error("unknown_error", id=mark, path=path, trace="".join(format_exception(error)))
    return _trouble(mark)


def _mark() -> str:
    return uuid.uuid4().hex[:12]  # noqa: TID251 - an id for the log, part of no document


def _trouble(mark: str) -> Problem:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        type="about:blank",
        title=status.phrase,
        status=status.value,
        code="web.unknown",
        instance=mark,
    )
