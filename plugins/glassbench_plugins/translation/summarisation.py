"""The task of saying a text in fewer words."""

import re
from collections.abc import Sequence

import numpy as np

from glassbench.contracts.metric import Metric
from glassbench_plugins.language.losses import loss, token_accuracy
from glassbench_plugins.supervised.written import exact_match
from glassbench_plugins.translation import rouge
from glassbench_plugins.translation.writing import Beams, Penalty, Smoothing, Writing

_METRICS = (
    Metric(name="rouge_1", compute=rouge.rouge_1, lowest=0.0, highest=1.0, judged=True),
    Metric(name="rouge_2", compute=rouge.rouge_2, lowest=0.0, highest=1.0),
    Metric(name="rouge_l", compute=rouge.rouge_l, lowest=0.0, highest=1.0),
    Metric(name="exact_match", compute=exact_match, rate=True),
    Metric(name="token_loss", compute=loss, higher_is_better=False, unit="nats", lowest=0.0),
    Metric(name="token_accuracy", compute=token_accuracy, lowest=0.0, highest=1.0),
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


class Summarisation(Writing):
    """Says a text in fewer words, one token after the other, judged by ROUGE (Lin 2004): F1 over words, without stems.

    The `quality` of a summary is its ROUGE-L. What needs no learning is the text's first sentence.

    Args:
        beams: How many unfinished summaries are followed at once; 1 always takes the likeliest next token.
        length_penalty: A summary's log-probability is divided by its length to this power when beams are compared.
        label_smoothing: Share of the truth given to all tokens alike while training.
    """

    def __init__(self, *, beams: Beams = 1, length_penalty: Penalty = 1.0, label_smoothing: Smoothing = 0.0) -> None:
        super().__init__(beams=beams, length_penalty=length_penalty, label_smoothing=label_smoothing)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """ROUGE-1 first."""
        return _METRICS

    def quality(self, written: Sequence[str], actual: Sequence[str]) -> np.ndarray:
        """Return the ROUGE-L of each summary, 0 to 1."""
        return np.array([rouge.rouge(one, truth, "L") for one, truth in zip(written, actual, strict=True)])

    def without_learning(self, sources: Sequence[str]) -> tuple[list[str], str]:
        """Return the first sentence of each text."""
        return [_SENTENCE.split(text, maxsplit=1)[0] for text in sources], "taking the first sentence"
