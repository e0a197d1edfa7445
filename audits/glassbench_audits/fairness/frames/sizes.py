"""Which groups are large enough to say anything about."""

import numpy as np

SHARE, LEAST, ENOUGH = 0.02, 10, 100


def enough_rows(n: np.ndarray, small: int | None = None) -> np.ndarray:
    """Return how many rows a group must have behind each number to take part in the headline, `(metrics,)`.

    By default 2 % of the rows that the number rests on over all groups, but at least 10 and never more than 100: below
    10 a share moves by a tenth with one row; 2 % is where New York City's Local Law 144 lets a category be left out;
    100 rows are enough in any data set.

    Args:
        n: Denominators `(metrics, groups)`.
        small: A fixed number instead.

    Example:
        >>> enough_rows(np.array([[40, 50], [3000, 4000], [90, 1500]])).tolist()
        [10.0, 100.0, 31.8]
    """
    if small is not None:
        return np.full(len(n), float(small))
    wanted: np.ndarray = np.clip(SHARE * n.sum(axis=1), LEAST, ENOUGH)
    return wanted


def sizeable(n: np.ndarray, small: int | None = None) -> np.ndarray:
    """Return which groups are large enough on which metric, truth values `(metrics, groups)`."""
    large: np.ndarray = n >= enough_rows(n, small)[:, None]
    return large
