"""What stands between a run's events and a tracker's methods, on both sides of the process: no process is started here."""

import io
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from glassbench import AuditResult, Method
from glassbench.contracts.tracker import Failure, TrackedRun
from glassbench.errors import DataError
from glassbench.pipeline import events as run_events
from glassbench.pipeline import tracker_process
from glassbench.pipeline.events import RunEvents
from glassbench.pipeline.tracker_process import opened, serve, tell

RESULT = AuditResult(method=Method(summary="."), audit="a", seconds=0.5)
FAILURE = Failure(phase="fit", message="it was interrupted", interrupted=True)
METRIC = {"event": "metric", "record": {"step": 3, "loss": 0.5}}


class Spy:
    """A tracker that keeps what it is told."""

    def __init__(self, run: Any = None, *, note: str = "") -> None:
        self.run, self.note = run, note
        self.heard: list[Any] = []

    def metric(self, record):
        self.heard.append(("metric", record))

    def audited(self, result):
        self.heard.append(("audited", result))

    def finished(self, verdict, report):
        self.heard.append(("finished", verdict, report))

    def failed(self, error):
        self.heard.append(("failed", error))


def test_each_event_calls_the_method_of_its_name():
    spy = Spy()
    for event in (
        METRIC,
        {"event": "audited", "result": RESULT.to_json()},
        {"event": "finished", "verdict": "pass", "report": "r/report.html"},
        {"event": "failed", "error": asdict(FAILURE)},
        {"event": "end"},
    ):
        tell(spy, event)
    assert spy.heard == [
        ("metric", METRIC["record"]),
        ("audited", RESULT),
        ("finished", "pass", Path("r/report.html")),
        ("failed", FAILURE),
    ]


def asked(tmp_path, **changed: Any) -> dict[str, Any]:
    """The first line that a tracker's process reads."""
    run = {"id": "r", "name": "n", "folder": str(tmp_path), "output": str(tmp_path / "trackers" / "spy"), "resumed": True}
    line = {"name": "spy", "target": "spying:Spy", "settings": {"note": "x"}, "search_path": ["somewhere", *sys.path]}
    return line | {"run": run | {"experiment": {"seed": 1}}} | changed


@pytest.fixture
def spying(monkeypatch):
    """What the targets of trackers lead to, and the targets that were asked for."""
    found, targets = SimpleNamespace(factory=Spy), []
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(tracker_process, "load_target", lambda *rest: targets.append(rest) or found.factory)
    return found, targets


def test_a_tracker_is_made_with_its_run_its_settings_and_the_runs_search_path(tmp_path, spying):
    line = asked(tmp_path)
    for _ in range(2):  # its folder may be there from before
        made = opened(line)
    output = tmp_path / "trackers" / "spy"
    run = TrackedRun(id="r", name="n", folder=tmp_path, output=output, experiment={"seed": 1}, resumed=True)
    assert isinstance(made, Spy)
    assert (made.run, made.note) == (run, "x")
    assert output.is_dir()
    assert spying[1][0] == ("spying:Spy", "the tracker 'spy'")
    assert sys.path == line["search_path"]


def served(tmp_path, *lines: dict[str, Any], **changed: Any) -> list[Any]:
    """Serve events; return what was answered."""
    answers = io.StringIO()
    serve(io.StringIO("".join(json.dumps(line) + "\n" for line in (asked(tmp_path, **changed), *lines))), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_every_event_is_answered_until_the_last(tmp_path, spying):
    made: list[Spy] = []
    spying[0].factory = lambda run, *, note="": made.append(Spy(run)) or made[-1]
    assert served(tmp_path, METRIC, METRIC, {"event": "end"}, METRIC) == [{}] * 4
    assert served(tmp_path, METRIC) == [{}] * 2  # the run ended without a word
    assert [len(spy.heard) for spy in made] == [2, 1]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ConnectionError("no server"), "ConnectionError: no server"),
        (SystemExit(3), "SystemExit: 3"),
        (DataError("odd", got="3"), str(DataError("odd", got="3")).replace("\n", "; ")),
    ],
)
def test_what_a_tracker_raises_is_the_last_answer(tmp_path, spying, raised, said):
    def fails(*_):
        raise raised

    spying[0].factory = lambda run, *, note="": SimpleNamespace(metric=fails)
    assert served(tmp_path, METRIC, METRIC) == [{}, {"error": said}]
    spying[0].factory = fails
    assert served(tmp_path, METRIC, settings={}) == [{"error": said}]


