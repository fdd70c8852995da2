"""Which address may a system give for its interfaces?

Other systems will call it, so it is checked before it is kept: ``http`` or ``https`` in lower
case, a host, a port from 1 to 65535 or none, a plain path. No login, query, fragment, blank or
other escape, at most 300 characters. The host is a DNS name, an IPv4 address in four decimal
parts or an IPv6 address in brackets; other spellings of numbers (``0x7f000001``, ``2130706433``)
are refused, since what reads them as an address depends on the library. Link-local addresses
(those of a cloud's metadata service among them) and multicast are nobody's interface. Loopback
and private networks are allowed: systems of one house or one office live there.
"""

import ipaddress
import re

from huiqi.trust.errors import WrongAddress

LONGEST_ADDRESS = 300
LONGEST_HOST = 253
HIGHEST_PORT = 65_535
_PARTS = re.compile(
    r"https?://(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# What some libraries read as a number, and so as an address of its own.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def clean_address(address: str) -> str:
    """``address`` without a trailing slash.

    Raises:
        WrongAddress: it is none of those described above.
    """
    found = _PARTS.fullmatch(address) if len(address) <= LONGEST_ADDRESS else None
    if found is None:
        raise WrongAddress
    port, path = found["port"], found["path"]
    if port is not None and not 0 < int(port) <= HIGHEST_PORT:
        raise WrongAddress
    if {".", ".."} & set(path.split("/")):
        raise WrongAddress
    _check_host(found["host"])
    return address.rstrip("/")


def _check_host(host: str) -> None:
    labels = host.split(".")
    if not host.startswith("[") and not _NUMBER.fullmatch(labels[-1]):
        if len(host) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
            raise WrongAddress
        return
    try:
        number = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise WrongAddress from error
    inside = getattr(number, "ipv4_mapped", None) or number
    if inside.is_link_local or inside.is_multicast:
        raise WrongAddress
