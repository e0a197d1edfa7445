"""What the model says when some of a row's units are taken out."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer


@dataclass(frozen=True, eq=False, kw_only=True)
class Removal:
    """Rows whose units can be put to the baseline: parts of the input, or of what the layer attributed to gives.

    Args:
        explainer: Says what a unit and the baseline are.
        rows: The rows `(n, ...)`.
        present: What units are parts of, at the rows `(n, ...)`.
        absent: The same at the baseline; at each, where rows are compared with several and outputs are averaged over them.
    """

    explainer: Explainer
    rows: Rows
    present: Tensor
    absent: tuple[Tensor, ...]

    @property
    def possible(self) -> bool:
        """Whether a unit is a part of what can be replaced at all."""
        return self.present.shape[1:] == self.explainer.feature_groups.mask.shape or self._widened

    @property
    def _widened(self) -> bool:
        """Whether a unit stands for a whole vector along the last axis."""
        return self.present.ndim > 2 and self.present.shape[1:-1] == self.explainer.feature_groups.mask.shape

    def outputs(self, gone: np.ndarray) -> np.ndarray:
        """Return the explained numbers, float64 `(s, n)`, without the units that are `gone`, bool `(s, n, units)`."""
        return torch.stack([self._stage(torch.as_tensor(stage)) for stage in gone]).double().numpy()

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the explained numbers with every unit and with none, float64 `(n,)` each."""
        return self._asked(self.present).double().numpy(), self._averaged(self.absent).double().numpy()

    def _stage(self, gone: Tensor) -> Tensor:
        where = gone[:, self.explainer.feature_groups.mask]
        chosen = where[..., None] if self._widened else where
        return self._averaged(tuple(torch.where(chosen, absent, self.present) for absent in self.absent))

    def _averaged(self, values: tuple[Tensor, ...]) -> Tensor:
        return torch.stack([self._asked(one) for one in values]).mean(dim=0)

    def _asked(self, values: Tensor) -> Tensor:
        explained = self.explainer.explained
        at_input = self.present.shape[1:] == self.rows.inputs.shape[1:]
        return explained.outputs(self.rows.at(values)) if at_input else explained.outputs_with_layer(self.rows, values)


def removal_of(explainer: Explainer, rows: Rows) -> Removal:
    """Return what taking units out of `rows` means for an explainer."""
    baselines = [explainer.baseline.matched(one).expand_as(rows.inputs) for one in explainer.baseline.apart(rows)]
    if explainer.feature_groups.mask.shape == rows.inputs.shape[1:] or explainer.explained.layer is None:
        return Removal(explainer=explainer, rows=rows, present=rows.inputs, absent=tuple(baselines))
    absent = tuple(explainer.explained.layer_outputs(rows.at(one)) for one in baselines)
    return Removal(explainer=explainer, rows=rows, present=explainer.explained.layer_outputs(rows), absent=absent)
