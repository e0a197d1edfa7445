"""Why a row was decided as it was: Shapley values of its columns, sampled by Captum."""

from typing import Any

import pandas as pd
import torch
from captum.attr import ShapleyValueSampling
from torch import Tensor

from glassbench.errors import RunError
from glassbench.run_handle import Run

_SAMPLES = 25
_MOST_ROWS = 100


class Explanations:
    """Explains single predictions of a run of a table.

    Each column's contribution to the output that was decided (the log-odds of a class, a value) is its Shapley value against a
    row of the training rows' means without any category, estimated over 25 permutations (Castro, Gómez and Tejada 2009). The
    contributions sum to the difference between the two rows' outputs.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def of(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """Return for each raw row the output that is explained, that of the row it is compared with, and each column's share.

        Raises:
            RunError: The rows are no table, or there are too many.
        """
        schema, task, model = self._run.schema, self._run.task, self._run.model
        if not schema.layout.tabular or not schema.features:
            raise RunError("only rows of tables are explained here", got=schema.modality, fix="read the run's report")
        if len(frame) > _MOST_ROWS:
            raise RunError(f"a request explains up to {_MOST_ROWS} rows", got=f"{len(frame):,}", fix="send fewer rows")
        predictions = task.predict(model, self._run.encoder.encode(frame))
        if predictions.source is None or predictions.target_index is None or predictions.target_index.ndim != 1:
            raise RunError("predictions of this task are not explained one output at a time", got=type(task).__name__)
        inputs = predictions.source.batch(slice(None)).inputs[0]
        outputs = [int(place) for place in predictions.target_index]

        def output(rows: Tensor, place: int) -> Tensor:
            with torch.no_grad():
                return task.attribution_output(model(rows))[:, place].double()

        return [self._row(inputs[k : k + 1], output, place) for k, place in enumerate(outputs)]

    def _row(self, row: Tensor, output: Any, place: int) -> dict[str, Any]:
        features = self._run.schema.features
        groups = torch.zeros(row.shape[1], dtype=torch.long)
        for number, feature in enumerate(features):
            groups[list(feature.columns)] = number
        means = torch.zeros_like(row)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            shares = ShapleyValueSampling(output).attribute(
                row, baselines=means, feature_mask=groups[None], n_samples=_SAMPLES, additional_forward_args=(place,)
            )[0]
        first = [feature.columns[0] for feature in features]
        named = {feature.name: float(shares[column]) for feature, column in zip(features, first, strict=True)}
        ends = {"output": float(output(row, place)[0]), "compared_with": float(output(means, place)[0])}
        return {**ends, "contributions": dict(sorted(named.items(), key=lambda each: -abs(each[1])))}
