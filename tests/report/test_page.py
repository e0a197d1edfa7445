import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.errors import RunError
from glassbench.report import render_report
from glassbench.report.grid import grid

VOID = {"meta", "link", "input", "br", "col", "img"}


class Reader(HTMLParser):
    """Collects what a test asks about, and whether tags are balanced."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.text = [], [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[key] for key in ("href", "src") if key in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop() if tag not in VOID else None

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(report):
    return Reader(report)


@pytest.fixture(scope="module")
def words(page):
    return " ".join(" ".join(page.text).split())


def test_the_same_folder_gives_the_same_bytes(run_folder, report):
    assert render_report(run_folder) == report


def test_ids_are_unique_links_lead_somewhere_and_nothing_is_fetched(page):
    assert len(page.ids) == len(set(page.ids))
    assert not page.open
    assert all(link.removeprefix("#") in page.ids for link in page.links if not link.startswith("data:"))


def test_evidence_is_escaped_everywhere(report, page):
    assert "<script>alert" not in report
    assert [tag for tag, _ in page.tags].count("script") == 2  # sorting; exploring


def test_the_policy_allows_nothing_but_the_page_itself(report):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', report)[1]
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "script-src &#39;sha256-" in policy


def test_headings_descend_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert levels.count(1) == 1


def test_the_first_screen_answers(words):
    assert "fail 1 of 3 gates fails (equalized odds difference by sex), 1 can't be told from 89 held-out patients." in words
    assert "mlp, 442 patients: 265 to learn from, 88 for validation, 89 held out; seed 7" in words
    assert "Pass means that the whole interval meets the threshold, on these patients" in words
    assert "accuracy at least 0.65 0.73 [0.63, 0.81] insufficient evidence" in words
    assert "about 120 more patients would settle it in 5 of 10 cases, 900 in 8 of 10" in words


def test_a_section_opens_with_the_picture_behind_its_gravest_finding(write_run, tmp_path):
    charts = [
        Chart(kind="bars", title=title, message=f"{title} matters.", rows=({"y": "a", "x": 1.0},))
        for title in ("First", "Behind", "Last")
    ]
    findings = [
        Finding(sentence="Fine.", grade="ok", weight=0.9, chart="Last"),
        Finding(sentence="Grave.", grade="concern", chart="Behind"),
        *(Finding(sentence=f"More {i}.", grade="ok") for i in range(4)),
    ]
    result = AuditResult(audit="bars", findings=tuple(findings), charts=tuple(charts), method=Method(summary="m"))
    section = render_report(write_run(tmp_path / "run", results=[result])).partition('<section id="audit-bars"')[2]
    before, _, folds = section.partition("<details")
    assert before.index("Grave.") < before.index("Behind matters.")
    assert "First matters." not in before
    assert "First matters." in folds
    assert section.count("Behind matters.</span>") == 1
    assert "3 more findings" in folds


def test_the_gravest_finding_comes_first_and_links_to_its_evidence(report):
    first = re.search(r'<section class="matters".*?<li>.*?</li>', report, re.S)[0]
    assert "Women with fast progression" in first
    assert 'href="#audit-fairness-finding-1"' in first


def test_one_audit_with_much_to_say_does_not_silence_the_others(write_run, tmp_path):
    many = tuple(Finding(sentence=f"Gap {i}.", grade="concern", weight=0.9) for i in range(9))
    calm = AuditResult(audit="calm", findings=(Finding(sentence="Calm.", grade="ok"),), method=Method(summary="m"))
    loud = AuditResult(audit="loud", findings=many, method=Method(summary="m"))
    report = render_report(write_run(tmp_path / "run", results=[loud, calm], audits={"vendor/loud": {}, "vendor/calm": {}}))
    matters = re.search(r'<section class="matters".*?</section>', report, re.S)[0]
    assert matters.index("Gap 0.") < matters.index("Calm.")
    assert "5 more findings" in report
    assert "1 more finding of less weight" in report
    assert "Not audited" not in report


def test_what_was_not_audited_says_why(words):
    assert "Robustness failed ValueError: <script>" in words
    assert "Energy no counter on this machine" in words


def test_gates_alone_pass_or_fail_and_findings_are_graded(report):
    said = re.findall(r'<li[^>]*><span class="verdict v-[a-z-]+">.*?<span>([^<]*)</span></span>', report, re.DOTALL)
    assert said
    assert set(said) <= {"ok", "concern", "unclear", "not applicable"}


def test_a_word_is_a_verdict_in_a_column_of_verdicts_and_a_name_elsewhere():
    table = Table(title="Gaps", columns=("class", "grade", "verdict"), rows=(("fail", "concern", "pass"), ("ok", "ok", "fail")))
    found = [[cell.verdict for cell in row] for row in grid(table).rows]
    assert found == [[None, "concern", "pass"], [None, "ok", "fail"]]
    assert [cell.text for cell in grid(table).rows[0]] == ["fail", "concern", "pass"]
    assert [cell.verdict for cell in grid(table, verdicts=True).rows[1]] == ["ok", "ok", "fail"]


def test_an_audit_shows_its_grade_cases_and_method(words, report):
    assert "use with care" in words
    assert "blood pressure 101 mmHg +0.820" in words
    assert "audits/explain/result.json" in words
    assert "Bird et al. (2020)" in words
    assert 'title="Bird et al. (2020), Fairlearn."' in report


def test_images_and_texts_are_shown_with_their_meaning_in_words(report, words):
    image = re.search(r'<img src="data:image/png;base64,[^"]+" alt="The lower left decides." width="224" height="224"', report)
    assert image
    assert re.search(r'<span class="against" style="--strength:[\d.]+%" title="\u22120.700"> never</span>', report)
    assert "Brighter pushes towards the decision." in words


def test_every_chart_has_its_numbers_in_a_table(report):
    assert report.count('<figure class="chart"') == report.count("<summary>The numbers</summary>") - 1 > 8


def test_negative_numbers_have_a_minus_sign_and_words_keep_their_hyphens(write_run, tmp_path):
    said = "The score of well-known 3-year loans moves by -0.188 [-0.235, -0.140] (-2 points) on 2024-01-05."
    result = AuditResult(audit="moved", findings=(Finding(sentence=said, grade="ok"),), method=Method(summary="m"))
    page = render_report(write_run(tmp_path / "run", results=[result]))
    typeset = "3-year loans moves by \u22120.188 [\u22120.235, \u22120.140] (\u22122 points) on 2024-01-05."
    assert f"The score of well-known {typeset}" in page
    assert "letter-spacing: -.015em" in page


def test_the_run_can_be_made_again_from_the_page(words, run_folder):
    assert "glassbench run docs/examples/diabetes.yaml" in words
    assert "with uncommitted changes" in words
    assert "predictions.parquet" in words
    assert "max_epochs: 100" in words


def test_a_report_of_three_audits_is_small(report):
    assert len(report.encode()) < 600_000


def test_a_run_without_gates_audits_or_history_still_has_a_page(write_run, tmp_path):
    folder = write_run(tmp_path / "bare", results=[], verdict={"verdict": "not applicable", "gates": []}, audits={})
    for name in ("metrics.jsonl", "schema.json", "data.json", "provenance.json"):
        (folder / name).unlink()
    assert "The experiment sets no gates" in render_report(folder)


def test_audits_of_any_name_get_a_section_of_their_own(write_run, tmp_path):
    names = ("a b", "a/b".replace("/", "-"), "é")
    found = Finding(sentence="Fine.", grade="ok")
    results = [AuditResult(audit=name, findings=(found,), method=Method(summary="m")) for name in names]
    page = Reader(render_report(write_run(tmp_path / "run", results=results)))
    assert {"audit-a-b", "audit-a-b-2", "audit-x"} <= set(page.ids)


def test_an_audit_without_its_result_is_not_left_out_silently(write_run, tmp_path):
    folder = write_run(tmp_path / "run", results=[])
    assert "the run holds no result of it" in render_report(folder)


def test_a_folder_that_is_no_run_or_is_damaged_is_refused(write_run, tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        render_report(tmp_path)
    folder = write_run(tmp_path / "run")
    (folder / "audits" / "fairness" / "result.json").write_text(json.dumps({"audit": "fairness"}))
    with pytest.raises(RunError, match=r"result\.json cannot be read"):
        render_report(folder)
