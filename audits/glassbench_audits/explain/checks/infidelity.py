"""How much of what the model does when units are taken out does the explanation leave untold?"""

from dataclasses import dataclass

import numpy as np

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.explain.checks.removal import removal_of

DRAWS, DEAR_DRAWS = 50, 25
PERMUTATIONS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Infidelity:
    """Squared changes of each row's output, and what is left of them beside the changes that an explanation foretells.

    Args:
        total: Mean squared change `(n,)`.
        left: Mean squared difference between the change and the one foretold, rescaled to fit best `(n,)`.
        chance: The same, averaged over explanations whose attributions are shuffled among the units `(n,)`.
    """

    total: np.ndarray
    left: np.ndarray
    chance: np.ndarray


def infidelity(explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator) -> Infidelity:
    """Return the normalised infidelity of attributions (Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations).

    Random sets of units, each unit with chance one half, are put to the baseline; an explanation foretells that the output
    falls by the sum of their attributions. Attributions are known up to a factor (for each row the best one is taken, as
    Captum's `normalize=True` does).

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the sets and the shuffles.
    """
    removal = removal_of(explainer, rows)
    draws = explainer.explained.affords(DRAWS, DRAWS, DEAR_DRAWS)
    gone = generator.random((draws, *attributions.shape)) < 0.5
    changes = removal.ends()[0] - removal.outputs(gone)
    shuffled = [generator.permuted(attributions, axis=1) for _ in range(PERMUTATIONS)]
    return Infidelity(
        total=(changes**2).mean(axis=0),
        left=left_over(gone, attributions, changes),
        chance=np.mean([left_over(gone, other, changes) for other in shuffled], axis=0),
    )


def left_over(gone: np.ndarray, attributions: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Return the mean squared difference `(n,)` between changes and foretold changes, rescaled to fit best.

    Args:
        gone: Which units were taken out, bool `(draws, n, units)`.
        attributions: Attributions `(n, units)`.
        changes: By how much the output fell `(draws, n)`.
    """
    foretold = np.einsum("dnu,nu->dn", gone, attributions)
    size = (foretold**2).mean(axis=0)
    factor = np.divide((foretold * changes).mean(axis=0), size, out=np.zeros_like(size), where=size > 0)
    left: np.ndarray = ((factor * foretold - changes) ** 2).mean(axis=0)
    return left
