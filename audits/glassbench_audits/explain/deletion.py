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
    ends = _ends(explainer, rows)
    shuffled = [generator.random(attributions.shape) for _ in range(rankings)]
    areas = np.stack([_area(explainer, rows, ends, scores) for scores in (attributions, *shuffled)])
    change = explainer.explained.outputs(rows) - _outputs(explainer, rows, ends, ends[1])
    scale = float(change.abs().mean())
    return (areas[1:].mean(axis=0) - areas[0]) / scale if scale > 1e-12 else np.full(len(rows), np.nan)


def deletable(explainer: Explainer, rows: Rows) -> bool:
    """Whether units can be taken out: they are parts of the input, or of what the layer attributed to gives."""
    ends, _ = _ends(explainer, rows.take(slice(0, 1)))
    shape = explainer.units.mask.shape
    return ends.shape[1:] == shape or _widened(explainer, ends)


def _ends(explainer: Explainer, rows: Rows) -> tuple[Tensor, Tensor]:
    """Return what units are parts of, at the rows and at the baseline, each `(n, ...)`: the input, or a layer's output."""
    baselines = explainer.baseline.matched(rows)
    if explainer.units.mask.shape == rows.inputs.shape[1:] or explainer.explained.layer is None:
        return rows.inputs, baselines
    return explainer.explained.layer_outputs(rows), explainer.explained.layer_outputs(rows.at(baselines))


def _widened(explainer: Explainer, ends: Tensor) -> bool:
    """Whether a unit stands for a whole vector along the last axis."""
    return ends.ndim > 2 and ends.shape[1:-1] == explainer.units.mask.shape


def _area(explainer: Explainer, rows: Rows, ends: tuple[Tensor, Tensor], scores: np.ndarray) -> np.ndarray:
    """Return the mean output `(n,)` over the stages of deleting units in falling order of `scores`."""
    units = scores.shape[1]
    rank = torch.as_tensor(np.argsort(np.argsort(-scores, axis=1), axis=1))
    cuts = np.unique(np.linspace(1, units - 1, min(units - 1, CUTS)).round().astype(int))
    stages = [_deleted(explainer, ends, (rank < int(cut))[:, explainer.units.mask]) for cut in cuts]
    everything, changed = rows.take(torch.arange(len(rows)).repeat(len(stages))), torch.cat(stages)
    outputs: np.ndarray = _outputs(explainer, everything, ends, changed).double().numpy()
    area: np.ndarray = outputs.reshape(len(stages), len(rows)).mean(axis=0)
    return area


def _outputs(explainer: Explainer, rows: Rows, ends: tuple[Tensor, Tensor], values: Tensor) -> Tensor:
    """Return the explained numbers `(n,)` where what units are parts of is `values` `(n, ...)`."""
    explained = explainer.explained
    at_input = ends[0].shape[1:] == rows.inputs.shape[1:]
    return explained.outputs(rows.at(values)) if at_input else explained.outputs_with_layer(rows, values)


def _deleted(explainer: Explainer, ends: tuple[Tensor, Tensor], gone: Tensor) -> Tensor:
    return torch.where(gone[..., None] if _widened(explainer, ends[0]) else gone, ends[1], ends[0])
