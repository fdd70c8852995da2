"""What becomes of a message once the other side has answered it?"""

from collections.abc import Callable, Mapping

import msgspec

from huiqi.bootstrap.parts import Parts
from huiqi.catalog.types import SignedRecord
from huiqi.contracts.types import Filed, Filing
from huiqi.trust.types import SystemKind
from huiqi.web.system import need
from huiqi.wire.errors import PeerRefused
from huiqi.wire.huiqi.bodies import decode
from huiqi.worker import Route


def routes_of(parts: Parts) -> Mapping[str, Route]:
    """The routes of one system's outgoing messages, by code."""
    match parts.site.kind:
        case SystemKind.NODE:
            return {}
        case SystemKind.PLATFORM:
            codes = ("ProductReviewed", "ContractFiled", "ContractTerminate", "StatementIssued")
            return dict.fromkeys(codes, _PLAIN)
        case SystemKind.CONNECTOR:
            return _of_connector(parts)


def _of_connector(parts: Parts) -> Mapping[str, Route]:
    codes = (
        "ProductWithdraw",
        "ContractNegotiate",
        "ContractSignature",
        "ContractTerminate",
        "ReceiptCountersign",
        "ReceiptDeposit",
    )
    return {
        **dict.fromkeys(codes, _PLAIN),
        "ProductRegister": Route(delivered=_taken, refused=_product_refused(parts)),
        "ContractRegistrate": _filing(parts),
    }


def _taken(_sent: bytes, _answer: bytes) -> None:
    """The peer has it; nothing follows."""


def _left_visible(_sent: bytes, _refusal: PeerRefused) -> None:
    """The message stays in the outbox as dead, with the peer's words, for a person to see."""


_PLAIN = Route(delivered=_taken, refused=_left_visible)


class _Listed(msgspec.Struct, frozen=True):
    """The part of a product record that says which one it is."""

    id: str


def _product_refused(parts: Parts) -> Callable[[bytes, PeerRefused], None]:
    catalog = need(parts.system.catalog)

    def refused(sent: bytes, refusal: PeerRefused) -> None:
        signed = msgspec.json.decode(sent, type=SignedRecord)
        record = msgspec.json.decode(signed.body, type=_Listed)
        catalog.refused(record.id, refusal.text("zh"))

    return refused


def _filing(parts: Parts) -> Route:
    contracts, trust = need(parts.system.contracts), parts.trust

    def delivered(_sent: bytes, answer: bytes) -> None:
        contracts.filed(trust.issuer(), decode("ContractRegistrate", answer, Filed))

    def refused(sent: bytes, refusal: PeerRefused) -> None:
        filing = msgspec.json.decode(sent, type=Filing)
        contracts.refused(filing.contract_id, refusal.text("zh"))

    return Route(delivered=delivered, refused=refused)
