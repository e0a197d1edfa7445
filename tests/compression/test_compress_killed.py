"""A compression that is killed while a network learns, and asked for again, ends as one that never was."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import glassbench

pytestmark = pytest.mark.slow

EXPERIMENT = {
    "name": "killed",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [64, 64]},
    "trainer": {
        "use": "lightning",
        "threads": 1,
        "max_epochs": 120,
        "early_stopping": None,
        "checkpoint_every": 0.0,
        "keep": "last",
    },
    "audits": ["performance"],
    "seed": 3,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return glassbench.run(EXPERIMENT, runs=tmp_path_factory.mktemp("runs")).folder


def compress(run: Path, place: Path, to: str, *settings: str) -> subprocess.Popen:
    code = "import sys; from glassbench.cli.app import invoke; invoke(sys.argv[1:])"
    arguments = ["compress", run, "--to", "half", "--to", to, "-o", place, *settings]
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "asked", [("distilled",), ("pruned-units", "pruned-units.epochs=120"), ("pruned", "pruned.epochs=120")], ids=lambda a: a[0]
)
def test_killed_while_a_network_learns(run: Path, tmp_path: Path, asked: tuple[str, ...]) -> None:
    name = asked[0]
    assert compress(run, tmp_path / "whole", *asked).wait(600) == 0
    process, draft = compress(run, tmp_path / "killed", *asked), tmp_path / ".killed.unfinished"
    while not list(draft.glob(f"{name}/work/1/*")):
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    before = (draft / "half" / "candidate.json").stat().st_mtime_ns
    assert compress(run, tmp_path / "killed", *asked).wait(600) == 0
    assert not draft.exists()
    assert (tmp_path / "killed" / "half" / "candidate.json").stat().st_mtime_ns == before
    files = [path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole" / name).iterdir()]
    assert len(files) > 5
    for file in ("half/model.onnx", *files):
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
