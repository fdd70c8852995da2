"""Joining: only who was invited, only once, only under a genuine subject code and own keys."""

import base64
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from huiqi.kernel.ids import SystemId, WrongIdentifier, WrongSubjectCode
from huiqi.trust.credentials import application_bytes, credential_bytes
from huiqi.trust.errors import (
    AlreadyEnrolled,
    DuplicateMember,
    ForgedSignature,
    InvitationExpired,
    InvitationForAnother,
    InvitationUsed,
    MayNotInvite,
    NotEnrolled,
    WrongAddress,
    WrongApplication,
    WrongInvitation,
    WrongWelcome,
)
from huiqi.trust.service import Trust, verify_with
from huiqi.trust.types import (
    Application,
    Invitation,
    KeptInvitation,
    Member,
    PublicKey,
    SystemKind,
    Welcome,
)
from tests.unit.trust.systems import C1, NODE, OTHER, P1, PLATFORM, START, At, House, allot

replace = msgspec.structs.replace


def applied(newcomer: Trust, code: str, subject: str = P1) -> tuple[Invitation, Application]:
    return newcomer.apply(
        code,
        kind=SystemKind.CONNECTOR,
        subject=subject,
        name="城市交通数据公司",
        area="3401",
        address="http://127.0.0.1:8000/p1/",
    )


@pytest.fixture
def node(house: House) -> Trust:
    return house.node()


@pytest.fixture
def platform(house: House, node: Trust) -> Trust:
    return house.platform(node)


def test_a_node_founds_itself_and_is_its_own_issuer(house: House, node: Trust) -> None:
    assert node.enrolled()
    assert node.issuer() == node.me()
    assert [fact.kind for fact in house.facts(NODE)] == ["MemberFounded"]


def test_founding_twice_is_taken_under_the_same_id_and_refused_under_another(
    house: House, node: Trust
) -> None:
    me = node.me()
    parts = {"kind": SystemKind.NODE, "subject": NODE, "name": "x", "area": "3401"}
    again = node.found(id=me.id, address="http://localhost:1", **parts)  # type: ignore[arg-type] # parts of three types
    assert again == me
    other = SystemId("21234990057TE5TA08U340000000002Y")
    with pytest.raises(AlreadyEnrolled):
        node.found(id=other, address="http://localhost:1", **parts)  # type: ignore[arg-type] # parts of three types
    assert len(house.facts(NODE)) == 1


def test_an_identifier_of_another_subject_or_kind_is_refused(house: House) -> None:
    bare = house.bare(NODE)
    for kind, subject in ((SystemKind.NODE, PLATFORM), (SystemKind.PLATFORM, NODE)):
        with pytest.raises(WrongIdentifier):
            bare.found(
                id=SystemId("21234990057TE5TA08U340000000002Y"),
                kind=kind,
                subject=subject,
                name="x",
                area="3401",
                address="http://localhost:1",
            )
    assert not bare.enrolled()


def test_who_has_not_joined_has_no_identity(house: House) -> None:
    bare = house.bare(P1)
    assert not bare.enrolled()
    for verb in (bare.me, bare.issuer, lambda: bare.stamp("X", "y", b"")):
        with pytest.raises(NotEnrolled):
            verb()
    with pytest.raises(NotEnrolled):
        bare.invite(SystemKind.CONNECTOR, note="")


def test_an_invited_connector_joins_and_knows_its_platform_and_node(
    house: House, node: Trust, platform: Trust
) -> None:
    connector = house.connector(platform, P1)
    me = connector.me()
    assert me == platform.member(me.id)
    assert me.subject == P1
    assert connector.issuer() == platform.me()
    assert platform.issuer() == node.me()
    assert connector.member(node.me().id) == node.me()
    assert not me.address.endswith("/")


def test_facts_name_every_step_and_no_person(house: House, platform: Trust) -> None:
    house.connector(platform, P1)
    kinds = [fact.kind for fact in house.facts(PLATFORM)]
    assert kinds == ["MemberEnrolled", "MemberInvited", "MemberAdmitted"]
    (enrolled,) = house.facts(P1)
    assert enrolled.kind == "MemberEnrolled"
    assert enrolled.details == {"kind": "connector", "issuer": platform.me().id}
    assert len(enrolled.sm3) == 64


