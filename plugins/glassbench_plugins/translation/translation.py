"""The task of writing an answer to a text."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.metric import Metric
from glassbench_plugins.translation import scores
from glassbench_plugins.translation.writing import Beams, Penalty, Smoothing, Writing

_METRICS = (
    Metric(name="bleu", compute=scores.bleu, unit="points", lowest=0.0, highest=100.0),
    Metric(name="chrf", compute=scores.chrf, unit="points", lowest=0.0, highest=100.0),
    Metric(name="exact_match", compute=scores.exact_match, rate=True, judged=True),
    Metric(name="token_loss", compute=scores.loss, higher_is_better=False, unit="nats", lowest=0.0),
    Metric(name="token_accuracy", compute=scores.token_accuracy, lowest=0.0, highest=1.0),
)


class Translation(Writing):
    """Writes an answer to a text, one token after the other, judged by BLEU and chrF as sacrebleu computes them.

    The `quality` of an answer is its chrF.

    Args:
        beams: How many unfinished answers are followed at once; 1 always takes the likeliest next token.
        length_penalty: An answer's log-probability is divided by its length to this power when beams are compared.
        label_smoothing: Share of the truth given to all tokens alike while training.
    """

    def __init__(self, *, beams: Beams = 1, length_penalty: Penalty = 1.0, label_smoothing: Smoothing = 0.0) -> None:
        super().__init__(beams=beams, length_penalty=length_penalty, label_smoothing=label_smoothing)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """BLEU first."""
        return _METRICS

    def quality(self, written: Sequence[str], actual: Sequence[str]) -> np.ndarray:
        """Return the chrF of each answer, 0 to 100."""
        return scores.pair_chrf(written, actual)

    def without_learning(self, sources: Sequence[str]) -> tuple[list[str], str]:
        """Return the sources themselves."""
        return list(sources), "copying the source"
