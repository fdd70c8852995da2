"""How is a period closed so that a crash at any place neither loses nor doubles a fen?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from huiqi.contracts.service import ContractsDesk
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
from huiqi.settlement.errors import WrongPeriod
from huiqi.settlement.ports import SettlementStore
from huiqi.settlement.receipts import decoded
from huiqi.settlement.types import Charge, Deposit, Run, RunState, SignedStatement, Statement
from huiqi.settlement.uses import Choice, choose, uses_of
from huiqi.trust.service import Trust
from huiqi.trust.types import NATIONAL_SUITE

STATEMENT_ISSUED = "StatementIssued"


class Closing:
    """The verbs that close a period, and that finish a closing which was cut off."""

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

    def close_period(self, *, until: datetime | None = None) -> Sequence[Statement]:
        """Settle every whole use closed up to ``until`` (default: now); the statements issued.

        1. take the receipts 2. price them 3. post to the ledger 4. issue signed statements.
        Each step is durable before the next; a closing that was cut off is finished first. A use
        that cannot be settled is held, with the reason, and tried again by the next closing.

        Raises:
            WrongPeriod: ``until`` is in the future or before the end of the last closing.
        """
        if until is not None:
            self._check_end(until)
        issued: list[Statement] = []
        for run in self._unfinished():
            issued.extend(self._finish(run))
        taken = self._take(iso(until or self._clock.now()))
        if taken is not None:
            issued.extend(self._finish(taken))
        return issued

    def recover(self) -> int:
        """At start: finish closings that were cut off; how many statements that issued."""
        return sum(len(self._finish(run)) for run in self._unfinished())

    def runs(self) -> Sequence[Run]:
        """Every closing, oldest first."""
        return self._work.read(lambda tx: self._store.runs(self._scope, tx))

    def _unfinished(self) -> Sequence[Run]:
        return [run for run in self.runs() if run.state is not RunState.ISSUED]

    def _check_end(self, until: datetime) -> None:
        earlier = self.runs()
        last = earlier[-1].until if earlier else ""
        if not last <= iso(until) <= iso(self._clock.now()):
            raise WrongPeriod(until=iso(until))

    def _take(self, until: str) -> Run | None:
        """Step 1: every use that can be settled whole now belongs to a new closing."""
        waiting = self._work.read(lambda tx: self._store.open_deposits(self._scope, tx, until))
        choice = choose(waiting, self._prices(waiting))
        run = self._work.run(lambda tx: self._new_run(tx, until, choice))
        if run is not None:
            reached("settlement.taken")
        return run

    def _new_run(self, tx: Tx, until: str, choice: Choice) -> Run | None:
        """The closing with the chosen uses, None when another closing has been faster."""
        waiting = {d.receipt_id: d for d in self._store.open_deposits(self._scope, tx, until)}
        uses = [use for use in choice.taken if all(d.receipt_id in waiting for d in use)]
        self._hold(tx, waiting, choice)
        earlier = self._store.runs(self._scope, tx)
        last = earlier[-1].until if earlier else ""
        if not uses or until < last:
            return None
        run = Run(
            id=self._ids.uuid(),
            number=len(earlier) + 1,
            since=last,
            until=until,
            state=RunState.TAKEN,
            started_at=self._clock.now(),
        )
        receipts = [deposit for use in uses for deposit in use]
        for deposit in receipts:
            taken = msgspec.structs.replace(deposit, run=run.id, held="", held_zh="")
            self._store.put_deposit(self._scope, tx, taken)
        self._step(tx, run, "SettlementTaken", {"receipts": len(receipts), "until": run.until})
        return run

    def _hold(self, tx: Tx, waiting: Mapping[str, Deposit], choice: Choice) -> None:
        for receipt_id, why in choice.held.items():
            deposit = waiting.get(receipt_id)
            if deposit is not None and (deposit.held, deposit.held_zh) != (why.en, why.zh):
                held = msgspec.structs.replace(deposit, held=why.en, held_zh=why.zh)
                self._store.put_deposit(self._scope, tx, held)
                tx.record(
                    Fact(
                        kind="ReceiptHeld",
                        subject=deposit.contract,
                        actor=self._scope.participant,
                        at=self._clock.now(),
                        details={"receipt": receipt_id, "why": why.en},
                    )
                )

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
        charges = self._charges(run)
        after = msgspec.structs.replace(run, state=RunState.PRICED)

        def unit(tx: Tx) -> Run:
            stands = self._stored(tx, run)
            if stands.state is not RunState.TAKEN:
                return stands
            for charge in charges:
                self._store.put_charge(self._scope, tx, run.id, charge)
            gross = sum(charge.gross_fen for charge in charges)
            self._step(tx, after, "SettlementPriced", {"charges": len(charges), "grossFen": gross})
            return after

        return self._work.run(unit)

    def _write_postings(self, run: Run) -> Run:
        """Step 3: a balanced ledger entry for each charge."""
        platform = self._trust.me().subject
        after = msgspec.structs.replace(run, state=RunState.POSTED)

        def unit(tx: Tx) -> Run:
            stands = self._stored(tx, run)
            if stands.state is not RunState.PRICED:
                return stands
            charges = self._store.charges(self._scope, tx, run.id)
            for charge in charges:
                for posting in postings_of(charge, run, platform):
                    self._store.post(self._scope, tx, posting)
            self._step(tx, after, "SettlementPosted", {"entries": len(charges)})
            return after

        return self._work.run(unit)

    def _issue(self, run: Run) -> Sequence[Statement]:
        """Step 4: sign and send each party its statement, all in one transaction."""
        charges = self._work.read(lambda tx: self._store.charges(self._scope, tx, run.id))
        made = [
            self._signed(body) for body in statement_bodies(charges, run, self._trust.me()).values()
        ]
        nodes = self._nodes(charges)
        after = msgspec.structs.replace(run, state=RunState.ISSUED)

        def unit(tx: Tx) -> Sequence[Statement]:
            if self._stored(tx, run).state is RunState.ISSUED:
                every = self._store.statements(self._scope, tx)
                return [each for each in every if each.document.run == run.id]
            for statement in made:
                self._store.put_statement(self._scope, tx, statement)
                self._record_issue(tx, statement)
                tx.send(_to_party(statement, nodes[statement.document.party]))
            self._step(tx, after, "SettlementClosed", {"statements": len(made)})
            return made

        return self._work.run(unit)

    def _signed(self, body: bytes) -> Statement:
        document = read_statement(body)
        return Statement(
            id=document.statement_id,
            document=document,
            signed=SignedStatement(body, self._trust.sign(body, NATIONAL_SUITE)),
            sha256=sha256_hex(body),
            issued_at=self._clock.now(),
        )

    def _nodes(self, charges: Sequence[Charge]) -> Mapping[str, str]:
        """The system that each party's statement goes to: the one that its contract names."""
        nodes: dict[str, str] = {}
        for contract_id in sorted({charge.contract for charge in charges}):
            contract = self._contracts.contract(contract_id)
            for party in (contract.provider, contract.consumer):
                nodes.setdefault(party.subject, party.node)
        return nodes

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

    def _stored(self, tx: Tx, run: Run) -> Run:
        """How far a closing has come, whoever brought it there."""
        return next(each for each in self._store.runs(self._scope, tx) if each.id == run.id)

    def _charges(self, run: Run) -> tuple[Charge, ...]:
        deposits = self._work.read(lambda tx: self._store.deposits(self._scope, tx, run.id))
        uses = uses_of(decoded(deposit.receipt.body) for deposit in deposits)
        prices = self._prices(deposits)
        return tuple(charge for use in sorted(uses) for charge in charges_of_use(uses[use], prices))

    def _prices(self, deposits: Sequence[Deposit]) -> Mapping[str, Price]:
        """The agreed price of every contract that is filed here."""
        prices: dict[str, Price] = {}
        for contract in sorted({deposit.contract for deposit in deposits}):
            try:
                prices[contract] = self._contracts.contract(contract).terms.price
            except MissingError:
                continue
        return prices


def _to_party(statement: Statement, node: str) -> Outgoing:
    return Outgoing(
        key=f"statements/{statement.document.party}",
        to=node,
        code=STATEMENT_ISSUED,
        body=msgspec.json.encode(statement.signed),
    )
