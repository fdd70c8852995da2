"""Which small bodies travel between our systems beside the rooms' own documents?"""

import msgspec

from huiqi.kernel.ids import ContractId


class Nothing(msgspec.Struct, frozen=True):
    """The answer to a message that needs none."""


class OfMember(msgspec.Struct, frozen=True):
    """Which member is asked for."""

    id: str


class Address(msgspec.Struct, frozen=True):
    """Where a system is reached now."""

    address: str


class Wanted(msgspec.Struct, frozen=True):
    """Which product or identifier is meant."""

    id: str


class Search(msgspec.Struct, frozen=True):
    """Keywords, and how many results at the most."""

    text: str
    limit: int


class OfUse(msgspec.Struct, frozen=True, rename="camel"):
    """Which use under which contract is meant."""

    use_id: str
    contract: str


class AllottedIdentifier(msgspec.Struct, frozen=True):
    """An N04 identifier that a node gave out."""

    identifier: str


class AllottedContract(msgspec.Struct, frozen=True, rename="camel"):
    """A contract identifier that the platform gave out (T14 table B.3 R1)."""

    contract_id: ContractId
