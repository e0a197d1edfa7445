"""Does what an explanation calls important matter to the model more than what chance would call so?"""

import numpy as np
import torch
from torch import Tensor

from glassbench_audits.explain.attribution import Explainer
from glassbench_audits.explain.explained import Rows

CUTS = 20


def deletion_advantage(
    explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator, *, rankings: int = 10
) -> np.ndarray:
    """Return by how much each row's output falls further than under random rankings `(n,)`.

    Units are put to the baseline one after the other, those with the largest attribution first; the area under the
    output along the way is compared with the mean area under random orders (deletion; Petsiuk, Das, Saenko 2018). In
    units of the rows' typical change from the baseline; 0 is chance.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the random rankings.
        rankings: How many random rankings per row.
    """
    baselines = explainer.baseline.matched(len(rows))
    shuffled = [generator.random(attributions.shape) for _ in range(rankings)]
    areas = np.stack([_area(explainer, rows, baselines, scores) for scores in (attributions, *shuffled)])
    change = explainer.explained.outputs(rows) - explainer.explained.outputs(rows.at(baselines))
    scale = float(change.abs().mean())
    return (areas[1:].mean(axis=0) - areas[0]) / scale if scale > 1e-12 else np.full(len(rows), np.nan)


def _area(explainer: Explainer, rows: Rows, baselines: Tensor, scores: np.ndarray) -> np.ndarray:
    """Return the mean output `(n,)` over the stages of deleting units in falling order of `scores`."""
    units = scores.shape[1]
    rank = torch.as_tensor(np.argsort(np.argsort(-scores, axis=1), axis=1))
    cuts = np.unique(np.linspace(1, units - 1, min(units - 1, CUTS)).round().astype(int))
    stages = [_deleted(rows.inputs, baselines, (rank < int(cut))[:, explainer.units.mask]) for cut in cuts]
    everything = rows.take(torch.arange(len(rows)).repeat(len(stages))).at(torch.cat(stages))
    outputs: np.ndarray = explainer.explained.outputs(everything).double().numpy()
    area: np.ndarray = outputs.reshape(len(stages), len(rows)).mean(axis=0)
    return area


def _deleted(inputs: Tensor, baselines: Tensor, gone: Tensor) -> Tensor:
    return torch.where(gone, baselines, inputs)