def test_the_code_holds_the_fingerprint_and_the_secret_is_neither_kept_nor_sent(
    house: House, platform: Trust
) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="给第一家单位")
    plain = msgspec.json.decode(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
    assert plain["issuer"] == platform.me().id
    assert plain["keyId"] in {key.key_id for key in platform.me().keys}
    invitation, application = applied(house.bare(P1), code)
    assert plain["secret"] not in msgspec.json.encode(application).decode()
    assert plain["secret"] not in repr(invitation)
    rows = house.database.read(
        lambda db: db.raw.execute("SELECT document FROM trust_invitation").fetchall()
    )
    assert all(plain["secret"] not in row[0].decode() for row in rows)


@pytest.mark.parametrize("kind", [SystemKind.NODE, SystemKind.PLATFORM])
def test_a_platform_invites_connectors_only(platform: Trust, kind: SystemKind) -> None:
    with pytest.raises(MayNotInvite):
        platform.invite(kind, note="")


def test_a_connector_invites_nobody(house: House, platform: Trust) -> None:
    connector = house.connector(platform, P1)
    with pytest.raises(MayNotInvite):
        connector.invite(SystemKind.CONNECTOR, note="")


def test_a_wrong_subject_code_is_refused_by_both_sides(house: House, platform: Trust) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="")
    newcomer = house.bare(P1)
    with pytest.raises(WrongSubjectCode):
        applied(newcomer, code, subject="91349900MA8TE3T078")
    _, application = applied(newcomer, code)
    with pytest.raises(WrongSubjectCode):
        platform.admit(replace(application, subject="91349900MA8TE3T078"), allot)


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        ("name", " ", WrongApplication),
        ("name", "长" * 101, WrongApplication),
        ("area", "安徽", WrongApplication),
        ("address", "ftp://example.org", WrongAddress),
        ("address", "http://user@example.org/x", WrongAddress),
        ("address", "http://" + "a" * 300, WrongAddress),
    ],
)
def test_a_part_out_of_form_is_refused(
    house: House, platform: Trust, part: str, value: str, error: type[Exception]
) -> None:
    _, application = applied(house.bare(P1), platform.invite(SystemKind.CONNECTOR, note=""))
    with pytest.raises(error):
        platform.admit(replace(application, **{part: value}), allot)


@pytest.mark.parametrize(
    "code", ["", "not a code", "e30", "码", "A" * 3000, "eyJhZGRyZXNzIjoieCJ9", "\x00"]
)
def test_what_is_no_code_is_no_invitation(house: House, code: str) -> None:
    with pytest.raises(WrongInvitation):
        applied(house.bare(P1), code)


def test_a_code_copied_with_line_breaks_is_read(house: House, platform: Trust) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="")
    invitation, _ = applied(house.bare(P1), f" {code[:40]}\n{code[40:]} ")
    assert invitation.issuer == platform.me().id


def test_an_invitation_works_once(house: House, platform: Trust) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="")
    _, first = applied(house.bare(P1), code)
    platform.admit(first, allot)
    _, second = applied(house.bare(C1), code, subject=C1)
    with pytest.raises(InvitationUsed):
        platform.admit(second, allot)


def test_the_same_newcomer_asking_again_gets_the_same_identity(
    house: House, platform: Trust
) -> None:
    newcomer = house.bare(P1)
    code = platform.invite(SystemKind.CONNECTOR, note="")
    invitation, first = applied(newcomer, code)
    before = platform.admit(first, allot)
    house.clock.advance(timedelta(days=31))
    _, second = applied(newcomer, code)
    after = platform.admit(second, allot)
    assert after.credential.member == before.credential.member
    assert [f.kind for f in house.facts(PLATFORM)].count("MemberAdmitted") == 1
    assert newcomer.welcomed(invitation, after) == newcomer.welcomed(invitation, before)
    with pytest.raises(AlreadyEnrolled):
        applied(newcomer, code)


def test_two_applications_at_once_get_one_identity(house: House, platform: Trust) -> None:
    newcomer = house.bare(P1)
    _, application = applied(newcomer, platform.invite(SystemKind.CONNECTOR, note=""))

    def slow(wanted: Application) -> SystemId:
        platform.admit(application, allot)  # the other one is faster
        return allot(wanted)

    welcome = platform.admit(application, slow)
    assert [m.id for m in platform.members(SystemKind.CONNECTOR)] == [welcome.credential.member.id]


def test_an_invitation_ends_after_thirty_days(house: House, platform: Trust) -> None:
    _, application = applied(house.bare(P1), platform.invite(SystemKind.CONNECTOR, note=""))
    house.clock.advance(timedelta(days=30))
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvitationExpired):
        platform.admit(application, allot)


