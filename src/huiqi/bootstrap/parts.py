"""Which parts make one system? Node, platform and connector are assemblies of the same rooms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huiqi
from huiqi.adapters.engines.duck import DuckEngine
from huiqi.adapters.http.peers import Peers
from huiqi.adapters.http.remote import Calls, RemoteConnectors, RemoteDirectory, RemotePlatform
from huiqi.adapters.keys.file_keystore import FileKeyStore, open_keystore
from huiqi.adapters.passwords import ArgonPasswords
from huiqi.adapters.projections import FileProjectionStore
from huiqi.adapters.sources.profiling import FileProfiler
from huiqi.adapters.sql.catalog_store import SqlCatalogStore
from huiqi.adapters.sql.contract_store import SqlContractStore
from huiqi.adapters.sql.driver import Database, SqlWork
from huiqi.adapters.sql.evidence_store import SqlEvidenceStore
from huiqi.adapters.sql.identifier_store import SqlIdentifierStore
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.settlement_store import SqlSettlementStore
from huiqi.adapters.sql.trust_store import SqlTrustStore
from huiqi.adapters.sql.usage_store import SqlUsageStore
from huiqi.bootstrap.anchoring import Anchor
from huiqi.bootstrap.folder import Site
from huiqi.bootstrap.pricing import PricedPolicies
from huiqi.bootstrap.reaching import Reaching
from huiqi.bootstrap.store import newest_instant, open_store
from huiqi.catalog.service import Catalog, Identifiers, Listing
from huiqi.compute.service import Compute
from huiqi.contracts.service import Contracts, ContractsDesk
from huiqi.evidence.service import Evidence
from huiqi.kernel.clock import SystemClock
from huiqi.kernel.ids import RandomIds
from huiqi.kernel.text import Text
from huiqi.kernel.work import Scope, Work
from huiqi.settlement.service import Settlement, SettlementDesk
from huiqi.trust.service import Trust, suite, suites
from huiqi.trust.types import SystemKind
from huiqi.usage.service import Usage
from huiqi.web.system import System

# Real public data that every installation carries; see samples/SOURCES.md.
SAMPLES = Path(huiqi.__file__).parent / "samples"


@dataclass(kw_only=True)
class Parts:
    """One assembled system: what pages and programs see, and what has to be started and closed."""

    site: Site
    folder: Path
    system: System
    trust: Trust
    directory: RemoteDirectory
    database: Database
    work: Work
    outbox: SqlOutbox
    peers: Peers
    post: Reaching
    clock: SystemClock
    anchor: Anchor
    compute: Compute | None = None

    def close(self) -> None:
        """End engine processes and connections, then the store."""
        if self.compute is not None:
            self.compute.close()
        self.peers.close()
        self.database.close()

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Every document that a room keeps beside the log: (where, recorded SHA-256, bytes)."""
        system = self.system
        rooms = (
            system.contracts,
            system.contracts_desk,
            system.usage,
            system.settlement,
            system.settlement_desk,
        )
        for room in rooms:
            if room is not None:
                yield from room.documents()


class LogSigner:
    """``evidence.ports.Signer`` with the system's own keys."""

    def __init__(self, keys: FileKeyStore) -> None:
        self._keys = keys

    def sign(self, data: bytes, suite: str) -> tuple[str, str]:
        """(key id, signature hex) of the suite's key over ``data``."""
        signature = self._keys.sign(suite, data)
        return signature.key_id, signature.value

    def keys(self) -> Mapping[str, tuple[str, str]]:
        """Suite -> (key id, public key hex)."""
        return {key.suite: (key.key_id, key.value) for key in self._keys.public()}


def _holds(name: str, public: str, data: bytes, signature: str) -> bool:
    """``evidence.ports.SignatureCheck`` with the suites of trust; an unknown suite gives False."""
    return name in suites() and suite(name).verify(public, data, signature)


def assemble(site: Site, folder: Path, passphrase: str, *, sources: Sequence[Path] = ()) -> Parts:
    """The system of ``site``, on its folder, with everything its kind needs.

    Data files are taken from ``folder/inbox``, from the samples and from ``sources`` only.

    Raises:
        KeyStoreLocked: the passphrase does not open the keystore.
        StoreUnavailable: the store cannot be opened.
    """
    keys = open_keystore(folder, passphrase)
    clock = SystemClock()
    database = open_store(folder, clock)
    newest = newest_instant(database)
    if newest is not None:
        clock.saw(newest)
    scope = Scope(space=site.space, participant=site.subject)
    made = _Making(site=site, folder=folder, scope=scope, clock=clock, keys=keys, db=database)
    made.roots = (*made.roots, *sources)
    return made.parts()


