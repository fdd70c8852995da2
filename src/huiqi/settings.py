"""How is this process configured? Read once, from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

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
    providers may register files (``HUIQI_SOURCES``, separated by colons).
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


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in ``environment`` (default: this process's own).

    >>> read_settings({"HUIQI_PORT": "9000"}).port
    9000

    Raises:
        WrongSetting: a number is not one, or a level is unknown.
    """
    given = os.environ if environment is None else environment  # noqa: TID251 - the one place
    port = given.get("HUIQI_PORT", str(DEFAULT_PORT))
    if not port.isdigit() or int(port) > HIGHEST_PORT:
        raise WrongSetting(name="HUIQI_PORT", why=port)
    level = given.get("HUIQI_LOG_LEVEL", "warning").lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise WrongSetting(name="HUIQI_LOG_LEVEL", why=level)
    public_url = given.get("HUIQI_PUBLIC_URL", "").rstrip("/")
    if public_url and not public_url.startswith(("http://", "https://")):
        raise WrongSetting(name="HUIQI_PUBLIC_URL", why=public_url)
    return Settings(
        data=Path(given.get("HUIQI_DATA", "huiqi-data")),
        host=given.get("HUIQI_HOST", "127.0.0.1"),
        port=int(port),
        public_url=public_url,
        passphrase=given.get("HUIQI_PASSPHRASE", ""),
        log_level=level,
        kill_at=given.get("HUIQI_KILL_AT", ""),
        language=_language(given),
        sources=tuple(Path(f) for f in given.get("HUIQI_SOURCES", "").split(":") if f),
    )


def _language(given: Mapping[str, str]) -> Language:
    """``HUIQI_LANG``, else the terminal's language; Chinese unless another one is set."""
    wish = given.get("HUIQI_LANG") or given.get("LC_ALL") or given.get("LANG") or "zh"
    return "zh" if wish.lower().startswith("zh") else "en"
