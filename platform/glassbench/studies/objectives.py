"""What a run came to in the objectives of a study."""

from collections.abc import Sequence

from glassbench.contracts.evidence import Measure
from glassbench.errors import ExperimentError
from glassbench.experiments.gates import selected
from glassbench.stats.estimate import Estimate
from glassbench.studies.study_file import Objective
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.trials import Trial


def measures_of(folder: StudyFolder, trial: Trial, *, confirmed: bool = True) -> list[Measure]:
    """Return every measure of a run that came to its end.

    Args:
        folder: The study.
        trial: The run.
        confirmed: Whether to make sure first that the run's files are as they were written.
    """
    run = folder.run(trial)
    assert run is not None
    if confirmed:
        run.confirm()
    return [measure for result in run.results() for measure in result.measures]


def estimate(objective: Objective, measures: Sequence[Measure], up: bool) -> Estimate:
    """Return an objective's estimate in one run: of several measures, the worst."""
    found = selected(objective, measures)
    if not found:
        return Estimate(value=None, undefined=f"no audit of the run measured {objective.words}")
    missing = next((m for m in found if m.value is None), None)
    worst = missing or (min if up else max)(found, key=lambda m: float(m.value or 0.0))
    return Estimate(value=worst.value, low=worst.low, high=worst.high, level=worst.level, n=worst.n, undefined=worst.undefined)


def higher_is_better(objective: Objective, runs: Sequence[Sequence[Measure]]) -> bool | None:
    """Return an objective's direction: the one that is asked for, else the measure's own; None where no run measured it.

    Raises:
        ExperimentError: Neither direction is known of a measure that there is.
    """
    if objective.goal is not None:
        return objective.goal == "maximize"
    found = [measure for measures in runs for measure in selected(objective, measures)]
    known = next((measure.higher_is_better for measure in found if measure.higher_is_better is not None), None)
    if known is None and any(measure.name == objective.measure for measures in runs for measure in measures):
        problem = f"nobody says which direction of {objective.measure} is good"
        raise ExperimentError(problem, where="objectives", got=objective.words, fix="goal: maximize, or goal: minimize")
    return known


def refuse_unmeasured(objective: Objective, runs: Sequence[Sequence[Measure]]) -> None:
    """Refuse an objective that no run measured.

    Raises:
        ExperimentError: Always; it names what is measured.
    """
    names = {measure.name for measures in runs for measure in measures}
    audit = objective.measure.partition(".")[0]
    near = sorted(name for name in names if name.startswith(f"{audit}.")) or sorted(names)
    raise ExperimentError(f"no run measured {objective.words}", where="objectives", got=objective.measure, available=near)
