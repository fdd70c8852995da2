"""What becomes of uses that nobody ended?"""

from huiqi.policy.types import Reason
from huiqi.usage.ports import Use
from huiqi.usage.refusals import crashed, lease_over
from huiqi.usage.service.books import LEASE_GRACE, RESULT_LIFE, Books
from huiqi.usage.states import GrantMessage, GrantSender
from huiqi.usage.types import Closing, GrantState


class Upkeep(Books):
    """The verbs that run at start and on a beat."""

    def recover(self) -> int:
        """At start: end what a crash left open, and sign what was to be signed.

        1. Uses that ran here died with the process, before any byte left: failed, and the
           reservation is given back.
        2. Uses that another connector executes: expired; they stay consumed, with every row
           they were granted, because their bytes may have left.
        3. Every receipt whose signing was intended is signed.

        Returns how many receipts it signed; a second call finds nothing to do.
        """
        for use in self._work.read(lambda tx: self._store.open_uses(self._scope, tx, None)):
            # Step 1
            if not use.lent:
                self._given_up(use, GrantMessage.FAIL, crashed())
            # Step 2
            else:
                self._given_up(use, GrantMessage.EXPIRE, crashed())
        # Step 3
        return self._sign_intended()

    def expire_due(self) -> int:
        """On a beat: end uses whose lease is long over, and forget results of an hour ago.

        Returns how many uses expired. Those that ran here give their reservation back, because
        nothing leaves without ``close``; those that ran elsewhere stay consumed. Receipts whose
        signature failed are signed.
        """
        now = self._clock.now()
        due = self._work.read(lambda tx: self._store.open_uses(self._scope, tx, now - LEASE_GRACE))
        for use in due:
            self._given_up(use, GrantMessage.EXPIRE, lease_over())
        if self._work.read(
            lambda tx: self._store.stale_results(self._scope, tx, now - RESULT_LIFE)
        ):
            self._work.run(lambda tx: self._store.drop_results(self._scope, tx, now - RESULT_LIFE))
        self._sign_intended()
        return len(due)

    def _given_up(self, use: Use, message: GrantMessage, reason: Reason) -> None:
        closing = Closing(outcome=GrantState.FAILED, reasons=(reason,))
        self._ended(use, closing, (message, GrantSender.CLOCK))

    def _sign_intended(self) -> int:
        unsigned = self._work.read(lambda tx: self._store.unsigned(self._scope, tx))
        for kept in unsigned:
            self._receipt_signed(kept.receipt_id)
        return len(unsigned)
