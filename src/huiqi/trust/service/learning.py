"""Whom does this system know, and how does it learn and confirm what its issuer says?"""

import threading
from datetime import timedelta

import msgspec

from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import HuiqiError, MissingError, UnavailableError
from huiqi.kernel.ids import IdSource, WrongIdentifier, check_object_id
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.trust.credentials import OBJECT_TYPES, check_credential
from huiqi.trust.errors import (
    DirectoryBusy,
    ForgedSignature,
    MemberSuspended,
    NotEnrolled,
    UnknownMember,
)
from huiqi.trust.ports import Directory, KeyStore, Passwords, TrustStore
from huiqi.trust.service.questions import ASK_AGAIN, Questions
from huiqi.trust.types import Known, Member, MemberCredential, Standing, Tie

# A record learned from the issuer is confirmed again after this time, when its member sends
# something (spec/ndi-identity section 10: cached status no longer than five minutes).
CONFIRM_AFTER = timedelta(seconds=60)
# How long a caller waits for the issuer before the record kept here stands. The lease of a running
# use is 1.8 s and renewed every 0.5 s (usage): this and one interval fit into it.
PATIENCE_S = 1.0
# How many questions to the issuer may be open at once. Anybody can make a system ask by naming an
# unknown sender, and a thread that waits for the issuer does nothing else.
MOST_LOOKUPS = 4
# Each check of a password takes 64 MiB for a tenth of a second, whoever asks for it.
MOST_PASSWORD_CHECKS = 6
# The reason of a suspension that the issuer reported; it ends when the issuer vouches again.
_BY_ISSUER = "suspended by the issuer"


