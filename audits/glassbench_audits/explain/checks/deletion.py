"""Does what an explanation calls important matter to the model more than what chance would call so?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.explain.checks.removal import Removal, removal_of

CUTS, DEAR_CUTS = 20, 8
_RANKINGS = (10, 10, 4)


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves:
    """How each row's output falls while units are taken out, and rises while they are put in.

    In units of the rows' typical change from the baseline: 0 is the output there.

    Args:
        share: Share of the units taken out, or put in, at each cut `(cuts,)`; symmetric about one half.
        deletion: Without the units that have the largest attributions `(n, cuts)`.
        insertion: With those alone `(n, cuts)`.
        random: Mean over random rankings, without the share `(n, cuts)`; read backwards, it is their insertion.
        whole: With all units `(n,)`.
        best_deletion, best_insertion: The mean advantage over random rankings of the best ranking known, of all rows.
    """

    share: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random: np.ndarray
    whole: np.ndarray
    best_deletion: float
    best_insertion: float

    @property
    def random_insertion(self) -> np.ndarray:
        """Mean over random rankings, with the share alone `(n, cuts)`."""
        return self.random[:, ::-1]

    @property
    def deletion_advantage(self) -> np.ndarray:
        """By how much the area under each row's deletion is smaller than under random rankings `(n,)`; 0 is chance."""
        advantage: np.ndarray = self.random.mean(axis=1) - self.deletion.mean(axis=1)
        return advantage

    @property
    def insertion_advantage(self) -> np.ndarray:
        """By how much the area under each row's insertion is larger than under random rankings `(n,)`; 0 is chance."""
        advantage: np.ndarray = self.insertion.mean(axis=1) - self.random.mean(axis=1)
        return advantage

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """With all units and with none, `(n, 1)` each."""
        return self.whole[:, None], np.zeros((len(self.whole), 1))


def curves(
    explainer: Explainer,
    rows: Rows,
    attributions: np.ndarray,
    generator: np.random.Generator,
    *,
    others: Iterable[np.ndarray] = (),
    rankings: int | None = None,
) -> Curves:
    """Return the curves of deletion and insertion (Petsiuk, Das, Saenko 2018, RISE), NaN where nothing changes.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the random rankings.
        others: Attributions `(n, units)` by other methods, whose rankings may be better.
        rankings: How many random rankings per row; by default what can be afforded.
    """
    removal, affords = removal_of(explainer, rows), explainer.explained.affords
    cuts, rankings = _cuts(attributions.shape[1], affords(CUTS, CUTS, DEAR_CUTS)), rankings or affords(*_RANKINGS)
    whole, nothing = removal.ends()
    scale = np.abs(whole - nothing).mean()

    def scaled(outputs: np.ndarray) -> np.ndarray:
        return (outputs - nothing[:, None]) / scale if scale > 1e-12 else np.full_like(outputs, np.nan)

    def curve(scores: np.ndarray, *, inserts: bool = False) -> np.ndarray:
        return scaled(_outputs_along(removal, scores, cuts, inserts=inserts))

    random = np.mean([curve(generator.random(attributions.shape)) for _ in range(rankings)], axis=0)
    rankings_known = (attributions, *others)
    deletions = [curve(scores) for scores in rankings_known]
    insertions = [curve(scores, inserts=True) for scores in rankings_known]
    return Curves(
        share=cuts / attributions.shape[1],
        deletion=deletions[0],
        insertion=insertions[0],
        random=random,
        whole=scaled(whole[:, None])[:, 0],
        best_deletion=float(random.mean() - min(values.mean() for values in deletions)),
        best_insertion=float(max(values.mean() for values in insertions) - random.mean()),
    )


def _cuts(units: int, most: int) -> np.ndarray:
    """Return how many units are taken out at each stage; with each number stands its complement."""
    half = np.linspace(1, units - 1, min(units - 1, most)).round().astype(int)
    return np.unique(np.concatenate([half, units - half]))


def _outputs_along(removal: Removal, scores: np.ndarray, cuts: np.ndarray, *, inserts: bool) -> np.ndarray:
    """Return the outputs `(n, cuts)` without, or with alone, the units of the highest `scores`."""
    rank = np.argsort(np.argsort(-scores, axis=1), axis=1)
    gone = np.stack([rank >= cut if inserts else rank < cut for cut in cuts])
    return removal.outputs(gone).T
