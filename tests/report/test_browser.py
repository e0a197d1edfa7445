"""The page in real browsers; skipped where there is none."""

import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

PROGRAM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")
LOOKS = [(width, scheme, script) for width in (1400, 400, 320) for scheme in ("light", "dark") for script in (True, False)]
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.fixture(scope="module")
def address(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser, address, width=1400, scheme="light", script=True):
    """Return the page and what it asked of the network; without its own script, axe still runs in it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    if not script:
        page.route("**/*.html", lambda route: route.fulfill(body=_without_script(route), content_type="text/html"))
    page.goto(address)
    return page, asked


def _without_script(route):
    text = Path(unquote(urlparse(route.request.url).path)).read_text(encoding="utf-8")
    return text.rpartition("<script>")[0] + "</body></html>"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme", "script"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_fetched(browser, address, width, scheme, script):
    page, asked = opened(browser, address, width, scheme, script)
    page.evaluate(OPEN)
    found = axe.Axe().run(page).response
    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    assert [one for one in asked if not one.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


def test_the_first_screen_is_one_screen_wide_and_two_narrow(browser, address):
    height = "document.querySelector('.masthead').getBoundingClientRect().height"
    for width, most in ((1400, 900), (400, 1800)):
        page, _ = opened(browser, address, width)
        assert page.evaluate(height) <= most


def test_the_keyboard_alone_reaches_and_opens_the_folds(browser, address):
    page, _ = opened(browser, address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True


def test_no_text_of_a_chart_is_outside_its_picture_or_over_another(browser, address):
    page, _ = opened(browser, address)
    page.evaluate(OPEN)
    outside = """() => [...document.querySelectorAll('svg.picture')].flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1;
      }).map((text) => text.textContent);
    })"""
    assert page.evaluate(outside) == []
    cut = (
        "[...document.querySelectorAll('svg.picture text')].map((text) => text.textContent).filter((text) => text.endsWith('…'))"
    )
    assert page.evaluate(cut) == []


@pytest.mark.parametrize("width", [400, 320])
def test_charts_fit_a_narrow_screen_whole(browser, address, width):
    page, _ = opened(browser, address, width)
    page.evaluate(OPEN)
    hidden = "[...document.querySelectorAll('.chart > .scroll')].filter((one) => one.scrollWidth > one.clientWidth).length"
    assert page.evaluate("document.querySelectorAll('.chart > .scroll').length") > 5
    assert page.evaluate(hidden) == 0
