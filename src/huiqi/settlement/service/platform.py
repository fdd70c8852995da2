"""How is a period closed so that a crash at any place neither loses nor doubles a fen?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from huiqi.contracts.service import ContractsDesk
from huiqi.contracts.types import Contract
from huiqi.kernel.clock import Clock, iso
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import MissingError
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import IdSource
from huiqi.kernel.steps import reached
from huiqi.kernel.work import Outgoing, Scope, Tx, Work
from huiqi.policy.types import Price
from huiqi.settlement.charging import (
    charges_of_use,
    postings_of,
    read_statement,
    statement_bodies,
)
from huiqi.settlement.errors import ForgedDeposit, UnknownStatement, UnsettledReceipt
from huiqi.settlement.ports import SettlementStore
from huiqi.settlement.types import (
    Charge,
    Deposit,
    Posting,
    Replay,
    Run,
    RunState,
    SignedStatement,
    Statement,
)
from huiqi.trust.service import Trust
from huiqi.trust.types import NATIONAL_SUITE, Member
from huiqi.usage.types import GrantState, Receipt, ReceiptBody

STATEMENT_ISSUED = "StatementIssued"


class Settlement:
    """The platform's books: receipts come in, periods are closed, statements go out."""

    def __init__(  # noqa: PLR0913 - the parts of a room, named, once
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: SettlementStore,
        trust: Trust,
        contracts: ContractsDesk,
    ) -> None:
        self._scope, self._work, self._clock, self._ids = scope, work, clock, ids
        self._store, self._trust, self._contracts = store, trust, contracts

    def deposit(self, sender: Member, receipt: Receipt) -> None:
        """Take a countersigned receipt of a filed contract into the books; a repeat is harmless.

        1. read 2. the sender is a party of the filed contract 3. both signatures hold
        4. keep it, charged only when the use was completed

        Raises:
            UnsettledReceipt: it is not countersigned, or belongs to no contract filed here.
            ForgedDeposit: a signature fails, a party does not fit, or other bytes are booked.
        """
        body = _read(receipt)
        contract = self._filed(body)
        provider, consumer = contract.provider, contract.consumer
        fits = (body.provider, body.provider_node) == (provider.subject, provider.node)
        fits = fits and (body.consumer, body.consumer_node) == (consumer.subject, consumer.node)
        if not fits or sender.id not in {provider.node, consumer.node}:
            raise ForgedDeposit(receipt=body.receipt_id, why="parties")
        self._check_signatures(body, receipt)
        deposit = Deposit(
            receipt_id=body.receipt_id,
            use_id=body.use_id,
            contract=body.contract,
            closed_at=body.closed_at,
            charged=body.outcome == GrantState.COMPLETED.value,
            receipt=receipt,
            sha256=sha256_hex(receipt.body),
        )
        self._work.run(lambda tx: self._keep(tx, sender, deposit))

    def close_period(self, *, until: datetime | None = None) -> Sequence[Statement]:
        """Settle every receipt closed up to ``until`` (default: now); the statements issued.

        1. take the receipts 2. price them 3. post to the ledger 4. issue signed statements.
        Each step is durable before the next; a closing that was cut off is finished first.
        """
        issued: list[Statement] = []
        for run in self._work.read(lambda tx: self._store.runs(self._scope, tx)):
            if run.state is not RunState.ISSUED:
                issued.extend(self._finish(run))
        taken = self._take(until or self._clock.now())
        if taken is not None:
            issued.extend(self._finish(taken))
        return issued

    def recover(self) -> int:
        """At start: finish closings that were cut off; how many statements that issued."""
        open_runs = [
            run
            for run in self._work.read(lambda tx: self._store.runs(self._scope, tx))
            if run.state is not RunState.ISSUED
        ]
        return sum(len(self._finish(run)) for run in open_runs)

    def runs(self) -> Sequence[Run]:
        """Every closing, oldest first."""
        return self._work.read(lambda tx: self._store.runs(self._scope, tx))

    def statements(self) -> Sequence[Statement]:
        """Every statement, newest first."""
        return self._work.read(lambda tx: self._store.statements(self._scope, tx))

    def statement(self, id: str) -> Statement:  # noqa: A002 - the field's name
        """One statement.

        Raises:
            UnknownStatement: there is none of that id.
        """
        found = self._work.read(lambda tx: self._store.statement(self._scope, tx, id))
        if found is None:
            raise UnknownStatement(id=id[:80])
        return found

    def ledger(self, *, account: str | None = None, limit: int = 200) -> Sequence[Posting]:
        """Postings, newest first."""
        return self._work.read(lambda tx: self._store.postings(self._scope, tx, account, limit))

    def balances(self) -> Mapping[str, int]:
        """What every account has to receive (> 0) or to pay (< 0), in fen; sums to zero."""
        return self._work.read(lambda tx: self._store.balances(self._scope, tx))

    def deposited(self) -> Sequence[Deposit]:
        """Every receipt in the books, in the order of closing."""
        return self._work.read(lambda tx: self._store.deposits(self._scope, tx))

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Kept receipts and statements as (where, recorded SHA-256, bytes), for checking."""
        for deposit in self.deposited():
            where = f"settlement/{deposit.receipt_id}/receipt"
            yield where, deposit.sha256, deposit.receipt.body
        for statement in self.statements():
            yield f"settlement/{statement.id}", statement.sha256, statement.signed.body

    def replay(self, run_id: str) -> Replay:
        """Compute a closing again from its receipts and contracts and compare every byte.

        Raises:
            UnknownStatement: there is no such closing.
        """
        run = next((each for each in self.runs() if each.id == run_id), None)
        if run is None:
            raise UnknownStatement(id=run_id[:80])
        bodies = statement_bodies(self._price(run), run, self._trust.me())
        issued = {s.id: s.signed.body for s in self.statements() if s.document.run == run_id}
        differing = sorted(
            key for key in bodies.keys() | issued.keys() if bodies.get(key) != issued.get(key)
        )
        total = self._work.read(lambda tx: self._store.sum_of_run(self._scope, tx, run_id))
        return Replay(
            run=run_id,
            statements=len(issued),
            same=not differing,
            differing=tuple(differing),
            sum_fen=total,
        )

    def _filed(self, body: ReceiptBody) -> Contract:
        try:
            return self._contracts.contract(body.contract)
        except MissingError as error:
            raise UnsettledReceipt(receipt=body.receipt_id, why="contract") from error

    def _check_signatures(self, body: ReceiptBody, receipt: Receipt) -> None:
        if receipt.consumer_signature is None:
            raise UnsettledReceipt(receipt=body.receipt_id, why="countersignature")
        provider, consumer = (
            self._trust.member(body.provider_node),
            self._trust.member(body.consumer_node),
        )
        self._trust.verify(provider, receipt.body, receipt.provider_signature)
        self._trust.verify(consumer, receipt.body, receipt.consumer_signature)

    def _keep(self, tx: Tx, sender: Member, deposit: Deposit) -> None:
        known = self._store.deposit(self._scope, tx, deposit.receipt_id)
        if known is not None:
            if known.receipt.body != deposit.receipt.body:
                raise ForgedDeposit(receipt=deposit.receipt_id, why="other bytes are booked")
            return
        self._store.put_deposit(self._scope, tx, deposit)
        tx.record(
            Fact(
                kind="ReceiptDeposited",
                subject=deposit.contract,
                actor=sender.subject,
                at=self._clock.now(),
                details={"receipt": deposit.receipt_id, "charged": deposit.charged},
                document=deposit.receipt.body,
            )
        )

    def _take(self, until: datetime) -> Run | None:
        """Step 1: every receipt that can be settled now belongs to a new closing."""

        def unit(tx: Tx) -> Run | None:
            waiting = self._store.open_deposits(self._scope, tx, iso(until))
            whole = _whole_uses(waiting)
            self._hold(tx, waiting, whole)
            if not whole:
                return None
            earlier = self._store.runs(self._scope, tx)
            run = Run(
                id=self._ids.uuid(),
                number=len(earlier) + 1,
                since=earlier[-1].until if earlier else min(d.closed_at for d in whole),
                until=iso(until),
                state=RunState.TAKEN,
                started_at=self._clock.now(),
            )
            for deposit in whole:
                taken = msgspec.structs.replace(deposit, run=run.id, held="")
                self._store.put_deposit(self._scope, tx, taken)
            self._step(tx, run, "SettlementTaken", {"receipts": len(whole), "until": run.until})
            return run

        run = self._work.run(unit)
        if run is not None:
            reached("settlement.taken")
        return run

    def _hold(self, tx: Tx, waiting: Sequence[Deposit], whole: Sequence[Deposit]) -> None:
        settled = {deposit.receipt_id for deposit in whole}
        for deposit in waiting:
            if deposit.receipt_id not in settled and not deposit.held:
                why = "a receipt of the same joint use is missing or states other rows"
                held = msgspec.structs.replace(deposit, held=why)
                self._store.put_deposit(self._scope, tx, held)

    def _finish(self, run: Run) -> Sequence[Statement]:
        if run.state is RunState.TAKEN:
            run = self._write_charges(run)
            reached("settlement.priced")
        if run.state is RunState.PRICED:
            run = self._write_postings(run)
            reached("settlement.posted")
        issued = self._issue(run)
        reached("settlement.issued")
        return issued

    def _write_charges(self, run: Run) -> Run:
        """Step 2: what each use costs, from its contract's price."""
        charges = self._price(run)
        after = msgspec.structs.replace(run, state=RunState.PRICED)

        def unit(tx: Tx) -> None:
            for charge in charges:
                self._store.put_charge(self._scope, tx, run.id, charge)
            gross = sum(charge.gross_fen for charge in charges)
            self._step(tx, after, "SettlementPriced", {"charges": len(charges), "grossFen": gross})

        self._work.run(unit)
        return after

    def _write_postings(self, run: Run) -> Run:
        """Step 3: a balanced ledger entry for each charge."""
        platform = self._trust.me().subject
        after = msgspec.structs.replace(run, state=RunState.POSTED)

        def unit(tx: Tx) -> None:
            charges = self._store.charges(self._scope, tx, run.id)
            for charge in charges:
                for posting in postings_of(charge, run, platform):
                    self._store.post(self._scope, tx, posting)
            self._step(tx, after, "SettlementPosted", {"entries": len(charges)})

        self._work.run(unit)
        return after

    def _issue(self, run: Run) -> Sequence[Statement]:
        """Step 4: sign and send each party its statement, all in one transaction."""
        me = self._trust.me()
        charges = self._work.read(lambda tx: self._store.charges(self._scope, tx, run.id))
        after = msgspec.structs.replace(run, state=RunState.ISSUED)
        made: list[tuple[Statement, str]] = []
        nodes = {c.consumer: c.contract for c in charges} | {
            c.provider: c.contract for c in charges
        }
        for key, body in statement_bodies(charges, run, me).items():
            document = read_statement(body)
            signed = SignedStatement(body, self._trust.sign(body, NATIONAL_SUITE))
            statement = Statement(
                id=key,
                document=document,
                signed=signed,
                sha256=sha256_hex(body),
                issued_at=self._clock.now(),
            )
            made.append((statement, self._node_of(document.party, nodes[document.party])))

        def unit(tx: Tx) -> None:
            for statement, node in made:
                self._store.put_statement(self._scope, tx, statement)
                self._record_issue(tx, statement)
                tx.send(_to_party(statement, node))
            self._step(tx, after, "SettlementClosed", {"statements": len(made)})

        self._work.run(unit)
        return [statement for statement, _node in made]

    def _node_of(self, party: str, contract_id: str) -> str:
        contract = self._contracts.contract(contract_id)
        return (
            contract.provider.node if contract.provider.subject == party else contract.consumer.node
        )

    def _record_issue(self, tx: Tx, statement: Statement) -> None:
        tx.record(
            Fact(
                kind="StatementIssued",
                subject=statement.id,
                actor=self._scope.participant,
                at=statement.issued_at,
                details={"balanceFen": statement.document.balance_fen},
                document=statement.signed.body,
            )
        )

    def _step(self, tx: Tx, run: Run, kind: str, details: Mapping[str, int | str]) -> None:
        self._store.put_run(self._scope, tx, run)
        tx.record(
            Fact(
                kind=kind,
                subject=run.id,
                actor=self._scope.participant,
                at=self._clock.now(),
                details=details,
            )
        )

    def _price(self, run: Run) -> tuple[Charge, ...]:
        deposits = self._work.read(lambda tx: self._store.deposits(self._scope, tx, run.id))
        uses: dict[tuple[str, str], list[ReceiptBody]] = defaultdict(list)
        for deposit in deposits:
            body = _read(deposit.receipt)
            uses[body.consumer, body.use_id].append(body)
        prices: dict[str, Price] = {
            contract: self._contracts.contract(contract).terms.price
            for contract in {deposit.contract for deposit in deposits}
        }
        return tuple(charge for use in sorted(uses) for charge in charges_of_use(uses[use], prices))


