"""Where does one contract stand, what changed round by round, and what can I do?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huiqi.catalog.types import Column
from huiqi.contracts.types import Contract, ContractStatus, PartyRole, PartySignature, Proposal
from huiqi.kernel.clock import parse_instant
from huiqi.kernel.work import Queued
from huiqi.policy.types import Difference, EnforceabilityReport
from huiqi.web.i18n import Tongue, mark
from huiqi.web.pages.conditions import (
    Condition,
    Fact,
    PurposeChoice,
    conditions,
    objections,
    price_facts,
    purposes,
)
from huiqi.web.pages.contracts import who_waits
from huiqi.web.pages.home import is_mine
from huiqi.web.terms_form import TermsForm, form_from
from huiqi.web.words import CONTRACT, ROUND, SIDE, Chip, chip, short

# T14 table C.1, end types (vocab/terminate_type); a decline has none.
_END_TYPES = {
    "01": mark("提前解除"),
    "02": mark("到期解除"),
}
_OPEN = (ContractStatus.INITIATED, ContractStatus.NEGOTIATING, ContractStatus.SIGNING_FAILED)


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of the negotiation, with what it changed."""

    number: int
    who: str
    did: str
    at: str
    note: str
    changes: tuple[tuple[str, str], ...]
    digest: str


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One expected signature; ``at`` is empty while it is missing."""

    name: str
    role: str
    at: str
    suite: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message to the other side or the platform that has not arrived yet."""

    to: str
    since: str
    tries: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of the contract is used: label, used, of how much, per cent (0 to 100)."""

    label: str
    used: str
    limit: str
    percent: int
    tone: str


@dataclass(frozen=True, kw_only=True)
class ContractPage:
    """One contract with everything that can be done to it now."""

    id: str
    product: str
    product_id: str
    table: str
    state: Chip
    provider: str
    consumer: str
    mine: str
    waiting: str
    my_turn: bool
    since: str
    deliveries: tuple[Delivery, ...]
    rounds: tuple[Round, ...]
    conditions: tuple[Condition, ...]
    objections: tuple[str, ...]
    signable: bool
    unsigned: bool
    prices: tuple[Fact, ...]
    signs: tuple[Sign, ...]
    facts: tuple[Fact, ...]
    end: str
    quotas: tuple[Usage, ...]
    form: TermsForm
    purposes: tuple[PurposeChoice, ...]
    columns: tuple[Column, ...]
    note: str
    reason: str
    problem: str
    countering: bool
    may_answer: bool
    may_accept: bool
    may_sign: bool
    may_terminate: bool
    may_use: bool


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """What belongs to a contract beside the contract itself.

    ``changes`` holds the differences of each round from the second, by round number.
    """

    report: EnforceabilityReport | None = None
    changes: Mapping[int, Sequence[Difference]] | None = None
    queue: Sequence[Queued] = ()
    names: Mapping[str, str] | None = None
    counters: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was entered last time, why it did not go through, and whether the person may act."""

    form: TermsForm | None = None
    note: str = ""
    reason: str = ""
    problem: str = ""
    countering: bool = False
    may_act: bool = True
    may_use: bool = False


def contract_page(
    tongue: Tongue, contract: Contract, dossier: Dossier, answer: Answer
) -> ContractPage:
    """The page of one contract in these books."""
    form = answer.form or form_from(contract.terms)
    report = dossier.report
    party = contract.mine in {PartyRole.PROVIDER, PartyRole.CONSUMER}
    act = answer.may_act and party
    open_ = act and contract.status in _OPEN
    return ContractPage(
        id=contract.id,
        product=contract.product_name,
        product_id=contract.product,
        table=contract.table,
        state=chip(tongue, CONTRACT, contract.status),
        provider=contract.provider.name,
        consumer=contract.consumer.name,
        mine=tongue.say(SIDE[contract.mine]),
        waiting=who_waits(tongue, contract),
        my_turn=is_mine(contract),
        since=tongue.when(contract.proposals[-1].at if contract.proposals else contract.created_at),
        deliveries=_deliveries(tongue, dossier),
        rounds=_rounds(tongue, contract, dossier.changes or {}),
        conditions=conditions(tongue, report) if report else (),
        objections=objections(tongue, report.findings) if report else (),
        signable=bool(report and report.signable),
        unsigned=contract.status in {*_OPEN, ContractStatus.SIGNING},
        prices=price_facts(tongue, contract.terms.price),
        signs=_signs(tongue, contract),
        facts=_facts(tongue, contract),
        end=_end(tongue, contract),
        quotas=quotas_of(tongue, contract, dossier.counters or {}),
        form=form,
        purposes=purposes(tongue, form.purpose),
        columns=tuple(Column(name=name, type="") for name in contract.columns),
        note=answer.note,
        reason=answer.reason,
        problem=answer.problem,
        countering=answer.countering,
        may_answer=open_ and is_mine(contract),
        may_accept=open_ and is_mine(contract) and contract.status in _OPEN[:2],
        may_sign=act and _my_signature_missing(contract),
        may_terminate=act and contract.status is not ContractStatus.TERMINATED,
        may_use=answer.may_use
        and contract.mine is PartyRole.CONSUMER
        and contract.status is ContractStatus.PERFORMING,
    )


