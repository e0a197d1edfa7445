"""The Fréchet distance between two samples, each taken for a normal distribution."""

import numpy as np

from glassbench.stats.inference import Inference, from_influence, undefined
from glassbench.stats.sampling import Sampling

_BLOCKS = 500
_AT_ONCE = 64


def frechet_distance(real: np.ndarray, made: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the squared Fréchet distance between two samples under weights of their rows, `(b,)`.

    |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½) of means m and covariances S (Dowson and Landau 1982); of features of a network it is
    the FID (Heusel et al. 2017). It grows as samples shrink: compare samples of one size, or use `frechet_inference`.

    Args:
        real: Features of real rows, float `(n, d)`.
        made: Features of generated rows, float `(n, d)`.
        weights: What each row counts on both sides `(b, n)`.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(500, 2))
        >>> frechet_distance(rows, rows + [3.0, 0.0], np.ones((1, 500))).round(6)
        array([9.])
    """
    parts = [weights[start : start + _AT_ONCE] for start in range(0, len(weights), _AT_ONCE)]
    return np.concatenate([_distances(real, made, part) for part in parts])


def frechet_inference(real: np.ndarray, made: np.ndarray, sampling: Sampling) -> Inference:
    """Return the distance between the distributions that two samples are of, with limits.

    The jackknife takes out the part of the distance that falls with the number of rows, as extrapolating it to infinitely many
    does (Chong and Forsyth 2020, "Effectively Unbiased FID"), and gives the standard error.

    Args:
        real, made: Features, float `(n, d)`.
        sampling: How the rows were sampled.
    """
    n = len(real)
    if n <= real.shape[1]:
        return undefined(sampling.n)
    blocks = np.random.default_rng(0).permutation(n) % min(n, _BLOCKS)
    count = int(blocks.max()) + 1
    left = sampling.weight * (blocks[None, :] != np.arange(count)[:, None])
    whole = float(frechet_distance(real, made, sampling.weight[None])[0])
    pulls = (count - 1) * (whole - frechet_distance(real, made, left))
    influence = (pulls - pulls.mean())[blocks] * (n / count) ** 0.5
    return from_influence(max(whole + float(pulls.mean()), 0.0), influence, sampling, lowest=0.0)


def _distances(real: np.ndarray, made: np.ndarray, weights: np.ndarray) -> np.ndarray:
    share = weights / weights.sum(axis=1, keepdims=True)
    (mean, spread), (other, wide) = (_moments(np.asarray(rows, dtype=np.float64), share) for rows in (real, made))
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ vectors.transpose(0, 2, 1)
    mixed = np.linalg.eigvalsh(root @ wide @ root)
    traces = np.trace(spread, axis1=1, axis2=2) + np.trace(wide, axis1=1, axis2=2)
    apart = ((mean - other) ** 2).sum(axis=1) + traces - 2 * np.sqrt(np.maximum(mixed, 0)).sum(axis=1)
    return np.asarray(np.maximum(apart, 0.0))


def _moments(rows: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means `(b, d)` and covariances `(b, d, d)` of rows under shares `(b, n)`."""
    n, d = rows.shape
    mean = share @ rows
    squares = (rows[:, :, None] * rows[:, None, :]).reshape(n, d * d)
    return mean, (share @ squares).reshape(-1, d, d) - mean[:, :, None] * mean[:, None, :]