def _read(receipt: Receipt) -> ReceiptBody:
    try:
        return msgspec.json.decode(receipt.body, type=ReceiptBody)
    except msgspec.DecodeError as error:
        raise ForgedDeposit(receipt="?", why="form") from error


def _whole_uses(waiting: Sequence[Deposit]) -> Sequence[Deposit]:
    """Receipts of uses that are there for every joint contract, all stating the same rows."""
    uses: dict[tuple[str, str], list[tuple[Deposit, ReceiptBody]]] = defaultdict(list)
    for deposit in waiting:
        body = _read(deposit.receipt)
        uses[body.consumer, body.use_id].append((deposit, body))
    whole: list[Deposit] = []
    for members in uses.values():
        there = {body.contract for _deposit, body in members}
        same_rows = len({body.rows for _deposit, body in members}) == 1
        if same_rows and all(set(body.joint) == there for _deposit, body in members):
            whole.extend(deposit for deposit, _body in members)
    return sorted(whole, key=lambda deposit: (deposit.closed_at, deposit.receipt_id))


def _to_party(statement: Statement, node: str) -> Outgoing:
    return Outgoing(
        key=f"statements/{statement.document.party}",
        to=node,
        code=STATEMENT_ISSUED,
        body=msgspec.json.encode(statement.signed),
    )
