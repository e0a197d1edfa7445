"""Which phases of a run are done, again or not, after it was stopped anywhere; stand-ins for phases write one file each."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glassbench.contracts.tracker import Failure
from glassbench.errors import DataError, Interrupted, RunError
from glassbench.pipeline import phases
from glassbench.runs.all_runs import create_run
from glassbench.runs.run_folder import RunFolder

NAMES = ("fit", "predict", "audit", "report")
WRITES = {"fit": "model.bin", "predict": "predictions.parquet", "audit": "verdict.json", "report": "report.html"}
STARTED, DONE, FINISHED, FAILED = "started", "phase done", "finished", "failed"


class Heard:
    """The events of a run, and what its status said when each was told."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.heard: list[tuple[Any, ...]] = []
        self.sealed: list[bool] = []
        self.stops: str | None = None

    def _note(self, *words: Any) -> None:
        self.heard.append(words)
        self.sealed.append(self.folder.status["sealed"])
        if words[0] == self.stops or words[-1] == self.stops:
            raise KeyboardInterrupt

    def started(self, trackers, experiment):
        self._note(STARTED, trackers, experiment)

    def phase_done(self, phase):
        assert self.folder.done(phase)
        self._note(DONE, phase)

    def finished(self):
        self._note(FINISHED)

    def failed(self, error):
        self._note(FAILED, error)


class Work:
    """A run whose phases write one file each, and the phases that were done."""

    def __init__(self, root: Path, resolved: str = "name: n\n") -> None:
        self.folder = create_run(root, "the-run", {"resolved.yaml": resolved}, ["a", "b"])
        self.events = Heard(self.folder)
        self.plan = SimpleNamespace(resolved={"name": "n"}, trackers=("mine",), audits={})
        self.registry = None
        self.heard = self.events.heard
        self.warned: list[str] = []
        self.observer = SimpleNamespace(warn=self.warned.append)
        self.done: list[str] = []
        self.left: list[str] = []
        self.raises: dict[str, BaseException] = {}

    def phase(self, name: str) -> list[str]:
        path = self.folder.path / WRITES[name]
        self.done.append(name)
        self.left.append(path.read_text() if path.exists() else "")
        path.write_text("half")
        if name in self.raises:
            raise self.raises.pop(name)
        path.write_text("whole")
        return [path.name]

    def told(self) -> list[Any]:
        """What was told since the last time, by its first word or by the name of the phase."""
        found = [words[0] if words[0] in (STARTED, FINISHED) else words[-1] for words in self.heard]
        self.heard.clear()
        self.done.clear()
        return found


