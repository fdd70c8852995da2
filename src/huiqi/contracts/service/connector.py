"""What can a connector do with its contracts?"""

from msgspec.structs import replace

from huiqi.contracts.agreements import voucher_bytes
from huiqi.contracts.errors import WrongParty
from huiqi.contracts.messages import TERMINATE, to_peer, to_platform
from huiqi.contracts.negotiation import check_reason
from huiqi.contracts.service.books import EARLY, role_of
from huiqi.contracts.service.reading import Reading
from huiqi.contracts.service.signing import Signing
from huiqi.contracts.states import TABLE, Message, sender_of
from huiqi.contracts.types import Contract, ContractStatus, TerminationNotice
from huiqi.kernel.clock import iso
from huiqi.kernel.work import Tx
from huiqi.trust.types import Member, Signature

_UNSIGNED = Signature(suite="", key_id="", value="")


class Contracts(Signing, Reading):
    """The contracts of a connector, as provider and as consumer: negotiate, sign, end."""

    def terminate(self, id: str, *, reason: str) -> Contract:  # noqa: A002 - the name in the interface
        """End the contract at once, in any status; the other party and the platform are told.

        Raises:
            UnknownContract: it is not in these books.
            IllegalStep: it has ended already.
            WrongText: no reason, or one over 256 characters.
        """
        check_reason(reason)
        contract = self.contract(id)
        TABLE.step(contract.status, Message.TERMINATE, sender_of(contract.mine))
        notice, platform = self._notice(contract, reason), self._trust.issuer().id

        def verb(tx: Tx) -> Contract:
            ended = self._end(tx, self._held(tx, id), notice, contract.mine)
            tx.send(to_peer(ended, TERMINATE, notice))
            tx.send(to_platform(ended.id, platform, TERMINATE, notice))
            return ended

        return self._work.run(verb)

    def receive_termination(self, sender: Member, notice: TerminationNotice) -> None:
        """Take the other party's termination; a contract that has ended stays as it ended.

        Raises:
            UnknownContract, WrongParty, WrongText, ImplausibleTime, ForgedSignature.
        """
        contract = self.contract(notice.contract_id)
        role = role_of(contract, sender)
        if role is contract.mine:
            raise WrongParty(contract=contract.id, what="sender")
        self._check_notice(sender, notice)

        def verb(tx: Tx) -> None:
            held = self._held(tx, contract.id)
            if held.status is not ContractStatus.TERMINATED:
                self._end(tx, held, notice, role)

        self._work.run(verb)

    def _notice(self, contract: Contract, reason: str) -> TerminationNotice:
        me = self._trust.me()
        notice = TerminationNotice(
            contract_id=contract.id,
            terminate_type=EARLY,
            reason=reason,
            issue_time=iso(self._clock.now()),
            scheduled_end_time=iso(contract.ends_at) if contract.ends_at else "",
            issuer_id=me.id,
            issuer_entity_id=me.subject,
            signature=_UNSIGNED,
        )
        signature = self._trust.sign(voucher_bytes(notice), contract.suite)
        return replace(notice, signature=signature)