class Learning:
    """This system's own record, and those it learned from its issuer."""

    def __init__(  # noqa: PLR0913 - the ports of the room, plugged in at one place
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: TrustStore,
        keys: KeyStore,
        passwords: Passwords,
        directory: Directory | None,
    ) -> None:
        self._scope, self._work, self._clock, self._ids = scope, work, clock, ids
        self._store, self._keys = store, keys
        self._passwords, self._directory = passwords, directory
        # Apart, so that strangers cannot keep a known member from being confirmed.
        self._learning = threading.BoundedSemaphore(MOST_LOOKUPS)
        self._password_checks = threading.BoundedSemaphore(MOST_PASSWORD_CHECKS)
        self._confirming = threading.BoundedSemaphore(MOST_LOOKUPS)
        self._questions = Questions()

    def me(self) -> Member:
        """This system's own record.

        Raises:
            NotEnrolled: it has not joined yet.
        """
        found = self._tied(Tie.SELF)
        if found is None:
            raise NotEnrolled
        return found.member

    def enrolled(self) -> bool:
        """Whether this system has an identity."""
        return self._tied(Tie.SELF) is not None

    def issuer(self) -> Member:
        """Who admitted this system; a system that founded itself is its own issuer.

        Raises:
            NotEnrolled: it has not joined yet.
        """
        found = self._tied(Tie.ISSUER)
        return found.member if found is not None else self.me()

    def standing_now(self, id: str, *, older_than_s: float, wait_s: float = PATIENCE_S) -> str:  # noqa: A002 - as in ``member``
        """``active``, ``suspended`` or ``unknown``, as the issuer says now.

        The issuer is asked when the record kept here is older than ``older_than_s`` seconds, once
        in two seconds at most, beside the caller, who waits ``wait_s`` seconds at most. While no
        answer is there, and while the issuer is away, the record kept here stands; an answer that
        comes later is kept for the next call. Not for use inside a transaction.

        Raises:
            ForgedSignature: what the issuer answered is not signed by it.
            HuiqiError: the issuer refused to answer, for another reason than the member.
        """
        known = self._work.read(lambda tx: self._store.known(self._scope, tx, id))
        if known is None:
            return Standing.UNKNOWN
        if self._directory is None or not self._old(known, timedelta(seconds=older_than_s)):
            return known.standing
        try:
            return self._asked_again(known, self._directory, wait_s).standing
        except UnavailableError:
            return known.standing
        except HuiqiError as error:
            if isinstance(error, MissingError) or _reason(error) == UnknownMember.code:
                return Standing.UNKNOWN
            raise

    def reconfirmed(self, id: str) -> Member:  # noqa: A002 - as in ``member``
        """The member as the issuer sees it now, for when it is not where it was.

        The old record while the issuer is away, and for members that were not learned from it.

        Raises:
            UnknownMember: it is not known here.
        """
        known = self._work.read(lambda tx: self._here(tx, id))
        if known.tie is not Tie.LEARNED or self._directory is None:
            return known.member
        return self._confirmed(known, self._directory).member

    def _tied(self, tie: Tie) -> Known | None:
        return self._work.read(lambda tx: self._store.tied(self._scope, tx, tie))

    def _here(self, tx: Tx, member: str) -> Known:
        found = self._store.known(self._scope, tx, member)
        if found is None:
            raise UnknownMember(member=member[:80])
        return found

    def _known(self, member: str) -> Known:
        found = self._work.read(lambda tx: self._store.known(self._scope, tx, member))
        if found is None:
            return self._learned(member)
        # A suspension that the issuer has ended is not to last another minute here.
        most = ASK_AGAIN if found.reason == _BY_ISSUER else CONFIRM_AFTER
        if self._directory is None or not self._old(found, most):
            return found
        return self._asked_again(found, self._directory, PATIENCE_S)

    def _old(self, known: Known, most: timedelta) -> bool:
        return known.tie is Tie.LEARNED and self._clock.now() - known.checked_at > most

    def _asked_again(self, known: Known, directory: Directory, wait_s: float) -> Known:
        """The record after asking the issuer; the old one when that takes longer than ``wait_s``.

        Raises:
            HuiqiError: what was answered cannot be kept, or nobody could be asked.
        """
        member = known.member.id
        question = self._questions.about(
            member, self._clock.now(), lambda: self._confirmed(known, directory)
        )
        if not question.answered(wait_s):
            return known
        if question.failure is not None:
            raise question.failure
        return self._work.read(lambda tx: self._here(tx, member))

    def _learned(self, member: str) -> Known:
        if self._directory is None or not _is_system(member):
            raise UnknownMember(member=member[:80])
        try:
            credential = _asked(self._directory, member, self._learning)
        except HuiqiError as error:
            if isinstance(error, MissingError) or _reason(error) == UnknownMember.code:
                raise UnknownMember(member=member[:80]) from error
            if _reason(error) == MemberSuspended.code:
                raise MemberSuspended(member=member[:80]) from error
            raise
        return self._keep_learned(member, credential)

    def _confirmed(self, known: Known, directory: Directory) -> Known:
        """A learned record as the issuer sees it now; the old one while the issuer is away."""
        try:
            credential = _asked(directory, known.member.id, self._confirming)
        except DirectoryBusy:
            raise  # the issuer is not away: whether it vouches still can be known in a moment
        except UnavailableError:
            return known
        except HuiqiError as error:
            if _reason(error) == MemberSuspended.code:
                return self._suspended_above(known.member.id)
            raise
        return self._keep_learned(known.member.id, credential)

    def _suspended_above(self, member: str) -> Known:
        def verb(tx: Tx) -> Known:
            known = self._here(tx, member)
            reason = known.reason if known.standing is Standing.SUSPENDED else _BY_ISSUER
            after = msgspec.structs.replace(
                known,
                standing=Standing.SUSPENDED,
                reason=reason,
                checked_at=self._clock.now(),
            )
            self._store.put_member(self._scope, tx, after)
            return after

        return self._work.run(verb)

    def _keep_learned(self, member: str, credential: MemberCredential) -> Known:
        issuer = self.issuer()
        if credential.issuer != issuer.id or credential.member.id != member:
            raise ForgedSignature(key=credential.signature.key_id[:64])
        check_credential(credential, issuer)

        def verb(tx: Tx) -> Known:
            before = self._store.known(self._scope, tx, member)
            after = Known(member=credential.member, tie=Tie.LEARNED, checked_at=self._clock.now())
            if before is not None and before.reason != _BY_ISSUER:
                # What was suspended here is resumed here, whatever the issuer says.
                after = msgspec.structs.replace(
                    after, standing=before.standing, reason=before.reason
                )
            self._store.put_member(self._scope, tx, after)
            return after

        return self._work.run(verb)


def _reason(error: HuiqiError) -> str:
    """The issuer's own code when the refusal came from afar, else the error's code."""
    return error.params.get("reason", error.code)


def _asked(
    directory: Directory, member: str, places: threading.BoundedSemaphore
) -> MemberCredential:
    """What the issuer says about ``member``.

    Raises:
        DirectoryBusy: all places are taken; nobody waits for one.
    """
    if not places.acquire(blocking=False):
        raise DirectoryBusy
    try:
        return directory.lookup(member)
    finally:
        places.release()


def _is_system(member: str) -> bool:
    try:
        check_object_id(member, *(kind for kinds in OBJECT_TYPES.values() for kind in kinds))
    except WrongIdentifier:
        return False
    return True
