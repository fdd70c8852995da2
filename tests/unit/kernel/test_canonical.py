"""One document has one byte form, the same as RFC 8785 gives for what we allow."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.canonical import DEEPEST, LARGEST_INTEGER, NotCanonical, canonical_bytes

text = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127))
leaves = (
    st.none()
    | st.booleans()
    | text
    | st.integers(min_value=-LARGEST_INTEGER, max_value=LARGEST_INTEGER)
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


def rfc_8785(value: object) -> str:
    """RFC 8785 section 3.2, written out for strings, integers, literals, arrays and objects."""
    if isinstance(value, dict):
        # Property names are sorted by their UTF-16 code units (section 3.2.3).
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{quoted(n)}:{rfc_8785(value[n])}" for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(rfc_8785, value)) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(value: str) -> str:
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    written = (
        short.get(ord(c), f"\\u{ord(c):04x}") if ord(c) < 32 or c in '"\\' else c for c in value
    )
    return '"' + "".join(written) + '"'


def shuffled(value: object) -> object:
    """An equal document whose objects were filled in another order."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(documents)
def test_the_bytes_are_those_of_rfc_8785(document: object) -> None:
    assert canonical_bytes(document) == rfc_8785(document).encode()


@given(documents)
def test_equal_documents_give_equal_bytes(document: object) -> None:
    assert canonical_bytes(shuffled(document)) == canonical_bytes(document)


@given(documents)
def test_the_bytes_read_back_as_the_document(document: object) -> None:
    assert json.loads(canonical_bytes(document)) == document


def test_a_struct_and_its_plain_form_have_the_same_bytes() -> None:
    class Term(msgspec.Struct, rename="camel"):
        right_operand: str
        action: int

    expected = b'{"action":3,"rightOperand":"\xe8\xaf\x84\xe4\xbc\xb0"}'
    assert canonical_bytes(Term("评估", 3)) == expected
    assert canonical_bytes({"rightOperand": "评估", "action": 3}) == expected


def test_a_set_has_one_order_whatever_its_hashes_are() -> None:
    names = {f"name {number}" for number in range(50)}
    assert canonical_bytes([names]) == canonical_bytes([sorted(names)])


def nested(depth: int, kind: type) -> object:
    value: object = "end"
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_nesting_ends_at_the_limit(kind: type) -> None:
    assert canonical_bytes(nested(DEEPEST, kind))
    for depth in (DEEPEST + 1, 100_000):
        with pytest.raises(NotCanonical, match="nesting"):
            canonical_bytes(nested(depth, kind))


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (1.0, "float"),
        ({"a": [float("nan")]}, "float"),
        ({"价格": 1}, "key"),
        ({1: "a"}, "key"),
        ([LARGEST_INTEGER + 1], "integer"),
        ([-LARGEST_INTEGER - 1], "integer"),
        (2**70, "integer"),
        ({"a": "\ud800"}, "surrogate"),
        (object(), "object"),
    ],
)
def test_what_has_no_single_form_is_refused(document: object, what: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        canonical_bytes(document)
    assert caught.value.params["what"] == what
