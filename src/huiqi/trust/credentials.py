"""Which bytes are signed when a system joins and when one vouches for another?

Each document is signed together with the name of its kind, so that a signature over one can
never stand for another.
"""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.digests import sha256_hex
from huiqi.kernel.ids import (
    ObjectType,
    SystemId,
    WrongIdentifier,
    check_object_id,
    check_subject_code,
    owner_of,
)
from huiqi.trust.addresses import clean_address
from huiqi.trust.errors import WrongApplication
from huiqi.trust.signatures import genuine, verify_with
from huiqi.trust.types import (
    NATIONAL_SUITE,
    Application,
    Member,
    MemberCredential,
    PublicKey,
    SystemKind,
    Welcome,
)

# Which N04 object types are which kind of system.
OBJECT_TYPES = {
    SystemKind.NODE: (
        ObjectType.GLOBAL_NODE,
        ObjectType.REGIONAL_NODE,
        ObjectType.INDUSTRY_NODE,
    ),
    SystemKind.PLATFORM: (ObjectType.BUSINESS_NODE,),
    SystemKind.CONNECTOR: (ObjectType.CONNECTOR,),
}
# Who may invite whom: nodes admit platforms, platforms admit connectors.
INVITES = {
    SystemKind.NODE: (SystemKind.PLATFORM,),
    SystemKind.PLATFORM: (SystemKind.CONNECTOR,),
    SystemKind.CONNECTOR: (),
}
_LONGEST_NAME = 100
_AREA = re.compile(r"[0-9]{4}")


def credential_bytes(member: Member, issuer: str) -> bytes:
    """What an issuer signs to vouch for ``member``."""
    return _typed("huiqi-credential/1", {"member": member, "issuer": issuer})


def application_bytes(application: Application) -> bytes:
    """What a newcomer signs with each of its keys: the application without its signatures."""
    unsigned = msgspec.structs.replace(application, signatures=())
    return _typed("huiqi-application/1", {"application": unsigned})


def proof_bytes(application: Application) -> bytes:
    """What the proof of the invitation's secret covers: no signatures and no proof."""
    bare = msgspec.structs.replace(application, signatures=(), proof="")
    return _typed("huiqi-application-proof/1", {"application": bare})


def welcome_bytes(credential: MemberCredential, issuer: Member, members: Sequence[Member]) -> bytes:
    """What an issuer signs with the key that the invitation names."""
    parts = {"credential": credential, "issuer": issuer, "members": tuple(members)}
    return _typed("huiqi-welcome/1", parts)


def keys_digest(keys: Sequence[PublicKey]) -> str:
    """One fingerprint of all keys of a system, whatever their order."""
    return sha256_hex("\n".join(sorted(f"{key.suite} {key.value}" for key in keys)).encode())


def check_record(member: Member) -> None:
    """Accept a member's record that agrees with itself.

    Raises:
        WrongIdentifier: the identifier is not genuine, of another kind or of another subject.
        WrongSubjectCode: the unified social credit code fails its check character.
        WrongApplication: the name, the area or a key is not in form.
        WrongAddress: the address is not one.
    """
    check_subject_code(member.subject)
    check_object_id(member.id, *OBJECT_TYPES[member.kind])
    if owner_of(member.id) != member.subject:
        raise WrongIdentifier(identifier=member.id, why="subject")
    check_details(member.name, member.area)
    clean_address(member.address)
    check_keys(member.keys)


def check_details(name: str, area: str) -> None:
    """Accept a name of 1 to 100 printable characters and an area code (N04 section 4.1).

    Marks that nobody sees, such as those that turn the direction of writing, can make one name
    look like another.

    Raises:
        WrongApplication: one of them is not in form.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise WrongApplication(part="name")
    if not _AREA.fullmatch(area):
        raise WrongApplication(part="area")


def check_keys(keys: Sequence[PublicKey]) -> None:
    """Accept genuine keys, one per suite, with the national suite among them.

    Raises:
        WrongApplication: they are not.
    """
    names = [key.suite for key in keys]
    if NATIONAL_SUITE not in names or len(set(names)) != len(names):
        raise WrongApplication(part="keys")
    if not all(genuine(key) for key in keys):
        raise WrongApplication(part="keys")


def check_application(application: Application) -> None:
    """Accept an application in form, signed with every key that it names.

    Raises:
        WrongSubjectCode, WrongAddress, WrongApplication: a part is not in form.
        ForgedSignature: one of the keys has not signed it.
    """
    check_subject_code(application.subject)
    check_details(application.name, application.area)
    clean_address(application.address)
    check_keys(application.keys)
    if [s.suite for s in application.signatures] != [key.suite for key in application.keys]:
        raise WrongApplication(part="signatures")
    text = application_bytes(application)
    for key, signature in zip(application.keys, application.signatures, strict=True):
        verify_with([key], text, signature)


def check_credential(credential: MemberCredential, issuer: Member) -> None:
    """Accept a genuine record for which ``issuer`` vouches.

    Raises:
        ForgedSignature: the credential is not by ``issuer``.
        InvalidError: the record does not agree with itself.
    """
    text = credential_bytes(credential.member, issuer.id)
    verify_with(issuer.keys, text, credential.signature)
    check_record(credential.member)


def newcomer(application: Application, member: SystemId, *, since: datetime) -> Member:
    """The record of the system that applied, under its new identifier."""
    return Member(
        id=member,
        kind=application.kind,
        subject=application.subject,
        name=application.name.strip(),
        area=application.area,
        address=clean_address(application.address),
        keys=application.keys,
        since=since,
    )


def check_welcome_signature(welcome: Welcome, fingerprint: str) -> None:
    """Accept a welcome signed with the issuer's key of this fingerprint.

    Raises:
        ForgedSignature: the issuer has no such key, or did not sign this with it.
    """
    named = [key for key in welcome.issuer.keys if key.key_id == fingerprint and genuine(key)]
    text = welcome_bytes(welcome.credential, welcome.issuer, welcome.members)
    verify_with(named, text, welcome.signature)


def _typed(kind: str, parts: dict[str, object]) -> bytes:
    return canonical_bytes({"kind": kind, **parts})
