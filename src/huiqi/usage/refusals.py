"""For which reasons outside the terms is a use refused or stopped?"""

from datetime import datetime

from huiqi.contracts.types import Contract, ContractStatus
from huiqi.kernel.text import Text
from huiqi.policy.types import Duty, Reason, Verdict
from huiqi.usage.types import GrantState


def not_in_force(contract: Contract, at: datetime) -> Reason | None:
    """Why nothing may be used under ``contract`` at ``at``; None when it is in force."""
    if contract.status is not ContractStatus.PERFORMING or contract.agreement is None:
        return Reason(
            code="usage.contract_not_in_force",
            text=_not_performing(contract),
            where=contract.status.value,
        )
    if contract.starts_at is None or at < contract.starts_at:
        return Reason(
            code="usage.contract_not_started",
            text=Text(zh="合约尚未生效", en="The contract has not started yet"),
        )
    if contract.ends_at is None or at >= contract.ends_at:
        return Reason(
            code="usage.contract_over",
            text=Text(zh="合约已到期", en="The contract's term is over"),
        )
    return None


def _not_performing(contract: Contract) -> Text:
    if contract.status is not ContractStatus.TERMINATED:
        return Text(
            zh="合约尚未签署并备案，不能使用",
            en="The contract is not signed and filed yet, so nothing may be used under it",
        )
    why_zh = f"：{contract.end_reason}" if contract.end_reason else ""
    why_en = f": {contract.end_reason}" if contract.end_reason else ""
    return Text(zh=f"合约已终止，不能再使用{why_zh}", en=f"The contract has been ended{why_en}")


def suspended(standing: str) -> Reason:
    """The consumer's system is not in good standing."""
    return Reason(
        code="usage.member_not_active",
        text=Text(zh="使用方的接入连接器未处于正常状态", en="The consumer's system is not active"),
        where=standing,
    )


def open_duties(duties: tuple[Duty, ...]) -> tuple[Reason, ...]:
    """A point that cannot fulfil a duty denies (DESIGN, promise 3)."""
    return tuple(
        Reason(
            code="usage.duty_open",
            text=Text(
                zh=f"须先履行义务“{duty.action}”，本节点不能代为履行",
                en=f"Duty '{duty.action}' must be fulfilled first; this point cannot fulfil it",
            ),
        )
        for duty in duties
    )


def reasons_of(verdict: Verdict) -> tuple[Reason, ...]:
    """Every reason of a verdict that does not allow."""
    return verdict.reasons + open_duties(verdict.duties)


_ENDED = {
    GrantState.COMPLETED: Text(zh="已完成", en="it is completed"),
    GrantState.REFUSED: Text(zh="已被拒绝", en="it was refused"),
    GrantState.FAILED: Text(zh="执行失败", en="it failed"),
    GrantState.REVOKED: Text(zh="已撤销", en="it was revoked"),
    GrantState.EXPIRED: Text(zh="已过期", en="it has expired"),
}


def ended_because(state: GrantState, reasons: tuple[Reason, ...]) -> Text:
    """Why a use is over: its first reason, or else how it ended."""
    if reasons:
        return reasons[0].text
    return _ENDED.get(state, Text(zh=state.value, en=state.value))


def crashed() -> Reason:
    """The enforcing process died while the use was open."""
    return Reason(
        code="usage.interrupted",
        text=Text(
            zh="执行节点中途停止，未返回任何数据",
            en="The executing system stopped midway; no data was returned",
        ),
    )


def lease_over() -> Reason:
    """Nobody renewed the lease."""
    return Reason(
        code="usage.lease_over",
        text=Text(zh="使用授权的租约已过期", en="The lease of the grant has run out"),
    )
