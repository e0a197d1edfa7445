"""Search for offsets of each class's log-probability by group that make rates alike at a bounded cost in accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from glassbench_plugins.mitigation.threshold_search import Constraint, best_trade

_WEIGHTS = np.geomspace(0.01, 300, 14)
"""How much the gap weighs against accuracy, candidate after candidate; each starts from the one before."""
_SOFTNESS = 0.1
"""Temperature at which decisions are made differentiable, in units of the median margin between the two largest classes."""
_STEPS = 40


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Validation rows whose groups get offsets.

    Args:
        logs: Log-probability of each class, float64 `(n, k)`.
        codes: Group of each row, int64 `(n,)`, from 0 on.
        truth: True class, int64 `(n,)`.
        plain: Class that was decided before, int64 `(n,)`.
        held: Weight of each row, float64 `(n,)`.
    """

    logs: np.ndarray
    codes: np.ndarray
    truth: np.ndarray
    plain: np.ndarray
    held: np.ndarray

    @cached_property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.codes.max(initial=-1)) + 1

    @cached_property
    def unit(self) -> float:
        """The median margin between the two largest log-probabilities, by the weights of rows; 1 where it is nothing."""
        largest = np.sort(self.logs, axis=1)
        margin = largest[:, -1] - largest[:, -2]
        order = np.argsort(margin)
        reached = np.cumsum(self.held[order])
        middle = [margin[order][np.searchsorted(reached, reached[-1] / 2, side=side)] for side in ("left", "right")]
        return float(np.mean(middle)) or 1.0

    def decided(self, offsets: np.ndarray) -> np.ndarray:
        """Return the class of each row `(n,)` under offsets `(groups, k)`; groups without any keep the plain decision."""
        moved = np.asarray(offsets.any(axis=1))[self.codes]
        return np.where(moved, (self.logs + offsets[self.codes]).argmax(axis=1), self.plain)


def find_offsets(rows: ClassScores, constraint: Constraint, *, tolerance: float, accuracy_loss: float) -> np.ndarray:
    """Return offsets of each group and class, float64 `(groups, k)`.

    Accuracy and the variance of rates between groups are traded at rising weights, with decisions softened so that offsets
    have a gradient. Of the candidates, hard decisions that keep the accuracy within `accuracy_loss` count: the most accurate
    with a gap of at most `tolerance`, else the one with the smallest gap. A gap is that of the class with the widest one,
    each class against the rest.

    Args:
        rows: Validation rows.
        constraint: Which rates are made alike.
        tolerance: The largest gap that counts as alike.
        accuracy_loss: How much accuracy may be given up.
    """
    if not rows.groups:
        return np.zeros((0, rows.logs.shape[1]))
    asked = _asked(rows, constraint)
    candidates = [np.zeros((rows.groups, rows.logs.shape[1])), *_path(rows, asked)]
    choices = [rows.decided(offsets) for offsets in candidates]
    total = float(rows.held.sum())
    accuracy = np.array([float(rows.held @ (choice == rows.truth)) / total for choice in choices])
    gaps = np.array([_gap(rows, asked, choice) for choice in choices])
    return candidates[best_trade(accuracy, gaps, least=float(accuracy[0]) - accuracy_loss, tolerance=tolerance)]


def _asked(rows: ClassScores, constraint: Constraint) -> list[np.ndarray]:
    """Return the weight with which each row counts in the rates of each class, `(n, k)` for each kind of rate."""
    own = np.eye(rows.logs.shape[1], dtype=bool)[rows.truth]
    which = {
        "demographic_parity": [np.ones_like(own)],
        "equalized_odds": [own, ~own],
        "true_positive_rate_parity": [own],
        "false_positive_rate_parity": [~own],
    }
    return [rows.held[:, None] * mask for mask in which[constraint]]


def _sums(values: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """Return the sums by group `(groups, k)` of values `(n, k)`."""
    return np.stack([values[codes == g].sum(axis=0) for g in range(groups)])


def _gap(rows: ClassScores, asked: Sequence[np.ndarray], choice: np.ndarray) -> float:
    """Return the widest gap between groups that have a rate."""
    hot = np.eye(rows.logs.shape[1])[choice]
    widest = 0.0
    for held in asked:
        whole = _sums(held, rows.codes, rows.groups)
        rates = np.divide(_sums(held * hot, rows.codes, rows.groups), whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        told = np.isfinite(rates)
        spread = np.where(told, rates, -np.inf).max(axis=0) - np.where(told, rates, np.inf).min(axis=0)
        widest = max(widest, float(spread.max()))
    return widest


def _path(rows: ClassScores, asked: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return offsets for each weight of the gap."""
    codes, held = torch.as_tensor(rows.codes), torch.as_tensor(rows.held / rows.held.sum())
    logs, truth = torch.as_tensor(rows.logs / rows.unit), torch.as_tensor(rows.truth)
    parts = [_Rates.of(torch.as_tensor(one), codes, rows.groups) for one in asked]
    offsets = torch.zeros(rows.groups, logs.shape[1], dtype=torch.float64, requires_grad=True)
    found: list[np.ndarray] = []
    for weight in _WEIGHTS:
        optimizer = torch.optim.LBFGS([offsets], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def loss(optimizer: torch.optim.LBFGS = optimizer, weight: float = float(weight)) -> torch.Tensor:
            optimizer.zero_grad()
            soft = torch.softmax((logs + offsets[codes]) / _SOFTNESS, dim=1)
            wrong = 1 - held @ soft.gather(1, truth[:, None])[:, 0]
            value = wrong + weight * torch.stack([part.apart(soft) for part in parts]).sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        found.append(offsets.detach().numpy() * rows.unit)
    return found


@dataclass(frozen=True, eq=False)
class _Rates:
    """Soft rates of one kind: of each class, which rows of each group count.

    Args:
        held: Weight of each row for each class `(n, k)`.
        codes: Group of each row `(n,)`.
        whole: Sum of weights by group and class `(groups, k)`.
    """

    held: torch.Tensor
    codes: torch.Tensor
    whole: torch.Tensor

    @classmethod
    def of(cls, held: torch.Tensor, codes: torch.Tensor, groups: int) -> "_Rates":
        return cls(held, codes, torch.zeros(groups, held.shape[1], dtype=torch.float64).index_add(0, codes, held))

    def apart(self, soft: torch.Tensor) -> torch.Tensor:
        """Return how far groups that have a rate lie from their mean, squared and summed over classes."""
        told = (self.whole > 0).double()
        rates = torch.zeros_like(self.whole).index_add(0, self.codes, self.held * soft) / self.whole.clamp_min(1e-300)
        mean = (told * rates).sum(dim=0) / told.sum(dim=0).clamp_min(1)
        return (told * (rates - mean) ** 2).sum()
