"""Who am I, who are the others, and may they act?"""

from collections.abc import Sequence

import msgspec

from huiqi.kernel.facts import Fact
from huiqi.kernel.work import Tx
from huiqi.trust.addresses import clean_address
from huiqi.trust.credentials import (
    credential_bytes,
)
from huiqi.trust.errors import (
    MemberSuspended,
    OwnStanding,
    UnknownMember,
)
from huiqi.trust.service.learning import Learning
from huiqi.trust.signatures import verify_with
from huiqi.trust.types import (
    NATIONAL_SUITE,
    Member,
    MemberCredential,
    Signature,
    Standing,
    SystemKind,
)


class Membership(Learning):
    """The members that one system knows, itself among them."""

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
