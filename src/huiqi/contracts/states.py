"""Which steps may a contract take, and who may make it take them?

The statuses are those of T14 table C.1 row 4. Beyond ``vocab/contract_status`` (proposed there):
a first request may be accepted at once (01 to 03), the platform may refuse to file what both
signed (0301 to 0302), and a party may leave while signing (03 to 06).
"""

from enum import StrEnum

from huiqi.contracts.types import ContractStatus, PartyRole, ProposalKind
from huiqi.kernel.tables import Table


class Message(StrEnum):
    """What happens to a contract. ``complete`` is the signature after which none is missing."""

    REQUEST = "request"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    SIGN = "sign"
    COMPLETE = "complete"
    FILE = "file"
    REFUSE = "refuse"
    TERMINATE = "terminate"
    EXPIRE = "expire"


class Sender(StrEnum):
    """Who makes it happen: a party, the platform, or time."""

    PROVIDER = "01"
    CONSUMER = "02"
    PLATFORM = "04"
    CLOCK = "clock"


S, M, W = ContractStatus, Message, Sender
_PARTIES = (W.PROVIDER, W.CONSUMER)
# Statuses in which something was agreed, so that there is an end that can be passed.
_AGREED = (S.SIGNING, S.SIGNED, S.SIGNING_FAILED, S.PERFORMING)

TABLE: Table[ContractStatus, Message, Sender] = Table(
    first=S.INITIATED,
    rows={
        (S.INITIATED, M.OFFER, W.PROVIDER): S.NEGOTIATING,
        (S.INITIATED, M.ACCEPT, W.PROVIDER): S.SIGNING,
        (S.INITIATED, M.DECLINE, W.PROVIDER): S.TERMINATED,
        (S.NEGOTIATING, M.REQUEST, W.CONSUMER): S.NEGOTIATING,
        (S.NEGOTIATING, M.OFFER, W.PROVIDER): S.NEGOTIATING,
        (S.NEGOTIATING, M.ACCEPT, W.PROVIDER): S.SIGNING,
        (S.NEGOTIATING, M.ACCEPT, W.CONSUMER): S.SIGNING,
        (S.NEGOTIATING, M.DECLINE, W.PROVIDER): S.TERMINATED,
        (S.NEGOTIATING, M.DECLINE, W.CONSUMER): S.TERMINATED,
        (S.SIGNING, M.SIGN, W.PROVIDER): S.SIGNING,
        (S.SIGNING, M.SIGN, W.CONSUMER): S.SIGNING,
        (S.SIGNING, M.COMPLETE, W.PROVIDER): S.SIGNED,
        (S.SIGNING, M.COMPLETE, W.CONSUMER): S.SIGNED,
        (S.SIGNING, M.REFUSE, W.PLATFORM): S.SIGNING_FAILED,
        (S.SIGNED, M.FILE, W.PLATFORM): S.PERFORMING,
        (S.SIGNED, M.REFUSE, W.PLATFORM): S.SIGNING_FAILED,
        (S.SIGNING_FAILED, M.REQUEST, W.CONSUMER): S.NEGOTIATING,
        (S.SIGNING_FAILED, M.OFFER, W.PROVIDER): S.NEGOTIATING,
        **{
            (status, M.TERMINATE, party): S.TERMINATED
            for status in S
            if status is not S.TERMINATED
            for party in _PARTIES
        },
        **{(status, M.EXPIRE, W.CLOCK): S.TERMINATED for status in _AGREED},
    },
)


def sender_of(role: PartyRole) -> Sender:
    """The sender that a role stands for in the table."""
    return Sender(role.value)


def message_of(kind: ProposalKind) -> Message:
    """The message that a round of negotiation is in the table."""
    return Message(kind.value)
