"""Bodies and headers of the plain dialect: what goes out comes in, what is malformed is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huiqi.kernel.errors import ConflictError
from huiqi.trust.types import Signature, Stamp
from huiqi.wire.errors import MessageTooLarge, MessageUnreadable, PeerRefused
from huiqi.wire.huiqi.bodies import decode, encode
from huiqi.wire.huiqi.envelope import headers_of, stamp_of
from huiqi.wire.huiqi.errors_body import Refused, refusal_of
from huiqi.wire.huiqi.messages import OfUse, Search

field = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
stamps = st.builds(
    Stamp,
    code=field,
    version=field,
    timestamp=field,
    sequence=field,
    sender=field,
    receiver=field,
    signature=st.builds(Signature, suite=field, key_id=field, value=field),
    in_reply_to=st.just("") | field,
)
REQUIRED = (
    "msgcode",
    "msgversion",
    "timestamp",
    "sequencenum",
    "signvalue",
    "x-hq-sender",
    "x-hq-receiver",
    "x-hq-suite",
    "x-hq-key",
)
STAMP = Stamp(
    code="UseQuery",
    version="1.0",
    timestamp="1763863200000",
    sequence="1",
    sender="a",
    receiver="b",
    signature=Signature(suite="s", key_id="k", value="ff"),
)


@given(stamps)
def test_a_stamp_survives_its_headers(stamp: Stamp) -> None:
    headers = headers_of(stamp)
    assert all(name == name.lower() and value.isascii() for name, value in headers.items())
    assert stamp_of(headers) == stamp


def test_a_request_names_no_request_that_it_answers() -> None:
    assert set(headers_of(STAMP)) == set(REQUIRED)


@pytest.mark.parametrize("missing", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "x" * 301])
def test_a_header_that_is_missing_empty_or_endless_is_refused(
    missing: str, value: str | None
) -> None:
    headers = headers_of(STAMP)
    del headers[missing]
    if value is not None:
        headers[missing] = value
    with pytest.raises(MessageUnreadable) as caught:
        stamp_of(headers)
    assert caught.value.params["what"] == missing
    assert len(caught.value.params["message"]) <= 64


def test_a_body_comes_back_with_its_printed_names() -> None:
    body = encode(OfUse(use_id="u", contract="c"))
    assert body == b'{"useId":"u","contract":"c"}'
    assert decode("UseRenew", body, OfUse) == OfUse(use_id="u", contract="c")


def test_unknown_fields_are_passed_over() -> None:
    body = b'{"text":"a","limit":1,"later":{"deep":[1,2]}}'
    assert decode("CatalogSearch", body, Search) == Search(text="a", limit=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"text":"a"}',
        b'{"text":"a","limit":"1"}',
        b'{"text":"a","limit":1.5}',
        b'{"text":"\xff","limit":1}',
        b'{"text":"a","limit":1} x',
        b'{"x":' + b"[" * 200_000,
        b"\x1f\x8b\x08",
    ],
)
def test_a_malformed_body_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(MessageUnreadable) as caught:
        decode("CatalogSearch", body, Search)
    assert caught.value.params["message"] == "CatalogSearch"
    assert len(caught.value.params["what"]) <= 200


def test_a_body_over_the_limit_is_not_read() -> None:
    body = encode(Search(text="x" * 100, limit=1))
    assert decode("CatalogSearch", body, Search, most=len(body))
    with pytest.raises(MessageTooLarge) as caught:
        decode("CatalogSearch", body, Search, most=len(body) - 1)
    assert caught.value.params == {"message": "CatalogSearch", "limit": str(len(body) - 1)}


def test_a_refusal_travels_with_code_and_both_sentences() -> None:
    body = encode(refusal_of(ConflictError(what="合同 C1")))
    refused = msgspec.json.decode(body, type=Refused)
    assert refused.code == "kernel.conflict"
    assert refused.category == "conflict"
    shown = PeerRefused(peer="平台", zh=refused.zh, en=refused.en, reason=refused.code)
    assert (
        shown.text("zh") == "对方系统 平台 拒绝了请求：与当前状态冲突：合同 C1（kernel.conflict）"
    )
    assert shown.reason == "kernel.conflict"
