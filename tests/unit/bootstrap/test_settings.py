"""A setting is used as it was meant, or refused by its name."""

from pathlib import Path

import pytest

from huiqi.settings import Settings, WrongSetting, read_settings


def test_without_any_setting_the_defaults_hold() -> None:
    assert read_settings({}) == Settings()


def test_empty_means_not_set() -> None:
    """An empty host would open the process to every network, an empty folder means this one."""
    names = ("DATA", "HOST", "PORT", "PUBLIC_URL", "PASSPHRASE", "LOG_LEVEL", "LANG", "SOURCES")
    assert read_settings({f"HUIQI_{name}": "" for name in names}) == Settings()


def test_every_setting_is_read() -> None:
    read = read_settings(
        {
            "HUIQI_DATA": "/srv/huiqi",
            "HUIQI_HOST": "::1",
            "HUIQI_PORT": "65535",
            "HUIQI_PUBLIC_URL": "https://space.example/base/",
            "HUIQI_PASSPHRASE": "open",
            "HUIQI_LOG_LEVEL": "DEBUG",
            "HUIQI_KILL_AT": "usage.opened",
            "HUIQI_LANG": "en_GB.UTF-8",
            "HUIQI_SOURCES": "/a:/b",
        }
    )
    assert read == Settings(
        data=Path("/srv/huiqi"),
        host="::1",
        port=65_535,
        public_url="https://space.example/base",
        passphrase="open",
        log_level="debug",
        kill_at="usage.opened",
        language="en",
        sources=(Path("/a"), Path("/b")),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("PORT", value)
            for value in ("-1", "65536", "8600.0", "abc", " 80", "²", "٨٠", "9" * 99)
        ),
        ("LOG_LEVEL", "loud"),
        *(
            ("PUBLIC_URL", value)
            for value in (
                "space.example",
                "ftp://space.example",
                "https://",
                "http://[::1",
                "http://a:99999",
                "http://a b",
                "http://a/?x=1",
                "http://a/#x",
                "http://me:secret@a",
            )
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        read_settings({f"HUIQI_{name}": value})
    assert caught.value.params["name"] == f"HUIQI_{name}"
    assert len(caught.value.params["why"]) <= 80


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "en_US", "HUIQI_LANG": "zh"}, "zh"),
        ({"LC_ALL": "en_US", "LANG": "zh_CN"}, "en"),
        ({}, "zh"),
    ],
)
def test_the_language_of_the_prompt(environment: dict[str, str], language: str) -> None:
    assert read_settings(environment).language == language
