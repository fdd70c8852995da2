"""A started demo and Debian's Chromium, for journeys through the console."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD = "Huiqi-2026"
LOGINS = {
    "node": "node",
    "platform": "operator",
    "p1": "provider1",
    "p2": "provider2",
    "c1": "consumer",
}
STARTS_WITHIN_S = 120


@dataclass(frozen=True)
class Demo:
    """A space that runs: its base address, and who may log in where."""

    base: str

    def at(self, path: str) -> str:
        return f"{self.base}{path}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo with the whole main job done, on a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    out = folder / "out.txt"
    command = [sys.executable, "-c", "from huiqi.cli.main import main; main()", "demo"]
    environment = {
        "HUIQI_DATA": str(folder / "data"),
        "HUIQI_PORT": "8690",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path("src").resolve()),
        "COLUMNS": "120",
    }
    with out.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        yield Demo(_address(process, out))
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address(process: "subprocess.Popen[bytes]", out: Path) -> str:
    for _ in range(STARTS_WITHIN_S * 5):
        said = out.read_text()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/c1/", said)
        # The addresses are printed again, with this hint, when the main job is done.
        if found and "Ctrl-C" in said:
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"the demo did not start:\n{out.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For this folder only: while it runs, no other test can run an event loop."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Person:
    """Somebody at one system, with a browser window of their own. Scripts are switched off."""

    def __init__(self, context: BrowserContext, demo: Demo) -> None:
        self.context, self.demo = context, demo
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(f"{self.page.url}: {m.text}"))

    def enter(self, prefix: str) -> "Person":
        self.page.goto(self.demo.at(f"/{prefix}/"))
        self.page.fill("#f-login", LOGINS[prefix])
        self.page.fill("#f-password", PASSWORD)
        self.page.click("form[action$='/login'] button.pri")
        return self

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        wide: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


@pytest.fixture
def person(chromium: Browser, demo: Demo) -> Iterator[Person]:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", java_script_enabled=True
    )
    yield Person(context, demo)
    context.close()
