"""The page in Firefox; skipped where there is none."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from marionette import Firefox

axe = pytest.importorskip("axe_playwright_python")

PROGRAM = shutil.which("firefox") or shutil.which("firefox-esr")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="no Firefox is installed")]
SOURCE = next(Path(axe.__file__).parent.rglob("axe*.js"))
CHECK = """
const done = arguments[arguments.length - 1];
document.querySelectorAll("details").forEach((one) => { one.open = true; });
%s
axe.run(document).then((found) => done({
  passes: found.passes.length,
  violations: found.violations.map((one) => [one.id, one.nodes[0].html.slice(0, 200)]),
}), (error) => done({ passes: 0, violations: [["failed", String(error)]] }));
"""


@pytest.fixture(scope="module")
def address(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module", params=["light", "dark"])
def firefox(request, tmp_path_factory):
    found = Firefox(PROGRAM, tmp_path_factory.mktemp("profile"), dark=request.param == "dark")
    yield found, request.param
    found.close()


@pytest.mark.parametrize("width", [1400, 450])
def test_axe_finds_nothing_in_firefox(firefox, address, width):
    browser, scheme = firefox
    browser.open(address, width)
    dark = browser.run("arguments[0](matchMedia('(prefers-color-scheme: dark)').matches)")
    assert dark is (scheme == "dark")
    found = browser.run(CHECK % SOURCE.read_text(encoding="utf-8"))
    assert found["violations"] == []
    assert found["passes"] > 20


def test_nothing_stands_out_of_the_page_in_firefox(firefox, address):
    browser, _ = firefox
    for width in (1400, 450):
        browser.open(address, width)
        assert browser.run("arguments[0](document.documentElement.scrollWidth - document.documentElement.clientWidth)") == 0


def test_the_explorer_and_the_script_run_in_firefox(firefox, address):
    browser, _ = firefox
    browser.open(address, 1400)
    assert browser.run("arguments[0](getComputedStyle(document.body).color)").startswith("rgb")
    assert browser.run("arguments[0](document.querySelectorAll('.walk, .sift').length)") > 0
