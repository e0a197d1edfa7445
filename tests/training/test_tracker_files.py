"""What the built-in trackers write."""

import csv
from pathlib import Path

import pytest

from glassbench import AuditResult, ComponentError, Failure, Measure, Method, Registry, TrackedRun
from glassbench.testing import check_tracker
from glassbench_plugins.trackers.csv_files import CsvTracker

RECORDS = [{"epoch": 0, "step": 5, "loss": 0.5}, {"epoch": 1, "step": 10, "loss": 0.25, "accuracy": 0.75}]
RATE = Measure(name="toy.rate", value=0.5, low=0.25, high=0.75, n=16, group={"side": "=cmd()"})
RESULT = AuditResult(audit="toy", method=Method(summary="."), measures=(RATE, Measure(name="toy.count", value=3.0)))


@pytest.fixture
def followed(tmp_path: Path) -> TrackedRun:
    output = tmp_path / "trackers" / "own"
    output.mkdir(parents=True)
    return TrackedRun(id="run", name="toy", folder=tmp_path, output=output, experiment={})


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_csv_files_keep_their_promises() -> None:
    check_tracker(CsvTracker)


def test_csv_files_hold_each_line_also_of_a_resumed_run(followed: TrackedRun) -> None:
    CsvTracker(followed).metric(RECORDS[0])
    tracker = CsvTracker(followed)
    tracker.metric(RECORDS[1])
    tracker.metric({"epoch": 2, "step": 15, "loss": 0.125})
    expected = [("0", "5", "0.5", ""), ("1", "10", "0.25", "0.75"), ("2", "15", "0.125", "")]
    assert [tuple(row.values()) for row in rows(followed.output / "metrics.csv")] == expected


def test_a_spreadsheet_runs_nothing_of_a_measure(followed: TrackedRun) -> None:
    CsvTracker(followed).audited(RESULT)
    first, second = rows(followed.output / "measures.csv")
    assert (first["group"], first["value"], first["low"], first["n"]) == ("side: =cmd()", "0.5", "0.25", "16")
    assert (second["value"], second["low"], second["level"]) == ("3.0", "", "")
    assert not first["group"].startswith("=")


def test_the_outcome_is_written(followed: TrackedRun) -> None:
    tracker = CsvTracker(followed)
    tracker.failed(Failure(phase="fit", message="=no memory"))
    tracker.finished("pass", Path("report.html"))
    said = [tuple(row.values()) for row in rows(followed.output / "outcome.csv")]
    assert said == [("stopped in fit", "'=no memory"), ("pass", "report.html")]


def test_tensorboard_that_is_not_installed_is_said_at_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ComponentError) as caught:
        Registry().find("tracker", "tensorboard").load()
    assert "pip install 'glassbench[tensorboard]'" in str(caught.value)


def test_tensorboard_reads_what_its_tracker_wrote(followed: TrackedRun, tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from glassbench_plugins.trackers.tensorboard import TensorBoardTracker

    check_tracker(TensorBoardTracker)
    tracker = TensorBoardTracker(followed, folder=tmp_path / "logs")
    for record in RECORDS:
        tracker.metric(record)
    tracker.audited(RESULT)
    tracker.finished("pass", Path("report.html"))
    read = accumulators.EventAccumulator(str(tmp_path / "logs" / "run"))
    read.Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(5, 0.5), (10, 0.25)]
    assert [event.value for event in read.Scalars("toy.rate/side==cmd()")] == [0.5]
    assert not any(followed.output.iterdir())
