"""How far each group lies from the middle of its clusters: whom the clusters describe worse."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.stats.clusters import student
from glassbench.stats.grade import Grade
from glassbench.stats.p_values import holm, p_words
from glassbench_audits.clusters.members import Members

ALLOWED = 0.2
"""How much further from the middle than the average row a group may lie, as a share."""
_DRAWS = 2_000


@dataclass(frozen=True, eq=False)
class Distances:
    """Mean distance to the own cluster's middle by group of one sensitive feature.

    Args:
        feature: The sensitive feature.
        groups: Its values.
        n, mean, low, high: Rows and mean distance of each group with its interval `(groups,)`.
        whole: Mean over all rows.
        p: Chance of means at least as far apart were groups shuffled, corrected for the features examined.
    """

    feature: str
    groups: tuple[str, ...]
    n: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: float
    p: float


def distances(members: Members, level: float) -> tuple[Distances, ...]:
    """Return the distances by each sensitive feature; none where the inputs are no numbers."""
    if members.inputs is None:
        return ()
    held = members.codes >= 0
    rows, codes = members.inputs[held], members.codes[held]
    middle = np.stack([rows[codes == k].mean(axis=0) for k in range(len(members.names))])
    far = np.linalg.norm(rows - middle[codes], axis=1)
    groups = members.subject.predictions.groups[held]
    found = []
    for feature in groups.columns:
        of, names = pd.factorize(groups[feature].astype(str), sort=True)
        generator = members.subject.generator(f"clusters.distance.{feature}")
        found.append((str(feature), tuple(map(str, names)), of, _chance(far, of, generator)))
    corrected = holm(np.array([p for *_, p in found]))
    return tuple(
        _distances(feature, names, far, of, float(p), level) for (feature, names, of, _), p in zip(found, corrected, strict=True)
    )


def distance_finding(found: Distances) -> Finding | None:
    """Return which group lies furthest out, where chance does not explain it; it fails where its interval lies beyond a fifth."""
    worst = int(np.nanargmax(found.mean))
    if not found.p < 0.05:
        return None
    more, least, most = (end[worst] / found.whole - 1 for end in (found.mean, found.low, found.high))
    grade: Grade = "concern" if least > ALLOWED else "ok" if most <= ALLOWED else "unclear"
    sentence = (
        f"By {found.feature}, clusters describe “{found.groups[worst]}” worst: its rows lie {found.mean[worst]:.3g} "
        f"[{found.low[worst]:.3g}, {found.high[worst]:.3g}] from the middle of their cluster, {100 * more:+.0f} % "
        "against all rows "
        f"(n {found.n[worst]:,}, p {p_words(found.p)}, corrected)."
    )
    step = f"Add rows of “{found.groups[worst]}”, or ask for more clusters." if grade == "concern" else ""
    return Finding(sentence=sentence, grade=grade, measures=("clusters.distance",), weight=0.4, next_step=step)


def distance_measures(found: Distances, level: float) -> Iterator[Measure]:
    """Yield each group's mean distance."""
    for i, group in enumerate(found.groups):
        yield Measure(
            name="clusters.distance",
            value=float(found.mean[i]),
            low=float(found.low[i]),
            high=float(found.high[i]),
            level=level,
            n=int(found.n[i]),
            by=(found.feature,),
            group={found.feature: group},
            higher_is_better=False,
        )


def distance_table(found: Distances) -> Table:
    """Return the mean distances."""
    rows = tuple(
        (group, int(found.n[i]), float(found.mean[i]), float(found.low[i]), float(found.high[i]))
        for i, group in enumerate(found.groups)
    )
    return Table(
        title=f"Distance to the middle of the cluster by {found.feature}",
        columns=("group", "rows", "mean distance", "low", "high"),
        rows=rows,
        note=f"In the units the model sees; {found.whole:.3g} over all rows.",
    )


def _distances(feature: str, names: tuple[str, ...], far: np.ndarray, of: np.ndarray, p: float, level: float) -> Distances:
    n = np.bincount(of)
    mean = np.bincount(of, far) / n
    variance = np.bincount(of, (far - mean[of]) ** 2) / np.maximum(n - 1, 1)
    # A single row tells nothing of its group's spread: all rows' stands in.
    error = np.sqrt(np.where(n > 1, variance, far.var()) / n)
    half = student(float(ndtri(0.5 + level / 2)), n - 1) * error
    return Distances(feature, names, n, mean, np.maximum(mean - half, 0), mean + half, float(far.mean()), p)


def _chance(far: np.ndarray, of: np.ndarray, generator: np.random.Generator) -> float:
    """Return the p-value of the groups' means being equal, by shuffling the groups."""
    n = np.bincount(of)
    if len(n) < 2:
        return float("nan")
    centred = far - far.mean()

    def between(groups: np.ndarray) -> float:
        return float((np.bincount(groups, centred) ** 2 / n).sum())

    null = np.array([between(generator.permutation(of)) for _ in range(_DRAWS)])
    return float((1 + (null >= between(of) - 1e-12).sum()) / (1 + _DRAWS))
