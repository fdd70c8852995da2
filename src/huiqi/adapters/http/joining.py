"""How does a newcomer hand in its application, before it has an identifier to sign with?"""

import httpx

from huiqi.adapters.http.peers import CONNECT_S, refusal_by
from huiqi.trust.types import Application, Invitation, Welcome
from huiqi.wire.errors import MessageUnreadable, PeerNonsense, PeerUnavailable
from huiqi.wire.huiqi.bodies import LARGEST_BODY, decode, encode

_TIMEOUT = httpx.Timeout(20.0, connect=CONNECT_S)


def hand_in(
    invitation: Invitation,
    application: Application,
    *,
    transport: httpx.BaseTransport | None = None,
) -> Welcome:
    """The issuer's answer to an application; whether it is genuine is for trust to check.

    Raises:
        PeerUnavailable: the issuer cannot be reached or is busy.
        PeerRefused: it refused, with its reason.
        PeerNonsense: the answer is not one.
    """
    status, body = _post(invitation, encode(application), transport)
    if status == httpx.codes.OK:
        try:
            return decode("SystemJoin", body, Welcome)
        except MessageUnreadable as error:
            raise PeerNonsense(peer=invitation.issuer, why=error.code) from error
    if not httpx.codes.is_client_error(status) or status == httpx.codes.NOT_FOUND:
        raise PeerUnavailable(peer=invitation.issuer, why=f"HTTP {status}")
    raise refusal_by(invitation.issuer, body)


def _post(
    invitation: Invitation, body: bytes, transport: httpx.BaseTransport | None
) -> tuple[int, bytes]:
    url = f"{invitation.address}/wire/SystemJoin"
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    parts: list[bytes] = []
    try:
        with (
            httpx.Client(
                timeout=_TIMEOUT, follow_redirects=False, trust_env=False, transport=transport
            ) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            for part in answer.iter_raw():
                parts.append(part)
                if sum(map(len, parts)) > LARGEST_BODY:
                    raise PeerNonsense(peer=invitation.issuer, why=f"over {LARGEST_BODY} bytes")
            return answer.status_code, b"".join(parts)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PeerUnavailable(peer=invitation.issuer, why=type(error).__name__) from error
