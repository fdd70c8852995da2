"""What does a person read when a page cannot be shown?"""

from dataclasses import dataclass
from http import HTTPStatus

from huiqi.web.i18n import Tongue, mark

_HEADINGS = {
    HTTPStatus.NOT_FOUND: mark("没有这个页面"),
    HTTPStatus.FORBIDDEN: mark("没有权限"),
    HTTPStatus.METHOD_NOT_ALLOWED: mark("这个地址不接受这种请求"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: mark("文件太大"),
    HTTPStatus.CONFLICT: mark("与当前状态不符"),
    HTTPStatus.SERVICE_UNAVAILABLE: mark("暂时不可用"),
    HTTPStatus.INTERNAL_SERVER_ERROR: mark("系统出错了"),
}
_SENTENCES = {
    HTTPStatus.NOT_FOUND: mark("地址可能写错了，或者内容已经移走。"),
    HTTPStatus.INTERNAL_SERVER_ERROR: mark("已记入日志，请把下面的编号告诉管理员。"),
}


@dataclass(frozen=True)
class ErrorPage:
    """Heading, sentence, and the id under which the log knows more (empty when it does not)."""

    status: int
    heading: str
    sentence: str
    mark: str
    home: str


def error_page(
    tongue: Tongue, *, status: HTTPStatus, sentence: str, mark: str, base: str
) -> ErrorPage:
    """The page for one failed request."""
    heading = _HEADINGS.get(status)
    return ErrorPage(
        status=status.value,
        heading=tongue.say(heading) if heading else tongue.say("请求没有完成"),
        sentence=sentence or tongue.say(_SENTENCES.get(status, "")),
        mark=mark,
        home=f"{base}/",
    )