@pytest.fixture
def at_work(tmp_path, monkeypatch):
    """A run with phases in place, each of which takes two seconds by the clock."""
    made = Work(tmp_path)
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(phases, "_PHASES", {name: lambda context, name=name: context.phase(name) for name in NAMES})
    monkeypatch.setattr(phases.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(phases, "everyones_trackers", lambda registry: ())
    monkeypatch.setattr(phases, "refresh_index", lambda root: None)
    monkeypatch.setattr(phases, "render_index", lambda root: "<html>")
    return made


def status(work: Work) -> dict[str, Any]:
    return json.loads((work.folder.path / "status.json").read_text())


def test_all_phases_are_done_in_order_each_told_after_its_record_and_the_end_last(at_work):
    phases.work(at_work)
    assert at_work.done == list(NAMES)
    assert at_work.heard == [(STARTED, {}, {}), *((DONE, name) for name in NAMES), (FINISHED,)]
    assert not any(at_work.events.sealed)
    assert status(at_work)["sealed"]
    records = status(at_work)["phases"]
    assert list(records) == ["plan", *NAMES]
    assert {name: (record["seconds"], record["files"]) for name, record in records.items() if name != "plan"} == {
        name: (2.0, [WRITES[name]]) for name in NAMES
    }
    at_work.folder.confirm()
    assert not at_work.warned


def test_a_run_that_is_done_does_nothing_again_but_seals(at_work):
    phases.work(at_work)
    before = (at_work.folder.path / "status.json").read_text()
    at_work.told()
    phases.work(at_work)
    assert at_work.done == []
    assert at_work.heard == [(STARTED, {}, {}), (FINISHED,)]
    assert at_work.events.sealed[-2:] == [False, False]
    assert (at_work.folder.path / "status.json").read_text() == before


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("within", [True, False])
def test_a_run_that_was_killed_goes_on_with_what_was_not_done(at_work, place, within):
    name = NAMES[place]
    if within:
        at_work.raises[name] = KeyboardInterrupt()
    else:
        at_work.events.stops = name  # its record is on disk
    with pytest.raises(Interrupted) as caught:
        phases.work(at_work)
    assert (caught.value.folder, caught.value.done) == (at_work.folder.path, False)
    assert at_work.done == list(NAMES[: place + 1])
    at = name if within else NAMES[min(place + 1, 3)]
    assert at_work.heard[-1] == (FAILED, Failure(phase=at, message="it was interrupted", interrupted=True))
    assert not status(at_work)["sealed"]
    at_work.events.stops = None
    at_work.told()
    at_work.left.clear()
    phases.work(at_work)
    again = list(NAMES[place if within else place + 1 :])
    assert at_work.done == again
    assert [words[-1] for words in at_work.heard] == [{}, *again, FINISHED]
    assert at_work.left == (["half"] if within else []) + [""] * (3 - place)  # only what was begun is written over
    assert {(at_work.folder.path / file).read_text() for file in WRITES.values()} == {"whole"}
    assert status(at_work)["sealed"]
    at_work.folder.confirm()


def test_a_run_that_was_killed_between_its_last_phase_and_its_seal_is_sealed(at_work):
    at_work.events.stops = FINISHED
    with pytest.raises(Interrupted):
        phases.work(at_work)
    assert at_work.heard[-1][1].phase == "report"
    at_work.events.stops = None
    at_work.told()
    phases.work(at_work)
    assert at_work.done == []
    assert status(at_work)["sealed"]


def test_who_stops_a_run_that_is_sealed_is_told_that_nothing_is_left(at_work, monkeypatch):
    def stop(root):
        raise KeyboardInterrupt

    monkeypatch.setattr(phases, "refresh_index", stop)
    with pytest.raises(Interrupted) as caught:
        phases.work(at_work)
    assert caught.value.done
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)


@pytest.mark.parametrize("place", range(4))
def test_a_phase_that_lost_a_file_is_done_again_and_so_is_what_comes_after(at_work, place):
    phases.work(at_work)
    at_work.told()
    (at_work.folder.path / WRITES[NAMES[place]]).unlink()
    phases.work(at_work)
    assert at_work.done == list(NAMES[place:])
    at_work.folder.confirm()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (DataError("odd rows", got="3"), str(DataError("odd rows", got="3"))),
        (ValueError("one\ntwo"), "ValueError: one ..."),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError("in /home/ada/rows.csv"), "RuntimeError: in ~/rows.csv"),
    ],
)
def test_an_error_is_told_with_its_phase_and_raised_as_it_is(at_work, name, raised, said):
    at_work.raises[name] = raised
    with pytest.raises(type(raised)) as caught:
        phases.work(at_work)
    assert caught.value is raised
    assert at_work.heard[-1] == (FAILED, Failure(phase=name, message=said, interrupted=False))
    assert at_work.done == list(NAMES[: NAMES.index(name) + 1])
    at_work.told()
    phases.work(at_work)  # the lock is free again
    assert at_work.done == list(NAMES[NAMES.index(name) :])


def test_a_run_is_worked_on_by_one_process_alone(at_work):
    with at_work.folder.locked(), pytest.raises(RunError, match="another process works on this run"):
        phases.work(at_work)
    assert at_work.heard == at_work.done == []


def test_what_a_kill_left_half_written_is_swept_away_first(at_work):
    path = at_work.folder.path
    (path / f".model.bin.{'0' * 16}.part").write_text("torn")
    (path / "mine.part").write_text("somebody's")
    phases.work(at_work)
    assert sorted(p.name for p in path.iterdir() if "part" in p.name) == ["mine.part"]


def test_phases_are_the_four_after_the_plan_in_their_order():
    assert {name: phase.__name__ for name, phase in phases._PHASES.items()} == {name: name for name in NAMES}
    assert list(phases._PHASES) == list(NAMES)


