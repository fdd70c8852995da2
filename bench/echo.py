"""The baseline of negotiation: what do signed, durable POSTs cost without any of our rooms?

A bare ASGI application on uvicorn: it verifies the body's SM2 signature, inserts the body into
SQLite (WAL, synchronous=FULL) and signs its answer. ``/plain`` leaves the signatures out.

    python -m bench.echo PORT FILE KEYS
"""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import apsw
import httpx
import uvicorn

from bench.lines import MeasureFailed
from huiqi.trust.service import suite
from huiqi.trust.types import NATIONAL_SUITE

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Echo:
    """The application."""

    def __init__(self, file: str, private: bytes, public: str) -> None:
        self._suite, self._private, self._public = suite(NATIONAL_SUITE), private, public
        self._store = apsw.Connection(file)
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute("PRAGMA synchronous=FULL")
        self._store.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        status, headers = 200, []
        if scope["path"] == "/signed":
            given = dict(scope["headers"])[b"signature"].decode()
            status = 200 if self._suite.verify(self._public, body, given) else 403
            headers = [(b"signature", self._suite.sign(self._private, body).encode())]
        if scope["method"] == "POST" and status == 200:
            self._store.execute("INSERT INTO message (body) VALUES (?)", (body,))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Caller:
    """A client of it, with the same keys."""

    def __init__(self, base: str, private: bytes, public: str) -> None:
        self._suite, self._private, self._public = suite(NATIONAL_SUITE), private, public
        self._client = httpx.Client(base_url=base, trust_env=False, timeout=30.0)

    def plain(self, body: bytes) -> None:
        """One durable POST."""
        self._check(self._client.post("/plain", content=body))

    def signed(self, body: bytes) -> None:
        """One durable POST, request and answer signed and verified."""
        signature = self._suite.sign(self._private, body)
        answer = self._client.post("/signed", content=body, headers={"signature": signature})
        self._check(answer)
        if not self._suite.verify(self._public, answer.content, answer.headers["signature"]):
            raise MeasureFailed("the echo's signature does not hold")

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code != httpx.codes.OK:
            raise MeasureFailed(f"the echo answered {answer.status_code}")


def main(port: str, file: str, keys: str) -> None:
    """Serve until Ctrl-C."""
    pair = json.loads(Path(keys).read_text(encoding="utf-8"))
    app = Echo(file, bytes.fromhex(pair["private"]), pair["public"])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", lifespan="off")


if __name__ == "__main__":
    main(*sys.argv[1:])