def _my_signature_missing(contract: Contract) -> bool:
    if contract.status is not ContractStatus.SIGNING:
        return False
    return contract.signature_of(contract.mine) is None


def _deliveries(tongue: Tongue, dossier: Dossier) -> tuple[Delivery, ...]:
    names = dossier.names or {}
    return tuple(
        Delivery(
            to=names.get(queued.message.to, queued.message.to),
            since=tongue.when(queued.created_at),
            tries=tongue.count("已尝试 %(n)s 次", queued.tries),
            error=queued.last_error,
        )
        for queued in dossier.queue
    )


def _rounds(
    tongue: Tongue, contract: Contract, changes: Mapping[int, Sequence[Difference]]
) -> tuple[Round, ...]:
    return tuple(
        _round(tongue, contract, proposal, changes.get(proposal.round, ()))
        for proposal in reversed(contract.proposals)
    )


def _round(
    tongue: Tongue, contract: Contract, proposal: Proposal, changes: Sequence[Difference]
) -> Round:
    who = contract.provider if proposal.by is PartyRole.PROVIDER else contract.consumer
    return Round(
        number=proposal.round,
        who=who.name,
        did=tongue.say(ROUND[proposal.kind]),
        at=tongue.when(proposal.at),
        note=proposal.note,
        changes=tuple(
            (
                tongue.read(change.before) if change.before else "",
                tongue.read(change.after) if change.after else "",
            )
            for change in changes
        ),
        digest=short(proposal.digest),
    )


def _signs(tongue: Tongue, contract: Contract) -> tuple[Sign, ...]:
    expected = (
        (PartyRole.PROVIDER, contract.provider.name),
        (PartyRole.CONSUMER, contract.consumer.name),
        (PartyRole.OTHER, tongue.say("平台备案")),
    )
    return tuple(_sign(tongue, name, role, contract.signature_of(role)) for role, name in expected)


def _sign(tongue: Tongue, name: str, role: PartyRole, signature: PartySignature | None) -> Sign:
    return Sign(
        name=name,
        role=tongue.say(SIDE[role]),
        at=tongue.exactly(parse_instant(signature.sign_time)) if signature else "",
        suite=signature.signature.suite if signature else "",
        value=short(signature.signature.value) if signature else "",
    )


def _facts(tongue: Tongue, contract: Contract) -> tuple[Fact, ...]:
    found = [
        Fact(tongue.say("合约编号"), contract.id),
        Fact(tongue.say("产品标识"), contract.product),
        Fact(tongue.say("查询表名"), contract.table),
        Fact(tongue.say("签名套件"), contract.suite),
        Fact(tongue.say("发起时间"), tongue.when(contract.created_at)),
    ]
    if contract.starts_at:
        found.append(Fact(tongue.say("生效"), tongue.when(contract.starts_at)))
    if contract.ends_at:
        found.append(Fact(tongue.say("到期"), tongue.when(contract.ends_at)))
    if contract.filed_at:
        found.append(Fact(tongue.say("备案"), tongue.when(contract.filed_at)))
    if contract.agreement:
        found.append(Fact(tongue.say("正文 SM3"), contract.agreement.sm3))
        found.append(Fact(tongue.say("正文 SHA-256"), contract.agreement.sha256))
    return tuple(found)


def _end(tongue: Tongue, contract: Contract) -> str:
    if contract.status is ContractStatus.SIGNING_FAILED:
        return contract.end_reason
    if contract.status is not ContractStatus.TERMINATED:
        return ""
    kind = _END_TYPES.get(contract.end_type)
    parts = [tongue.when(contract.ended_at), tongue.say(kind) if kind else "", contract.end_reason]
    return " · ".join(part for part in parts if part)


def quotas_of(tongue: Tongue, contract: Contract, counters: Mapping[str, int]) -> tuple[Usage, ...]:
    """How much of a contract is used, against its limits; empty without counters."""
    if not counters or contract.starts_at is None:
        return ()
    limits = {
        constraint.operand: constraint.value
        for rule in contract.terms.policy.rules
        for constraint in rule.constraints
        if constraint.operator == "lteq"
    }
    found = []
    for operand, key, label in (
        ("count", "count", tongue.say("已用次数")),
        ("dateRecord", "rows", tongue.say("已取行数")),
    ):
        found.append(_quota(label, counters.get(key, 0), limits.get(operand), tongue))
    return tuple(found)


NEARLY_USED_UP = 90
ALL = 100


def _quota(label: str, used: int, limit: object, tongue: Tongue) -> Usage:
    if not isinstance(limit, int) or limit <= 0:
        return Usage(label=label, used=f"{used:,}", limit=tongue.say("不限"), percent=0, tone="")
    percent = min(ALL, used * ALL // limit)
    tone = "bad" if percent >= ALL else "warn" if percent >= NEARLY_USED_UP else ""
    return Usage(label=label, used=f"{used:,}", limit=f"{limit:,}", percent=percent, tone=tone)
