"""The candidates of a study: what the runs of each combination of settings came to in the objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.best_of_many import Repeated
from glassbench.stats.cross_validation import Folds, chosen_on_other_folds
from glassbench.stats.setting_importance import forest_importance
from glassbench.stats.variance_parts import importance, variance_parts
from glassbench.studies.objectives import estimate
from glassbench.studies.study_file import StudyFile
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.trials import Trial, candidate_words

Ends = tuple[float, float] | None


@dataclass(frozen=True)
class Candidate:
    """One combination of settings with its runs.

    Args:
        settings: Values by dotted setting.
        all_trials: Its runs that came to their end.
        trials: Those among them that it is compared by: with the largest share of the training rows.
        found: Of each objective, its estimates over these.
        inner: Of each seed and fold, its runs on inner folds of the other rows; empty without nested cross-validation.
    """

    settings: Mapping[str, Any]
    all_trials: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    found: tuple[Repeated, ...]
    inner: Mapping[tuple[int, int | None], tuple[Trial, ...]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The settings in words."""
        return candidate_words(self.settings)

    def told(self, ends: Sequence[Ends]) -> dict[str, Any]:
        """Return the candidate as plain values.

        Args:
            ends: Of each objective the interval that holds for all candidates at once.
        """
        objectives = []
        for repeated, both in zip(self.found, ends, strict=True):
            low, high = both or (None, None)
            value = None if repeated.undefined else repeated.value
            objectives.append({"value": value, "low": low, "high": high, "undefined": repeated.undefined})
        runs = [{"run": t.run, "seed": t.seed, "fold": t.fold, "words": t.words} for t in self.trials]
        values = [[e.value for e in repeated.estimates] for repeated in self.found]
        return {"words": self.words, "settings": dict(self.settings), "objectives": objectives, "runs": runs, "values": values}


def candidates_of(
    folder: StudyFolder, trials: Sequence[Trial], measures: Mapping[str, Sequence[Measure]], goals: Sequence[bool]
) -> list[Candidate]:
    """Return the candidates in the order of the plan; a search that came to the same settings twice has them once.

    Args:
        folder: The study.
        trials: The runs that came to their end.
        measures: Their measures, by run.
        goals: Of each objective whether higher is better.
    """
    vary = folder.asked.vary
    folds = None if vary.folds is None else Folds(vary.folds, len(vary.seeds_of(0)))
    settings = {trial.candidate: trial.settings for trial in folder.trials}
    found = []
    for words, values in settings.items():
        own = {(t.seed, t.fold, t.rows, t.inner): t for t in reversed(trials) if t.candidate == words}
        once = tuple(trial for trial in trials if own.get((trial.seed, trial.fold, trial.rows, trial.inner)) is trial)
        every = tuple(trial for trial in once if trial.inner is None)
        inner: dict[tuple[int, int | None], tuple[Trial, ...]] = {}
        for trial in once:
            if trial.inner is not None:
                inner[trial.seed, trial.fold] = (*inner.get((trial.seed, trial.fold), ()), trial)
        compared = tuple(trial for trial in every if trial.rows == vary.largest_share)
        repeated = tuple(
            Repeated(estimates=[estimate(objective, measures[trial.run], up) for trial in compared], folds=folds)
            for objective, up in zip(folder.asked.objectives, goals, strict=True)
        )
        found.append(Candidate(values, every, compared, repeated, inner))
    return found


def common_values(
    candidates: Sequence[Candidate], objective: int
) -> tuple[list[Candidate], list[tuple[int, int | None]], np.ndarray]:
    """Return the candidates with a value, the seeds and folds that all of them were run with, and the numbers."""
    usable = [c for c in candidates if c.trials and not c.found[objective].undefined]
    held = [{(t.seed, t.fold) for t in c.trials} for c in usable]
    shared = set.intersection(*held) if held else set()
    keys = [key for key in ((t.seed, t.fold) for t in usable[0].trials) if key in shared] if usable else []
    rows = []
    for c in usable:
        by_key = {(t.seed, t.fold): float(e.value or 0.0) for t, e in zip(c.trials, c.found[objective].estimates, strict=True)}
        rows.append([by_key[key] for key in keys])
    return usable, keys, np.array(rows)


def variation(candidates: Sequence[Candidate], objective: int, asked: StudyFile, level: float) -> dict[str, Any] | None:
    """Return what an objective varies by, on the seeds and folds that every candidate with a value was run with."""
    usable, keys, values = common_values(candidates, objective)
    if not keys or values.size < 2:
        return None
    parts = variance_parts(values, level)
    told = {} if parts is None else {"seeds": asdict(parts.seeds), "settings": parts.settings and asdict(parts.settings)}
    means = values.mean(axis=1)
    if asked.vary.search:
        shares = forest_importance([c.settings for c in usable], means, level)
        weights = {name: {"value": e.value, "low": e.low, "high": e.high} for name, e in shares.items()}
    else:
        full = importance([c.settings for c in usable], means) if len(usable) == len(candidates) else {}
        weights = {name: {"value": value, "low": None, "high": None} for name, value in full.items()}
    method = "forest" if asked.vary.search else "main effects"
    counts = {"seed_count": len(keys), "candidates": len(usable)}
    return {**counts, "seeds": None, "settings": None, **told, "importance": weights, "method": method}


def choice_on_other_folds(candidates: Sequence[Candidate], asked: StudyFile, up: bool, level: float) -> dict[str, Any] | None:
    """Return what a candidate comes to that is chosen on other folds than it is judged on; None without complete folds."""
    if asked.vary.folds is None or len(candidates) < 2:
        return None
    usable, keys, values = common_values(candidates, 0)
    seeds = list(dict.fromkeys(seed for seed, _ in keys))
    if len(usable) < 2 or len(keys) != len(seeds) * asked.vary.folds:
        return None
    order = [keys.index((seed, fold)) for seed in seeds for fold in range(asked.vary.folds)]
    shaped = values[:, order].reshape(len(usable), len(seeds), asked.vary.folds)
    found = chosen_on_other_folds(shaped, up, level)
    return {"value": found.value, "low": found.low, "high": found.high}
