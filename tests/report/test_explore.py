"""The explorer of the threshold in a real browser: its numbers are the audits', by keyboard alone, and names run no script."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

import glassbench
from glassbench.report.explore import exploring
from glassbench.report.explore.threshold_counts import count_by_score, run_threshold
from glassbench.report.record import read_record

CHROMIUM = shutil.which("chromium")
browser_only = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory):
    rng = np.random.default_rng(11)
    n = 900
    sex = rng.choice(["female", HOSTILE], n, p=[0.4, 0.6])
    age = rng.choice(["young", "middle", "old", "oldest"], n, p=[0.3, 0.4, 0.29, 0.01])
    x, y = rng.normal(size=n), rng.normal(size=n)
    bad = rng.random(n) < 1 / (1 + np.exp(-(x + 0.5 * y + 0.6 * (sex == "female") - 0.4)))
    frame = pd.DataFrame({"x": x, "y": y, "sex": sex, "age": age, "credit": np.where(bad, f"bad {HOSTILE}", "good")})
    folder = tmp_path_factory.mktemp("explore")
    frame.to_csv(folder / "credit.csv", index=False)
    dataset = {"use": "table", "path": str(folder / "credit.csv"), "target": "credit", "positive": f"bad {HOSTILE}"}
    dataset |= {"favourable": "good", "sensitive": ["sex", "age"], "unit": "applicant"}
    experiment = {"name": f"credit {HOSTILE}"[:120], "dataset": dataset, "task": "classification", "model": "logistic-regression"}
    return glassbench.run({**experiment, "audits": ["performance", "fairness"]}, runs=folder / "runs")


@pytest.fixture(scope="module", name="browser")
def _browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(name="tab")
def _tab(browser, run):
    tab, seen = browser.new_page(viewport={"width": 1400, "height": 900}), []
    tab.on("dialog", lambda dialog: (seen.append("a script of a name ran"), dialog.dismiss()))
    tab.on("pageerror", lambda error: seen.append(str(error)))
    tab.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda request: seen.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    tab.goto(run.report.as_uri())
    for box in tab.locator("#explore-rates input").all():
        box.check()
    yield tab
    tab.close()
    assert seen == []


def shown(tab):
    """Return what the table holds: numbers by group and rate, gaps by rate."""
    read = """rows => rows.map(r => [r.dataset.group, [...r.cells].slice(1).map(c => ({...c.dataset, text: c.textContent}))])"""
    rows = {group: {c["rate"]: c for c in cells} for group, cells in tab.locator("#explore-table tbody tr").evaluate_all(read)}
    gaps = tab.locator("#explore-table tfoot td[data-gap]").evaluate_all("cells => cells.map(c => ({...c.dataset}))")
    return rows, {gap["gap"]: gap for gap in gaps}


@browser_only
@pytest.mark.parametrize("feature", ["sex", "age"])
def test_at_the_runs_threshold_every_number_is_the_audits(tab, run, feature):
    tab.select_option("#explore-by", label=feature)
    rows, gaps = shown(tab)
    compared = 0
    for measure in run.measures:
        rate = measure.name.removeprefix("fairness.")
        if measure.by == (feature,) and measure.group and measure.group[feature] in rows and rate in rows[measure.group[feature]]:
            cell = rows[measure.group[feature]][rate]
            if measure.value is None:
                assert cell["text"] == "none to count"
                continue
            found = [float(cell[key]) for key in ("value", "low", "high")]
            assert found == pytest.approx([measure.value, measure.low, measure.high], abs=1e-9), measure
            assert int(cell["n"]) == measure.n
            compared += 1
        if measure.by is None and measure.group is None and measure.name.startswith("fairness.") and rate in rows["all rows"]:
            cell = rows["all rows"][rate]
            assert float(cell["value"]) == pytest.approx(measure.value, abs=1e-9)
            compared += 1
    assert compared >= 7 * 3
    named = {m.name: m for m in run.measures if m.by == (feature,) and not m.group}
    for rate, gap in gaps.items():
        measure = named[f"fairness.{rate}_difference_without_small"]
        assert gap["own"] == "true"
        found = [float(gap[key]) for key in ("value", "low", "high")]
        assert found == pytest.approx([measure.value, measure.low, measure.high], abs=1e-9)


@browser_only
def test_by_keyboard_the_threshold_moves_and_numbers_are_those_of_the_rows(tab, run):
    tab.select_option("#explore-by", label="sex")
    tab.locator("#explore-at").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    assert tab.locator("#explore-out").inner_text() == "0.7"
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    positive = f"bad {HOSTILE}"
    rows, _ = shown(tab)
    for group, part in frame.groupby("group.sex"):
        called, true = part[f"score.{positive}"] >= 0.7, part["y_true"].astype(str) == positive
        k, n = int((~called & true).sum()), int(true.sum())
        cell = rows[group]["false_negative_rate"]
        ends = beta.ppf(0.025, k + 0.25, n - k + 0.75), beta.ppf(0.975, k + 0.75, n - k + 0.25)
        assert [float(cell[key]) for key in ("value", "low", "high")] == pytest.approx([k / n, *ends], abs=1e-9)
        assert float(rows[group]["selection_rate"]["value"]) == pytest.approx((~called).mean())
        tab.fill("#explore-miss", "5")
        priced = float(shown(tab)[0][group]["cost"]["value"])
        assert priced == pytest.approx(100 * (5 * (~called & true) + (called & ~true)).mean())
    tab.keyboard.press("Shift+Tab")
    tab.locator("#explore-back").press("Enter")
    assert tab.locator("#explore-out").inner_text() == "0.5, the run's"


@browser_only
def test_groups_and_numbers_are_chosen(tab):
    tab.select_option("#explore-by", label="age")
    tab.locator("#explore-groups input").first.uncheck()
    tab.locator("#explore-rates input").nth(1).uncheck()
    rows, gaps = shown(tab)
    assert "middle" not in rows
    assert "false_negative_rate" not in rows["old"]
    assert gaps["accuracy"]["own"] == "false"
    assert "oldest" not in rows
    assert "oldest (" in tab.locator("#explore-note").inner_text()


@browser_only
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (1400, "dark"), (400, "light")])
def test_axe_finds_nothing(browser, run, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.goto(run.report.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = axe.run(tab).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.goto(run.summary.as_uri())
    assert [one["id"] for one in axe.run(tab).response["violations"]] == []
    tab.close()


def test_the_page_is_whole_without_a_script_and_the_scripts_are_small(run):
    page = run.report.read_text()
    assert re.search(r'<section id="explore"[^>]* hidden>', page)
    assert len(re.findall(r"<script>(.*?)</script>", page, re.DOTALL)) == 2
    assert sum(map(len, re.findall(r"<script>(.*?)</script>", page, re.DOTALL))) < 40_000


def test_the_page_holds_counts_and_no_rows(run):
    content = exploring(read_record(run.folder)).content
    ages = next(feature for feature in content["choices"][0]["features"] if feature["name"] == "age")
    assert "oldest" not in [group["name"] for group in ages["groups"]]
    assert len(json.dumps(content)) < 6_000


def test_a_threshold_is_found_only_where_predictions_follow_one():
    score = np.array([0.1, 0.3, 0.31, 0.9])
    assert run_threshold(score, score >= 0.3, 0.3) == 0.3
    assert run_threshold(score, score >= 0.31, None) == 0.31
    assert run_threshold(score, score < 0.5, None) is None
    assert run_threshold(score, np.zeros(4, dtype=bool), None) is None


def test_scores_on_the_threshold_are_predicted_and_missing_outcomes_stand_apart():
    frame = pd.DataFrame({"y_true": ["a", "b", None, "a"], "y_pred": ["a", "b", "a", "a"], "score.a": [0.3, 0.29, 0.3, 1.0]})
    counts = count_by_score(frame, "a", 0.3)
    assert counts.every.cells(counts.at) == {"tp": 2, "fp": 0, "up": 1, "fn": 0, "tn": 1, "un": 0}
