"""What does a contract begin with?"""

from collections.abc import Mapping

from huiqi.catalog.types import ProductRecord
from huiqi.contracts.negotiation import replaced
from huiqi.contracts.states import TABLE
from huiqi.contracts.types import Contract, Negotiation, Party, PartyRole, Proposal
from huiqi.kernel.ids import ContractId, SubjectCode
from huiqi.policy.types import Terms
from huiqi.trust.types import Member


def provider_of(record: ProductRecord) -> Party:
    """The provider as its listing names it."""
    return Party(
        role=PartyRole.PROVIDER,
        subject=record.provider,
        name=record.provider_name,
        node=record.provider_node,
    )


def consumer_of(member: Member) -> Party:
    """``member`` as the consumer of a contract."""
    return Party(
        role=PartyRole.CONSUMER,
        subject=SubjectCode(member.subject),
        name=member.name,
        node=member.id,
    )


def column_names(record: ProductRecord) -> tuple[str, ...]:
    """The columns that terms of this product may name."""
    return tuple(column.name for column in record.columns)


def column_types(record: ProductRecord) -> dict[str, str]:
    """The DuckDB types of these columns, by name."""
    return {column.name: column.type for column in record.columns}


def frame_of(
    contract_id: ContractId, record: ProductRecord, digest: str, *, consumer: Party, space: str
) -> Contract:
    """The consumer's contract before its first round: what stays the same in all rounds."""
    return Contract(
        id=contract_id,
        status=TABLE.first,
        mine=PartyRole.CONSUMER,
        provider=provider_of(record),
        consumer=consumer,
        product=record.id,
        product_name=record.name,
        product_digest=digest,
        table=record.table,
        proposals=(),
        created_at=record.created_at,
        space=space,
        columns=column_names(record),
        types=column_types(record),
        listed=record.terms,
    )


def frame_received(
    message: Negotiation,
    *,
    columns: tuple[str, ...],
    listed: Terms | None,
    types: Mapping[str, str] | None = None,
) -> Contract:
    """The provider's contract before the round in ``message``."""
    return Contract(
        id=message.contract_id,
        status=TABLE.first,
        mine=PartyRole.PROVIDER,
        provider=message.provider,
        consumer=message.consumer,
        product=message.product,
        product_name=message.product_name,
        product_digest=message.product_digest,
        table=message.table,
        proposals=(),
        created_at=message.proposal.at,
        suite=message.suite,
        space=message.space,
        columns=columns,
        types=types or {},
        listed=listed,
    )


def opened(frame: Contract, proposal: Proposal) -> Contract:
    """The contract whose first round is ``proposal``: the provider is to answer."""
    return replaced(frame, proposals=(proposal,), created_at=proposal.at)
