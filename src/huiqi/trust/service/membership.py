"""Who am I, who are the others, and may they act?"""

import threading
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from huiqi.kernel.clock import Clock
from huiqi.kernel.errors import HuiqiError, MissingError, UnavailableError
from huiqi.kernel.facts import Fact
from huiqi.kernel.ids import IdSource, WrongIdentifier, check_object_id
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.trust.addresses import clean_address
from huiqi.trust.credentials import (
    OBJECT_TYPES,
    check_credential,
    credential_bytes,
)
from huiqi.trust.errors import (
    DirectoryBusy,
    ForgedSignature,
    MemberSuspended,
    NotEnrolled,
    OwnStanding,
    UnknownMember,
)
from huiqi.trust.ports import Directory, KeyStore, Passwords, TrustStore
from huiqi.trust.signatures import verify_with
from huiqi.trust.types import (
    NATIONAL_SUITE,
    Known,
    Member,
    MemberCredential,
    Signature,
    Standing,
    SystemKind,
    Tie,
)

# A record learned from the issuer is confirmed again after this time (spec/ndi-identity
# section 10: cached status no longer than five minutes).
CONFIRM_AFTER = timedelta(minutes=5)
# How many questions to the issuer may be open at once. Anybody can make a system ask by naming an
# unknown sender, and a thread that waits for the issuer does nothing else.
MOST_LOOKUPS = 4
# Each check of a password takes 64 MiB for a tenth of a second, whoever asks for it.
MOST_PASSWORD_CHECKS = 6
# The reason of a suspension that the issuer reported; it ends when the issuer vouches again.
_BY_ISSUER = "suspended by the issuer"


class Membership:
    """The members that one system knows, itself among them."""

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

    def member(self, id: str) -> Member:  # noqa: A002 - the field's name in every document
        """The member of this identifier, learned from the issuer when it is not known here.

        A suspended member is returned too: its old signatures are still to be checked.

        Raises:
            UnknownMember: neither this system nor its issuer knows it.
            ForgedSignature: what the issuer answered is not signed by it.
            UnavailableError: the issuer does not answer and the member is not known here.
        """
        return self._known(id).member

    def members(self, kind: SystemKind | None = None) -> Sequence[Member]:
        """Every member known here, this system and suspended ones too, in order of joining."""
        known = self._work.read(lambda tx: self._store.all_known(self._scope, tx))
        return [k.member for k in known if kind is None or k.member.kind is kind]

    def member_of(self, subject: str) -> Member:
        """The system of an organisation: its connector before others, active before suspended.

        Raises:
            UnknownMember: no system of this subject code is known here.
        """
        found = self._work.read(lambda tx: self._store.of_subject(self._scope, tx, subject))
        ranked = sorted(
            found,
            key=lambda k: (
                k.standing is not Standing.ACTIVE,
                k.member.kind is not SystemKind.CONNECTOR,
            ),
        )
        if not ranked:
            raise UnknownMember(member=subject[:80])
        return ranked[0].member

    def credential(self, id: str) -> MemberCredential:  # noqa: A002 - as in ``member``
        """The record of a member with this system's signature: what a directory answers.

        Raises:
            UnknownMember: it is not known.
            MemberSuspended: nobody shall rely on it now.
        """
        me, known = self.me(), self._known(id)
        if known.standing is not Standing.ACTIVE:
            raise MemberSuspended(member=known.member.id)
        return self._vouch(me, known.member)

    def moved(self, member: str, address: str) -> None:
        """Keep the new address of a member or of this system; a repeat changes nothing.

        Raises:
            WrongAddress: not an http or https URL.
            UnknownMember: nobody of this identifier is known here.
        """
        clean = clean_address(address)

        def verb(tx: Tx) -> None:
            known = self._here(tx, member)
            if known.member.address == clean:
                return
            after = msgspec.structs.replace(known.member, address=clean)
            self._store.put_member(self._scope, tx, msgspec.structs.replace(known, member=after))
            document = msgspec.json.encode(after)
            tx.record(self._fact("AddressMoved", after.id, actor=after.id, document=document))

        self._work.run(verb)

    def suspend(self, id: str, reason: str) -> None:  # noqa: A002 - as in ``member``
        """Let a member act no more, from this moment on; a repeat changes nothing.

        Raises:
            UnknownMember: nobody of this identifier is known here.
            OwnStanding: it is this system itself.
        """
        self._stand(id, Standing.SUSPENDED, reason)

    def resume(self, id: str) -> None:  # noqa: A002 - as in ``member``
        """Let a suspended member act again; a repeat changes nothing.

        Raises:
            UnknownMember: nobody of this identifier is known here.
            OwnStanding: it is this system itself.
        """
        self._stand(id, Standing.ACTIVE, "")

    def standing(self, id: str) -> str:  # noqa: A002 - as in ``member``
        """``active``, ``suspended`` or ``unknown``, as the books here say; asks nobody."""
        found = self._work.read(lambda tx: self._store.known(self._scope, tx, id))
        return Standing.UNKNOWN if found is None else found.standing

    def sign(self, data: bytes, suite: str | None = None) -> Signature:
        """This system's signature over ``data``, under the national suite unless told.

        Raises:
            UnknownSuite: no key of this suite.
            SigningFailed: the library gave no signature.
        """
        return self._keys.sign(suite or NATIONAL_SUITE, data)

    def verify(self, signer: Member, data: bytes, signature: Signature) -> None:
        """Accept ``signature`` by ``signer`` over ``data``.

        Raises:
            ForgedSignature: it is not.
            UnknownSuite: the suite is not installed here.
        """
        verify_with(signer.keys, data, signature)

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
        old = self._clock.now() - found.checked_at > CONFIRM_AFTER
        if found.tie is Tie.LEARNED and old and self._directory is not None:
            return self._confirmed(found, self._directory)
        return found

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

    def _vouch(self, me: Member, member: Member) -> MemberCredential:
        signature = self._keys.sign(NATIONAL_SUITE, credential_bytes(member, me.id))
        return MemberCredential(member=member, issuer=me.id, signature=signature)

    def _stand(self, member: str, standing: Standing, reason: str) -> None:
        me = self.me()
        if member == me.id:
            raise OwnStanding
        kind = "MemberSuspended" if standing is Standing.SUSPENDED else "MemberResumed"

        def verb(tx: Tx) -> None:
            known = self._here(tx, member)
            if known.standing is standing:
                return
            after = msgspec.structs.replace(known, standing=standing, reason=reason)
            self._store.put_member(self._scope, tx, after)
            # The reason may name people: only its digests enter the log.
            document = reason.encode() if reason else None
            tx.record(self._fact(kind, known.member.id, actor=me.id, document=document))

        self._work.run(verb)

    def _fact(
        self,
        kind: str,
        subject: str,
        *,
        actor: str,
        details: dict[str, str] | None = None,
        document: bytes | None = None,
    ) -> Fact:
        return Fact(
            kind=kind,
            subject=subject,
            actor=actor,
            at=self._clock.now(),
            details=details or {},
            document=document,
        )


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
