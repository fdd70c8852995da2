"""What does the console look like? Every page, in both themes and at phone width, as pictures.

    python scripts/make_screenshots.py FOLDER    pictures of every page below FOLDER
    python scripts/make_screenshots.py           only docs/images/console.png, for the README

Starts a demo of its own on a free port and a temporary data directory, and runs the main job.
Needs Chromium, as the browser tests do.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from huiqi.cli.demo.space import PASSWORD, PEOPLE

ROOT = Path(__file__).resolve().parent.parent
README_PICTURE = ROOT / "docs" / "images" / "console.png"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LOOKS = (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390))
FIRST_OF = ("contracts", "receipts", "statements", "products")
READY_S = 120


class NotServed(Exception):
    """The demo did not come up in time."""


def main(folder: Path | None) -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory(prefix="huiqi-pictures-") as scratch:
        data = Path(scratch) / "data"
        demo = _start(data)
        try:
            base = _address(data, demo)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=list(CHROMIUM)
                )
                if folder is None:
                    _readme(browser, base)
                else:
                    _everything(browser, base, folder)
        finally:
            demo.terminate()
            demo.wait(timeout=20)


def _start(data: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HUIQI_DATA": str(data), "HUIQI_PORT": "0", "HUIQI_LANG": "zh"}
    return subprocess.Popen(
        [sys.executable, "-m", "huiqi", "demo"], env=environment, stdout=subprocess.PIPE
    )


def _address(data: Path, demo: subprocess.Popen[bytes]) -> str:
    """Where the demo is served, once its main job is done: it then prints the logins."""
    if demo.stdout is None:
        raise NotServed
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        line = demo.stdout.readline().decode()
        if "Ctrl-C" in line:
            return (data / "address").read_text()
        if not line and demo.poll() is not None:
            break
    raise NotServed


def _readme(browser: Browser, base: str) -> None:
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    page = _visitor(browser, base, "c1", ("light", 1280))
    page.goto(f"{base}/c1/contracts")
    page.goto(base + _links(page, "contracts")[0])
    page.screenshot(path=README_PICTURE, clip={"x": 0, "y": 0, "width": 1280, "height": 900})


def _everything(browser: Browser, base: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for person in PEOPLE:
        for look in LOOKS:
            page = _visitor(browser, base, person.prefix, look)
            seen = [link for link in _links(page, "") if link.startswith(f"/{person.prefix}/")]
            for link in dict.fromkeys([f"/{person.prefix}/", *seen]):
                page.goto(base + link)
                _take(page, folder, link, look)
                kind = link.rsplit("/", 1)[-1]
                for first in _links(page, kind)[:1] if kind in FIRST_OF else ():
                    page.goto(base + first)
                    _take(page, folder, f"/{person.prefix}/one-of-{kind}", look)
            page.close()


def _visitor(browser: Browser, base: str, prefix: str, look: tuple[str, int]) -> Page:
    theme, width = look
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        locale="zh-CN",
    )
    page = context.new_page()
    login = next(person.login for person in PEOPLE if person.prefix == prefix)
    page.goto(f"{base}/{prefix}/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{base}/{prefix}/")
    return page


def _links(page: Page, kind: str) -> list[str]:
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    inside = [link for link in found if link.startswith("/") and "?" not in link]
    return [link for link in inside if not kind or f"/{kind}/" in link]


def _take(page: Page, folder: Path, link: str, look: tuple[str, int]) -> None:
    name = re.sub(r"[^a-z0-9]+", "-", link.lower()).strip("-") or "start"
    page.screenshot(path=folder / f"{name}-{look[0]}-{look[1]}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
