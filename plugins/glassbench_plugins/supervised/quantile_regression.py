"""The task of predicting quantiles of a value, and an interval that holds it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.estimator import EstimatorModule, SelfFitting
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.quantiles import Quantiles
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, GlassbenchError, SettingsError, suggest
from glassbench.stats.conformal import fewest_rows
from glassbench.stats.settings_types import Count, OpenShare
from glassbench_plugins.supervised.ascending import Ascending
from glassbench_plugins.supervised.interval_offsets import IntervalOffsets
from glassbench_plugins.supervised.metrics import MEAN_ABSOLUTE_ERROR
from glassbench_plugins.supervised.outputs import checked_width
from glassbench_plugins.supervised.quantile_metrics import quantile_metrics
from glassbench_plugins.supervised.rows import frame_of
from glassbench_plugins.supervised.standardized import Standardized


class QuantileRegression(Task):
    """Predicts the median of a value and an interval that holds the value with a stated chance.

    A network gives one quantile per level and learns by the pinball loss (Koenker and Bassett 1978); its quantiles cannot cross.
    Those of an estimator are sorted (Chernozhukov, Fernández-Val and Galichon 2010). Then the interval is widened, or narrowed,
    by what held-out truths ask for (Romano, Patterson and Candès 2019, "Conformalized quantile regression").

    Args:
        coverage: Share of rows whose interval shall hold the value; its ends are the quantiles that leave half of the rest
            on either side.
        levels: Further quantiles to predict, beyond the median and the ends of the interval.
        conformal: How the interval is corrected: `split` by one offset, read off the validation rows; `by_group` by an offset for
            each group of a sensitive feature; `none` leaves the quantiles as they were learnt.
        conformal_by: That sensitive feature.
        conformal_fewest: Validation rows that a group needs for an offset of its own; smaller groups get that of all rows.
    """

    kind: Quantiles

    def __init__(
        self,
        *,
        coverage: OpenShare = 0.9,
        levels: tuple[OpenShare, ...] = (),
        conformal: Literal["none", "split", "by_group"] = "split",
        conformal_by: str | None = None,
        conformal_fewest: Count = 50,
    ) -> None:
        if (conformal == "by_group") != (conformal_by is not None):
            fix = "name the sensitive feature: task.conformal_by" if conformal_by is None else "set task.conformal to by_group"
            got = f"conformal {conformal}, conformal_by {conformal_by}"
            raise SettingsError("`conformal: by_group` and `conformal_by` go together", got=got, where="task", fix=fix)
        self.coverage = coverage
        tail = round((1 - coverage) / 2, 10)
        self.levels = tuple(sorted({tail, 0.5, round(1 - tail, 10), *levels}))
        self.conformal = conformal
        self.conformal_by = conformal_by
        self.conformal_fewest = conformal_fewest
        self.kind = self._kind("quantile regression, with no correction on held-out rows")
        self._ends = self.levels.index(tail), self.levels.index(round(1 - tail, 10))
        self._middle = self.levels.index(0.5)
        self._unit: str | None = None
        self._offsets: IntervalOffsets | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The pinball loss first, then those of the intervals and of the median."""
        loss, *others = quantile_metrics(self.coverage, self._unit, judge_width=self.conformal != "by_group")
        return loss, *others, replace(MEAN_ABSOLUTE_ERROR, unit=self._unit)

    def check(self, schema: Schema) -> None:
        """Keep the unit of the value.

        Raises:
            DataError: The target is no value, or offsets are asked for by a feature that the data do not have.
        """
        target = schema.target
        if target.kind != "value":
            fix = "use the task 'classification'" if target.kind == "class" else "choose a data set with a value to predict"
            raise DataError(f"quantile regression needs a value, but '{target.name}' is a {target.kind}", fix=fix)
        if self.conformal_by is not None and self.conformal_by not in schema.sensitive:
            raise DataError(
                f"task.conformal_by names '{self.conformal_by}', which is no sensitive feature of the data",
                got=self.conformal_by,
                available=schema.sensitive,
                fix=suggest(self.conformal_by, schema.sensitive) or "name it under dataset.sensitive",
            )
        self._unit = target.unit

    def check_data(self, data: Data) -> None:
        """Make sure that there are validation rows enough to correct intervals on.

        Raises:
            DataError: There are not.
        """
        need = fewest_rows(self.coverage)
        if self.conformal != "none" and _known(data) < need:
            raise DataError(
                f"intervals that hold the value in {self.coverage * 100:g} % of rows are corrected on validation rows, "
                f"{need} at least",
                got=f"{_known(data)} validation rows",
                fix="set more rows aside for validation in the data set's split, or set task.conformal to none",
            )

    def model_schema(self, schema: Schema) -> Schema:
        """Return the schema with the levels as what a model gives."""
        return replace(schema, target=replace(schema.target, levels=self.levels))

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Wrap the network so that its quantiles rise and it learns on a standardised scale."""
        if isinstance(model, Standardized | EstimatorModule | SelfFitting):
            return model
        return Standardized(Ascending(model, len(self.levels), self._middle))

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Measure the training targets and wrap the network with the pinball loss, in standard deviations of the target."""
        assert isinstance(data.train, Split)
        assert data.train.target is not None
        scaled = self.adapt(model, data.schema)
        assert isinstance(scaled, Standardized)
        scaled.measure(data.train.target)

        def loss(output: Tensor, batch: Batch) -> Tensor:
            return self._pinball(output, batch.target) / scaled.std

        return SupervisedLearner(scaled, loss, optimization, self.evaluate)

    def evaluate(self, output: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the mean pinball loss, and the share of truths within the uncorrected interval, on held-out rows."""
        low, high = (output[:, end] for end in self._ends)
        held = ((low <= truth) & (truth <= high)).float().mean().item()
        return {"pinball_loss": self._pinball(output, truth).mean().item(), "coverage": held}

    def calibrate(self, model: nn.Module, data: Data) -> Mapping[str, Any] | None:
        """Return the offsets that correct intervals, read off the validation rows; None where none are asked for."""
        if self.conformal == "none":
            return None
        self.check_data(data)
        rows = data.validation
        assert isinstance(rows, Split)
        assert rows.target is not None
        ordered, _ = self._quantiles(model, rows)
        truth = rows.target.double().numpy()
        outside = np.maximum(ordered[:, self._ends[0]] - truth, truth - ordered[:, self._ends[1]])
        groups = None if rows.groups is None or self.conformal_by is None else rows.groups[self.conformal_by]
        chosen = np.flatnonzero(np.isfinite(truth))
        if rows.frequency is not None:
            chosen = np.repeat(chosen, rows.frequency[chosen])
        found = IntervalOffsets.measured(
            outside[chosen],
            self.coverage,
            weight=None if rows.weights is None else rows.weights[chosen],
            feature=self.conformal_by,
            groups=None if groups is None else groups.iloc[chosen],
            fewest=self.conformal_fewest,
        )
        if not np.isfinite(found.offset):
            raise DataError(
                f"too much of the validation rows' weight lies on a few of them for intervals that hold the value in "
                f"{self.coverage * 100:g} % of rows",
                got=f"{found.rows} validation rows",
                fix="set more rows aside for validation, or set task.conformal to none",
            )
        return found.to_json()

    def use_calibration(self, facts: Mapping[str, Any]) -> None:
        """Keep the offsets."""
        self._offsets = IntervalOffsets.from_json(facts)
        self.kind = self._kind(self._offsets.words)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Predict every row, in the target's unit; an interval always holds the median.

        Raises:
            GlassbenchError: Intervals shall be corrected, and no offsets are known.
        """
        assert isinstance(source, Split)
        ordered, crossed = self._quantiles(model, source)
        middle = ordered[:, self._middle]
        offset, of = self._offset(source)
        columns: dict[str, Any] = {
            "low": np.minimum(ordered[:, self._ends[0]] - offset, middle),
            "high": np.maximum(ordered[:, self._ends[1]] + offset, middle),
            **{f"quantile.{level:g}": ordered[:, k] for k, level in enumerate(self.levels)},
            "crossed": crossed,
            **({"corrected_as": of} if self.conformal == "by_group" else {}),
        }
        truth = None if source.target is None else source.target.double().numpy()
        frame = frame_of(source, truth, middle, pd.DataFrame(columns))
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(source), dtype=torch.long))

    def decision(self) -> dict[str, Any]:
        """Return how quantiles become a prediction and its interval, as `ExportedTask` says."""
        found, ends = self._offsets or IntervalOffsets(offset=0.0, rows=0), list(self._ends)
        by = None if found.feature is None else {"feature": found.feature, "offsets": dict(found.groups)}
        places = {"levels": list(self.levels), "ends": ends, "middle": self._middle}
        return {"kind": "quantiles", **places, "offset": found.offset, "by": by}

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the mean pinball loss over the levels of each row, in the target's own unit."""
        return self._pinball(output, batch.target)

    def attribution_output(self, output: Any) -> Tensor:
        """Return the median, which predictions take, and the width of the interval before it is corrected, `(n, 2)`."""
        assert isinstance(output, Tensor)
        ordered, (low, high) = output.sort(dim=1).values, self._ends
        return torch.stack([ordered[:, self._middle], ordered[:, high] - ordered[:, low]], dim=1)

    def _kind(self, words: str) -> Quantiles:
        return Quantiles(coverage=self.coverage, words=words, explained=("median", "width of the interval"))

    def _pinball(self, output: Tensor, truth: Tensor) -> Tensor:
        """From quantiles `(n, levels)` and truths `(n,)` to the mean pinball loss of each row `(n,)`."""
        level = torch.tensor(self.levels, dtype=output.dtype, device=output.device)
        off = truth[:, None] - output
        return torch.maximum(level * off, (level - 1) * off).mean(dim=1)

    def _quantiles(self, model: nn.Module, source: Split) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's quantiles in rising order `(n, levels)`, and whether they were out of it `(n,)`."""
        fix = "choose a model that gives quantiles, such as 'mlp' or 'hist-gradient-boosting'"
        given = checked_width(forward_all(model, source), len(self.levels), "quantile", fix=fix).double().numpy()
        return np.sort(given, axis=1), np.asarray((np.diff(given, axis=1) < 0).any(axis=1))

    def _offset(self, source: Split) -> tuple[np.ndarray, np.ndarray]:
        """Return the offset of each row and the group whose offset it is."""
        if self._offsets is None and self.conformal != "none":
            raise GlassbenchError(
                "the intervals were not corrected on held-out rows",
                got=f"task.conformal {self.conformal}, and no offsets",
                fix="train with this task, or set task.conformal to none",
            )
        return (self._offsets or IntervalOffsets(offset=0.0, rows=0)).of(source.groups, len(source))


def _known(data: Data) -> int:
    """Return how many validation rows have a known value."""
    rows = data.validation
    if not isinstance(rows, Split) or rows.target is None:
        return 0
    known = np.isfinite(rows.target.double().numpy())
    return int(known.sum() if rows.frequency is None else rows.frequency[known].sum())
