"""The conformance suite of launchers."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glassbench.contracts.launcher import LaunchedStudy, Launcher, Outcome
from glassbench.errors import FOREIGN
from glassbench.experiments.settings import settings_model
from glassbench.runs.all_runs import new_run_id
from glassbench.runs.seals import STATUS
from glassbench.storage.files import read_object

_PATIENCE = 300.0
_GOOD = {
    "name": "conformance",
    "dataset": {"use": "diabetes", "target": "class"},
    "task": "classification",
    "model": "logistic-regression",
    "audits": {"performance": {}},
}


def check_launcher(factory: Callable[..., Any], **settings: Any) -> None:
    """Check that a launcher keeps its promises: runs come to their end, one that fails is told with its reason, none is left.

    Args:
        factory: The component, `(*, settings...)`.
        settings: Settings to make it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(factory)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        good, other, bad = (_experiment(folder, content) for content in (_GOOD, _GOOD, {**_GOOD, "model": "no-such-model"}))
        launcher: Launcher = factory(**settings)
        try:
            launcher.open(LaunchedStudy(folder=folder, workers=2, threads=1))
            launcher.submit(good)
            launcher.submit(bad)
            found = _outcomes(launcher, 2)
            launcher.submit(other)
        except FOREIGN as error:
            raise AssertionError(f"a launcher must start runs; {type(error).__name__}: {error}") from error
        finally:
            launcher.close()
        assert set(found) == {good, bad}, f"each run is told once, by its file; got {sorted(path.name for path in found)}"
        assert found[good].message is None, f"a run that came to its end has no message; got {found[good].message}"
        assert _done(folder, good), "a run is done once its end is told"
        assert not found[bad].died, "a run that failed with a reason did not die"
        assert "no-such-model" in (found[bad].message or ""), (
            f"a run that failed is told with its reason; got {found[bad].message}"
        )
        _check_quiet(folder)


def _experiment(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "trials" / f"{new_run_id()}.yaml"
    path.parent.mkdir(exist_ok=True)
    (folder / "runs").mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _outcomes(launcher: Launcher, count: int) -> dict[Path, Outcome]:
    found: dict[Path, Outcome] = {}
    until = time.monotonic() + _PATIENCE
    while len(found) < count:
        assert time.monotonic() < until, f"{count - len(found)} runs did not end within {_PATIENCE:.0f} s"
        found |= {outcome.experiment: outcome for outcome in launcher.wait(1.0)}
    return found


def _done(folder: Path, experiment: Path) -> bool:
    path = folder / "runs" / experiment.stem / STATUS
    return path.is_file() and bool(read_object(path)["sealed"])


def _check_quiet(folder: Path) -> None:
    """Make sure that nothing works on a run once the launcher is closed."""
    before = _times(folder)
    time.sleep(2.0)
    assert _times(folder) == before, "nothing works on a run once a launcher is closed"


def _times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob("runs/**/*") if path.is_file()}
