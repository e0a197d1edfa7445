"""The task of flagging rows unlike the others."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.flags import FLAGS, Flags
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, FitError, SettingsError
from glassbench.stats.settings_types import ShareBelowOne
from glassbench_plugins.anomalies import ranking
from glassbench_plugins.anomalies.flagging import Flagging
from glassbench_plugins.unsupervised.descent import objective_learner
from glassbench_plugins.unsupervised.unlabelled import frame_of, true_names

_FLAGGED = Metric(name="flagged", compute=ranking.flagged, rate=True, compares=False, higher_is_better=False)
_AUC = Metric(name="roc_auc", compute=ranking.roc_auc, lowest=0.0, highest=1.0)
_PRECISION = Metric(name="average_precision", compute=ranking.average_precision, lowest=0.0, highest=1.0)


class Anomaly(Task):
    """Flags rows unlike those that were learnt from.

    A model gives a score per row; the threshold is the score that a given share of validation rows (of training rows, where
    the model fits itself or there are none) is above. A data set with two classes, of which one is the positive, tells
    afterwards which rows are actually unusual; no model sees it.

    Args:
        share: Share of usual rows that may be flagged by mistake, between 0 and 1.
    """

    kind = Flags()
    attribution_output_name = "the anomaly score"

    def __init__(self, *, share: ShareBelowOne = 0.05) -> None:
        if not 0 < share < 1:
            raise SettingsError("share must lie between 0 and 1", got=str(share), where="task.share")
        self.share = share
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """How well scores tell unusual rows from normal ones, where the truth is known, and the share flagged."""
        return _AUC, _PRECISION, _FLAGGED

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: The target has more than two classes, so that none is the unusual one.
        """
        if schema.target.kind == "class" and len(schema.target.classes) != 2:
            raise DataError(
                "it is not known which class is the unusual one",
                got=f"'{schema.target.name}' has the classes {', '.join(schema.target.classes)}",
                fix="choose a data set without a target or with two classes; digits-table takes `normal: 3`",
            )
        self._schema = schema

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Wrap the model with the threshold."""
        return model if isinstance(model, Flagging) else Flagging(model, self.share)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Let the network minimise its own objective, and set the threshold by the validation rows of each epoch.

        Raises:
            FitError: There are no validation rows.
        """
        assert isinstance(model, Flagging)
        if not isinstance(data.validation, Split) or not len(data.validation):
            raise FitError("the threshold is set by validation rows", got="none", fix="set dataset.validation_share above 0")

        def evaluate(scores: Tensor, _: Tensor) -> dict[str, float]:
            model.measure(scores)
            return {}

        return objective_learner(model, data, optimization, evaluate)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Score every row and flag those above the threshold."""
        assert isinstance(source, Split)
        assert isinstance(model, Flagging)
        scores = forward_all(model, source).double().numpy()
        flagged = scores > float(model.threshold)
        names = np.array(self._names(), dtype=object)
        truth = true_names(source, self._schema)
        columns = {"score": scores, "flagged": flagged.astype(np.float64)}
        if truth is not None:
            columns["unusual"] = (truth == names[1]).astype(np.float64)
        frame = frame_of(source, truth, names[flagged.astype(int)], pd.DataFrame(columns))
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(source), dtype=torch.long))

    def attribution_output(self, output: Any) -> Tensor:
        """Return the score as the only output, `(n, 1)`."""
        assert isinstance(output, Tensor)
        return output[:, None]

    def _names(self) -> tuple[str, str]:
        """Return what rows are called that are not flagged, and that are."""
        target = None if self._schema is None else self._schema.target
        if target is None or target.kind != "class":
            return FLAGS
        positive = target.positive or target.classes[1]
        return next(name for name in target.classes if name != positive), positive
