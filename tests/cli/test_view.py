"""`glassbench view`: loopback alone, its own name alone, plain files of the run alone, and decisions as `predict` makes them."""

import hashlib
import http.client
import json
import shutil
import threading

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.viewer import RunServer


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory):
    rng, folder = np.random.default_rng(3), tmp_path_factory.mktemp("view")
    frame = pd.DataFrame({"income": rng.normal(50, 9, 240).round(1), "town": rng.choice(["A", "B"], 240)})
    frame["paid"] = np.where(frame["income"] + 9 * (frame["town"] == "B") + rng.normal(0, 4, 240) > 54, "yes", "no")
    frame.to_csv(folder / "loans.csv", index=False)
    dataset = {"use": "table", "path": str(folder / "loans.csv"), "target": "paid", "positive": "yes"}
    experiment = {"name": "x", "dataset": dataset, "task": "classification", "model": "logistic-regression"}
    return glassbench.run({**experiment, "audits": ["performance"]}, runs=folder / "runs")


@pytest.fixture(scope="module", name="server")
def _server(run):
    with RunServer(run) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def ask(server, path, *, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=120)
    connection.request(method, path, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, dict(answer.getheaders())


def decide(server, question, **headers):
    origin = f"http://127.0.0.1:{server.server_port}"
    given = {"Origin": origin, "Content_Type": "application/json"} | headers
    status, content, _ = ask(server, "/decide", method="POST", body=json.dumps(question), **given)
    return status, json.loads(content)


def digests(folder):
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_it_listens_on_the_loopback_address_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_changed_cells_are_decided_as_predict_decides_and_nothing_is_written(server, run):
    before = digests(run.folder)
    status, answer = decide(server, {"row": 5, "changes": {"income": "90", "town": "B"}})
    raw = run.held_out_rows.iloc[[5]]
    assert status == 200
    for key, frame in (("before", raw), ("after", raw.assign(income=90.0, town="B"))):
        row = run.predict(frame).iloc[0]
        assert answer[key]["prediction"] == row["y_pred"]
        assert answer[key]["scores"]["yes"] == pytest.approx(row["score.yes"])
    assert answer["before"]["scores"] != answer["after"]["scores"]
    assert any("outside the range" in line for line in answer["unusual"])
    assert digests(run.folder) == before


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "", "127.0.0.1:1", "127.0.0.1.evil.example"])
def test_another_name_is_refused(server, host):
    assert ask(server, "/report.html", Host=host)[0] == 403
    assert decide(server, {"row": 0}, Host=host)[0] == 403


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Content_Type": "text/plain"}])
def test_pages_of_others_cannot_ask(server, headers):
    assert decide(server, {"row": 0}, **headers)[0] == 403


@pytest.mark.parametrize(
    "path", ["/../../loans.csv", "/%2e%2e/%2e%2e/loans.csv", "//etc/passwd", "/%2fetc/passwd", "/link", "/audits", "/a%00b"]
)
def test_no_file_outside_the_folder_is_served(server, run, path):
    link = run.folder / "link"
    link.symlink_to("/etc/passwd")
    try:
        assert ask(server, path)[0] == 404
    finally:
        link.unlink()


def test_files_of_the_run_are_served_as_pages_or_plain_text_in_a_sandbox(server, run):
    status, content, headers = ask(server, "/")
    assert (status, content) == (200, run.report.read_bytes())
    assert "sandbox allow-scripts" in headers["Content-Security-Policy"]
    assert ask(server, "/audits/performance/result.json")[2]["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "question",
    [
        {"row": 99999},
        {"row": -1},
        {"row": "1"},
        {"row": True},
        [],
        {"row": 0, "changes": {"paid": "no"}},
        {"row": 0, "changes": {"income": "much"}},
    ],
)
def test_wrong_questions_are_answered_with_the_reason(server, question):
    status, answer = decide(server, question)
    assert status == 400
    assert answer["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_nothing_else_is_done(server, method):
    assert ask(server, "/report.html", method=method)[0] == 501


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium")
def test_in_the_browser_a_changed_cell_changes_the_answer(server):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(server.address.replace("report.html", "what-if"))
        answer = tab.locator("#answers tr").first.locator("td").last
        tab.get_by_label("income").fill("20")
        tab.get_by_label("income").press("Tab")
        playwright.expect(answer).to_have_text("no", timeout=60_000)
        tab.get_by_label("income").fill("95")
        tab.get_by_label("income").press("Tab")
        playwright.expect(answer).to_have_text("yes", timeout=60_000)
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        assert [one["id"] for one in axe.run(tab).response["violations"]] == []
        browser.close()
