"""What could somebody send who holds one system's keys, or who only listens?"""

import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from huiqi.adapters.keys.file_keystore import open_keystore
from huiqi.trust.stamps import stamped
from huiqi.trust.types import NATIONAL_SUITE, Member, Signature, Stamp
from huiqi.wire.huiqi.envelope import headers_of
from huiqi.wire.huiqi.errors_body import Refused
from tests.support.space import Space

UNSIGNED = Signature(suite="", key_id="", value="")


class Sent(msgspec.Struct, frozen=True):
    """A message as it went over the wire, and what came back."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes

    @property
    def refusal(self) -> Refused:
        """The typed refusal in the answer."""
        return msgspec.json.decode(self.answer, type=Refused)

    def again(self, body: bytes | None = None, url: str = "") -> "Sent":
        """The very same message once more, with another body or to another address when told."""
        return _posted(url or self.url, self.headers, self.body if body is None else body)


class Forger:
    """Speaks with the keys of the system ``prefix`` of a running space."""

    def __init__(self, space: Space, prefix: str) -> None:
        self._space = space
        self._keys = open_keystore(space.data / prefix, (space.data / "secret").read_text().strip())
        self.me = _member(space, prefix)

    def sign(self, data: bytes, suite: str = NATIONAL_SUITE) -> Signature:
        """A genuine signature of this system."""
        return self._keys.sign(suite, data)

    def send(self, to: str, verb: str, document: object, **changed: Any) -> Sent:
        """A well-made message; ``changed`` are parts of the stamp that are not what they should."""
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        draft = Stamp(
            code=verb,
            version="1.0",
            timestamp=f"{int(time.time() * 1000):013d}",
            sequence=uuid.uuid4().hex,  # noqa: TID251 - as any sender chooses one
            sender=self.me.id,
            receiver=_member(self._space, to).id,
            signature=UNSIGNED,
            in_reply_to="",
        )
        stamp = stamped(msgspec.structs.replace(draft, **changed), body, self.sign)
        headers = {**headers_of(stamp), "content-type": "application/json"}
        return _posted(f"{self._space.address(to)}/wire/{verb}", headers, body)


def _member(space: Space, prefix: str) -> Member:
    return msgspec.convert(space.api(prefix).get("/me")["member"], Member)


def _posted(url: str, headers: Mapping[str, str], body: bytes) -> Sent:
    answer = httpx.post(url, headers=dict(headers), content=body, trust_env=False, timeout=60)
    return Sent(url, headers, body, answer.status_code, answer.content)
