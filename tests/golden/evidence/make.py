"""Makes the golden proofs anew: one that holds, and one per defect. Run by hand, from the root.

SM2 signatures and keys are random, so every run gives other bytes; commit them all together.
"""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from huiqi.evidence.service.sealing import Batch
from huiqi.evidence.tree import Frontier, leaf_hash
from huiqi.evidence.types import Proof
from tests.unit.evidence.logs import Log, open_log

HERE = Path(__file__).parent
SEQ = 17
Document = dict[str, Any]


def main() -> None:
    """Write every file."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        ours.mkdir()
        theirs.mkdir()
        with open_log(ours) as log, open_log(theirs) as other:
            log.record(*range(300))
            other.record(*range(1, 301))
            other.evidence.integrate()
            log.evidence.integrate()
            old = log.evidence.checkpoint() or ""
            log.record(300)
            log.evidence.integrate()
            write("keys.json", log.signer.known())
            proof = log.evidence.proof(SEQ)
            write("valid.json", plain(proof))
            for name, document in defects(log, other, old).items():
                write(f"{name}.json", document)


def defects(log: Log, other: Log, old: str) -> dict[str, Document]:
    """The step that refuses it and the name of the defect -> document."""
    good = plain(log.evidence.proof(SEQ))
    note: str = good["checkpoint"]
    lines = note.split("\n")
    path: list[str] = good["path"]
    leaf = base64.b64decode(good["leaf"])
    stranger = plain(other.evidence.proof(SEQ))
    flipped = "0" if path[0][0] != "0" else "1"
    edited_root = ("B" if lines[2][0] != "B" else "C") + lines[2][1:]

    def leaf_of(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return {
        "step1-unknown-format": good | {"format": "huiqi-proof/0"},
        "step1-path-not-hex": good | {"path": ["zz" * 32, *path[1:]]},
        "step1-path-in-capitals": good | {"path": [step.upper() for step in path]},
        "step1-short-hash": good | {"path": [path[0][:-2], *path[1:]]},
        "step1-endless-path": good | {"path": path * 10},
        "step1-no-leaf": {key: value for key, value in good.items() if key != "leaf"},
        "step2-no-checkpoint": good | {"checkpoint": ""},
        "step2-unsigned-checkpoint": good | {"checkpoint": note.partition("\n\n")[0] + "\n"},
        "step2-size-with-leading-zero": good | {"checkpoint": note.replace("\n301\n", "\n0301\n")},
        "step3-edited-checkpoint-size": good | {"checkpoint": note.replace("\n301\n", "\n302\n")},
        "step3-edited-checkpoint-root": good | {"checkpoint": note.replace(lines[2], edited_root)},
        "step3-edited-origin": good | {"checkpoint": note.replace("huizhou", "wuhu")},
        "step3-signature-of-an-older-checkpoint": good
        | {"checkpoint": note.partition("\n\n")[0] + "\n\n" + old.partition("\n\n")[2]},
        "step3-national-signature-stripped": good | {"checkpoint": "\n".join([*lines[:5], ""])},
        "step3-international-signature-stripped": good
        | {"checkpoint": "\n".join([*lines[:4], *lines[5:]])},
        "step3-foreign-log": stranger,
        "step3-foreign-root": good | {"checkpoint": stranger["checkpoint"]},
        "step4-wrong-index": good | {"index": SEQ + 1},
        "step4-negative-index": good | {"index": -1},
        "step4-index-beyond-the-tree": good | {"index": 301},
        "step4-edited-leaf": good | {"leaf": leaf_of(leaf.replace(b'"rows":17', b'"rows":71'))},
        "step4-leaf-with-blank": good | {"leaf": leaf_of(leaf + b" ")},
        "step4-cut-path": good | {"path": path[:-1]},
        "step4-lengthened-path": good | {"path": [*path, path[-1]]},
        "step4-empty-path": good | {"path": []},
        "step4-edited-path": good | {"path": [flipped + path[0][1:], *path[1:]]},
        "step4-swapped-path": good | {"path": [path[1], path[0], *path[2:]]},
        "step4-older-checkpoint": good | {"checkpoint": old},
        "step4-interior-node-as-leaf": interior(log, good),
        "step5-not-an-entry": signed_leaf(log, b"{}"),
        "step5-entry-of-another-number": signed_leaf(log, leaf),
        "step5-leaf-not-canonical": signed_leaf(log, leaf.replace(b'"seq":17', b'"seq": 0')),
        "step5-unknown-version": signed_leaf(
            log, leaf.replace(b'"seq":17', b'"seq":0').replace(b'"v":1', b'"v":2')
        ),
    }


def interior(log: Log, good: Document) -> Document:
    """Passes off two leaf hashes as one leaf: a tree without domain separation would accept."""
    pair = log.evidence.tile(0, 0, 18)[16 * 32 : 18 * 32]
    return good | {
        "index": 8,
        "leaf": base64.b64encode(pair).decode(),
        "path": good["path"][1:],
    }


def signed_leaf(log: Log, leaf: bytes) -> Document:
    """A tree of this one leaf, signed by a log that does not look at what it signs."""
    frontier = Frontier(0, [])
    frontier.append(leaf_hash(leaf))
    note = log.evidence._sealing.signed(Batch(0, frontier, ())).note
    return plain(Proof(index=0, leaf=leaf, path=(), checkpoint=note))


def plain(proof: Proof) -> Document:
    """The JSON document of a proof."""
    return json.loads(msgspec.json.encode(proof))  # type: ignore[no-any-return]  # a JSON object


def write(name: str, document: object) -> None:
    """Keep one file, readable and with a stable order."""
    text = json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=1)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
