"""What the runs of a study come to: each candidate's objectives, what varies and why, the frontier, and the winner."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.best_of_many import intervals_at_once
from glassbench.stats.variance_parts import frontier
from glassbench.studies.candidates import Candidate, Ends, candidates_of, choice_on_other_folds, variation
from glassbench.studies.nested import nested_choice
from glassbench.studies.objectives import higher_is_better, measures_of, refuse_unmeasured
from glassbench.studies.size_curve import size_curves
from glassbench.studies.study_file import StudyFile
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.trials import candidate_words

LEVEL = 0.95


def answer(folder: StudyFolder) -> dict[str, Any]:
    """Return what a study found, as plain JSON values; runs that are not done are left aside and counted.

    Returns:
        `study`, `name`, `runs` (asked, done, failed, pruned), `search`, `folds`, `objectives`, `candidates`, `frontier`,
        `behind`, `winner`, `variation` and `sizes`; a candidate has an entry for each objective with its mean over seeds
        or folds, an interval that holds for all candidates at once, and the run of each seed.
    """
    asked, trials = folder.asked, folder.finished
    measures = {trial.run: measures_of(folder, trial) for trial in trials}
    goals = [_goal(place, asked, list(measures.values())) for place in range(len(asked.objectives))]
    candidates = candidates_of(folder, trials, measures, goals)
    complete = [place for place, c in enumerate(candidates) if not any(one.undefined for one in c.found)]
    ends = [intervals_at_once([c.found[place] for c in candidates], LEVEL) for place in range(len(goals))]
    points = np.array([_point(candidates[place], goals) for place in complete])
    nested = nested_choice(candidates, asked, measures, goals, LEVEL)
    winner = _winner(asked, candidates, goals, nested)
    best = None if winner is None else candidates[winner["candidate"]]
    return {
        "study": folder.study,
        "name": asked.name,
        "runs": {
            "asked": len(folder.trials),
            "done": len(trials),
            "failed": folder.failures,
            "pruned": sum(folder.pruned(trial) for trial in folder.trials),
        },
        "search": _search(folder),
        "folds": asked.vary.folds,
        "level": LEVEL,
        "objectives": [
            {**objective.model_dump(mode="json"), "words": objective.words, "higher_is_better": up}
            for objective, up in zip(asked.objectives, goals, strict=True)
        ],
        "candidates": [candidate.told([e[place] for e in ends]) for place, candidate in enumerate(candidates)],
        "frontier": [complete[place] for place in frontier(points)] if complete else [],
        "behind": _behind(candidates, complete, goals, ends),
        "winner": winner,
        "variation": [variation(candidates, place, asked, LEVEL) for place in range(len(goals))],
        "sizes": [
            size_curves(folder, best.all_trials, measures, objective, up, LEVEL)
            for objective, up in zip(asked.objectives, goals, strict=True)
        ]
        if best is not None and len(asked.vary.rows) > 1
        else [],
    }


def _point(candidate: Candidate, goals: Sequence[bool]) -> list[float]:
    return [one.value if up else -one.value for one, up in zip(candidate.found, goals, strict=True)]


def _behind(
    candidates: Sequence[Candidate], complete: Sequence[int], goals: Sequence[bool], ends: Sequence[Sequence[Ends]]
) -> dict[str, int]:
    """Return which candidates are behind another beyond chance: as good in no objective, and beyond its interval in at least one.

    Intervals hold for all candidates at once, so that those of two that do not meet show a difference.
    """
    found = {}
    for one in complete:
        for other in complete:
            mine, its = _point(candidates[one], goals), _point(candidates[other], goals)
            if all(a <= b for a, b in zip(mine, its, strict=True)) and any(
                _apart(of[one], of[other]) and a < b for of, a, b in zip(ends, mine, its, strict=True)
            ):
                found[str(one)] = other
                break
    return found


def _apart(one: Ends, other: Ends) -> bool:
    return one is not None and other is not None and (one[1] < other[0] or other[1] < one[0])


def _goal(place: int, asked: StudyFile, runs: Sequence[Sequence[Measure]]) -> bool:
    objective = asked.objectives[place]
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


def _winner(
    asked: StudyFile, candidates: Sequence[Candidate], goals: Sequence[bool], nested: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the candidate with the best first objective among those that keep every floor and ceiling."""
    fit = [
        place
        for place, candidate in enumerate(candidates)
        if not any(found.undefined for found in candidate.found)
        and all(o.violation(found.value) <= 0 for o, found in zip(asked.objectives, candidate.found, strict=True))
    ]
    if not fit:
        return None
    best = max(fit, key=lambda place: candidates[place].found[0].value * (1 if goals[0] else -1))
    naive = candidates[best].found[0].interval(LEVEL)
    return {
        "candidate": best,
        "among": len(candidates),
        "naive": None if naive is None else list(naive),
        "nested": nested,
        "chosen_on_other_folds": choice_on_other_folds(candidates, asked, goals[0], LEVEL),
    }
