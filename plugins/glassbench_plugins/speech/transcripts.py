"""A transcript per row."""

from collections.abc import Sequence

import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.answers import Answers
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.schema import Schema


class Transcripts(Answers):
    """What was said in each row. Groups are compared by error rates of words and characters, which say more than a quality."""

    name = "transcripts"
    wrong = "a transcript that is not the true one to the letter, one the model was sure of"

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return the task's metrics alone."""
        return PredictionKind.group_metrics(self, metrics, frame, schema)
