"""P-values: corrected for several comparisons, and in words."""

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values `(k,)` corrected for k comparisons (Holm 1979); undefined ones stay so and do not count.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    corrected = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(order) else steps
    return corrected


def p_words(p: float) -> str:
    """Write a p-value in a sentence: two digits, and never 0, which no test can show.

    Example:
        >>> p_words(0.0), p_words(0.00247), p_words(0.31)
        ('below .001', '.0025', '.31')
    """
    return "below .001" if p < 0.001 else f"{p:.2g}".removeprefix("0")
