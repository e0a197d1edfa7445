"""What a study tells of runs that failed: the last reason, of runs that are still to be done."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from glassbench.studies.study_folder import StudyFolder


def test_the_last_failure_is_told_of_runs_that_are_neither_done_nor_ended_early(tmp_path: Path) -> None:
    first, second, done, pruned, untold = (SimpleNamespace(run=name) for name in ("a", "b", "done", "pruned", "untold"))
    study: Any = SimpleNamespace(
        path=tmp_path,
        trials=(first, second, done, pruned, untold),
        done=lambda trial: trial is done,
        pruned=lambda trial: trial is pruned,
    )
    for trial, message in ((first, "no disk"), (second, "no rows"), (done, "no luck"), (first, "no memory"), (pruned, "slow")):
        StudyFolder.note_failure(study, trial, message)
    assert StudyFolder.failures.fget(study) == {"a": "no memory", "b": "no rows"}
