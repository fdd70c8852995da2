"""How does a use live and end?"""

from enum import StrEnum

from huiqi.kernel.tables import Table
from huiqi.usage.types import GrantState as S


class GrantMessage(StrEnum):
    """What can happen to a use."""

    GRANT = "grant"
    REFUSE = "refuse"
    COMPLETE = "complete"
    FAIL = "fail"
    REVOKE = "revoke"
    EXPIRE = "expire"


class GrantSender(StrEnum):
    """Who makes it happen: the provider's rules, whoever executes the use, or the beat."""

    PROVIDER = "provider"
    EXECUTOR = "executor"
    CLOCK = "clock"


M = GrantMessage
P = GrantSender

TABLE = Table(
    first=S.ASKED,
    rows={
        (S.ASKED, M.GRANT, P.PROVIDER): S.OPEN,
        (S.ASKED, M.REFUSE, P.PROVIDER): S.REFUSED,
        (S.OPEN, M.COMPLETE, P.EXECUTOR): S.COMPLETED,
        (S.OPEN, M.REFUSE, P.EXECUTOR): S.REFUSED,
        (S.OPEN, M.FAIL, P.EXECUTOR): S.FAILED,
        (S.OPEN, M.REVOKE, P.EXECUTOR): S.REVOKED,
        # The contract ended between the last renewal and the end of the query.
        (S.OPEN, M.REVOKE, P.PROVIDER): S.REVOKED,
        # Found open after a crash, or its lease long over.
        (S.OPEN, M.FAIL, P.CLOCK): S.FAILED,
        (S.OPEN, M.EXPIRE, P.CLOCK): S.EXPIRED,
    },
)

# What a reported outcome means. The table refuses those that are not an executor's to report.
REPORTS = {
    S.COMPLETED: M.COMPLETE,
    S.REFUSED: M.REFUSE,
    S.FAILED: M.FAIL,
    S.REVOKED: M.REVOKE,
    S.EXPIRED: M.EXPIRE,
    S.ASKED: M.GRANT,
    S.OPEN: M.GRANT,
}
