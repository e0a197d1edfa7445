"""What the runs of a study come to: each candidate's objectives, what varies and why, the frontier, and the winner."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.best_of_many import Repeated, intervals_at_once
from glassbench.stats.variance_parts import frontier, importance, variance_parts
from glassbench.studies.objectives import estimate, higher_is_better, measures_of, refuse_unmeasured
from glassbench.studies.study_file import Objective
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.trials import Trial, candidate_words

LEVEL = 0.95


@dataclass(frozen=True)
class Candidate:
    """One combination of settings with its runs.

    Args:
        settings: Values by dotted setting.
        trials: Its runs that came to their end.
        found: Of each objective, its estimates over those runs.
    """

    settings: Mapping[str, Any]
    trials: tuple[Trial, ...]
    found: tuple[Repeated, ...]


def answer(folder: StudyFolder) -> dict[str, Any]:
    """Return what a study found, as plain JSON values; runs that are not done are left aside and counted.

    Returns:
        `study`, `name`, `runs` (asked, done, failed, pruned), `search`, `objectives`, `candidates`, `frontier`, `winner` and
        `variation`; a
        candidate has an entry for each objective with its mean over seeds, an interval that holds for all candidates at once,
        and the run of each seed.
    """
    trials = folder.finished
    measures = {trial.run: measures_of(folder, trial) for trial in trials}
    goals = [_goal(objective, list(measures.values())) for objective in folder.asked.objectives]
    candidates = _candidates(folder, trials, measures, goals)
    complete = [c for c in candidates if not any(one.undefined for one in c.found)]
    ends = [intervals_at_once([c.found[place] for c in candidates], LEVEL) for place in range(len(goals))]
    points = np.array([[r.value if up else -r.value for r, up in zip(c.found, goals, strict=True)] for c in complete])
    front = [candidates.index(complete[place]) for place in frontier(points)] if complete else []
    return {
        "study": folder.study,
        "name": folder.asked.name,
        "runs": {
            "asked": len(folder.trials),
            "done": len(trials),
            "failed": folder.failures,
            "pruned": sum(folder.pruned(trial) for trial in folder.trials),
        },
        "search": _search(folder),
        "level": LEVEL,
        "objectives": [
            {**objective.model_dump(mode="json"), "words": objective.words, "higher_is_better": up}
            for objective, up in zip(folder.asked.objectives, goals, strict=True)
        ],
        "candidates": [_told(candidate, [e[place] for e in ends]) for place, candidate in enumerate(candidates)],
        "frontier": front,
        "winner": _winner(folder.asked.objectives, candidates, goals),
        "variation": [_variation(candidates, place) for place in range(len(goals))],
    }


def _candidates(
    folder: StudyFolder, trials: Sequence[Trial], measures: Mapping[str, Sequence[Measure]], goals: Sequence[bool]
) -> list[Candidate]:
    settings = {candidate_words(trial.settings): trial.settings for trial in folder.trials}
    grouped = {words: tuple(trial for trial in trials if trial.candidate == words) for words in settings}
    return [
        Candidate(
            settings[words],
            runs,
            tuple(
                Repeated(estimates=[estimate(objective, measures[trial.run], up) for trial in runs])
                for objective, up in zip(folder.asked.objectives, goals, strict=True)
            ),
        )
        for words, runs in grouped.items()
    ]


def _goal(objective: Objective, runs: Sequence[Sequence[Measure]]) -> bool:
    up = higher_is_better(objective, runs)
    if up is None:
        refuse_unmeasured(objective, runs)
    return bool(up)


def _search(folder: StudyFolder) -> dict[str, Any] | None:
    """Return how candidates were searched for, and which were refused because settings do not go together."""
    asked = folder.asked
    if not asked.vary.search:
        return None
    method = "NSGA-II" if len(asked.objectives) > 1 else "TPE"
    refused = [{"words": candidate_words(settings), "why": why} for settings, why in folder.refused]
    return {"method": method, "candidates": len(folder.searched), "refused": refused, "seed": asked.seed, "prune": asked.prune}


def _told(candidate: Candidate, ends: Sequence[tuple[float, float] | None]) -> dict[str, Any]:
    objectives = []
    for repeated, both in zip(candidate.found, ends, strict=True):
        low, high = both or (None, None)
        value = None if repeated.undefined else repeated.value
        objectives.append({"value": value, "low": low, "high": high, "undefined": repeated.undefined})
    runs = [{"run": trial.run, "seed": trial.seed} for trial in candidate.trials]
    values = [[e.value for e in repeated.estimates] for repeated in candidate.found]
    words = candidate_words(candidate.settings)
    return {"words": words, "settings": dict(candidate.settings), "objectives": objectives, "runs": runs, "values": values}


def _winner(objectives: Sequence[Objective], candidates: Sequence[Candidate], goals: Sequence[bool]) -> dict[str, Any] | None:
    """Return the candidate with the best first objective among those that keep every floor and ceiling."""
    fit = [
        place
        for place, candidate in enumerate(candidates)
        if all(_kept(objective, found) for objective, found in zip(objectives, candidate.found, strict=True))
    ]
    if not fit:
        return None
    best = max(fit, key=lambda place: candidates[place].found[0].value * (1 if goals[0] else -1))
    naive = candidates[best].found[0].interval(LEVEL)
    return {"candidate": best, "among": len(candidates), "naive": None if naive is None else list(naive)}


def _kept(objective: Objective, found: Repeated) -> bool:
    if found.undefined:
        return False
    low, high = objective.at_least, objective.at_most
    return (low is None or found.value >= low) and (high is None or found.value <= high)


def _variation(candidates: Sequence[Candidate], objective: int) -> dict[str, Any] | None:
    """Return what an objective varies by, on the seeds that every candidate with a value was run with."""
    usable = [c for c in candidates if c.trials and not c.found[objective].undefined]
    seeds = set.intersection(*({t.seed for t in c.trials} for c in usable)) if usable else set()
    if len(seeds) < 1 or len(usable) * len(seeds) < 2:
        return None
    values = np.array(
        [
            [
                float(estimate.value or 0.0)
                for trial, estimate in zip(c.trials, c.found[objective].estimates, strict=True)
                if trial.seed in seeds
            ]
            for c in usable
        ]
    )
    parts = variance_parts(values, LEVEL)
    told = {} if parts is None else {"seeds": asdict(parts.seeds), "settings": parts.settings and asdict(parts.settings)}
    weights = importance([c.settings for c in usable], values.mean(axis=1)) if len(usable) == len(candidates) else {}
    return {"seed_count": len(seeds), "candidates": len(usable), "seeds": None, "settings": None, **told, "importance": weights}
