"""The main job through the browser: every console task once, with the forms people use."""

import re

import pytest

from tests.browser.conftest import Demo, Person

pytestmark = pytest.mark.browser

PREFIXES = ("node", "platform", "p1", "p2", "c1")
NUMBERS = re.compile(r"[0-9A-Z*]{20,}|[0-9a-f-]{30,}|\d+")


def every_kind_of_page(person: Person, prefix: str) -> list[str]:
    """One address of each kind that links lead to from the first page."""
    seen: dict[str, str] = {}
    todo = [f"/{prefix}/"]
    while todo:
        address = todo.pop(0)
        kind = NUMBERS.sub("#", address.split("?")[0])
        if kind in seen or address.endswith(("/file", "proof.json")):
            continue
        answer = person.page.goto(person.demo.at(address))
        assert answer is not None
        assert answer.status == 200, address
        seen[kind] = address
        links = person.page.eval_on_selector_all(
            "a[href]:not([download])", "found => found.map(a => a.getAttribute('href'))"
        )
        todo += [link for link in links if link.startswith(f"/{prefix}/")]
    return list(seen.values())


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_page_opens_without_a_complaint_at_every_width(person: Person, prefix: str) -> None:
    person.enter(prefix)
    pages = every_kind_of_page(person, prefix)
    assert len(pages) >= 5
    for language, theme, width in (("zh", "light", 1440), ("en", "dark", 390)):
        person.context.add_cookies(
            [
                {"name": "lang", "value": language, "url": person.demo.base},
                {"name": "theme", "value": theme, "url": person.demo.base},
            ]
        )
        person.page.set_viewport_size({"width": width, "height": 844})
        for address in pages:
            person.page.goto(person.demo.at(address))
            assert not person.overflows(), (address, width)
            assert person.page.locator("h1").count() == 1, address
            assert person.page.locator("html").get_attribute("data-theme") == theme
    assert person.complaints == []


def test_the_start_page_names_every_system(person: Person, demo: Demo) -> None:
    person.page.goto(demo.at("/"))
    assert person.page.locator("a.system").count() == len(PREFIXES)
    assert person.page.locator(".tally li").count() == 7


def test_nothing_is_loaded_from_elsewhere(person: Person, demo: Demo) -> None:
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.enter("c1")
    person.page.goto(demo.at("/c1/catalogue"))
    assert asked
    assert all(url.startswith(demo.base) for url in asked)


def test_a_consumer_finds_proposes_and_a_provider_counters_and_both_sign(
    person: Person, demo: Demo
) -> None:
    page = person.enter("c1").page
    # discover
    page.goto(demo.at("/c1/catalogue?q=能见度"))
    page.click("article.hit h2 a")
    # negotiate: other terms than the listed ones
    page.click("a:has-text('提出不同条件')")
    page.fill("#f-count", "3")
    page.fill("#f-note", "先试三次")
    page.click("button:has-text('发出条件')")
    page.wait_for_url("**/contracts/**")
    assert page.locator(".alert:has-text('申请已发出')").count() == 1
    contract = page.url.split("?")[0].rsplit("/", 1)[1]
    # the provider answers with other terms, the consumer accepts
    provider = Person(person.context, demo).enter("p2").page
    wait_for(provider, demo.at(f"/p2/contracts/{contract}"), "summary:has-text('修改条件')")
    provider.click("summary:has-text('修改条件')")
    provider.fill("#f-count", "2")
    provider.click("button:has-text('发出条件')")
    wait_for(page, demo.at(f"/c1/contracts/{contract}"), "button:has-text('接受条件')")
    assert page.locator(".diff li").count() >= 1
    page.click("button:has-text('接受条件')")
    # sign
    page.click("button:has-text('签署')")
    wait_for(provider, demo.at(f"/p2/contracts/{contract}"), "button:has-text('签署')")
    provider.click("button:has-text('签署')")
    wait_for(page, demo.at(f"/c1/contracts/{contract}"), ".chip:has-text('履约中')")
    assert page.locator(".signs .seal.fill").count() == 3
    # use
    page.goto(demo.at(f"/c1/use?contract={contract}"))
    table = page.locator(f"label:has(input[value='{contract}']) b").inner_text()
    for box in page.locator("input[name=contract]:checked").all():
        if box.get_attribute("value") != contract:
            box.uncheck()
    question = "SELECT month, COUNT(*) AS n FROM {table} GROUP BY month"
    page.fill("#f-sql", question.format(table=table))
    page.click("button:has-text('运行')")
    page.wait_for_selector("#answer")
    # evidence: the receipt can be checked by anybody
    page.goto(demo.at(f"/c1/receipts?contract={contract}"))
    page.click("tbody a.mono")
    wait_for(page, page.url, "footer:has-text('本地核验通过')")
    # end
    page.goto(demo.at(f"/c1/contracts/{contract}"))
    page.fill("#f-end", "试用结束")
    page.click("button.danger:has-text('终止合约')")
    assert page.locator(".chip:has-text('已终止')").count() >= 1