def test_an_invitation_is_for_its_kind_and_its_issuer(
    house: House, node: Trust, platform: Trust
) -> None:
    newcomer = house.bare(P1)
    _, application = applied(newcomer, node.invite(SystemKind.PLATFORM, note=""))
    for issuer in (node, platform):
        with pytest.raises(WrongInvitation):
            issuer.admit(application, allot)


def _resigned(house: House, application: Application) -> Application:
    """The application under keys of somebody who does not have the secret."""
    thief = house.bare(OTHER)
    keys = thief._keys.public()
    forged = replace(application, keys=keys)
    text = application_bytes(forged)
    return replace(forged, signatures=tuple(thief.sign(text, key.suite) for key in keys))


def _no_proof(house: House, application: Application) -> Application:
    return _resigned(house, replace(application, proof="码" * 64))


@pytest.mark.parametrize(
    ("forge", "error"),
    [
        (lambda _, a: replace(a, name="别的公司"), ForgedSignature),
        (_resigned, WrongInvitation),
        (_no_proof, WrongInvitation),
        (lambda _, a: replace(a, signatures=()), WrongApplication),
        (lambda _, a: replace(a, signatures=a.signatures[::-1]), WrongApplication),
        (lambda _, a: replace(a, keys=a.keys[:1]), WrongApplication),
        (lambda _, a: replace(a, keys=(a.keys[0], a.keys[0])), WrongApplication),
        (
            lambda _, a: replace(a, keys=(a.keys[0], replace(a.keys[1], key_id="0" * 16))),
            WrongApplication,
        ),
        (
            lambda _, a: replace(
                a, keys=(*a.keys, PublicKey(suite="rot13", key_id="", value="xx"))
            ),
            WrongApplication,
        ),
        (lambda _, a: replace(a, invitation="0" * 32), ForgedSignature),
    ],
)
def test_a_forged_application_is_refused_and_nothing_is_kept(
    house: House,
    platform: Trust,
    forge: Callable[[House, Application], Application],
    error: type[Exception],
) -> None:
    _, application = applied(house.bare(P1), platform.invite(SystemKind.CONNECTOR, note=""))
    with pytest.raises(error):
        platform.admit(forge(house, application), allot)
    assert platform.members(SystemKind.CONNECTOR) == []


def test_an_organisation_has_one_active_connector(house: House, platform: Trust) -> None:
    first = house.connector(platform, P1).me()
    machine = house.bare(P1, space="second")
    _, second = applied(machine, platform.invite(SystemKind.CONNECTOR, note=""))
    with pytest.raises(DuplicateMember):
        platform.admit(second, allot)
    platform.suspend(first.id, "更换设备")
    replacement = platform.admit(second, allot).credential.member
    assert platform.member_of(P1) == replacement


def test_an_identifier_allotted_to_somebody_else_is_not_given(
    house: House, platform: Trust
) -> None:
    _, application = applied(house.bare(P1), platform.invite(SystemKind.CONNECTOR, note=""))
    with pytest.raises(WrongIdentifier):
        platform.admit(application, lambda a: allot(replace(a, subject=C1)))


@pytest.fixture
def welcome(house: House, platform: Trust) -> tuple[Trust, Invitation, Welcome]:
    newcomer = house.bare(P1, directory=At(platform))
    invitation, application = applied(newcomer, platform.invite(SystemKind.CONNECTOR, note=""))
    return newcomer, invitation, platform.admit(application, allot)


def test_a_welcome_by_another_key_than_the_fingerprint_is_refused(
    house: House, node: Trust, welcome: tuple[Trust, Invitation, Welcome]
) -> None:
    newcomer, invitation, given = welcome
    with pytest.raises(ForgedSignature):
        newcomer.welcomed(replace(invitation, key_id="0" * 16), given)
    impostor = house.bare(OTHER)
    keys = impostor._keys.public()
    issuer = replace(given.issuer, keys=keys)
    with pytest.raises(ForgedSignature):
        newcomer.welcomed(invitation, replace(given, issuer=issuer))
    # An impostor that copies the fingerprint onto its own key.
    copied = tuple(replace(key, key_id=invitation.key_id) for key in keys)
    with pytest.raises(ForgedSignature):
        newcomer.welcomed(invitation, replace(given, issuer=replace(issuer, keys=copied)))
    with pytest.raises(WrongWelcome):
        newcomer.welcomed(replace(invitation, issuer=node.me().id), given)
    assert not newcomer.enrolled()


