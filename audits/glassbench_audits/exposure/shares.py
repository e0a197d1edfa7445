"""The share of the recommended places that items of a group hold, beside their share of what users choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.predictions.outputs import RankingOutput
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import mean
from glassbench.stats.sampling import Sampling

POPULARITY, POPULAR, OTHER = "popularity", "popular", "less popular"


@dataclass(frozen=True, eq=False, kw_only=True)
class Exposed:
    """One group of items.

    Args:
        feature: The item feature.
        group: The group.
        items: How many items it has.
        share: Its share of the recommended places.
        chosen: Its share of what users chose.
        gap: The first minus the second, at a level that allows for the number of groups.
    """

    feature: str
    group: str
    items: int
    share: Estimate
    chosen: Estimate
    gap: Estimate


def popular_items(popularity: np.ndarray, share: float) -> np.ndarray:
    """Return which items are popular, `popular` or `less popular` `(items,)`: the share of them with most training interactions.

    Args:
        popularity: Training interactions of each item `(items,)`.
        share: The share of items that are.
    """
    order = np.argsort(-popularity, kind="stable")
    named = np.full(len(popularity), OTHER, dtype=object)
    named[order[: max(1, round(share * len(popularity)))]] = POPULAR
    return named


def reference_lists(output: RankingOutput) -> tuple[np.ndarray, str] | None:
    """Return the items that lists are held against `(n, m)`, and in words what they are; None where neither is known."""
    if output.relevant is not None and (output.relevant >= 0).any(axis=1).all():
        return output.relevant, "what users then chose"
    if output.seen is not None and (output.seen >= 0).any(axis=1).all():
        return output.seen, "what users had chosen before"
    return None


def exposure_of(
    output: RankingOutput, chosen: np.ndarray, grouping: Mapping[str, np.ndarray], sampling: Sampling, level: float
) -> tuple[Exposed, ...]:
    """Return the exposure of every group of every item feature.

    Places count by their rank, 1 / log2(1 + place) (Singh and Joachims 2018), and each user counts alike.

    Args:
        output: The lists.
        chosen: What they are held against `(n, m)`, -1 for none.
        grouping: The group of each item `(items,)`, by feature.
        sampling: How users were sampled.
        level: Confidence level; that of gaps is higher, so that it holds for all groups of a feature at once (Bonferroni).
    """
    found: list[Exposed] = []
    for feature, groups in grouping.items():
        names = sorted(set(groups))
        strict = 1 - (1 - level) / max(1, len(names) - (len(names) == 2))
        for name in names:
            given = _share(output.recommended, groups == name, discounted=True)
            taken = _share(chosen, groups == name, discounted=False)
            found.append(
                Exposed(
                    feature=feature,
                    group=str(name),
                    items=int((groups == name).sum()),
                    share=mean(given, sampling, lowest=0.0, highest=1.0).estimate(level),
                    chosen=mean(taken, sampling, lowest=0.0, highest=1.0).estimate(level),
                    gap=mean(given - taken, sampling, lowest=-1.0, highest=1.0).estimate(strict),
                )
            )
    return tuple(found)


def popularity_lift(output: RankingOutput, chosen: np.ndarray, sampling: Sampling, level: float) -> Estimate:
    """Return by what share recommended items are more popular than those that users choose.

    The group average popularity of Abdollahpouri, Mansoury, Burke and Mobasher (2019) of all users: the mean popularity of a
    user's recommendations over that of the items chosen, minus 1; the ratio of means has its interval by linearization.

    Args:
        output: The lists.
        chosen: What they are held against `(n, m)`, -1 for none.
        sampling: How users were sampled.
        level: Confidence level.
    """
    given, taken = (_mean_popularity(lists, output.popularity) for lists in (output.recommended, chosen))
    below = sampling.mean(taken)
    if below == 0:
        return Estimate(value=None, level=level, undefined="no chosen item was ever met in training")
    ratio = sampling.mean(given) / below
    return mean((given - ratio * taken) / below + ratio - 1, sampling, lowest=-1.0).estimate(level)


def coverage(output: RankingOutput) -> tuple[float, float]:
    """Return the share of items that anybody is recommended, and the Gini coefficient of how often items are."""
    counts = np.bincount(output.recommended[output.recommended >= 0], minlength=len(output.items))
    ranks, rising = np.arange(1, len(counts) + 1), np.sort(counts)
    gini = (2 * ranks - len(counts) - 1) @ rising / (len(counts) * rising.sum())
    return float((counts > 0).mean()), float(gini)


def largest(exposed: Sequence[Exposed], feature: str) -> Exposed:
    """Return the group of a feature whose share of places lies furthest from its share of choices."""
    return max((one for one in exposed if one.feature == feature), key=lambda one: abs(one.gap.value or 0.0))


def _share(lists: np.ndarray, member: np.ndarray, *, discounted: bool) -> np.ndarray:
    """Return the share of each list that items of a group hold `(n,)`."""
    there = lists >= 0
    weights = there / np.log2(np.arange(2, lists.shape[1] + 2)) if discounted else there.astype(np.float64)
    return np.asarray((weights * member[np.maximum(lists, 0)]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))


def _mean_popularity(lists: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    there = lists >= 0
    return np.asarray((popularity[np.maximum(lists, 0)] * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1))
