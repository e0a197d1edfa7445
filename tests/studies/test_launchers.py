"""Every launcher keeps the same promises, and a study has the same numbers whichever does its runs."""

import os
import signal
import time
from pathlib import Path

import pytest

from glassbench.contracts.launcher import LaunchedStudy, Outcome
from glassbench.errors import GlassbenchError, RunError
from glassbench.studies import run_study
from glassbench.studies.local_launcher import LocalLauncher
from glassbench.studies.trials import Trial
from glassbench.studies.working import work
from glassbench.testing import check_launcher


def submitit_launcher():
    pytest.importorskip("submitit")
    from glassbench_plugins.launchers.submitit_launcher import SubmititLauncher

    return SubmititLauncher


def ray_launcher():
    pytest.importorskip("ray")
    from glassbench_plugins.launchers.ray_launcher import RayLauncher

    return RayLauncher


@pytest.mark.slow
def test_the_local_launcher_keeps_its_promises():
    check_launcher(LocalLauncher)


@pytest.mark.slow
def test_the_launcher_of_submitit_keeps_its_promises():
    check_launcher(submitit_launcher(), cluster="local")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_launcher_of_ray_keeps_its_promises():
    check_launcher(ray_launcher())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_three_launchers_agree(small_study, tmp_path):
    submitit_launcher(), ray_launcher()
    found = []
    for launcher in ("local", {"use": "submitit", "cluster": "local"}, "ray"):
        study = run_study(small_study({"seeds": 2}, launcher=launcher), studies=tmp_path)
        assert not study.failures
        found.append([(c["words"], c["values"], c["objectives"]) for c in study.answer["candidates"]])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("address", "words"),
    [("nonsense", "no address"), ("127.0.0.1:1", "no Ray cluster answers"), ("ray://127.0.0.1:99999", "no Ray cluster answers")],
)
def test_a_ray_address_that_does_not_answer_is_one_screen(address, words, tmp_path):
    launcher = ray_launcher()(address=address)
    started = time.monotonic()
    with pytest.raises(RunError) as caught:
        launcher.open(LaunchedStudy(folder=tmp_path, workers=2, threads=1))
    launcher.close()
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) < 6
    assert time.monotonic() - started < 20


def test_ray_that_takes_too_long_to_start_is_tried_twice_and_one_screen(tmp_path, monkeypatch):
    launcher, tries = ray_launcher()(), []

    def init(**settings):
        tries.append(os.environ["RAY_gcs_server_port_wait_time_s"])  # noqa: SIM112 - Ray's own name
        raise TimeoutError("The current node timed out during startup.\nMore lines.")

    monkeypatch.setattr("ray.init", init)
    monkeypatch.setenv("RAY_gcs_server_port_wait_time_s", "300")
    with pytest.raises(RunError, match="does not start") as caught:
        launcher.open(LaunchedStudy(folder=tmp_path, workers=2, threads=1))
    assert tries == ["300", "300"]
    assert "ray start --head" in str(caught.value)
    assert len(str(caught.value).splitlines()) < 6


def test_slurm_that_is_not_there_is_one_screen(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RunError, match="no Slurm"):
        submitit_launcher()(cluster="slurm").open(LaunchedStudy(folder=tmp_path, workers=2, threads=1))


@pytest.mark.parametrize(
    ("launcher", "words"),
    [("loocal", "did you mean 'local'"), ({"use": "local", "cores": 3}, "cores"), ({"use": "submitit", "minutes": 0}, "minutes")],
)
def test_a_launcher_that_there_is_not_is_refused_at_plan(launcher, words, small_study, tmp_path):
    with pytest.raises(GlassbenchError) as caught:
        run_study(small_study({"seeds": 2}, launcher=launcher), studies=tmp_path / "s")
    assert words in str(caught.value)
    assert not (tmp_path / "s").exists()


class Dying:
    """Starts nothing; runs die as often as told."""

    def __init__(self, deaths):
        self.deaths, self.submitted, self.waiting, self.closed = dict(deaths), [], [], False

    def open(self, study):
        pass

    def submit(self, experiment):
        self.submitted.append(experiment)
        self.waiting.append(experiment)

    def wait(self, seconds):
        experiment = self.waiting.pop(0)
        died = self.deaths.get(experiment, 0) > 0
        self.deaths[experiment] = self.deaths.get(experiment, 0) - 1
        return [Outcome(experiment=experiment, message="killed" if died else None, died=died)]

    def close(self):
        self.closed = True


class Listed:
    """A supply of given runs."""

    def __init__(self, names, folder):
        self.left = [(Trial(run=name, seed=0, settings={}), folder / name) for name in names]
        self.told = {}

    def next(self):
        return self.left.pop(0) if self.left else None

    def ended(self, trial, message):
        self.told[trial.run] = message


def test_a_run_whose_worker_dies_is_tried_once_more_and_then_failed(tmp_path):
    launcher, supply = Dying({tmp_path / "b": 1, tmp_path / "c": 2}), Listed("abc", tmp_path)
    work(launcher, LaunchedStudy(folder=tmp_path, workers=2, threads=1), supply)
    assert supply.told == {"a": None, "b": None, "c": "twice, killed"}
    assert sorted(path.name for path in launcher.submitted) == ["a", "b", "b", "c", "c"]
    assert launcher.closed


@pytest.mark.slow
def test_a_job_that_is_preempted_goes_on(tmp_path):
    launcher = submitit_launcher()(cluster="local")
    (tmp_path / "trials").mkdir()
    marks, script = tmp_path / "marks", tmp_path / "once.py"
    script.write_text(
        f"import os, time\nmarks = open({str(marks)!r}, 'a')\nmarks.write(f'begun {{os.getppid()}}\\n'); marks.flush()\n"
        f"time.sleep(0 if open({str(marks)!r}).read().count('begun') > 1 else 600)\n"
    )

    class Study(LaunchedStudy):
        def command(self, experiment):
            return ["python3", str(script)]

    launcher.open(Study(folder=tmp_path, workers=1, threads=1))
    try:
        launcher.submit(tmp_path / "trials" / "x.yaml")
        until = time.monotonic() + 120
        while not (marks.exists() and marks.read_text().endswith("\n")) and time.monotonic() < until:
            time.sleep(0.2)
        os.kill(int(marks.read_text().split()[1]), signal.SIGUSR2)  # as Slurm tells a job, which waits for the script
        ended = []
        while not ended and time.monotonic() < until:
            ended = launcher.wait(1.0)
    finally:
        launcher.close()
    assert [one.message for one in ended] == [None]
    assert marks.read_text().count("begun") == 2


@pytest.mark.slow
def test_a_worker_that_is_killed_once_costs_nothing(small_study, tmp_path):
    import threading

    killed = []

    def kill():
        until = time.monotonic() + 120
        while not killed and time.monotonic() < until:
            for path in tmp_path.glob("*/runs/*/lock"):
                name = path.parent.name
                for process in _processes_with(name):
                    os.kill(process, signal.SIGKILL)
                    killed.append(name)
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    study = run_study(small_study({"seeds": 2}, launcher={"use": "submitit", "cluster": "local"}), studies=tmp_path)
    thread.join()
    assert killed
    assert study.answer["runs"]["done"] == 2


def _processes_with(name):
    """Processes of this test's study whose command names a run."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                command = Path(f"/proc/{entry.name}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if "glassbench.worker" in command and any(name in part for part in command):
                found.append(int(entry.name))
    return found
