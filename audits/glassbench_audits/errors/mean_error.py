"""The mean error of rows, as it is reported."""

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.sampling import Sampling


def mean_of(errors: RowErrors, sampling: Sampling) -> Inference:
    """Return the mean error with the interval that the task's own metric has: of a share, or of a mean of distances.

    Args:
        errors: The errors of some rows.
        sampling: How these rows were sampled.
    """
    return share(errors.size > 0, sampling) if errors.binary else mean(errors.size, sampling, lowest=0.0)
