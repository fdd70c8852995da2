"""A whole space in one process: the production assembly of every system, with a clock to move.

Stores, keys, engines, signatures and stamps are the real ones; only the sockets are left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier, Thread

import httpx
import msgspec
import pytest

import huiqi.bootstrap.parts as assembly
from huiqi.adapters.http.peers import Peers
from huiqi.bootstrap.parts import Parts, assemble
from huiqi.bootstrap.routes import routes_of
from huiqi.catalog.service import Catalog
from huiqi.catalog.types import Offer
from huiqi.cli.demo.space import SITES
from huiqi.compute.service import Compute
from huiqi.contracts.service import Contracts
from huiqi.contracts.types import Contract, ContractStatus
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import ObjectType, RandomIds, SystemId, object_id
from huiqi.policy.types import Constraint, Decision, Mode, Policy, Price, Rule, RuleKind, Terms
from huiqi.settlement.service import Settlement
from huiqi.trust.types import SystemKind
from huiqi.usage.service import Usage
from huiqi.usage.types import ReceiptBody, UseOutcome
from huiqi.web.interfaces import join
from huiqi.web.wire_endpoint import Doors, answer
from huiqi.worker import Worker
from tests.journey_rooms.data import START, VISITS, WEATHER

HOST = "http://rooms"


class MovableClock(FixedClock):
    """The clock of every system of the space."""

    def saw(self, instant: object) -> None:
        """It is moved by tests only."""


class Lines(httpx.BaseTransport):
    """The wire between the systems of one process; ``cut`` holds prefixes that do not answer."""

    doors: Doors

    def __init__(self) -> None:
        self.cut: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hand one message to the system it is for."""
        _, prefix, _, code = request.url.path.split("/")
        if prefix in self.cut:
            raise httpx.ConnectError(prefix)
        headers = {key.lower(): value for key, value in request.headers.items()}
        made = answer(self.doors, prefix, code, (headers, request.read()))
        return httpx.Response(
            made.status_code or 200,
            headers=dict(made.headers),
            stream=httpx.ByteStream(made.content),
        )


def rule(*constraints: Constraint, actions: Sequence[str] = ("compute",)) -> Rule:
    """A permission."""
    return Rule(RuleKind.PERMISSION, tuple(actions), constraints)


def forbidden(*constraints: Constraint, actions: Sequence[str] = ("compute",)) -> Rule:
    """A prohibition."""
    return Rule(RuleKind.PROHIBITION, tuple(actions), constraints)


def terms_of(*rules: Rule, days: int = 30) -> Terms:
    """Terms with a price."""
    price = Price(parameters={"per_use_fen": 100, "per_row_fen": 3}, platform_fee_bp=300)
    return Terms(policy=Policy(rules), mode=Mode.SQL, days=days, price=price)