def test_a_welcome_for_other_keys_or_with_edited_parts_is_refused(
    house: House, platform: Trust, welcome: tuple[Trust, Invitation, Welcome]
) -> None:
    newcomer, invitation, given = welcome
    with pytest.raises(WrongWelcome):
        house.bare(P1).welcomed(invitation, given)
    member = replace(given.credential.member, name="别的公司")
    edited = replace(given.credential, member=member)
    for forged in (
        replace(given, credential=edited),
        replace(given, members=()),
        replace(given, issuer=replace(given.issuer, address="http://evil.example")),
    ):
        with pytest.raises(ForgedSignature):
            newcomer.welcomed(invitation, forged)
    assert newcomer.welcomed(invitation, given) == platform.member(member.id)


def test_a_credential_stands_offline_with_the_issuers_keys_alone(
    platform: Trust, welcome: tuple[Trust, Invitation, Welcome]
) -> None:
    credential = welcome[2].credential
    text = credential_bytes(credential.member, credential.issuer)
    verify_with(platform.me().keys, text, credential.signature)
    with pytest.raises(ForgedSignature):
        verify_with(platform.me().keys, text + b" ", credential.signature)


def test_documents_survive_the_way_through_json(welcome: tuple[Trust, Invitation, Welcome]) -> None:
    newcomer, invitation, given = welcome
    again = msgspec.json.decode(msgspec.json.encode(given), type=Welcome)
    me: Member = newcomer.welcomed(invitation, again)
    assert me == given.credential.member


def test_a_second_welcome_under_another_identity_is_refused(house: House, platform: Trust) -> None:
    newcomer = house.bare(P1)
    asked = [applied(newcomer, platform.invite(SystemKind.CONNECTOR, note="")) for _ in range(2)]
    first = platform.admit(asked[0][1], allot)
    platform.suspend(first.credential.member.id, "test")
    second = platform.admit(asked[1][1], allot)
    me = newcomer.welcomed(asked[0][0], first)
    with pytest.raises(AlreadyEnrolled):
        newcomer.welcomed(asked[1][0], second)
    assert newcomer.me() == me


def test_an_invitation_for_one_organisation_admits_no_other(house: House, platform: Trust) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="甲", subject=P1)
    thief = house.bare(OTHER)
    _, claim = applied(thief, code, subject=OTHER)
    with pytest.raises(InvitationForAnother) as caught:
        platform.admit(claim, allot)
    assert OTHER in caught.value.text("zh")
    assert P1 not in caught.value.text("zh") + caught.value.text("en")
    assert platform.members(SystemKind.CONNECTOR) == []
    newcomer = house.bare(P1)
    invitation, application = applied(newcomer, code)
    welcome = platform.admit(application, allot)
    assert newcomer.welcomed(invitation, welcome).subject == P1
    assert platform.admit(application, allot).credential.member == welcome.credential.member
    invited = next(fact for fact in house.facts(PLATFORM) if fact.kind == "MemberInvited")
    assert invited.details["subject"] == P1


def test_who_does_not_hold_the_secret_does_not_learn_that_an_invitation_is_bound(
    house: House, platform: Trust
) -> None:
    code = platform.invite(SystemKind.CONNECTOR, note="甲", subject=P1)
    thief = house.bare(OTHER)
    _, claim = applied(thief, code, subject=OTHER)
    claim = replace(claim, proof="0" * 64)
    text = application_bytes(claim)
    signatures = tuple(thief._keys.sign(key.suite, text) for key in claim.keys)
    with pytest.raises(WrongInvitation) as caught:
        platform.admit(replace(claim, signatures=signatures), allot)
    assert not isinstance(caught.value, InvitationForAnother)


@pytest.mark.parametrize("wrong", ["91349900MAXXXX0P1X", "x", "91349900maxxxx0p1l"])
def test_an_invitation_is_not_bound_to_a_code_that_does_not_exist(
    house: House, platform: Trust, wrong: str
) -> None:
    before = house.count("trust_invitation")
    with pytest.raises(WrongSubjectCode):
        platform.invite(SystemKind.CONNECTOR, note="", subject=wrong)
    assert house.count("trust_invitation") == before


def test_an_invitation_kept_before_they_were_bound_is_for_anybody() -> None:
    kept = KeptInvitation(
        id="i",
        kind=SystemKind.CONNECTOR,
        note="",
        proof_key="",
        created_at=START,
        expires_at=START,
    )
    old = {k: v for k, v in msgspec.to_builtins(kept).items() if k != "subject"}
    assert msgspec.convert(old, KeptInvitation) == kept
