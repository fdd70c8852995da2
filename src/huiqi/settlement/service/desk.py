"""Does a statement agree with what this party itself holds?"""

from collections.abc import Iterator, Sequence

import msgspec

from huiqi.contracts.service import Contracts
from huiqi.contracts.types import Contract
from huiqi.kernel.clock import Clock
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import MissingError
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import SubjectCode
from huiqi.kernel.money import basis_points, split_exactly
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.settlement.charging import read_statement
from huiqi.settlement.errors import ForgedStatement, UnknownStatement
from huiqi.settlement.ports import SettlementStore
from huiqi.settlement.types import Charge, Mismatch, SignedStatement, Statement, StatementBody
from huiqi.trust.service import Trust
from huiqi.trust.types import Member
from huiqi.usage.service import Usage
from huiqi.usage.types import GrantState, ReceiptBody


class SettlementDesk:
    """A participant's side: statements come in and are checked against its own receipts."""

    def __init__(  # noqa: PLR0913 - the parts of a room, named, once
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        store: SettlementStore,
        trust: Trust,
        usage: Usage,
        contracts: Contracts,
    ) -> None:
        self._scope, self._work, self._clock = scope, work, clock
        self._store, self._trust = store, trust
        self._usage, self._contracts = usage, contracts

    def receive(self, sender: Member, signed: SignedStatement) -> None:
        """Keep a statement that the platform signed for this party; a repeat is harmless.

        Raises:
            ForgedStatement: it is not the platform's, not for this party, or other bytes of the
                same number are kept.
        """
        document = self._genuine(sender, signed)
        statement = Statement(
            id=document.statement_id,
            document=document,
            signed=signed,
            sha256=sha256_hex(signed.body),
            issued_at=self._clock.now(),
        )
        self._work.run(lambda tx: self._keep(tx, statement))

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

    def check(self, id: str) -> tuple[Mismatch, ...]:  # noqa: A002 - the field's name
        """Every place where a statement differs from this party's receipts and contracts.

        Each line is compared with the receipt of that number (contract, rows, outcome), with the
        contract's price and fee, and its sums are added up again. Receipts of the period that the
        statement leaves out are named too. Empty: the statement is right.
        """
        document = self.statement(id).document
        own = {body.receipt_id: body for body in self._own_receipts()}
        found: list[Mismatch] = []
        for line in document.lines:
            found.extend(_against_receipt(line, own.get(line.receipt_id)))
            found.extend(_against_price(line, self._contract(line.contract)))
        found.extend(_sums(document))
        found.extend(_left_out(document, own, self._scope.participant))
        return tuple(found)

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Kept statements as (where, recorded SHA-256, bytes), for checking."""
        for statement in self.statements():
            yield f"settlement/{statement.id}", statement.sha256, statement.signed.body

    def _genuine(self, sender: Member, signed: SignedStatement) -> StatementBody:
        platform = self._trust.issuer()
        if sender.id != platform.id:
            raise ForgedStatement(why="sender")
        self._trust.verify(platform, signed.body, signed.signature)
        try:
            document = read_statement(signed.body)
        except msgspec.DecodeError as error:
            raise ForgedStatement(why="form") from error
        if document.party != self._scope.participant or document.platform != platform.id:
            raise ForgedStatement(why="party")
        return document

    def _keep(self, tx: Tx, statement: Statement) -> None:
        known = self._store.statement(self._scope, tx, statement.id)
        if known is not None:
            if known.signed.body != statement.signed.body:
                raise ForgedStatement(why="other bytes of this number are kept")
            return
        self._store.put_statement(self._scope, tx, statement)
        tx.record(
            Fact(
                kind="StatementReceived",
                subject=statement.id,
                actor=statement.document.platform_subject,
                at=self._clock.now(),
                details={"balanceFen": statement.document.balance_fen},
                document=statement.signed.body,
            )
        )

    def _own_receipts(self) -> Iterator[ReceiptBody]:
        for _where, _digest, body in self._usage.documents():
            yield msgspec.json.decode(body, type=ReceiptBody)

    def _contract(self, contract_id: str) -> Contract | None:
        try:
            return self._contracts.contract(contract_id)
        except MissingError:
            return None


def _against_receipt(line: Charge, own: ReceiptBody | None) -> Iterator[Mismatch]:
    if own is None:
        yield Mismatch(receipt_id=line.receipt_id, field="receipt", stated="", own="missing")
        return
    pairs = {
        "contract": (line.contract, own.contract),
        "rows": (str(line.rows), str(own.rows)),
        "closedAt": (line.closed_at, own.closed_at),
        "outcome": (GrantState.COMPLETED.value, own.outcome),
    }
    for field, (stated, mine) in pairs.items():
        if stated != mine:
            yield Mismatch(receipt_id=line.receipt_id, field=field, stated=stated, own=mine)


def _against_price(line: Charge, contract: Contract | None) -> Iterator[Mismatch]:
    if contract is None:
        yield Mismatch(receipt_id=line.receipt_id, field="contract", stated=line.contract, own="")
        return
    price = contract.terms.price
    place = line.joint.index(line.contract) if line.contract in line.joint else 0
    share = split_exactly(line.joint_row_fen, line.weights)[place]
    alone = line.rows * price.parameters.get("per_row_fen", 0)
    numbers = {
        "useFen": (line.use_fen, price.parameters.get("per_use_fen", 0)),
        "rowFen": (line.row_fen, share),
        "jointRowFen": (line.joint_row_fen, alone if len(line.joint) == 1 else line.joint_row_fen),
        "weight": (line.weights[place], price.joint_weight),
        "grossFen": (line.gross_fen, line.use_fen + line.row_fen),
        "feeFen": (line.fee_fen, basis_points(line.gross_fen, price.platform_fee_bp)),
        "netFen": (line.net_fen, line.gross_fen - line.fee_fen),
    }
    for field, (stated, mine) in numbers.items():
        if stated != mine:
            yield Mismatch(
                receipt_id=line.receipt_id, field=field, stated=str(stated), own=str(mine)
            )


def _sums(document: StatementBody) -> Iterator[Mismatch]:
    party = document.party
    owed = sum(line.gross_fen for line in document.lines if line.consumer == party)
    earned = sum(line.net_fen for line in document.lines if line.provider == party)
    numbers = {
        "owedFen": (document.owed_fen, owed),
        "earnedFen": (document.earned_fen, earned),
        "balanceFen": (document.balance_fen, earned - owed),
    }
    for field, (stated, mine) in numbers.items():
        if stated != mine:
            yield Mismatch(receipt_id="", field=field, stated=str(stated), own=str(mine))


def _left_out(
    document: StatementBody, own: dict[str, ReceiptBody], party: SubjectCode | str
) -> Iterator[Mismatch]:
    stated = {line.receipt_id for line in document.lines}
    for body in own.values():
        inside = document.since < body.closed_at <= document.until
        mine = party in {body.provider, body.consumer}
        completed = body.outcome == GrantState.COMPLETED.value
        if inside and mine and completed and body.receipt_id not in stated:
            yield Mismatch(
                receipt_id=body.receipt_id, field="receipt", stated="missing", own=body.closed_at
            )
