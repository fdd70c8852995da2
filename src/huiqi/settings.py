"""How is this process configured? Read once, from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from huiqi.kernel.errors import InvalidError, Language

DEFAULT_PORT = 8600
HIGHEST_PORT = 65_535


class WrongSetting(InvalidError):
    """An environment variable holds something that cannot be used.

    Look at the variable named in the sentence; ``README.md`` lists them all with examples.
    """

    code = "settings.wrong"
    zh = "配置 {name} 的值无效：{why}"
    en = "Setting {name} cannot be used: {why}"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be configured. Every field can be set by ``HUIQI_<NAME>``.

    ``public_url`` is the base address under which others reach this process (behind a reverse
    proxy); empty means the address it listens on. ``passphrase`` opens the keystores; empty
    means the file ``secret`` in the data directory, made at the first start. ``language`` is that
    of the command line; pages follow their reader. ``sources`` are further folders from which
    providers may register files (``HUIQI_SOURCES``, separated by colons). ``trusted_proxies`` are
    addresses of reverse proxies whose ``X-Forwarded-For`` is believed (separated by commas).
    """

    data: Path = Path("huiqi-data")
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str = ""
    passphrase: str = ""
    log_level: str = "warning"
    kill_at: str = ""
    language: Language = "zh"
    sources: tuple[Path, ...] = ()
    trusted_proxies: tuple[str, ...] = ()


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in ``environment`` (default: this process's own).

    >>> read_settings({"HUIQI_PORT": "9000"}).port
    9000

    Raises:
        WrongSetting: a number is not one, a level is unknown, or an address is none.
    """
    given = os.environ if environment is None else environment  # noqa: TID251 - the one place
    level = (given.get("HUIQI_LOG_LEVEL") or "warning").lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise WrongSetting(name="HUIQI_LOG_LEVEL", why=level)
    return Settings(
        data=Path(given.get("HUIQI_DATA") or "huiqi-data"),
        # An empty address would mean every network of this machine.
        host=given.get("HUIQI_HOST") or "127.0.0.1",
        port=_port(given.get("HUIQI_PORT") or str(DEFAULT_PORT)),
        public_url=_public_url(given.get("HUIQI_PUBLIC_URL", "")),
        passphrase=given.get("HUIQI_PASSPHRASE", ""),
        log_level=level,
        kill_at=given.get("HUIQI_KILL_AT", ""),
        language=read_language(given),
        sources=tuple(Path(f) for f in given.get("HUIQI_SOURCES", "").split(":") if f),
        trusted_proxies=tuple(
            each.strip() for each in given.get("HUIQI_TRUSTED_PROXIES", "").split(",") if each
        ),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= HIGHEST_PORT):
        raise WrongSetting(name="HUIQI_PORT", why=text[:80])
    return int(text)


def _public_url(text: str) -> str:
    """An address without path marks at its end, query or login: others append their paths to it."""
    url = text.rstrip("/")
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if url and (not whole or set(url) & set("?#@ ")):
        raise WrongSetting(name="HUIQI_PUBLIC_URL", why=text[:80])
    return url


def read_language(environment: Mapping[str, str] | None = None) -> Language:
    """``HUIQI_LANG``, else the terminal's language; Chinese unless another one is set.

    By itself, because a wrong setting is to be named in the reader's language too.
    """
    given = os.environ if environment is None else environment  # noqa: TID251 - the one place
    wish = given.get("HUIQI_LANG") or given.get("LC_ALL") or given.get("LANG") or "zh"
    return "zh" if wish.lower().startswith("zh") else "en"
