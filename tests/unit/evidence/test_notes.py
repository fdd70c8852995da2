"""Notes and checkpoints: the bytes of the specifications, and every other spelling refused."""

import pytest

from huiqi.evidence.errors import BrokenNote
from huiqi.evidence.notes import (
    ED25519,
    SM2,
    Note,
    NoteSignature,
    checkpoint_text,
    key_hash,
    parse_checkpoint,
    parse_note,
    render_note,
    signature_fault,
)
from tests.unit.evidence.logs import SUITES, check_signature

# The example of C2SP tlog-checkpoint.
EXAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
    "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# The verifier key in the documentation of the signed note format:
# PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW.
PUBLISHED_NAME, PUBLISHED_HASH = "PeterNeumann", "c74f20a3"
PUBLISHED_KEY = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6"
NAME = "example.com/log"


def test_the_example_of_the_specification_is_read_and_written_alike() -> None:
    note = parse_note(EXAMPLE)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint_text(checkpoint) == note.text
    assert render_note(note) == EXAMPLE
    assert [len(s.value) for s in note.signatures] == [64]


def test_the_key_hash_is_that_of_a_published_verifier_key() -> None:
    assert key_hash(ED25519, PUBLISHED_NAME, PUBLISHED_KEY).hex() == PUBLISHED_HASH


def test_one_key_has_different_hashes_under_different_types_and_names() -> None:
    hashes = {key_hash(suite, name, "04" * 32) for suite in (ED25519, SM2) for name in ("a", "b")}
    assert len(hashes) == 4
    with pytest.raises(BrokenNote):
        key_hash("rot13", "a", "00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com\n",
        EXAMPLE.partition("\n\n")[0] + "\n",
        EXAMPLE[:-1],
        EXAMPLE + "\n",
        EXAMPLE.replace("\u2014", "-"),
        EXAMPLE.replace("\u2014 ", "\u2014"),
        EXAMPLE.replace("\u2014 example.com/behind-the-sofa", "\u2014 a+b"),
        EXAMPLE.replace("YQ8=", "YQ8"),
        EXAMPLE.replace("YQ8=", "YQ9="),
        EXAMPLE.replace("Az3grl", "Az3g rl"),
        EXAMPLE.replace("\n20852163", "\r\n20852163"),
        "a\n1\nx\n\n\u2014 a AAAA\n",
        "text\n\n" + "\u2014 a AAAAAAA=\n" * 65,
        "x" * (1 << 20) + EXAMPLE,
    ],
)
def test_what_is_not_exactly_a_note_is_refused(text: str) -> None:
    with pytest.raises(BrokenNote):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n\u0661\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n" + "9" * 5000 + "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n1\nAAAA\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BrokenNote):
        parse_checkpoint(text)


def test_extension_lines_are_accepted() -> None:
    text = "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n"
    assert parse_checkpoint(text).size == 1


def pair(suite: str) -> tuple[bytes, str]:
    return SUITES[suite].generate()


def line(suite: str, private: bytes, public: str, text: str) -> NoteSignature:
    value = bytes.fromhex(SUITES[suite].sign(private, text.encode()))
    return NoteSignature(NAME, key_hash(suite, NAME, public), value)


TEXT = f"{NAME}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.mark.parametrize("suite", [ED25519, SM2])
def test_a_line_of_a_known_key_counts_and_lines_of_strangers_are_ignored(suite: str) -> None:
    private, public = pair(suite)
    mine = line(suite, private, public, TEXT)
    stranger = line(suite, *pair(suite), TEXT)
    note = parse_note(render_note(Note(TEXT, (stranger, mine))))
    keys = {suite: [("old", pair(suite)[1]), ("id", public)]}
    assert signature_fault(note, keys, check_signature) is None
    assert signature_fault(Note(TEXT, (stranger,)), keys, check_signature) is not None


def test_every_suite_asked_for_must_have_signed() -> None:
    pairs = {suite: pair(suite) for suite in (ED25519, SM2)}
    keys = {suite: [("id", public)] for suite, (_, public) in pairs.items()}
    lines = tuple(line(suite, *keypair, TEXT) for suite, keypair in pairs.items())
    assert signature_fault(Note(TEXT, lines), keys, check_signature) is None
    for one in lines:
        assert signature_fault(Note(TEXT, (one,)), keys, check_signature) is not None


def test_a_wrong_line_of_a_known_key_spoils_a_right_one() -> None:
    private, public = pair(ED25519)
    right = line(ED25519, private, public, TEXT)
    wrong = NoteSignature(NAME, right.key_hash, bytes(64))
    keys = {ED25519: [("id", public)]}
    assert signature_fault(Note(TEXT, (right, wrong)), keys, check_signature) is not None


@pytest.mark.parametrize(
    "keys",
    [{}, {ED25519: []}, {"rot13": [("id", "00")]}, {ED25519: [("id", "not hex")]}],
)
def test_nothing_counts_as_signed_without_usable_keys(keys: dict[str, list]) -> None:
    private, public = pair(ED25519)
    note = Note(TEXT, (line(ED25519, private, public, TEXT),))
    assert signature_fault(note, keys, check_signature) is not None


def test_a_line_under_another_name_does_not_count() -> None:
    private, public = pair(ED25519)
    mine = line(ED25519, private, public, TEXT)
    other = NoteSignature("example.com/other", mine.key_hash, mine.value)
    assert signature_fault(Note(TEXT, (other,)), {ED25519: [("id", public)]}, check_signature)
