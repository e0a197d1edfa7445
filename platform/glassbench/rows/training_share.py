"""A share of the training rows, to see what more rows are worth."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Split
from glassbench.errors import DataError, ExperimentError
from glassbench.rows.some_rows import rows_of


def with_fewer_training_rows(data: Data, share: float, seed: int) -> Data:
    """Return data with a share of their training rows; a smaller share is part of a larger one of the same seed.

    Rows are drawn at random, of each class its share and at least one row, and of clusters all rows or none. Rows for validation
    and testing stay as they are, and so does what the data set fitted to all of its training rows: means, vocabularies.

    Raises:
        ExperimentError: Nothing learns from rows here.
        DataError: No training row would remain.
    """
    if share == 1:
        return data
    if data.stream is not None:
        problem = "these training rows are read part by part, and all of them"
        raise ExperimentError(problem, where="training_share", got=f"{share:g}", fix="leave it out")
    if not isinstance(data.train, Split):
        problem = "the model learns by interaction, so there are no training rows to leave out"
        raise ExperimentError(problem, where="training_share", got=f"{share:g}", fix="leave it out")
    kept = _drawn(data.train, share, seed)
    if len(kept) == 0:
        raise DataError("no training row would remain", where="training_share", got=f"{share:g} of {len(data.train):,} rows")
    note = f"{len(kept):,} of {len(data.train):,} training rows were learnt from (training_share {share:g})."
    return replace(data, train=rows_of(data.train, kept), notes=(*data.notes, note))


def _drawn(split: Split, share: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng([seed, 0x5A4E])
    if split.clusters is not None:
        codes, names = pd.factorize(split.clusters, use_na_sentinel=False)
        chosen = generator.permutation(len(names))[: max(1, round(share * len(names)))]
        return np.flatnonzero(np.isin(codes, chosen))
    target = split.target
    classes = target is not None and target.ndim == 1 and not target.is_floating_point()
    strata = target.numpy() if classes and target is not None else np.zeros(len(split), dtype=np.int64)
    order = generator.permutation(len(split))
    kept = [of[: max(1, round(share * len(of)))] for of in (order[strata[order] == one] for one in np.unique(strata))]
    return np.sort(np.concatenate(kept)) if kept else np.array([], dtype=np.int64)
