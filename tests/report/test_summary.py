"""The summary for a committee: two sheets whatever was written into the run, plain words, no script."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # before those of other rooms that have a conftest too

from conftest import NASTY, RUN, audits, gates

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Chart, Picture, Table
from glassbench.contracts.png import png
from glassbench.report import render_report, render_summary
from glassbench.report.summary import plain_words
from glassbench.report.summary.brief import brief, width
from glassbench.report.summary.plain_words import Outcome, plain_measure

CHROMIUM = shutil.which("chromium")
HOSTILE = (
    "</style></title><script>alert(1)</script><img src=x onerror=alert(1)> " + "W" * 80 + " 日本語 " * 30 + "Z\u0351\u0351\u0351 "
) * 30
ABOUT = {"purpose": HOSTILE, "owner": HOSTILE, "limits": HOSTILE, "contacts": [HOSTILE] * 20}


def hostile_results():
    return [
        replace(
            result,
            audit=f"{result.audit}",
            reliability=result.reliability and HOSTILE,
            error=result.error and HOSTILE,
            findings=tuple(replace(finding, sentence=HOSTILE) for finding in result.findings) * 9,
            charts=tuple(
                replace(
                    chart,
                    rows=tuple(
                        {**row, "y": f"{HOSTILE}{i}" if isinstance(row.get("y"), str) else row.get("y")}
                        for i, row in enumerate(chart.rows)
                    ),
                )
                for chart in result.charts
            ),
        )
        for result in audits()
    ]


def hostile_gaps():
    names = [f"{HOSTILE}{i}" for i in range(3)]
    gap = Measure(name="groups.false_negative_rate_difference", value=0.5, low=0.1, high=0.9, higher_is_better=False)
    rate = Measure(name="groups.false_negative_rate", value=0.5, low=0.0, high=1.0, n=10**9, higher_is_better=False)
    groups = [replace(rate, by=(name,), group={name: f"{HOSTILE}{i}"}, value=i / 60) for name in names for i in range(60)]
    beside = [
        Measure(name=f"groups.{HOSTILE}{i}{end}", value=1e9 / 7, low=1e9 / 8, high=1e9 / 6, unit=HOSTILE)
        for i in range(9)
        for end in ("", "_baseline", "_gain")
    ]
    told = (gap.name, rate.name)
    return AuditResult(
        audit="groups",
        findings=tuple(Finding(sentence=HOSTILE, grade="concern", measures=told, by=(name,)) for name in names),
        measures=(*(replace(gap, by=(name,)) for name in names), *groups, *beside),
        method=Method(summary="Compares."),
    )


def hostile_failures():
    return [AuditResult(audit=f"audit{i}" + "W" * 99, error=HOSTILE, method=Method(summary="")) for i in range(9)]


def hostile(write_run, folder, **changes):
    unsure = [{**gate, "measure": f"x.{HOSTILE}{i}", "by": [HOSTILE]} for i, gate in enumerate(gates()[:1] * 9)]
    verdict = {"verdict": "fail", "exit_code": 1, "gates": [*gates(), *unsure]}
    made = write_run(
        folder / RUN,
        results=[*hostile_results(), hostile_gaps(), *hostile_failures()],
        verdict=verdict,
        name="W" * 120,
        about=ABOUT,
        **changes,
    )
    data = json.loads((made / "data.json").read_text())
    treated = [{"action": "left out", "sentence": HOSTILE, "column": f"{HOSTILE}{i}"} for i in range(9)]
    groups = {f"{HOSTILE}{i}": {"test": {f"{HOSTILE}{j}": 9 for j in range(5)}} for i in range(5)}
    data |= {"source": HOSTILE, "treatments": treated, "groups": groups, "unit": "W" * 90}
    (made / "data.json").write_text(json.dumps(data))
    return made


def sheets(page: str, folder: Path, paper: str) -> tuple[int, list[list[int]]]:
    """Print a page on a paper; return how many pages came out, and the height of each sheet's content beside its own."""
    from playwright.sync_api import sync_playwright

    source, printed = folder / "summary.html", folder / f"{paper}.pdf"
    source.write_text(page, encoding="utf-8")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 703, "height": 1000})
        tab.on("dialog", lambda dialog: pytest.fail("a script ran"))
        tab.goto(source.as_uri())
        tab.pdf(path=str(printed), format=paper)
        tab.emulate_media(media="print")
        heights = tab.evaluate("[...document.querySelectorAll('.sheet')].map(s => [s.scrollHeight, s.clientHeight])")
        browser.close()
    told = subprocess.run(["pdfinfo", printed], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"Pages:\s+(\d+)", told).group(1)), heights


