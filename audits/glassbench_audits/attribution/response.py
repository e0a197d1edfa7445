"""How the explained output answers when inputs of a table's rows are given other values."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer


@dataclass(frozen=True, eq=False, kw_only=True)
class Response:
    """Rows of a table that can be asked with other values of some units.

    Args:
        explainer: Says what a unit is, and holds the model.
        rows: The rows `(n, d)`.
    """

    explainer: Explainer
    rows: Rows

    def columns(self, unit: int) -> Tensor:
        """Return the elements of a row that make up a unit, long."""
        return (self.explainer.feature_groups.mask == unit).nonzero()[:, 0]

    def curves(self, unit: int, donors: Tensor) -> np.ndarray:
        """Return the explained number of each row with the unit as each donor has it, float64 `(n, g)`, donors `(g, d)`."""
        n, g = len(self.rows), len(donors)
        inputs = self.rows.inputs.repeat_interleave(g, dim=0)
        encoded_columns = self.columns(unit)
        inputs[:, encoded_columns] = donors[:, encoded_columns].repeat(n, 1)
        repeated = self.rows.take(torch.arange(n).repeat_interleave(g)).at(inputs)
        return self.explainer.explained.outputs(repeated).double().numpy().reshape(n, g)

    def exchanged(self, units: tuple[int, ...], donors: Tensor) -> np.ndarray:
        """Return the explained number of each row with some units as its own donor has them, float64 `(n,)`, donors `(n, d)`."""
        inputs = self.rows.inputs.clone()
        for unit in units:
            encoded_columns = self.columns(unit)
            inputs[:, encoded_columns] = donors[:, encoded_columns]
        return self.explainer.explained.outputs(self.rows.at(inputs)).double().numpy()


def answers(explainer: Explainer, rows: Rows) -> bool:
    """Whether units are values of a table's row, which can be exchanged one by one."""
    flat = rows.inputs.ndim == 2 and rows.inputs.is_floating_point()
    return flat and bool(explainer.feature_groups.features) and explainer.feature_groups.mask.shape == rows.inputs.shape[1:]


def one_sided(subject: Subject, rows: Rows) -> Rows | None:
    """Return rows that all speak of the output that directions are said of; None where there is no single one.

    Of two classes or actions it is the positive one (or the second), whatever each row was decided as; values and scores are
    themselves.
    """
    try:
        index = subject.kind.one_sided(rows.target_index, subject.schema)
    except LookupError:
        return None
    return rows if index is rows.target_index else replace(rows, target_index=index, contrast=None)