def test_a_setting_that_a_tracker_does_not_take_is_told(tmp_path, spying):
    ((answer),) = served(tmp_path, METRIC, settings={"note": "x", "noise": 1})
    assert "unknown setting 'noise'" in answer["error"]
    assert "\n" not in answer["error"]


class Delivered:
    """Stands for what brings events to a tracker."""

    made: ClassVar[list[Any]] = []

    def __init__(self, name: str, run: Path, opening: dict[str, Any]) -> None:
        self.name, self.run, self.opening, self.begun = name, run, opening, False
        self.told: list[Any] = []
        self.closed: list[Any] = []
        self.complaints: list[str] = []
        Delivered.made.append(self)

    def tell(self, message):
        self.told.append(message)

    def close(self, seconds):
        self.closed.append((len(self.told), seconds))

    def complaint(self):
        return self.complaints.pop() if self.complaints else None


class Watch:
    """A run's folder, observer and registry in one, which keep what they are told, in order."""

    run, interactive = "the-run", False

    def __init__(self, path: Path, history=(), results=(), kept=()) -> None:
        self.path, self.heard = path, []  # type: ignore[var-annotated]
        self._history, self._results = list(history), results
        self._kept = [f"audits/{name}/result.json" for name in kept]

    def history(self):
        return self._history

    def results(self):
        return self._results

    def kept(self, name):
        return name in self._kept

    def notify(self, hook, **facts):
        self.heard.append((hook, len(Delivered.made), facts.pop("folder")))
        return []

    def warn(self, text):
        self.heard.append(("warn", text))

    def log(self, event, **facts):
        self.heard.append((event, facts))

    def record(self, record):
        self.heard.append(("record", record.get("step")))

    def audited(self, result):
        self.heard.append(("audited", result.audit))


class Settings:
    def model_dump(self, mode):
        return {"mode": mode}