@pytest.mark.skipif(CHROMIUM is None or shutil.which("pdfinfo") is None, reason="no Chromium or no pdfinfo")
@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize(
    "made",
    [
        hostile,
        lambda write_run, folder: write_run(folder / RUN),
        lambda write_run, folder: write_run(
            folder / RUN, results=[], verdict={"verdict": "not applicable", "exit_code": 0, "gates": []}
        ),
    ],
)
def test_prints_on_two_sheets_and_nothing_is_clipped(write_run, tmp_path, paper, made):
    pytest.importorskip("playwright.sync_api")
    pages, heights = sheets(render_summary(made(write_run, tmp_path)), tmp_path, paper)
    assert pages == 2
    assert all(content <= room for content, room in heights), heights


def test_hostile_texts_are_escaped(write_run, tmp_path):
    page = render_summary(hostile(write_run, tmp_path))
    assert "<script" not in page
    assert "onerror=alert(1)>" not in page
    assert NASTY not in page


def test_a_cut_text_says_so_and_says_where_the_whole_is(write_run, tmp_path):
    page = render_summary(write_run(tmp_path / RUN, about={"purpose": "To sort cases. " * 100, "owner": "Ward 7"}))
    assert "Ward 7" in page
    assert re.search(r"To sort cases[^<]{100,200} …</dd>", page)
    assert "report.html in the folder of the run has all of it" in page


def test_what_people_did_not_say_is_named(write_run, tmp_path):
    none = {"verdict": "not applicable", "exit_code": 0, "gates": []}
    page = render_summary(write_run(tmp_path / RUN, results=[], verdict=none))
    assert page.count("Not stated.") == 4
    assert "Write down the purpose and the owner and the limits" in page


@pytest.mark.parametrize("text", ["x" * 400, "W" * 400, "日本語" * 100, "one two three four " * 40, "\u202e<b>" * 90])
def test_a_cut_keeps_within_its_room(text):
    assert width(brief(text, 100)) <= 100
    assert brief(text, 100).endswith("…")


def test_combining_marks_do_not_stack():
    assert brief("Z" + "\u0351" * 50 + "ed", 10) == "Zed"


def test_the_full_report_says_what_it_is_for(write_run, tmp_path):
    page = render_report(write_run(tmp_path / RUN, about={"purpose": f"Sorts <b>{NASTY}", "contacts": ["a", "b"]}))
    head = page[: page.index('class="outcome')]
    assert "Sorts &lt;b&gt;&lt;script&gt;" in head
    assert "a, b" in head
    assert NASTY not in page


def test_the_gravest_gap_is_shown_whatever_picture_its_finding_has(write_run, tmp_path):
    """Several labels are drawn as one heat map; a gap that is no concern had a chart of its own, and was shown alone."""
    rates = [
        Measure(
            name="fairness.false_negative_rate[asthma]", value=value, low=value - 0.1, high=value + 0.1, n=90, by=by, group=group
        )
        for by, group, value in ((("sex",), {"sex": "woman"}, 0.55), (("sex",), {"sex": "man"}, 0.25))
    ]
    gap = Measure(name="fairness.false_negative_rate_difference[asthma]", value=0.3, low=0.2, high=0.4, by=("sex",))
    finding = Finding(
        sentence="Actual “asthma” is missed more often for sex “woman”: 55 % against 25 %.",
        grade="concern",
        measures=(gap.name, rates[0].name),
        by=("sex",),
        chart="False negative rate of each label by sex",
    )
    chart = Chart(kind="heat", title=str(finding.chart), message="", rows=({"x": "asthma", "y": "woman", "color": 0.55},))
    result = AuditResult(
        audit="fairness", findings=(finding,), measures=(gap, *rates), charts=(chart,), method=Method(summary="m")
    )
    page = " ".join(re.sub(r"<[^>]*>", " ", render_summary(write_run(tmp_path / RUN, results=[result]))).split())
    assert "Real cases of “asthma” that were missed, by sex man 25 % (n 90) woman 55 % (n 90)" in page
    assert "Gap: 30 points, likely between 20 and 40." in page