class _Making:
    """The steps of one assembly, in order; each needs the ones before."""

    def __init__(
        self,
        *,
        site: Site,
        folder: Path,
        scope: Scope,
        clock: SystemClock,
        keys: FileKeyStore,
        db: Database,
    ) -> None:
        self.site, self.folder, self.scope, self.clock, self.keys = site, folder, scope, clock, keys
        self.db, self.work, self.ids = db, SqlWork(db, scope), RandomIds()
        self.outbox = SqlOutbox(db)
        self.policies = PricedPolicies()
        self.uploads, inbox = folder / "uploads", folder / "inbox"
        for place in (self.uploads, inbox):
            place.mkdir(mode=0o700, exist_ok=True)
        self.roots: tuple[Path, ...] = (self.uploads, inbox, SAMPLES)
        late = Reaching()
        self.calls = Calls(late, late.issuer)
        self.directory = RemoteDirectory(self.calls)
        self.trust = Trust(
            **self._shared(),
            ids=self.ids,
            store=SqlTrustStore(),
            keys=keys,
            passwords=ArgonPasswords(),
            directory=None if site.kind is SystemKind.NODE else self.directory,
        )
        self.peers = Peers(self.trust)
        late.trust, late.peers = self.trust, self.peers
        self.post = late
        self.remote = RemotePlatform(self.calls)
        self.evidence = Evidence(
            **self._shared(),
            store=SqlEvidenceStore(),
            signer=LogSigner(keys),
            origin=f"huiqi/{site.space}/{site.subject}/{site.prefix}",
            signatures=_holds,
        )

    def parts(self) -> Parts:
        """The finished system."""
        making = {
            SystemKind.NODE: self._node,
            SystemKind.PLATFORM: self._platform,
            SystemKind.CONNECTOR: self._connector,
        }
        system = making[self.site.kind]()
        return Parts(
            site=self.site,
            folder=self.folder,
            system=system,
            trust=self.trust,
            directory=self.directory,
            database=self.db,
            work=self.work,
            outbox=self.outbox,
            peers=self.peers,
            post=self.post,
            clock=self.clock,
            anchor=Anchor(self.folder, self.evidence),
            compute=system.compute,
        )

    def _shared(self) -> dict[str, Any]:
        return {"scope": self.scope, "work": self.work, "clock": self.clock}

    def _identifiers(
        self, parent: RemotePlatform | None = None, listing: Listing | None = None
    ) -> Identifiers:
        return Identifiers(
            **self._shared(),
            ids=self.ids,
            store=SqlIdentifierStore(),
            trust=self.trust,
            parent=parent,
            listing=listing,
        )

    def _node(self) -> System:
        return self._system(identifiers=self._identifiers())

    def _platform(self) -> System:
        listing = Listing(
            **self._shared(), store=SqlCatalogStore(), policies=self.policies, trust=self.trust
        )
        desk = ContractsDesk(
            **self._shared(),
            ids=self.ids,
            store=SqlContractStore(),
            policies=self.policies,
            trust=self.trust,
            listing=listing,
        )
        settlement = Settlement(
            **self._shared(),
            ids=self.ids,
            store=SqlSettlementStore(),
            trust=self.trust,
            contracts=desk,
        )
        return self._system(
            listing=listing,
            contracts_desk=desk,
            settlement=settlement,
            identifiers=self._identifiers(parent=self.remote, listing=listing),
        )

    def _connector(self) -> System:
        catalog = Catalog(
            **self._shared(),
            ids=self.ids,
            store=SqlCatalogStore(),
            policies=self.policies,
            trust=self.trust,
            profiler=FileProfiler(self.folder, roots=self.roots),
            platform=self.remote,
        )
        contracts = Contracts(
            **self._shared(),
            ids=self.ids,
            store=SqlContractStore(),
            policies=self.policies,
            trust=self.trust,
            catalog=catalog,
            platform=self.remote,
        )
        usage = Usage(
            **self._shared(),
            ids=self.ids,
            store=SqlUsageStore(),
            policies=self.policies,
            trust=self.trust,
            contracts=contracts,
        )
        compute = Compute(
            **self._shared(),
            ids=self.ids,
            trust=self.trust,
            catalog=catalog,
            contracts=contracts,
            usage=usage,
            policies=self.policies,
            engine=DuckEngine(self.folder),
            projections=FileProjectionStore(self.folder, self.keys),
            peers=RemoteConnectors(self.calls),
        )
        desk = SettlementDesk(
            **self._shared(),
            store=SqlSettlementStore(),
            trust=self.trust,
            usage=usage,
            contracts=contracts,
        )
        return self._system(
            catalog=catalog,
            contracts=contracts,
            usage=usage,
            compute=compute,
            settlement_desk=desk,
        )

    def _system(self, **rooms: Any) -> System:
        return System(
            prefix=self.site.prefix,
            kind=self.site.kind,
            title=Text(self.site.name, self.site.name_en),
            scope=self.scope,
            clock=self.clock,
            trust=self.trust,
            evidence=self.evidence,
            policies=self.policies,
            outbox=self.outbox,
            uploads=self.uploads,
            **rooms,
        )