def follower(name: str) -> Any:
    return SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(target=f"{name}:T")), settings=Settings())


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start the events of a run with two trackers; return events, watch and the two."""
    monkeypatch.setattr(run_events, "Delivery", Delivered)
    monkeypatch.setattr(Delivered, "made", [])

    def begin(**facts):
        watch = Watch(tmp_path, **facts)
        told = RunEvents(watch, watch, watch)
        told.started({"one": follower("a"), "two": follower("b")}, {"name": "n", "seed": 1})
        return told, watch, *Delivered.made

    return begin


def keys(delivered: Delivered) -> list[str]:
    return [message.key.rsplit(" ", 1)[0] if "audit" in message.key else message.key for message in delivered.told]


def test_each_tracker_has_an_opening_of_its_own_after_the_hook(started, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/x"])
    _, watch, one, two = started()
    assert watch.heard == [("glassbench_run_start", 0, str(tmp_path))]
    run = {"id": "the-run", "name": "n", "folder": str(tmp_path), "experiment": {"name": "n", "seed": 1}}
    for made, name, target in ((one, "one", "a:T"), (two, "two", "b:T")):
        asked = {"name": name, "target": target, "search_path": [os.getcwd(), "/x"], "settings": {"mode": "json"}}
        assert (made.name, made.run) == (name, tmp_path)
        assert made.opening == asked | {"run": run | {"output": str(tmp_path / "trackers" / name)}}


def test_trackers_first_hear_what_they_may_have_missed_steps_before_finished_audits(started):
    results = [replace(RESULT, audit=name) for name in ("b", "a", "half")]
    _, _, *made = started(history=[{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}], results=results, kept=["a", "b"])
    for delivered in made:
        assert keys(delivered) == ["step 1", "step 2", "audit b", "audit a"]
        assert [message.once for message in delivered.told] == [True] * 4
        assert delivered.told[1].content == {"event": "metric", "record": {"step": 2, "loss": 1.0}}
        assert delivered.told[2].content == {"event": "audited", "result": results[0].to_json()}


def test_results_are_not_read_for_nobody(tmp_path):
    watch = Watch(tmp_path)
    watch.results = lambda: 1 / 0  # type: ignore[method-assign,assignment]
    RunEvents(watch, watch, watch).started({}, {})  # type: ignore[arg-type]


def test_steps_and_audits_reach_all_trackers_in_order(started):
    told, watch, *made = started(history=[{"step": 1}])
    for step in (1, 2, 2, 3):
        told.metric({"step": step})
    told.audited(RESULT)
    told.audited(RESULT)
    for delivered in made:
        assert keys(delivered) == ["step 1", "step 2", "step 3", "audit a", "audit a"]
        assert [message.once for message in delivered.told] == [True, True, True, False, False]
        assert delivered.told[3].key == delivered.told[4].key
    assert [rest[0] for word, *rest in watch.heard if word == "record"] == [1, 2, 2, 3]


def test_lines_without_a_step_go_by_what_they_hold(started):
    told, _, one, _ = started()
    for record in ({"loss": 1.0}, {"loss": 1.0}, {"loss": 2.0}):
        told.metric(record)
    assert [message.content["record"] for message in one.told] == [{"loss": 1.0}, {"loss": 2.0}]
    assert one.told[0].key != one.told[1].key


def test_the_key_of_a_result_is_of_all_that_it_holds(started):
    told, _, one, _ = started()
    for result in (RESULT, replace(RESULT, seconds=0.6), RESULT):
        told.audited(result)
    first, second, third = (message.key for message in one.told)
    assert first == third != second


def test_the_end_is_told_last_and_waited_for_and_then_trackers_are_let_go(started, tmp_path):
    (tmp_path / "verdict.json").write_text('{"verdict": "fail", "gates": []}')
    told, watch, one, two = started()
    one.begun, two.complaints = True, ["it was late"]
    told.finished()
    assert watch.heard[1:] == [
        ("glassbench_run_end", 2, str(tmp_path)),
        ("warn", "it was late"),
        ("tracker failed", {"tracker": "two", "complaint": "it was late"}),
    ]
    event = {"event": "finished", "verdict": "fail", "report": str(tmp_path / "report.html")}
    for delivered, once in ((one, False), (two, True)):
        (last,) = delivered.told
        assert (last.content, last.once) == (event, once)
        assert last.key.startswith("finished ")
        assert delivered.closed == [(1, None)]
    told.failed(FAILURE)
    assert [len(delivered.told) for delivered in (one, two)] == [1, 1]


def test_another_verdict_is_told_again(started, tmp_path):
    found = []
    for gates in ([], [], [1]):
        (tmp_path / "verdict.json").write_text(json.dumps({"verdict": "fail", "gates": gates}))
        told, _, *made = started()
        told.finished()
        found.append(made[-1].told[0].key)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(("interrupted", "seconds"), [(True, 5.0), (False, None)])
def test_a_failure_is_told_always_and_a_person_who_stops_a_run_waits_five_seconds(started, interrupted, seconds):
    told, _, *made = started()
    error = replace(FAILURE, interrupted=interrupted)
    told.failed(error)
    for delivered in made:
        (message,) = delivered.told
        assert (message.key, message.once) == ("failed", False)
        assert message.content == {"event": "failed", "error": asdict(error)}
        assert delivered.closed == [(1, seconds)]
    told.metric({"step": 1})
    assert len(made[0].told) == 1


def test_what_goes_wrong_with_a_tracker_is_told_as_soon_as_something_happens(started):
    told, watch, one, _ = started()
    one.complaints = ["no server"]
    told.metric({"step": 1})
    assert watch.heard[-2:] == [("warn", "no server"), ("tracker failed", {"tracker": "one", "complaint": "no server"})]