def test_of_many_groups_those_of_the_gap_are_shown_and_not_tiny_ones_that_lie_further_apart(write_run, tmp_path):
    values = {"a": (0.1, 40), "b": (0.5, 40), "c": (0.0, 1), "d": (1.0, 2), "e": (0.3, 40), "f": (0.2, 40), "g": (0.4, 40)}
    rates = [
        Measure(name="fairness.accuracy", value=value, low=value, high=value, n=n, by=("site",), group={"site": name})
        for name, (value, n) in values.items()
    ]
    gap = Measure(name="fairness.accuracy_difference_without_small", value=0.4, low=0.2, high=0.6, by=("site",))
    finding = Finding(
        sentence="Decisions are right less often for site “a”: 10 % against 50 %.",
        grade="concern",
        measures=(gap.name, rates[0].name),
        by=("site",),
        between=({"site": "b"}, {"site": "a"}),
    )
    result = AuditResult(audit="fairness", findings=(finding,), measures=(gap, *rates), method=Method(summary="m"))
    page = " ".join(re.sub(r"<[^>]*>", " ", render_summary(write_run(tmp_path / RUN, results=[result]))).split())
    assert "a 10 % (n 40) b 50 % (n 40) 5 more groups are in the full report." in page.replace("\u00a0", " ")


def test_an_explanation_of_pictures_is_shown_as_a_picture(write_run, tmp_path):
    parts = tuple({"y": f"rows {i} to {i + 7}, columns 1 to 8", "x": 0.2} for i in (1, 9))
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    result = AuditResult(
        audit="explain",
        findings=(Finding(sentence="The middle of the picture decides: 3 of 4 parts.", grade="ok", chart="Where it looks"),),
        charts=(Chart(kind="bars", title="Parts", message="", rows=parts),),
        pictures=(Picture(title="Where it looks", message="The middle is dark.", png=png(pixels)),),
        reliability="reliable",
        method=Method(summary="m"),
    )
    page = render_summary(write_run(tmp_path / RUN, results=[result]))
    assert "The middle of the picture decides. This explanation passed its checks." in page
    assert f'<img src="data:image/png;base64,{png(pixels)}" alt="The middle is dark.">' in page
    assert "columns 1 to 8" not in page


def test_shares_of_influence_are_those_that_the_explanation_tells(write_run, tmp_path):
    """Bars of mean contributions were taken for shares: an atom of three uses held 12 % instead of 1 %."""
    rows = (("C", 363, -0.24, 0.33), ("Br", 3, 0.9, 0.01), ("O", 120, 0.5, 0.26))
    told = Table(title="Symbols", columns=("symbol", "uses", "mean contribution", SHARE_OF_INFLUENCE), rows=rows)
    bars = Chart(kind="bars", title="Symbols", message="", rows=tuple({"y": row[0], "x": row[2]} for row in rows))
    result = AuditResult(
        audit="explain", tables=(told,), charts=(bars,), reliability="use with care", method=Method(summary="m"), findings=()
    )
    page = " ".join(re.sub(r"<[^>]*>", " ", render_summary(write_run(tmp_path / RUN, results=[result]))).split())
    assert "C 33 % O 26 % Br 1 % What is not known" in page
    assert "did not pass all of its checks, or not all could be made" in page


def test_concerns_that_are_no_gap_are_named_whatever_they_draw(write_run, tmp_path):
    finding = Finding(sentence="Generated images of “3” lack variety: 70 % of 88 %.", grade="concern", chart="Variety")
    chart = Chart(kind="bars", title="Variety", message="", rows=({"y": "3", "x": 0.7},))
    result = AuditResult(audit="samples", findings=(finding,), charts=(chart,), method=Method(summary="m"))
    assert "Concern: Generated images of “3” lack variety." in render_summary(write_run(tmp_path / RUN, results=[result]))


def test_bands_of_age_stand_in_their_order(write_run, tmp_path):
    run = write_run(tmp_path / RUN)
    data = json.loads((run / "data.json").read_text())
    data["groups"] = {"age_band": {"test": {"40 to 54": 32, "55 and over": 26, "under 40": 30}}}
    (run / "data.json").write_text(json.dumps(data))
    assert "under 40 30, 40 to 54 32, 55 and over 26" in render_summary(run)


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("performance.rouge_1", "words shared with the true text (1 is best)"),
        ("performance.dice", "overlap with the true areas (1 is best)"),
        ("performance.mean_iou", "strict overlap with the true areas (1 is best)"),
        ("performance.frechet_distance", "distance from real examples (0 is best)"),
        ("performance.ndcg_at_10", "order of the suggestions (1 is best), first 10"),
        ("performance.recall_at_5", "fitting items among the suggestions, first 5"),
        ("performance.ndcg_at_10_gain", "order of the suggestions (1 is best), first 10, beyond the simple rule"),
        ("performance.gain", "gain"),
        ("calibration.coverage", "coverage"),
        ("performance.odd_at_10_gain", "odd at 10 gain"),
    ],
)
def test_metrics_of_every_domain_have_plain_words(measure, words):
    assert plain_measure(measure, Outcome("bad", "good")) == words


def test_plain_words_fit_their_column():
    assert [words for words in plain_words._WORDS.values() if len(words.replace("{positive}", "yes")) > 60] == []
