"""What does the platform take into its books, and do they still add up?"""

from collections.abc import Iterator, Mapping, Sequence

from huiqi.contracts.types import Contract
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.errors import InvalidError, MissingError
from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Tx
from huiqi.policy.types import Price
from huiqi.settlement.charging import (
    charges_of_use,
    postings_of,
    read_statement,
    statement_bodies,
)
from huiqi.settlement.errors import (
    ForgedDeposit,
    ForgedStatement,
    UnknownStatement,
    UnsettledReceipt,
)
from huiqi.settlement.receipts import misfit, read_receipt
from huiqi.settlement.service.closing import Closing
from huiqi.settlement.types import Charge, Deposit, Posting, Replay, Run, Statement
from huiqi.settlement.uses import uses_of
from huiqi.trust.errors import ForgedSignature, UnknownMember, UnknownSuite
from huiqi.trust.types import Member, Signature
from huiqi.usage.types import GrantState, Receipt, ReceiptBody


class Settlement(Closing):
    """The platform's books: receipts come in, periods are closed, statements go out."""

    def deposit(self, sender: Member, receipt: Receipt) -> None:
        """Take a countersigned receipt of a filed contract into the books; a repeat is harmless.

        1. read 2. it fits the filed contract, and the sender is a party of it
        3. both signatures hold 4. keep it, charged only when the use was completed

        Raises:
            UnsettledReceipt: it is not countersigned, or belongs to no contract filed here.
            ForgedDeposit: its form or a signature fails, it does not fit its contract, other
                bytes of this receipt or another charged receipt of this use are booked.
        """
        body = read_receipt(receipt.body)
        contract = self._filed(body)
        why = misfit(body, contract)
        if why is None and sender.id not in {contract.provider.node, contract.consumer.node}:
            why = "sender"
        if why is not None:
            raise ForgedDeposit(receipt=body.receipt_id, why=why)
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

        1. both signatures of every receipt 2. charges and statements, byte for byte
        3. the postings of every charge 4. the signature of every statement

        Raises:
            UnknownStatement: there is no such closing.
        """
        run = next((each for each in self.runs() if each.id == run_id), None)
        if run is None:
            raise UnknownStatement(id=run_id[:80])
        deposits = self._work.read(lambda tx: self._store.deposits(self._scope, tx, run_id))
        suspect = {deposit.receipt_id for deposit in deposits if not self._sound(deposit)}
        charges = _charged_again(_readable(deposits), self._prices(deposits))
        bodies = self._bodies_again(charges, run)
        suspect |= self._misposted(charges, run)
        issued = {s.id: s for s in self.statements() if s.document.run == run_id}
        differing = {key for key in bodies if key not in issued}
        differing |= {
            key
            for key, statement in issued.items()
            if bodies.get(key) != statement.signed.body
            or not self._signed_by_me(statement)
            or any(line.receipt_id in suspect for line in statement.document.lines)
        }
        total = self._work.read(lambda tx: self._store.sum_of_run(self._scope, tx, run_id))
        return Replay(
            run=run_id,
            statements=len(issued),
            same=not differing and not suspect,
            differing=tuple(sorted(differing)),
            sum_fen=total,
            suspect=tuple(sorted(suspect)),
        )

    def _filed(self, body: ReceiptBody) -> Contract:
        try:
            contract = self._contracts.contract(body.contract)
        except MissingError as error:
            raise UnsettledReceipt(receipt=body.receipt_id, why="contract") from error
        if contract.filed_at is None:
            raise UnsettledReceipt(receipt=body.receipt_id, why="contract")
        return contract

    def _check_signatures(self, body: ReceiptBody, receipt: Receipt) -> None:
        if receipt.consumer_signature is None:
            raise UnsettledReceipt(receipt=body.receipt_id, why="countersignature")
        self._check_signature(body, body.provider_node, receipt, receipt.provider_signature)
        self._check_signature(body, body.consumer_node, receipt, receipt.consumer_signature)

    def _check_signature(
        self, body: ReceiptBody, node: str, receipt: Receipt, signature: Signature
    ) -> None:
        if signature.suite != body.suite:
            raise ForgedDeposit(receipt=body.receipt_id, why="suite")
        try:
            self._trust.verify(self._trust.member(node), receipt.body, signature)
        except (ForgedSignature, UnknownMember, UnknownSuite) as error:
            raise ForgedDeposit(receipt=body.receipt_id, why="signature") from error

    def _keep(self, tx: Tx, sender: Member, deposit: Deposit) -> None:
        known = self._store.deposit(self._scope, tx, deposit.receipt_id)
        if known is not None:
            if known.receipt.body != deposit.receipt.body:
                raise ForgedDeposit(receipt=deposit.receipt_id, why="other bytes are booked")
            return
        use = (deposit.use_id, deposit.contract)
        others = self._store.deposits_of_use(self._scope, tx, *use)
        if deposit.charged and any(other.charged for other in others):
            raise ForgedDeposit(
                receipt=deposit.receipt_id, why="another receipt of this use is booked"
            )
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

    def _sound(self, deposit: Deposit) -> bool:
        """Whether a booked receipt is still what both parties signed."""
        try:
            body = read_receipt(deposit.receipt.body)
            self._check_signatures(body, deposit.receipt)
        except (ForgedDeposit, UnsettledReceipt):
            return False
        return (body.receipt_id, body.contract) == (deposit.receipt_id, deposit.contract)

    def _bodies_again(self, charges: Sequence[Charge], run: Run) -> Mapping[str, bytes]:
        try:
            return statement_bodies(charges, run, self._trust.me())
        except InvalidError:  # a price grew beyond what has a canonical form: every byte differs
            return {}

    def _misposted(self, charges: Sequence[Charge], run: Run) -> set[str]:
        """The entries whose postings in the ledger are not those of their charge."""
        platform = self._trust.me().subject
        due = {posting for charge in charges for posting in postings_of(charge, run, platform)}
        booked = set(
            self._work.read(lambda tx: self._store.postings_of_run(self._scope, tx, run.id))
        )
        return {posting.entry for posting in due ^ booked}

    def _signed_by_me(self, statement: Statement) -> bool:
        signed = statement.signed
        try:
            self._trust.verify(self._trust.me(), signed.body, signed.signature)
            return read_statement(signed.body) == statement.document
        except (ForgedSignature, ForgedStatement, UnknownSuite):
            return False


def _readable(deposits: Sequence[Deposit]) -> Iterator[ReceiptBody]:
    for deposit in deposits:
        try:
            yield read_receipt(deposit.receipt.body)
        except ForgedDeposit:  # named by its signatures, which cannot hold either
            continue


def _charged_again(
    bodies: Iterator[ReceiptBody], prices: Mapping[str, Price]
) -> tuple[Charge, ...]:
    """The charges of every use that can still be priced; the others show as other bytes."""
    uses = uses_of(bodies)
    found: list[Charge] = []
    for use in sorted(uses):
        try:
            found.extend(charges_of_use(uses[use], prices))
        except (InvalidError, KeyError):
            continue
    return tuple(found)
