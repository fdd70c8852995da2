"""Is this message from whom it says, for us, fresh, and here for the first time?"""

from huiqi.kernel.ids import SystemId
from huiqi.kernel.work import Tx
from huiqi.trust.errors import (
    MalformedStamp,
    MemberSuspended,
    NotEnrolled,
    ReplayedMessage,
    WrongReceiver,
    WrongReply,
)
from huiqi.trust.service.membership import Membership
from huiqi.trust.signatures import verify_with
from huiqi.trust.stamps import (
    STAMP_VERSION,
    acceptable_until,
    check_form,
    milliseconds,
    stamp_text,
    stamped,
)
from huiqi.trust.types import NATIONAL_SUITE, Member, Signature, Stamp, Standing, Tie

# Takes the place of the signature while the text to sign is made.
_UNSIGNED = Signature(suite="", key_id="", value="")


class Stamping(Membership):
    """The authentication of messages between systems."""

    def stamp(self, code: str, receiver: str, body: bytes) -> Stamp:
        """Authenticate a request ``code`` with ``body`` to the system ``receiver``.

        Raises:
            NotEnrolled: this system has no identity.
        """
        return self._stamped(code, receiver, body, in_reply_to="")

    def check_request(self, stamp: Stamp, body: bytes) -> Member:
        """The genuine sender of a request, which is from now on known as received.

        1. form 2. receiver and window of 300 s 3. the sender is known, here or to the issuer, and
        active; signature, first of all with the keys that are known here, so that nobody is asked
        about a forged message 4. it is no reply 5. (sender, sequence) was not seen before, kept
        durably until the window is over. Nothing is written before 3 holds.

        Raises:
            MalformedStamp, WrongReceiver, StaleMessage, UnknownMember, MemberSuspended,
            ForgedSignature, UnknownSuite, ReplayedMessage: one of the steps does not hold.
            DirectoryBusy: the issuer cannot be asked at this moment.
        """
        check_form(stamp)
        self._check_receiver(stamp)
        until = acceptable_until(stamp, self._clock.now())
        sender = self._genuine(stamp, body)
        if stamp.in_reply_to:
            raise MalformedStamp(part="inReplyTo")

        def verb(tx: Tx) -> bool:
            self._store.forget_seen(self._scope, tx, self._clock.now())
            return self._store.first_seen(self._scope, tx, (stamp.sender, stamp.sequence), until)

        if not self._work.run(verb):
            raise ReplayedMessage
        return sender

    def stamp_reply(self, request: Stamp, body: bytes) -> Stamp:
        """Authenticate ``body`` as the reply to ``request``.

        Raises:
            NotEnrolled: this system has no identity.
            MalformedStamp: the request names no sequence, so that the reply would be a request.
        """
        if not request.sequence:
            raise MalformedStamp(part="sequenceNum")
        return self._stamped(request.code, request.sender, body, in_reply_to=request.sequence)

    def check_reply(self, stamp: Stamp, body: bytes, request: Stamp) -> None:
        """Accept ``body`` as the answer of the system that ``request`` was sent to.

        Raises:
            MalformedStamp, WrongReceiver, StaleMessage, UnknownMember, MemberSuspended,
            ForgedSignature, UnknownSuite: as in ``check_request``.
            WrongReply: it is by another system, or answers another request.
        """
        check_form(stamp)
        self._check_receiver(stamp)
        acceptable_until(stamp, self._clock.now())
        if stamp.sender != request.receiver:
            raise WrongReply(part="sender")
        if stamp.in_reply_to != request.sequence:
            raise WrongReply(part="sequenceNum")
        if stamp.code != request.code:
            raise WrongReply(part="msgcode")
        sender = self._sender(stamp)
        verify_with(sender.keys, stamp_text(stamp, body), stamp.signature)

    def _stamped(self, code: str, receiver: str, body: bytes, *, in_reply_to: str) -> Stamp:
        draft = Stamp(
            code=code,
            version=STAMP_VERSION,
            timestamp=milliseconds(self._clock.now()),
            sequence=self._ids.uuid().replace("-", ""),
            sender=self.me().id,
            receiver=receiver,
            signature=_UNSIGNED,
            in_reply_to=in_reply_to,
        )
        check_form(draft)
        return stamped(draft, body, lambda text: self._keys.sign(NATIONAL_SUITE, text))

    def _check_receiver(self, stamp: Stamp) -> None:
        mine = self._tied(Tie.SELF)
        if mine is None:
            raise NotEnrolled
        if SystemId(stamp.receiver) != mine.member.id:
            raise WrongReceiver

    def _genuine(self, stamp: Stamp, body: bytes) -> Member:
        text = stamp_text(stamp, body)
        here = self._work.read(lambda tx: self._store.known(self._scope, tx, stamp.sender))
        if here is not None:
            verify_with(here.member.keys, text, stamp.signature)
        sender = self._sender(stamp)
        if here is None or sender.keys != here.member.keys:
            verify_with(sender.keys, text, stamp.signature)
        return sender

    def _sender(self, stamp: Stamp) -> Member:
        known = self._known(stamp.sender)
        if known.standing is not Standing.ACTIVE:
            raise MemberSuspended(member=known.member.id)
        return known.member
