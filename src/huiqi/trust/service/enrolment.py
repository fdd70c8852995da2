"""How does a system get its identity: by founding a space, or by an invitation?"""

import secrets
from collections.abc import Callable, Sequence

import msgspec

from huiqi.kernel.ids import SystemId, check_subject_code
from huiqi.kernel.work import Tx
from huiqi.trust.addresses import clean_address
from huiqi.trust.credentials import (
    INVITES,
    application_bytes,
    check_application,
    check_credential,
    check_record,
    check_welcome_signature,
    keys_digest,
    newcomer,
    welcome_bytes,
)
from huiqi.trust.errors import (
    AlreadyEnrolled,
    DuplicateMember,
    MayNotInvite,
    WrongInvitation,
    WrongWelcome,
)
from huiqi.trust.invitations import (
    check_use,
    decode,
    encode,
    expiry,
    invitation_id,
    proof_key,
    proof_of,
)
from huiqi.trust.service.membership import Membership
from huiqi.trust.types import (
    NATIONAL_SUITE,
    Application,
    Invitation,
    KeptInvitation,
    Known,
    Member,
    Standing,
    SystemKind,
    Tie,
    Welcome,
)

# 256 bits; a code is copied by hand once, never typed.
_SECRET_BYTES = 32


class Enrolment(Membership):
    """Founding, inviting, applying, admitting, being welcomed."""

    def found(
        self,
        *,
        id: SystemId,  # noqa: A002 - the field's name in the record
        kind: SystemKind,
        subject: str,
        name: str,
        area: str,
        address: str,
    ) -> Member:
        """Make this system the root of its own space; a repeat under the same id is taken.

        Raises:
            AlreadyEnrolled: it has another identity.
            InvalidError: a part of the record is not in form.
        """
        draft = Application(
            invitation="",
            issuer=id,
            kind=kind,
            subject=check_subject_code(subject),
            name=name,
            area=area,
            address=address,
            keys=self._keys.public(),
            at=self._clock.now(),
        )
        member = newcomer(draft, id, since=self._clock.now())
        check_record(member)
        return self._become(member, kind="MemberFounded", others=())

    def invite(self, kind: SystemKind, *, note: str, subject: str = "") -> str:
        """A code with which one system of ``kind`` may join within 30 days; shown only now.

        With ``subject``, a unified social credit code, only that organisation may; without it,
        whoever holds the code may join under any code that is free.

        Raises:
            NotEnrolled: this system has no identity itself.
            MayNotInvite: nodes invite platforms, platforms invite connectors.
            WrongSubjectCode: ``subject`` is no unified social credit code.
        """
        me = self.me()
        if kind not in INVITES[me.kind]:
            raise MayNotInvite(kind=kind.value)
        bound = check_subject_code(subject) if subject else ""
        # Not from the handed-in ids: an invitation must never be foreseeable.
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        now = self._clock.now()
        kept = KeptInvitation(
            id=invitation_id(secret),
            kind=kind,
            note=note[:200],
            proof_key=proof_key(secret),
            created_at=now,
            expires_at=expiry(now),
            subject=bound,
        )

        def verb(tx: Tx) -> None:
            self._store.put_invitation(self._scope, tx, kept)
            details = {"kind": kind.value}
            if bound:
                details["subject"] = bound
            tx.record(self._fact("MemberInvited", kept.id, actor=me.id, details=details))

        self._work.run(verb)
        return encode(
            Invitation(address=me.address, issuer=me.id, key_id=_fingerprint(me), secret=secret)
        )

    def apply(
        self,
        code: str,
        *,
        kind: SystemKind,
        subject: str,
        name: str,
        area: str,
        address: str,
    ) -> tuple[Invitation, Application]:
        """What the code says, and the signed application to send to its address.

        Raises:
            WrongInvitation: ``code`` is not an invitation code.
            AlreadyEnrolled: this system has an identity.
            InvalidError: subject code, name, area or address are not in form.
        """
        invitation = decode(code)
        mine = self._tied(Tie.SELF)
        if mine is not None:
            raise AlreadyEnrolled(member=mine.member.id)
        draft = Application(
            invitation=invitation_id(invitation.secret),
            issuer=invitation.issuer,
            kind=kind,
            subject=check_subject_code(subject),
            name=name.strip(),
            area=area,
            address=clean_address(address),
            keys=self._keys.public(),
            at=self._clock.now(),
        )
        proved = msgspec.structs.replace(draft, proof=proof_of(draft, proof_key(invitation.secret)))
        text = application_bytes(proved)
        signatures = tuple(self._keys.sign(key.suite, text) for key in proved.keys)
        application = msgspec.structs.replace(proved, signatures=signatures)
        check_application(application)
        return invitation, application

    def admit(self, application: Application, allot: Callable[[Application], SystemId]) -> Welcome:
        """Let an applicant join; the same applicant asking again gets the same identity.

        1. the application is in form, for this system, signed with every key it names
        2. the invitation is ours, for this kind, its secret is proven, it is free or was used by
        these keys 3. no active system of this kind has the subject code 4. ``allot`` gives the
        identifier, outside any transaction 5. all of 2 and 3 again, and it is kept 6. the
        welcome is signed.

        Raises:
            InvalidError: a part of the application is not in form.
            ForgedSignature: one of its keys has not signed it.
            WrongInvitation, InvitationForAnother, InvitationUsed, InvitationExpired: the
                invitation does not hold.
            DuplicateMember: the organisation has an active system of this kind.
        """
        me = self.me()
        if application.issuer != me.id:
            raise WrongInvitation
        check_application(application)
        before = self._work.read(lambda tx: self._admissible(tx, application))
        if before is not None:
            return self._welcome(me, before)
        member = newcomer(application, allot(application), since=self._clock.now())
        check_record(member)

        def verb(tx: Tx) -> Member:
            meanwhile = self._admissible(tx, application)
            if meanwhile is not None:
                return meanwhile
            self._keep_admitted(tx, application, member)
            document = msgspec.json.encode(application)
            details = {"kind": member.kind.value, "invitation": application.invitation}
            tx.record(
                self._fact(
                    "MemberAdmitted", member.id, actor=me.id, details=details, document=document
                )
            )
            return member

        return self._welcome(me, self._work.run(verb))

    def welcomed(self, invitation: Invitation, welcome: Welcome) -> Member:
        """Take the identity that the issuer gave; a repeat of it is taken.

        1. the answer is by whom the invitation names, signed with the key whose fingerprint it
        carries 2. the credential is by the same issuer and genuine 3. it is for our keys
        4. this system, its issuer and the further members are kept.

        Raises:
            WrongWelcome: another issuer, or other keys than ours.
            ForgedSignature: the fingerprint or a signature does not hold.
            AlreadyEnrolled: this system has another identity.
        """
        credential, issuer = welcome.credential, welcome.issuer
        if issuer.id != invitation.issuer or credential.issuer != issuer.id:
            raise WrongWelcome(part="issuer")
        check_welcome_signature(welcome, invitation.key_id)
        check_record(issuer)
        check_credential(credential, issuer)
        if keys_digest(credential.member.keys) != keys_digest(self._keys.public()):
            raise WrongWelcome(part="keys")
        if credential.member.kind not in INVITES[issuer.kind]:
            raise WrongWelcome(part="kind")
        now = self._clock.now()
        others = [Known(member=issuer, tie=Tie.ISSUER, checked_at=now)]
        for further in welcome.members:
            check_record(further)
            if further.id not in {issuer.id, credential.member.id}:
                others.append(Known(member=further, tie=Tie.LEARNED, checked_at=now))
        return self._become(credential.member, kind="MemberEnrolled", others=others)

    def _become(self, member: Member, *, kind: str, others: Sequence[Known]) -> Member:
        now = self._clock.now()

        def verb(tx: Tx) -> Member:
            mine = self._store.tied(self._scope, tx, Tie.SELF)
            if mine is not None and mine.member.id != member.id:
                raise AlreadyEnrolled(member=mine.member.id)
            if mine is not None:
                return mine.member
            self._store.put_member(
                self._scope, tx, Known(member=member, tie=Tie.SELF, checked_at=now)
            )
            for known in others:
                self._store.put_member(self._scope, tx, known)
            details = {"kind": member.kind.value}
            if others:
                details["issuer"] = others[0].member.id
            document = msgspec.json.encode(member)
            tx.record(
                self._fact(kind, member.id, actor=member.id, details=details, document=document)
            )
            return member

        return self._work.run(verb)

    def _admissible(self, tx: Tx, application: Application) -> Member | None:
        """Who joined with this invitation and these keys before; None when it may be used now."""
        kept = self._store.invitation(self._scope, tx, application.invitation)
        keys = keys_digest(application.keys)
        used_by = check_use(kept, application, keys=keys, now=self._clock.now())
        if used_by:
            return self._here(tx, used_by).member
        for known in self._store.of_subject(self._scope, tx, application.subject):
            if known.member.kind is application.kind and known.standing is Standing.ACTIVE:
                raise DuplicateMember(subject=application.subject)
        return None

    def _keep_admitted(self, tx: Tx, application: Application, member: Member) -> None:
        kept = self._store.invitation(self._scope, tx, application.invitation)
        if kept is None:
            raise WrongInvitation
        used = msgspec.structs.replace(kept, used_by=member.id, used_keys=keys_digest(member.keys))
        self._store.put_invitation(self._scope, tx, used)
        known = Known(member=member, tie=Tie.ADMITTED, checked_at=self._clock.now())
        self._store.put_member(self._scope, tx, known)

    def _welcome(self, me: Member, member: Member) -> Welcome:
        credential = self._vouch(me, member)
        above = self.issuer()
        members = () if above.id == me.id else (above,)
        text = welcome_bytes(credential, me, members)
        return Welcome(
            credential=credential,
            issuer=me,
            members=members,
            signature=self._keys.sign(NATIONAL_SUITE, text),
        )


def _fingerprint(member: Member) -> str:
    return next(key.key_id for key in member.keys if key.suite == NATIONAL_SUITE)
