"""Does bad input to the API get a clear error in both languages, with nothing half-written?"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import pytest

from huiqi.cli.demo.terms import terms
from tests.journey.walking import (
    ask,
    in_force,
    is_chinese,
    listed,
    offer,
    published,
    requested,
    sizes,
    token,
    wish,
    write_trips,
)
from tests.support.space import Space, huiqi, raw

ALL = ("node", "platform", "p1", "c1")


@pytest.fixture(scope="module")
def product(space: Space) -> str:
    """A listed product of provider 1."""
    return published(space, "bad_input", asked=wish(), salt=100)


@pytest.fixture(scope="module")
def resource(space: Space, product: str) -> str:
    """The resource behind it."""
    return str(space.api("p1").get(f"/products/{product}")["record"]["resource"])


def _refused(
    space: Space, prefix: str, path: str, body: Mapping[str, Any] | None, expected: tuple[int, str]
) -> str:
    """The Chinese sentence of a refusal that is the same in both languages and writes nothing."""
    before, bearer = sizes(space, ALL), token(space, prefix)
    details = {}
    for language in ("zh-CN", "en-GB"):
        headers = {**bearer, "accept-language": language}
        method = "GET" if body is None else "POST"
        answer = raw(space, method, f"/{prefix}/api/v1{path}", headers=headers, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == expected, problem
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert problem["status"] == answer.status_code
        details[language] = problem["detail"]
    assert is_chinese(details["zh-CN"]), details
    assert not is_chinese(details["en-GB"].replace("皖江公路站点客流", "")), details
    assert sizes(space, ALL) == before
    return str(details["zh-CN"])


# --- files


def _file(space: Space, name: str, content: bytes) -> str:
    file = space.data / "p1" / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return str(file)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", b"", "catalog.empty_file"),
        ("header.csv", b"a,b\n", "catalog.empty_file"),
        ("noise.csv", bytes(range(256)) * 40, "catalog.unreadable_file"),
        ("broken.parquet", b"PAR1" + b"\0" * 90 + b"PAR1", "catalog.unreadable_file"),
        ("book.xlsx", b"PK\x03\x04" + b"\0" * 200, "catalog.unreadable_file"),
        ("ragged.csv", b"a,b\n1,2\n3\n4,5,6\n", "catalog.unreadable_file"),
        ("twice.csv", b"a,a\n1,2\n", "catalog.wrong_header"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    space: Space, name: str, content: bytes, code: str
) -> None:
    body = {"name": name, "path": _file(space, name, content)}
    known = len(space.api("p1").get("/resources"))
    said = _refused(space, "p1", "/resources", body, (422, code))
    assert name in said
    assert len(space.api("p1").get("/resources")) == known
    assert not list((space.data / "p1" / "resources").glob(".work-*"))


def test_a_file_that_is_not_there_or_elsewhere_is_refused(space: Space, tmp_path: Path) -> None:
    missing = str(space.data / "p1" / "inbox" / "missing.csv")
    expected = (404, "catalog.missing_file")
    _refused(space, "p1", "/resources", {"name": "x", "path": missing}, expected)
    expected = (403, "catalog.file_outside")
    for outside in (write_trips(tmp_path / "mine.csv"), space.data / "secret", "/etc/passwd"):
        _refused(space, "p1", "/resources", {"name": "x", "path": str(outside)}, expected)


def test_gb18030_is_detected_and_not_mangled(space: Space) -> None:
    lines = ["站点,里程,备注"] + [f"合肥南站㐀{i % 5},{i},徽州府龘" for i in range(200)]
    file = _file(space, "gb.csv", "\n".join(lines).encode("gb18030"))
    found = space.api("p1").post("/resources", {"name": "国标编码", "path": file})
    assert found["profile"]["encoding"].lower().replace("-", "") == "gb18030"
    assert found["profile"]["rows"] == 200
    columns = {column["name"]: column for column in found["profile"]["columns"]}
    assert list(columns) == ["站点", "里程", "备注"]
    assert (columns["里程"]["least"], columns["里程"]["most"]) == ("0", "199")
    # What is read back through a contract is what was written.
    asked = wish(columns=("站点", "里程"))
    product = space.api("p1").post("/products", offer(found["id"], "stations_gb", asked))
    contract = in_force(space, listed(space, product))
    sql = "SELECT 站点, COUNT(*) AS n FROM stations_gb GROUP BY 站点 ORDER BY 站点"
    outcome = ask(space, contract, sql, table="stations_gb")
    assert outcome["rows"] == [[f"合肥南站㐀{i}", 40] for i in range(5)], outcome["reasons"]


def test_the_same_bytes_are_one_resource(space: Space, product: str, resource: str) -> None:
    again = write_trips(space.data / "p1" / "inbox" / "again.csv", 100)
    body = {"name": "again", "path": str(again)}
    said = _refused(space, "p1", "/resources", body, (409, "catalog.duplicate_resource"))
    assert resource in said
    assert product


# --- products and terms


def test_a_product_is_published_once(space: Space, product: str, resource: str) -> None:
    body = offer(resource, "bad_input", wish())
    said = _refused(space, "p1", "/products", body, (409, "catalog.duplicate_product"))
    assert product in said


def test_an_identifier_with_a_wrong_check_character_is_refused(space: Space, product: str) -> None:
    wrong = product[:-1] + ("A" if product[-1] != "A" else "B")
    expected = (422, "kernel.wrong_identifier")
    said = _refused(space, "c1", f"/catalogue/{wrong}", None, expected)
    assert wrong in said
    _refused(space, "c1", "/contracts", {"product": wrong}, expected)
    _refused(space, "platform", f"/identifiers/{wrong}", None, expected)


def _with(**changed: Any) -> dict[str, Any]:
    """Good terms with another first rule: more constraints, or another action."""
    document = terms(wish())
    rules = document["policy"]["rules"]
    rules[0]["constraints"] += changed.get("more", [])
    rules[0]["actions"] = changed.get("actions", rules[0]["actions"])
    rules += changed.get("rules", [])
    return document


def _holds(operand: str, operator: str, value: object) -> dict[str, Any]:
    return {"operand": operand, "operator": operator, "value": value}


WRONG_TERMS = {
    "unknown_operand": _with(more=[_holds("hq:moonPhase", "eq", "full")]),
    "unknown_action": _with(actions=["compute", "teleport"]),
    "unknown_operator": _with(more=[_holds("count", "about", 3)]),
    "not_enforceable_here": _with(more=[_holds("networkEnv", "eq", "01")]),
    "empty_time_window": _with(
        more=[
            _holds("time", "gteq", "2026-06-01T00:00:00Z"),
            _holds("time", "lteq", "2026-05-01T00:00:00Z"),
        ]
    ),
    "nothing_left": _with(more=[_holds("count", "lteq", 0)]),
    "permit_and_forbid": _with(rules=[{"kind": "prohibition", "actions": ["compute"]}]),
    "negative_price": {
        **_with(),
        "price": {"plan": "per-use-and-row@1", "parameters": {"per_use_fen": -1}},
    },
    "unknown_price_plan": {**_with(), "price": {"plan": "free-lunch@1", "parameters": {}}},
}


@pytest.mark.parametrize("fault", WRONG_TERMS)
def test_terms_that_cannot_hold_are_not_published(space: Space, resource: str, fault: str) -> None:
    body = {**offer(resource, f"t_{fault}", wish()), "terms": WRONG_TERMS[fault]}
    _refused(space, "p1", "/products", body, (422, "catalog.terms_refused"))
    tables = [p["record"]["table"] for p in space.api("p1").get("/products")]
    assert f"t_{fault}" not in tables


@pytest.mark.parametrize("fault", ["unknown_operand", "empty_time_window", "permit_and_forbid"])
def test_terms_that_cannot_hold_are_not_asked_for(space: Space, product: str, fault: str) -> None:
    body = {"product": product, "terms": WRONG_TERMS[fault]}
    _refused(space, "c1", "/contracts", body, (422, "contracts.invalid_terms"))


def test_terms_that_cannot_hold_are_not_countered(space: Space, product: str) -> None:
    contract = requested(space, product)
    path = f"/contracts/{contract}/counter"
    body = {"terms": WRONG_TERMS["unknown_operand"]}
    _refused(space, "p1", path, body, (422, "contracts.invalid_terms"))
    assert len(space.api("p1").get(f"/contracts/{contract}")["proposals"]) == 1


def test_a_contract_is_not_signed_before_it_is_agreed(space: Space, product: str) -> None:
    contract = requested(space, product)
    _refused(space, "p1", f"/contracts/{contract}/sign", {}, (409, "kernel.illegal_step"))
    _refused(space, "c1", f"/contracts/{contract}/accept", {}, (409, "kernel.illegal_step"))


# --- documents that are none


@pytest.mark.parametrize(
    "body",
    [
        {"product": 7},
        {},
        {"product": "x", "hidden": True},
        {"product": "x", "terms": {"policy": "yes"}},
    ],
)
def test_a_document_of_another_shape_is_refused(space: Space, body: dict[str, Any]) -> None:
    _refused(space, "c1", "/contracts", body, (400, "http.400"))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"product": "\xff"}', b'{"product": "\\ud800"}', b"[" * 100_000],
    ids=["nothing", "cut off", "UTF-16", "half a letter", "half a pair", "too deep"],
)
def test_text_that_is_no_json_is_refused(space: Space, content: bytes) -> None:
    before = sizes(space, ALL)
    headers = {**token(space, "c1"), "content-type": "application/json"}
    answer = raw(space, "POST", "/c1/api/v1/contracts", headers=headers, content=content)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] not in {"", "web.unknown"}
    assert sizes(space, ALL) == before


HUGE = "9" * 20


@pytest.mark.parametrize(
    ("prefix", "path", "body"),
    [
        ("c1", "/uses", {"tables": {}, "purpose": "research", "sql": "SELECT 1"}),
        ("c1", "/uses", {"tables": {"a": "b"}, "purpose": "x", "sql": "x", "use_id": "no uuid"}),
        ("c1", f"/evidence?before={HUGE}", None),
        ("c1", f"/evidence?limit={HUGE}", None),
        ("c1", "/evidence?limit=-1", None),
        ("c1", f"/evidence/{HUGE}/proof", None),
        ("c1", "/evidence/documents/zz/proof", None),
        ("c1", "/uses?before=zz&limit=-1", None),
        ("c1", f"/receipts?limit={HUGE}", None),
        ("c1", f"/catalogue?q=%00&limit={HUGE}", None),
        ("platform", f"/settlement/ledger?limit={HUGE}", None),
        ("platform", "/settlement/replay/zz", None),
        ("platform", "/settlement/close", {"until": "2026-01-01T00:00:00"}),
        ("platform", "/settlement/close", {"until": "9999-01-01T00:00:00Z"}),
        ("platform", "/members/zz/suspend", {"reason": ""}),
        ("platform", "/invitations", {"kind": "node", "note": "x"}),
    ],
)
def test_a_value_out_of_range_is_never_an_internal_error(
    space: Space, prefix: str, path: str, body: dict[str, Any] | None
) -> None:
    before = sizes(space, ALL)
    method = "GET" if body is None else "POST"
    url = f"/{prefix}/api/v1{path}"
    answer = raw(space, method, url, headers=token(space, prefix), json=body)
    assert answer.status_code < 500, answer.text
    if not answer.is_success:
        assert answer.json()["code"] != "web.unknown"
        assert answer.json()["detail"]
    assert sizes(space, ALL) == before


# --- the clock


def test_a_clock_behind_the_last_fact_stops_the_start(tmp_path: Path) -> None:
    space = Space(tmp_path / "data")
    try:
        space.start()
        space.stop()
        connection = apsw.Connection(str(space.data / "platform" / "store.db"))
        future = f"{time.gmtime().tm_year + 1}-01-01T00:00:00.000000Z"
        connection.execute(
            "UPDATE evidence_entry SET at = ? WHERE seq = (SELECT max(seq) FROM evidence_entry)",
            (future,),
        )
        connection.close()
        before = (space.data / "platform" / "store.db").stat().st_size
        for language, words in (("en", "clock"), ("zh", "时钟")):
            done = huiqi("demo", "--no-job", data=space.data, HUIQI_LANG=language)
            assert done.returncode == 1, done.stdout
            assert "[kernel.clock_backwards]" in done.stderr
            assert words in done.stderr
            assert "Traceback" not in done.stderr
        assert not (space.data / "address").exists()
        assert (space.data / "platform" / "store.db").stat().st_size == before
    finally:
        space.end()
