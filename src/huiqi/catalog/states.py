"""How does a product live and end?"""

from enum import StrEnum

from huiqi.catalog.types import ProductState as S
from huiqi.kernel.tables import Table


class ProductMessage(StrEnum):
    """What can happen to a product."""

    IDENTIFY = "identify"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"


class ProductSender(StrEnum):
    """Who makes it happen: the provider, the platform that lists it, the node that names it."""

    PROVIDER = "provider"
    PLATFORM = "platform"
    NODE = "node"


M = ProductMessage
P = ProductSender

# T01 section 6.5, T11 section 7.2.4: register, review, list; updates are reviewed again; a
# returned application may be corrected and resubmitted. Withdrawn is the end (N06 section 9.4).
TABLE = Table(
    first=S.DRAFT,
    rows={
        (S.DRAFT, M.IDENTIFY, P.NODE): S.IDENTIFIED,
        (S.IDENTIFIED, M.SUBMIT, P.PROVIDER): S.REVIEWING,
        (S.REVIEWING, M.SUBMIT, P.PROVIDER): S.REVIEWING,
        (S.REVIEWING, M.APPROVE, P.PLATFORM): S.LISTED,
        (S.REVIEWING, M.REJECT, P.PLATFORM): S.REJECTED,
        (S.REJECTED, M.SUBMIT, P.PROVIDER): S.REVIEWING,
        (S.LISTED, M.SUBMIT, P.PROVIDER): S.REVIEWING,
        (S.LISTED, M.SUSPEND, P.PLATFORM): S.SUSPENDED,
        (S.SUSPENDED, M.RESUME, P.PLATFORM): S.LISTED,
        (S.REVIEWING, M.WITHDRAW, P.PROVIDER): S.WITHDRAWN,
        (S.LISTED, M.WITHDRAW, P.PROVIDER): S.WITHDRAWN,
        (S.REJECTED, M.WITHDRAW, P.PROVIDER): S.WITHDRAWN,
        (S.SUSPENDED, M.WITHDRAW, P.PROVIDER): S.WITHDRAWN,
    },
)


def decision(before: S, after: S) -> ProductMessage:
    """Which decision of the platform leads from ``before`` to ``after``.

    A state that no decision leads to gives a message that ``TABLE`` refuses.
    """
    if after is S.LISTED:
        return M.RESUME if before is S.SUSPENDED else M.APPROVE
    return {S.REJECTED: M.REJECT, S.SUSPENDED: M.SUSPEND}.get(after, M.IDENTIFY)