def wait_for(page, address: str, selector: str) -> None:  # type: ignore[no-untyped-def]
    """Reload ``address`` until the other system's message has arrived."""
    for _ in range(60):
        page.goto(address)
        if page.locator(selector).count():
            return
        page.wait_for_timeout(250)
    raise AssertionError((address, selector, page.inner_text("main")))


def test_a_wrong_number_comes_back_beside_its_field(person: Person, demo: Demo) -> None:
    page = person.enter("p1").page
    page.goto(demo.at("/p1/publish"))
    page.click("ul.todo a")
    page.fill("#f-name", "另一个产品")
    page.fill("#f-table", "another_table")
    page.fill("#f-use_yuan", "0.001")
    page.fill("#f-rows", "origin ==")
    page.click("button:has-text('提交审核')")
    assert page.locator(".f.bad .fault").count() >= 1
    assert page.input_value("#f-name") == "另一个产品"
    page.fill("#f-use_yuan", "1")
    page.click("button:has-text('提交审核')")
    assert page.locator(".f.bad:has(#f-rows) .fault").count() == 1


def test_upload_profile_publish_review(person: Person, demo: Demo) -> None:
    page = person.enter("p1").page
    page.goto(demo.at("/p1/publish"))
    page.fill("#f-name", "站点清单")
    rows = "站点,城市,人数\n" + "\n".join(f"S{n},合肥,{n * 7}" for n in range(40))
    page.set_input_files(
        "#f-file",
        {"name": "站点.csv", "mimeType": "text/csv", "buffer": rows.encode("gb18030")},
    )
    page.click("button:has-text('登记并分析')")
    assert page.locator(".alert:has-text('数据已登记')").count() == 1, page.inner_text("main")
    page.fill("#f-abstract", "四十个站点")
    page.fill("#f-table", "stations")
    page.click("button:has-text('提交审核')")
    assert page.locator(".chip:has-text('待审')").count() == 1, page.inner_text("main")
    operator = Person(person.context, demo).enter("platform").page
    wait_for(operator, demo.at("/platform/review"), "section:has-text('站点清单')")
    operator.click("section:has(h2:text-is('站点清单')) button:has-text('退回')")
    operator.fill("section:has(h2:text-is('站点清单')) input[name=reason]", "请补充字段含义")
    operator.click("section:has(h2:text-is('站点清单')) button:has-text('退回')")
    wait_for(page, demo.at("/p1/"), ".todo a:has-text('站点清单')")


def test_pages_print_without_the_frame(person: Person, demo: Demo) -> None:
    page = person.enter("c1").page
    page.goto(demo.at("/c1/statements"))
    page.click("tbody a")
    page.emulate_media(media="print")
    assert not page.locator("aside.side").is_visible()
    assert not page.locator("header.top").is_visible()
    assert page.locator("h1").is_visible()