def test_those_of_the_experiment_follow_first_then_those_of_all_runs(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(phases, "everyones_trackers", lambda registry: calls.append(registry) or ("everyone's",))
    monkeypatch.setattr(phases, "named", lambda trackers: dict.fromkeys(trackers))
    work = Work(tmp_path, "name: n\ntrackers: [mine]\n")
    assert list(phases._trackers(work)) == ["mine", "everyone's"]
    alone = Work(tmp_path / "other")
    del alone.plan  # it is not made where nobody of its own follows
    assert list(phases._trackers(alone)) == ["everyone's"]
    assert calls == [None, None]


def test_who_follows_is_told_the_experiment_in_full(at_work, monkeypatch):
    monkeypatch.setattr(phases, "named", lambda trackers: {"csv": "choice"})
    phases.work(at_work)
    assert at_work.heard[0] == (STARTED, {"csv": "choice"}, {"name": "n"})


def test_the_report_is_rendered_again_and_nothing_else(at_work, monkeypatch):
    with pytest.raises(RunError, match="not that far"):
        phases.report_again(at_work)
    phases.work(at_work)
    monkeypatch.setattr(phases, "named", lambda trackers: {"csv": "choice"})
    del at_work.plan
    at_work.told()
    phases.report_again(at_work)
    assert at_work.done == ["report"]
    assert at_work.heard == [(STARTED, {}, {}), (DONE, "report"), (FINISHED,)]
    assert status(at_work)["sealed"]


def audit(needs: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(needs=needs)))


def audited(work: Work) -> Path:
    """Give a run three audits with results, one of which reads the others'; return the folder of its audits."""
    work.plan.audits = {"a": audit(), "b": audit(), "reads": audit(("results",))}
    work.gone, work.subject = False, lambda: None  # type: ignore[attr-defined]
    phase, place = work.phase, work.folder.path / "audits"

    def auditing(name):
        for one in work.plan.audits if name == "audit" else ():
            if not work.folder.kept(f"audits/{one}/result.json"):
                (place / one).mkdir(parents=True, exist_ok=True)
                (place / one / "result.json").write_text(f"{one} {len(work.warned)}")
                work.folder.keep(f"audits/{one}/result.json")
        return phase(name)

    work.phase = auditing  # type: ignore[method-assign]
    phases.work(work)
    work.told()
    work.warned.append("from here on")
    return place


def texts(place: Path) -> dict[str, str]:
    return {p.parent.name: p.read_text().split()[1] for p in place.glob("*/result.json")}


@pytest.mark.parametrize(
    ("asked", "again"),
    [(["a"], {"a", "reads"}), (["reads"], {"reads"}), ([], {"a", "b", "reads"}), (["a", "b"], {"a", "b", "reads"})],
)
def test_audits_that_are_made_again_are_those_asked_for_and_who_reads_results(at_work, asked, again):
    place = audited(at_work)
    assert texts(place) == {"a": "0", "b": "0", "reads": "0"}
    phases.audit_again(at_work, asked)
    assert texts(place) == {name: "1" if name in again else "0" for name in ("a", "b", "reads")}
    assert at_work.done == ["audit", "report"]
    at_work.folder.confirm()


def test_results_stay_where_the_subject_cannot_be_loaded_again(at_work):
    place, before = audited(at_work), (at_work.folder.path / "status.json").read_text()

    def lost():
        raise RunError("the model is gone")

    at_work.subject = lost
    with pytest.raises(RunError, match="the model is gone"):
        phases.audit_again(at_work, ["a"])
    assert texts(place) == {"a": "0", "b": "0", "reads": "0"}
    assert (at_work.folder.path / "status.json").read_text() == before
    with at_work.folder.locked(), pytest.raises(RunError, match="another process"):
        phases.audit_again(at_work, ["a"])


def outlived(gone: bool, **needs: tuple[str, ...]) -> Any:
    """A run whose model and training rows are gone, or not, with audits that need this and that."""
    audits = {name: audit(of) for name, of in needs.items()}
    told: list[str] = []
    return SimpleNamespace(
        gone=gone,
        plan=SimpleNamespace(audits=audits),
        observer=SimpleNamespace(warn=told.append),
        told=told,
        folder=SimpleNamespace(path="runs/x"),
    )


@pytest.mark.parametrize("need", ["model", "gradients", "training data"])
def test_an_audit_that_needs_what_is_gone_keeps_its_result(need):
    context = outlived(True, fairness=("predictions", "truth", "groups"), drift=(need, "predictions"))
    assert phases._repeatable(context, ["fairness", "drift"], named=False) == ["fairness"]
    assert "drift" in context.told[0]
    with pytest.raises(RunError, match="'drift' needs its model"):
        phases._repeatable(context, ["drift"], named=True)
    with pytest.raises(RunError):
        phases._repeatable(outlived(True, drift=(need,)), ["drift"], named=False)
    assert phases._repeatable(outlived(False, drift=(need,)), ["drift"], named=True) == ["drift"]
