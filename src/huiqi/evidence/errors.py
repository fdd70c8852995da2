"""What can go wrong with the evidence log and with proofs from it?"""

from huiqi.kernel.errors import IntegrityError, InvalidError, MissingError, UnavailableError


class HistoryRewritten(IntegrityError):
    """Stored evidence no longer gives the tree that was signed; nothing more is signed.

    An old copy of the database was put back, or rows were changed behind the software. Run the
    check of the log to see the places, and restore the newest backup.
    """

    code = "evidence.history_rewritten"
    zh = "存证历史与已签名的检查点不一致（{where}），已停止签发；请运行存证自检"
    en = "The stored evidence contradicts the signed checkpoint ({where}); run the check of the log"


class DamagedEntry(IntegrityError):
    """A stored entry cannot be read. Run the check of the log and restore the newest backup."""

    code = "evidence.damaged_entry"
    zh = "第 {seq} 条存证已损坏，无法读取；请运行存证自检"
    en = "Entry {seq} of the evidence log is damaged; run the check of the log"


class LeafTooLong(IntegrityError):
    """An entry has more than 65 535 bytes, which an entry bundle cannot carry.

    Its proof can still be had one by one; the fact that was recorded holds too many details.
    """

    code = "evidence.leaf_too_long"
    zh = "第 {seq} 条存证超过 65535 字节，不能放入条目包"
    en = "Entry {seq} exceeds 65535 bytes and does not fit an entry bundle"


class ForgedProof(IntegrityError):
    """A proof fails at the step it names: it was edited, or comes from another log or signer.

    Do not rely on the document. Ask its sender for a fresh proof, and compare the signer's keys
    with those that the platform vouches for.
    """

    code = "evidence.forged_proof"
    zh = "存证证明在第 {step} 步未通过：{why_zh}"
    en = "The evidence proof fails at step {step}: {why}"


class BrokenNote(InvalidError):
    """A text is not a signed checkpoint. Ask the log for its checkpoint again."""

    code = "evidence.broken_note"
    zh = "不是有效的签名检查点：{why}"
    en = "Not a signed checkpoint: {why}"


class WrongSigner(UnavailableError):
    """The signature came from a key that is not among the signer's own.

    The keys were changed at this moment. The next round signs with the new ones.
    """

    code = "evidence.wrong_signer"
    zh = "签名密钥刚刚变更，请稍后重试"
    en = "The signing keys have just changed; try again"


class NotIntegratedYet(UnavailableError):
    """The entry is recorded, but no signed checkpoint covers it yet. Try again in a second."""

    code = "evidence.not_integrated_yet"
    zh = "第 {seq} 条存证已记录，尚未纳入检查点，请稍后重试"
    en = "Entry {seq} is recorded but not under a checkpoint yet; try again in a moment"


class UnknownEntry(MissingError):
    """The log has no such entry. Check the number or the digest, and whose log it is."""

    code = "evidence.unknown_entry"
    zh = "存证日志中没有：{what}"
    en = "The evidence log has no entry {what}"


class UnknownTile(MissingError):
    """The tree has no tile or bundle of this level, index and width.

    Fetch the checkpoint first: its size says which tiles there are.
    """

    code = "evidence.unknown_tile"
    zh = "没有这个瓦片：{path}"
    en = "There is no tile {path}"


class WrongTreeSize(InvalidError):
    """Two tree sizes are out of order or beyond the newest checkpoint; ask for smaller ones."""

    code = "evidence.wrong_tree_size"
    zh = "树的大小不正确：{old} 到 {new}，当前为 {size}"
    en = "Wrong tree sizes: {old} to {new}, the log has {size}"
