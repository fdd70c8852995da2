"""Does this proof show, without any network, that an entry stands in a signed log?

The steps of ``verify_proof``; a ``ForgedProof`` carries the number of the one that failed:

1. The proof is of the known format and its path is a list of SHA-256 hashes.
2. The checkpoint is a signed note that names a log, a size and a root.
3. Every suite whose keys were handed in has signed the checkpoint, and no known line is wrong.
4. The path leads from the leaf, at its index, to the checkpoint's root (RFC 9162, 2.1.3.2).
5. The leaf is an entry in canonical bytes, and it says the same number as its place.
"""

import msgspec

from huiqi.evidence.errors import BrokenNote, ForgedProof
from huiqi.evidence.notes import Checkpoint, Note, parse_checkpoint, parse_note, signature_fault
from huiqi.evidence.ports import Keys, SignatureCheck
from huiqi.evidence.tree import HASH_BYTES, LONGEST_PATH, leaf_hash, root_from_path
from huiqi.evidence.types import PROOF_FORMAT, Proof
from huiqi.kernel.errors import InvalidError
from huiqi.kernel.facts import Entry
from huiqi.kernel.text import Text

# An entry of the only version there is; see kernel.facts.
ENTRY_VERSION = 1


def parse_proof(data: bytes) -> Proof:
    """A proof from its JSON.

    Raises:
        ForgedProof: step 1, not the JSON of a proof.
    """
    try:
        return msgspec.json.decode(data, type=Proof)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _forged(1, Text("不是存证证明文件", "not the JSON of a proof")) from error


def verify_proof(
    proof: Proof, keys: Keys, *, check: SignatureCheck, origin: str | None = None
) -> Entry:
    """The entry that the proof shows to stand in the log.

    ``keys`` are the log's public keys as the verifier knows them from elsewhere, never from the
    proof's sender: suite -> (key id, hex). ``check`` verifies one signature. When ``origin`` is
    given, the checkpoint must be of that log.

    Raises:
        ForgedProof: with the number of the step that failed and the reason.
    """
    # 1. form
    path = _path(proof)
    # 2. checkpoint
    note, checkpoint = _checkpoint(proof.checkpoint)
    if origin is not None and checkpoint.origin != origin:
        raise _forged(2, Text("检查点属于另一个日志", "the checkpoint is of another log"))
    # 3. signatures
    if fault := signature_fault(note, keys, check):
        raise _forged(3, fault)
    # 4. place
    root = root_from_path(leaf_hash(proof.leaf), proof.index, checkpoint.size, path)
    if root != checkpoint.root:
        raise _forged(4, Text("路径未到达已签名的根", "the path does not lead to the signed root"))
    # 5. entry
    entry = read_entry(proof.leaf)
    if entry is None or entry.seq != proof.index:
        raise _forged(5, Text("条目内容与其序号不符", "the entry is not one, or of another number"))
    return entry


def read_entry(leaf: bytes) -> Entry | None:
    """The entry of a leaf; None when the bytes are not exactly an entry's canonical ones."""
    try:
        entry = msgspec.json.decode(leaf, type=Entry)
        exact = entry.leaf() == leaf
    except (msgspec.MsgspecError, InvalidError, UnicodeDecodeError):
        return None
    return entry if exact and entry.v == ENTRY_VERSION else None


def _path(proof: Proof) -> list[bytes]:
    if proof.format != PROOF_FORMAT:
        raise _forged(1, Text("证明格式未知", "the format is not known"))
    try:
        path = [bytes.fromhex(step) for step in proof.path]
    except ValueError as error:
        raise _forged(1, Text("路径不是十六进制", "the path is not hexadecimal")) from error
    # fromhex also takes blanks and capitals; one proof has one spelling.
    exact = all(step.hex() == text for step, text in zip(path, proof.path, strict=True))
    if not exact or len(path) > LONGEST_PATH or any(len(step) != HASH_BYTES for step in path):
        raise _forged(1, Text("路径长度不正确", "the path has a wrong length"))
    return path


def _checkpoint(text: str) -> tuple[Note, Checkpoint]:
    try:
        note = parse_note(text)
        return note, parse_checkpoint(note.text)
    except BrokenNote as error:
        why = error.params["why"]
        raise _forged(2, Text(f"检查点格式不正确（{why}）", f"not a checkpoint ({why})")) from error


def _forged(step: int, why: Text) -> ForgedProof:
    return ForgedProof(step=step, why=why.en, why_zh=why.zh)
