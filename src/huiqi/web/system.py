"""What does one hosted system offer to pages and programs?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from huiqi.catalog.service import Catalog, Identifiers, Listing
from huiqi.compute.service import Compute
from huiqi.contracts.service import Contracts, ContractsDesk
from huiqi.evidence.service import Evidence
from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import MissingError
from huiqi.kernel.text import Text
from huiqi.kernel.work import Outbox, Scope
from huiqi.policy.service import Policies
from huiqi.settlement.service import Settlement, SettlementDesk
from huiqi.trust.service import Trust
from huiqi.trust.types import SystemKind
from huiqi.usage.service import Usage

Part = TypeVar("Part")


class NotHere(MissingError):
    """This kind of system does not do that: a node has no contracts, a platform no data.

    Ask the system whose work it is: connectors publish and use, the platform reviews and settles.
    """

    code = "web.not_here"
    zh = "本系统不提供这项功能"
    en = "This system does not do that"


@dataclass(frozen=True, kw_only=True)
class System:
    """One system of this process. Services that its kind does not have are None."""

    prefix: str
    kind: SystemKind
    title: Text
    scope: Scope
    clock: Clock
    trust: Trust
    evidence: Evidence
    policies: Policies
    outbox: Outbox
    catalog: Catalog | None = None
    contracts: Contracts | None = None
    usage: Usage | None = None
    compute: Compute | None = None
    settlement_desk: SettlementDesk | None = None
    listing: Listing | None = None
    contracts_desk: ContractsDesk | None = None
    settlement: Settlement | None = None
    identifiers: Identifiers | None = None
    # Where uploads wait for being profiled; None: the machine's folder for temporary files.
    uploads: Path | None = None
    # Prefix and title of the other systems of this process, for the login page.
    peers: Mapping[str, str] = field(default_factory=dict)

    @property
    def shelf(self) -> Catalog | Listing:
        """Where this system keeps products: its own, or all that were submitted to it.

        Raises:
            NotHere: a node keeps none.
        """
        found = self.catalog or self.listing
        if found is None:
            raise NotHere
        return found

    @property
    def deeds(self) -> Contracts | ContractsDesk:
        """Where this system keeps contracts: its own, or all that were filed with it.

        Raises:
            NotHere: a node keeps none.
        """
        found = self.contracts or self.contracts_desk
        if found is None:
            raise NotHere
        return found

    @property
    def accounts(self) -> Settlement | SettlementDesk:
        """Where this system keeps statements: those it issued, or those it received.

        Raises:
            NotHere: a node keeps none.
        """
        found = self.settlement or self.settlement_desk
        if found is None:
            raise NotHere
        return found


def need(part: Part | None) -> Part:
    """``part`` itself.

    Raises:
        NotHere: this system does not have it.
    """
    if part is None:
        raise NotHere
    return part
