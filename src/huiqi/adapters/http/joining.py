"""How does a newcomer hand in its application, before it has an identifier to sign with?"""

import httpx
import msgspec

from huiqi.trust.types import Application, Invitation, Welcome
from huiqi.wire.errors import PeerNonsense, PeerRefused, PeerUnavailable
from huiqi.wire.huiqi.bodies import LARGEST_BODY, decode, encode
from huiqi.wire.huiqi.errors_body import Refused

_TIMEOUT = httpx.Timeout(20.0, connect=3.0)


def hand_in(invitation: Invitation, application: Application) -> Welcome:
    """The issuer's answer to an application; whether it is genuine is for trust to check.

    Raises:
        PeerUnavailable: the issuer cannot be reached or is busy.
        PeerRefused: it refused, with its reason.
        PeerNonsense: the answer is not one.
    """
    url = f"{invitation.address}/wire/SystemJoin"
    headers = {"content-type": "application/json"}
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
            answer = client.post(url, content=encode(application), headers=headers)
    except httpx.HTTPError as error:
        raise PeerUnavailable(peer=invitation.issuer, why=type(error).__name__) from error
    if len(answer.content) > LARGEST_BODY:
        raise PeerNonsense(peer=invitation.issuer, why=f"over {LARGEST_BODY} bytes")
    if answer.status_code == httpx.codes.OK:
        return decode("SystemJoin", answer.content, Welcome)
    if answer.status_code == httpx.codes.NOT_FOUND or answer.is_server_error:
        raise PeerUnavailable(peer=invitation.issuer, why=f"HTTP {answer.status_code}")
    try:
        refused = msgspec.json.decode(answer.content, type=Refused)
    except msgspec.DecodeError as error:
        raise PeerNonsense(peer=invitation.issuer, why=type(error).__name__) from error
    raise PeerRefused(peer=invitation.issuer, zh=refused.zh, en=refused.en, reason=refused.code)
