"""How does the demo speak to a system? As any program would: login, token, JSON."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from huiqi.cli.demo.progress import StepFailed
from huiqi.kernel.errors import Language

# A first use builds the projection of a whole data set.
TIMEOUT_S = 90.0


class Refused(StepFailed):
    """The API answered with problem details; ``code`` is the stable code of the refusal."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(f"{words}  [{code or status}]")
        self.status, self.code = status, code


class Api:
    """One person at one system."""

    def __init__(self, address: str, login: tuple[str, str], language: Language) -> None:
        self._client = httpx.Client(
            base_url=f"{address}/api/v1",
            timeout=TIMEOUT_S,
            trust_env=False,
            headers={"accept-language": language},
        )
        name, password = login
        token = self.post("/login", {"login": name, "password": password})["token"]
        self._client.headers["authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON answer to a question."""
        return self._read(self._client.get(path, params=query))

    def file(self, path: str) -> bytes:
        """A download."""
        answer = self._client.get(path)
        self._check(answer)
        return answer.content

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer to a deed."""
        return self._read(self._client.post(path, json=dict(body or {})))

    def _read(self, answer: httpx.Response) -> Any:
        self._check(answer)
        return msgspec.json.decode(answer.content) if answer.content else None

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        words = problem.get("detail") or problem.get("title") or answer.text[:200]
        raise Refused(answer.status_code, str(problem.get("code", "")), str(words))
