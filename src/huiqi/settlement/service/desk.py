"""Does a statement agree with what this party itself holds?"""

from collections.abc import Iterator, Mapping, Sequence

from huiqi.contracts.service import Contracts
from huiqi.contracts.types import Contract
from huiqi.kernel.clock import Clock
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import MissingError
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.settlement.charging import read_statement
from huiqi.settlement.checking import Held, left_out, mismatches
from huiqi.settlement.errors import ForgedStatement, UnknownStatement
from huiqi.settlement.ports import SettlementStore
from huiqi.settlement.receipts import decoded
from huiqi.settlement.types import Mismatch, SignedStatement, Statement, StatementBody
from huiqi.trust.errors import ForgedSignature, UnknownSuite
from huiqi.trust.service import Trust
from huiqi.trust.types import Member
from huiqi.usage.service import Usage
from huiqi.usage.types import ReceiptBody


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

        Each line is computed again from the receipt of that number and the contract's price and
        fee; the sums are added up again. Receipts that are charged twice are named, and
        countersigned receipts of the period that no statement has. Of a joint use whose other
        contracts are not this party's, only its own part can be checked; see
        ``checking.mismatches``. Empty: the statement is right, as far as this party can know.

        Raises:
            UnknownStatement: there is none of that id.
            ForgedDeposit: an own receipt is damaged; run ``huiqi fsck``.
        """
        document = self.statement(id).document
        receipts = {body.receipt_id: body for body in self._own_receipts()}
        wanted = {one for body in receipts.values() for one in body.joint}
        contracts: dict[str, Contract] = {
            one: contract for one in wanted if (contract := self._contract(one)) is not None
        }
        held = Held(receipts=receipts, contracts=contracts, elsewhere=self._elsewhere(document))
        # What is not countersigned yet cannot be settled; no statement is wrong without it.
        missing = [body for body in left_out(document, held) if self._countersigned(body)]
        return (*mismatches(document, held), *map(_missing, missing))

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Kept statements as (where, recorded SHA-256, bytes), for checking."""
        for statement in self.statements():
            yield f"settlement/{statement.id}", statement.sha256, statement.signed.body

    def _genuine(self, sender: Member, signed: SignedStatement) -> StatementBody:
        platform = self._trust.issuer()
        if sender.id != platform.id:
            raise ForgedStatement(why="sender")
        try:
            self._trust.verify(platform, signed.body, signed.signature)
        except (ForgedSignature, UnknownSuite) as error:
            raise ForgedStatement(why="signature") from error
        document = read_statement(signed.body)
        if document.suite != signed.signature.suite:
            raise ForgedStatement(why="suite")
        if (document.platform, document.platform_subject) != (platform.id, platform.subject):
            raise ForgedStatement(why="platform")
        if document.party != self._scope.participant:
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
            yield decoded(body)

    def _countersigned(self, body: ReceiptBody) -> bool:
        try:
            return self._usage.receipt(body.receipt_id).consumer_signature is not None
        except MissingError:  # its provider has not signed it either
            return False

    def _elsewhere(self, document: StatementBody) -> Mapping[str, str]:
        return {
            line.receipt_id: other.id
            for other in self.statements()
            if other.id != document.statement_id
            for line in other.document.lines
        }

    def _contract(self, contract_id: str) -> Contract | None:
        try:
            return self._contracts.contract(contract_id)
        except MissingError:
            return None


def _missing(body: ReceiptBody) -> Mismatch:
    return Mismatch(
        receipt_id=body.receipt_id, field="receipt", stated="missing", own=body.closed_at
    )
