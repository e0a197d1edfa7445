"""A written answer per row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import Choices
from glassbench.contracts.predictions.classes import wrong_rows
from glassbench.contracts.predictions.kind import Agreement
from glassbench.contracts.predictions.outputs import AnswerOutput, RowErrors
from glassbench.contracts.schema import Schema
from glassbench.stats.sampling import Sampling

_QUALITY = Metric(
    name="quality", compute=lambda frame, w: w @ frame["quality"].to_numpy(dtype=float) / w.sum(axis=1), judged=True
)
"""How near answers come to the truth, on the scale of the task that wrote them."""


class Answers(Choices):
    """A written answer per row. One that is not the truth to the letter may be right, so `quality` says how near it comes."""

    name = "answers"
    softmax = True
    compared_rows = 500  # each is compared with each
    wrong = "an answer that is not the truth to the letter, one the model was sure of"

    def decided_words(self, schema: Schema) -> str:
        """Return that an answer is written."""
        return f"writes the {schema.target.name} of each {schema.unit}"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return which answers are not the truth to the letter; None where a truth is not known."""
        return wrong_rows(frame)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return how many pairs and threes of characters answers and truths share (cosine)."""
        count = HashingVectorizer(analyzer="char", ngram_range=(2, 3), n_features=2**16, alternate_sign=False)
        written, actual = (count.transform(frame[c].astype(str)) for c in ("y_pred", "y_true"))
        alike, rows = (written @ actual.T).toarray(), np.arange(len(frame))
        return lambda order: float(alike[rows, order].sum())

    def answer_output(self, frame: pd.DataFrame, schema: Schema) -> AnswerOutput | None:
        """Return the answers, with the true ones and their quality where these are known."""
        return AnswerOutput(
            written=frame["y_pred"],
            actual=frame.get("y_true"),
            quality=frame["quality"].to_numpy(dtype=float) if "quality" in frame else None,
        )

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return the task's metrics, and the quality of the answers where none of them is judged as a mean over rows."""
        found = super().group_metrics(metrics, frame, schema)
        told = "quality" not in frame or any(metric.judged and not metric.rate for metric in found)
        return found if told else (*found, _QUALITY)

    def spread(self, frame: pd.DataFrame, schema: Schema) -> float:
        """Return the standard deviation of the answers' quality."""
        if "quality" not in frame:
            return 1.0
        return Sampling.of(frame).deviation(frame["quality"].to_numpy(dtype=float)) or 1.0

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return an answer, with the certainty of its tokens."""
        text = super().said_with_certainty(frame, position, schema)
        return f"{text} of each token on average" if text.endswith(" certain") else text

    def attribution_words(self, schema: Schema) -> str:
        """Return that log-odds are explained."""
        return "the summed log-odds of the emitted tokens, each against all others"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: an answer has no sides."""
        return None

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Refuse: there is no single token that directions could be said of."""
        raise LookupError("directions are said of two outputs")
