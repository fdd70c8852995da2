"""How is a checkpoint written down and signed?

The forms are those of C2SP signed-note and tlog-checkpoint.

A signed note is a text ending in a line feed, an empty line, and signature lines. The exact bytes
(UTF-8) of a checkpoint:

    <origin> LF <size, decimal> LF <root, base64> LF LF
    U+2014 SP <key name> SP base64(key hash [4 bytes] || signature [64 bytes]) LF   (once per key)

What is signed is the text with its last line feed, without the empty line. The key name is the
origin. The key hash is SHA-256(key name || 0x0A || type || public key)[:4], with

* Ed25519: type 0x01, the public key of 32 bytes, the signature of RFC 8032;
* SM2-with-SM3: C2SP assigns no type, so 0xff, which it reserves for such, followed by the
  identifier ``huiqi.sm2-with-sm3/1`` (ASCII); the public key of 65 bytes 04||x||y; the signature
  is r||s of GB/T 32918.2 over the text, with SM3 and the default user id 1234567812345678.

A verifier that does not know SM2 ignores that line, as the specification demands.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence

import msgspec

from huiqi.evidence.errors import BrokenNote
from huiqi.evidence.ports import Keys, SignatureCheck
from huiqi.evidence.tree import HASH_BYTES
from huiqi.kernel.text import Text

# Names of the crypto suites as contracts carry them; a signature line belongs to one of them.
ED25519 = "ed25519-sha256-aes"
SM2 = "sm2-sm3-sm4"
SIGNATURE_TYPES = {ED25519: b"\x01", SM2: b"\xffhuiqi.sm2-with-sm3/1"}
KEY_HASH_BYTES = 4
# The specification asks to accept at least 16 lines; two keys and many witnesses fit below this.
MOST_SIGNATURES = 64
LONGEST_NOTE = 1 << 20
_LARGEST_SIZE = (1 << 63) - 1
_DASH = "\u2014 "


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line: who says so (``name`` and ``key_hash``), and the signature's bytes."""

    name: str
    key_hash: bytes
    value: bytes


class Note(msgspec.Struct, frozen=True):
    """A signed note: the signed text with its final line feed, and the lines below it."""

    text: str
    signatures: tuple[NoteSignature, ...]


class Checkpoint(msgspec.Struct, frozen=True):
    """What a checkpoint's text says: whose log, how many entries, the root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def is_name(name: str) -> bool:
    """Whether ``name`` may be an origin and key name: printable, no blanks, no plus sign."""
    return bool(name) and name.isprintable() and "+" not in name and len(name.split()) == 1


def key_hash(suite: str, name: str, public: str) -> bytes:
    """The 4 bytes that name a key in a signature line; ``public`` is hex.

    Raises:
        BrokenNote: the suite has no signature type.
    """
    kind = SIGNATURE_TYPES.get(suite)
    if kind is None:
        raise BrokenNote(why=f"no signature type for {suite[:40]}")
    named = name.encode() + b"\n" + kind + bytes.fromhex(public)
    return hashlib.sha256(named).digest()[:KEY_HASH_BYTES]


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text to sign.

    >>> print(checkpoint_text(Checkpoint("example.com/log", 0, bytes(32))), end="")
    example.com/log
    0
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    """
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """What the text of a checkpoint says; extension lines after the third are accepted.

    Raises:
        BrokenNote: the text is not written exactly as the specification demands.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):  # noqa: PLR2004 - three lines, each ended
        raise BrokenNote(why="lines")
    origin, size, root = lines[:3]
    digits = size.isascii() and size.isdigit() and len(size) < 20  # noqa: PLR2004 - 63 bits
    if not digits or str(int(size)) != size or int(size) > _LARGEST_SIZE:
        raise BrokenNote(why="size")
    digest = _base64(root)
    if digest is None or len(digest) != HASH_BYTES:
        raise BrokenNote(why="root")
    return Checkpoint(origin, int(size), digest)


def render_note(note: Note) -> str:
    """The signed note as text."""
    lines = [
        f"{_DASH}{s.name} {base64.b64encode(s.key_hash + s.value).decode()}\n"
        for s in note.signatures
    ]
    return f"{note.text}\n{''.join(lines)}"


def parse_note(text: str) -> Note:
    """A signed note from its text.

    Raises:
        BrokenNote: no empty line, no signature line, a line of another form, control characters,
            more than 64 signatures or 1 MiB.
    """
    if len(text) > LONGEST_NOTE or any(c < " " and c != "\n" for c in text):
        raise BrokenNote(why="characters")
    body, empty_line, below = text.rpartition("\n\n")
    lines = below.split("\n")
    if not empty_line or lines.pop() or not lines or len(lines) > MOST_SIGNATURES:
        raise BrokenNote(why="signature lines")
    return Note(text=body + "\n", signatures=tuple(_signature(line) for line in lines))


def signature_fault(note: Note, keys: Keys, check: SignatureCheck) -> Text | None:
    """Why the note does not count as signed by ``keys``; None when it does.

    Every suite that ``keys`` names must have signed with one of its keys, under the origin's name,
    and no line of a known key may be wrong. Lines of unknown keys are ignored.
    """
    if not any(keys.values()):
        return Text("没有可用于验证的公钥", "no key to check with was given")
    name = note.text.partition("\n")[0]
    for suite, known in keys.items():
        if suite not in SIGNATURE_TYPES:
            return Text(f"未知的密码套件 {suite[:40]}", f"unknown suite {suite[:40]}")
        publics = [public for _, public in known]
        verdicts = _verdicts(note, (suite, name), publics, check)
        if not verdicts:
            return Text(f"没有已知密钥的 {suite} 签名", f"no {suite} signature of a known key")
        if not all(verdicts):
            return Text(f"{suite} 签名不正确", f"the {suite} signature is wrong")
    return None


def _verdicts(
    note: Note, who: tuple[str, str], publics: Sequence[str], check: SignatureCheck
) -> list[bool]:
    suite, name = who
    data = note.text.encode()
    return [
        check(suite, public, data, line.value.hex())
        for public in publics
        for line in note.signatures
        if line.name == name and line.key_hash == _known_hash(suite, name, public)
    ]


def _known_hash(suite: str, name: str, public: str) -> bytes | None:
    try:
        return key_hash(suite, name, public)
    except ValueError:
        return None  # a public key that is not hex has signed nothing


def _signature(line: str) -> NoteSignature:
    name, blank, value = line.removeprefix(_DASH).partition(" ")
    blob = _base64(value)
    if not line.startswith(_DASH) or not blank or not is_name(name):
        raise BrokenNote(why="signature line")
    if blob is None or len(blob) <= KEY_HASH_BYTES:
        raise BrokenNote(why="signature bytes")
    return NoteSignature(name, blob[:KEY_HASH_BYTES], blob[KEY_HASH_BYTES:])


def _base64(text: str) -> bytes | None:
    """The bytes of strict standard base64 (RFC 4648, 4); None when another spelling was used."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
