"""Shapley values of many rows at once: exactly, and fitted over coalitions that all rows share."""

from math import factorial

import numpy as np
import torch
from torch import Tensor

from glassbench_audits.attribution.coalitions import Coalitions, all_sets, drawn
from glassbench_audits.attribution.method import Request

MOST_EXACT = 12
"""Units up to which every set of them is asked: 4,096 evaluations a row."""


def exact_shapley(request: Request) -> Tensor:
    """Return the Shapley values of each row's units from every set of them, each element carrying its unit's."""
    units = int(request.mask.max()) + 1
    return _spread(shapley_values(_outputs(request, all_sets(units))), request)


def kernel_shap(request: Request) -> Tensor:
    """Return Shapley values fitted over coalitions, each element carrying its unit's.

    The coalitions are shared by all rows of a call, so the least squares are solved once for all of them; what is drawn
    comes from NumPy's global generator, as Captum's draws do.
    """
    units = int(request.mask.max()) + 1
    chosen = drawn(units, request.samples, np.random.default_rng(np.random.randint(2**31)))
    ends = _outputs(request, np.array([[False] * units, [True] * units]))
    return _spread(fitted(chosen, _outputs(request, chosen.known) - ends[0], ends[1] - ends[0]), request)


def shapley_values(outputs: np.ndarray) -> np.ndarray:
    """Return exact Shapley values (Shapley 1953).

    Args:
        outputs: The output with each set of units known `(2 ** units, n)`; bit u of the index is unit u.

    Returns:
        Shapley values `(n, units)`.

    Example:
        >>> shapley_values(np.array([[0.0], [1.0], [2.0], [5.0]])).tolist()
        [[2.0, 3.0]]
    """
    units = int(outputs.shape[0]).bit_length() - 1
    codes = np.arange(len(outputs))
    sizes = all_sets(units).sum(axis=1)
    factors = np.array([factorial(k) * factorial(units - 1 - k) / factorial(units) for k in range(units)])
    values = [
        factors[sizes[without]] @ (outputs[without | 1 << unit] - outputs[without])
        for unit in range(units)
        for without in [codes[codes >> unit & 1 == 0]]
    ]
    return np.stack(values, axis=1)


def fitted(chosen: Coalitions, gains: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Return the values `(n, units)` that sum to the totals and miss the gains of the coalitions least, in weighted squares.

    Args:
        chosen: The coalitions.
        gains: The output with each coalition known, minus that with none `(s, n)`.
        totals: The output with all known, minus that with none `(n,)`.
    """
    known = chosen.known.astype(np.float64)
    weighted = known * chosen.weights[:, None]
    units = known.shape[1]
    system = np.ones((units + 1, units + 1))
    system[:units, :units], system[units, units] = known.T @ weighted, 0.0
    right = np.concatenate([weighted.T @ gains, totals[None]])
    solution: np.ndarray = (np.linalg.pinv(system) @ right)[:units].T
    return solution


def _outputs(request: Request, known: np.ndarray) -> np.ndarray:
    """Return the explained numbers `(s, n)` with some units at the row's values and the others at the baseline."""
    rows, n = request.rows, len(request.rows)
    elements = torch.as_tensor(known)[:, request.mask]
    parts = []
    at_once = max(1, request.explained.pass_rows // max(n, 1))
    for start in range(0, len(known), at_once):
        some = elements[start : start + at_once, None]
        inputs = torch.where(some, rows.inputs, request.baselines).flatten(0, 1)
        repeated = rows.take(torch.arange(n).repeat(len(some))).at(inputs)
        parts.append(request.explained.outputs(repeated).reshape(len(some), n))
    return torch.cat(parts).double().numpy()


def _spread(values: np.ndarray, request: Request) -> Tensor:
    return torch.as_tensor(values)[:, request.mask].to(torch.float64)