class Space:
    """Node, platform, two providers and a consumer, with ``visits`` and ``weather`` listed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, MovableClock(START)
        # How many copies of each message arrive, all at the same time.
        self.copies = 1
        self.parts: dict[str, Parts] = {}
        self.workers: dict[str, Worker] = {}
        self.lines = Lines()
        self._open([site.prefix for site in SITES])
        self._enrol()
        self.visits = self._listed("p1", "visits", VISITS)
        self.weather = self._listed("p2", "weather", WEATHER)

    def _open(self, prefixes: Sequence[str]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(assembly, "SystemClock", lambda: self.clock)
            for prefix in prefixes:
                self.parts[prefix] = self._assembled(prefix)
        self.lines.doors = Doors({name: parts.system for name, parts in self.parts.items()})
        for prefix in prefixes:
            parts = self.parts[prefix]
            parts.post.peers = Peers(parts.trust, transport=self.lines)
            self.workers[prefix] = self._worker(parts)

    def _assembled(self, prefix: str) -> Parts:
        site = next(each for each in SITES if each.prefix == prefix)
        folder = self.folder / prefix
        folder.mkdir(parents=True, exist_ok=True)
        return assemble(site, folder, "passphrase of a test")

    def _enrol(self) -> None:
        for prefix, parts in self.parts.items():
            site, address = parts.site, f"{HOST}/{prefix}"
            about = {"subject": site.subject, "name": site.name, "area": site.area}
            if site.kind is SystemKind.NODE:
                kind, random = ObjectType.REGIONAL_NODE, RandomIds().random_code()
                root = object_id(kind, subject=site.subject, area=site.area, random=random)
                parts.trust.found(id=SystemId(root), kind=site.kind, address=address, **about)
                continue
            issuer = self.parts[site.issuer_prefix]
            code = issuer.trust.invite(site.kind, note="")
            invitation, application = parts.trust.apply(
                code, kind=site.kind, address=address, **about
            )
            parts.trust.welcomed(invitation, join(issuer.system, application))

    def _worker(self, parts: Parts) -> Worker:
        return Worker(
            scope=parts.system.scope,
            clock=self.clock,
            work=parts.work,
            outbox=parts.outbox,
            post=parts.post,
            find=parts.trust.member,
            routes=routes_of(parts),
            beats=(),
        )

    def _listed(self, prefix: str, name: str, text: str) -> str:
        inbox = self.folder / prefix / "inbox" / f"{name}.csv"
        inbox.write_text(text)
        catalog = self.catalog(prefix)
        resource = catalog.register(name=name, file=str(inbox))
        offer = Offer(
            name=name,
            abstract=name,
            keywords=(name,),
            topic="B0300",
            table=name,
            update_frequency="001",
            licence="",
            terms=terms_of(rule(actions=("compute", "read"))),
        )
        product = catalog.publish(resource.id, offer).record.id
        self.deliver()
        listing = self.parts["platform"].system.listing
        assert listing is not None
        listing.approve(product, by="operator")
        self.deliver()
        return product

    def deliver(self) -> None:
        """Pass messages until none is due."""
        for _ in range(100):
            if not sum(self._passed(name) for name in self.parts):
                return
        raise AssertionError("messages go round in circles")

    def _passed(self, prefix: str) -> int:
        parts = self.parts[prefix]
        due = parts.outbox.claim(parts.system.scope, self.clock.now(), 60, 10)
        for queued in due:
            attempt = partial(self.workers[prefix].attempt, queued)
            at_once(*[attempt] * self.copies)
        return len(due)

    def restart(self, prefix: str) -> None:
        """Close a system and assemble it again on its folder, as a new process would."""
        self.parts[prefix].close()
        self._open((prefix,))
        system = self.parts[prefix].system
        for room in (system.contracts, system.contracts_desk, system.usage, system.settlement):
            if room is not None:
                room.recover()

    def catalog(self, prefix: str) -> Catalog:
        found = self.parts[prefix].system.catalog
        assert found is not None
        return found

    def contracts(self, prefix: str) -> Contracts:
        found = self.parts[prefix].system.contracts
        assert found is not None
        return found

    def usage(self, prefix: str) -> Usage:
        found = self.parts[prefix].system.usage
        assert found is not None
        return found

    def compute(self, prefix: str) -> Compute:
        found = self.parts[prefix].system.compute
        assert found is not None
        return found

    @property
    def settlement(self) -> Settlement:
        found = self.parts["platform"].system.settlement
        assert found is not None
        return found

    def node(self, prefix: str) -> str:
        """The identifier of a system."""
        return self.parts[prefix].trust.me().id

    def pass_time(self, **amount: float) -> None:
        self.clock.advance(timedelta(**amount))

    def contract(
        self, *rules: Rule, product: str = "", days: int = 30, consumer: str = "c1"
    ) -> Contract:
        """A contract in force between ``consumer`` and the provider of ``product``."""
        product = product or self.visits
        provider = "p1" if product == self.visits else "p2"
        asked = self.contracts(consumer).request(product, terms_of(*rules, days=days))
        self.deliver()
        report = self.contracts(provider).report(asked.id)
        assert report.signable, report.findings
        self.contracts(provider).accept(asked.id)
        self.deliver()
        self.contracts(provider).sign(asked.id, by="provider")
        self.contracts(consumer).sign(asked.id, by="consumer")
        self.deliver()
        held = self.contracts(provider).contract(asked.id)
        assert held.status is ContractStatus.PERFORMING, held
        assert self.contracts(consumer).contract(asked.id).status is ContractStatus.PERFORMING
        return held

    def ask(
        self,
        sql: str,
        *,
        purpose: str = "research",
        use_id: str | None = None,
        by: str = "c1",
        **tables: Contract,
    ) -> UseOutcome:
        """What the consumer gets; ``by`` is whose connector asks."""
        return self.compute(by).ask(
            tables={name: contract.id for name, contract in tables.items()},
            purpose=purpose,
            sql=sql,
            use_id=use_id,
        )

    def facts(self, prefix: str, subject: str) -> list[str]:
        """The kinds of the facts about ``subject``, oldest first."""
        found = self.parts[prefix].system.evidence.entries(subject=subject, limit=1000)
        return [sealed.entry.kind for sealed in reversed(found)]

    def documents(self, prefix: str, subject: str) -> list[tuple[str, bytes | None]]:
        """Kind and document of every fact about ``subject``, as the store holds them."""
        text = "select kind, document from evidence_entry where subject = ? order by seq"
        return self.parts[prefix].database.read(
            lambda c: c.raw.execute(text, (subject,)).fetchall()  # type: ignore[no-any-return]
        )

    def close(self) -> None:
        for parts in self.parts.values():
            parts.close()


@contextmanager
def open_space(folder: Path) -> Iterator[Space]:
    """A space on fresh stores."""
    space = Space(folder)
    try:
        yield space
    finally:
        space.close()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all of them at the same time; what each returned or raised."""
    if len(acts) == 1:
        return [acts[0]()]
    gate, found = Barrier(len(acts)), [None] * len(acts)

    def act(at: int) -> None:
        gate.wait(10)
        try:
            found[at] = acts[at]()  # type: ignore[call-overload]
        except HuiqiError as error:
            found[at] = error  # type: ignore[call-overload]

    threads = [Thread(target=act, args=(at,)) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(found)


def codes(outcome: UseOutcome) -> list[str]:
    """Why it was not answered."""
    return [reason.code for reason in outcome.reasons]


def outcomes(outcome: UseOutcome) -> list[str]:
    """How each receipt says that the use ended."""
    return sorted(
        msgspec.json.decode(receipt.body, type=ReceiptBody).outcome for receipt in outcome.receipts
    )


def allowed(outcome: UseOutcome) -> tuple[tuple[object, ...], ...]:
    """The rows of an answered use."""
    assert outcome.decision is Decision.ALLOWED, codes(outcome)
    assert not outcome.error, outcome
    assert set(outcomes(outcome)) == {"completed"}
    return outcome.rows


def refused(outcome: UseOutcome, code: str) -> None:
    """The use was refused for ``code``, with a receipt, and nothing was handed over."""
    assert outcome.decision is not Decision.ALLOWED, outcome.rows
    assert code in codes(outcome), codes(outcome)
    assert not outcome.rows
    assert not outcome.columns
    assert outcome.receipts
    assert set(outcomes(outcome)) == {"refused"}


def budget(space: Space, contract: Contract, prefix: str = "p1") -> Mapping[str, int]:
    """What is counted under a contract at its provider."""
    return space.usage(prefix).counters(contract.id)
