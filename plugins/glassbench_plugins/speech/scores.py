"""How near transcripts come to the truth, under any weights of the rows."""

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench_plugins.language.losses import loss as token_loss
from glassbench_plugins.supervised.written import exact_match


def word_error_rate(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the edits of words over the words of the truth, `(b,)`; above 1 where more is written than was said.

    Args:
        frame: Columns `word_edits` and `words`, n rows.
        weights: `(b, n)`.
    """
    return _ratio(frame, "word_edits", "words", weights)


def character_error_rate(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the edits of characters over the characters of the truth, spaces among them, `(b,)`."""
    return _ratio(frame, "character_edits", "characters", weights)


def _ratio(frame: pd.DataFrame, edits: str, length: str, weights: np.ndarray) -> np.ndarray:
    wrong, said = (frame[name].to_numpy(dtype=float) for name in (edits, length))
    return np.asarray((weights @ wrong) / (weights @ said))


METRICS = (
    Metric(name="word_error_rate", compute=word_error_rate, higher_is_better=False, lowest=0.0, proportion=True, judged=True),
    Metric(name="character_error_rate", compute=character_error_rate, higher_is_better=False, lowest=0.0, proportion=True),
    Metric(name="exact_match", compute=exact_match, rate=True),
    Metric(name="token_loss", compute=token_loss, higher_is_better=False, unit="nats", lowest=0.0),
)
