"""The task of finding objects: boxes with classes."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.box_lists import decoded_boxes, encoded_boxes
from glassbench.contracts.predictions.box_matching import overlaps
from glassbench.contracts.predictions.boxes import Boxes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, FitError, GlassbenchError
from glassbench.stats.settings_types import NonNegativeNumber, Share
from glassbench_plugins.detection.average_precision import box_metrics
from glassbench_plugins.detection.center_loss import center_losses, read_boxes
from glassbench_plugins.detection.counting import counting_threshold
from glassbench_plugins.detection.flips import Flipped
from glassbench_plugins.detection.targets import boxes_as_text

MOST, FAINTEST = 100, 0.02
"""The boxes that are kept of a picture, and the least score of one."""

_AT_ONCE_PIXELS = 2**21
_UNFITTED = 0.4
"""The score from which boxes are counted until one is chosen."""


class Detection(Task):
    """Finds the objects of an image: a box, a class and a score for each.

    The network gives log-odds of middles, sizes and offsets at each place; it learns by the focal loss of middles and the
    distance of sizes. What is explained is the log-odds of the box with the highest score.

    Args:
        threshold: The score from which a box is counted, shown and held against the truth; average precision uses all boxes.
            None chooses the one that miscounts least on the validation images.
        same: Of two boxes of one class whose intersection over union is this or more, the one with the lower score is dropped.
        size_weight: What sizes and offsets count in the loss.
        sizes: Sides in pixels of the image below which boxes are small, and from which they are large; those of COCO.
        flips: Mirrored copies while training: `none`, `horizontal`, or `all` directions for images without an upper side.
    """

    def __init__(
        self,
        *,
        threshold: Share | None = 0.4,
        same: Share = 0.6,
        size_weight: NonNegativeNumber = 1.0,
        sizes: tuple[float, float] = (32.0, 96.0),
        flips: Literal["none", "horizontal", "all"] = "horizontal",
    ) -> None:
        self.chosen = threshold
        self._count_from(_UNFITTED if threshold is None else threshold)
        self.same = same
        self.size_weight = size_weight
        self.sizes = sizes
        self.flips: Literal["none", "horizontal", "all"] = flips
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Average precision at half overlap first."""
        classes = () if self._schema is None else self._schema.target.classes
        return box_metrics(classes, self.threshold, self.sizes)

    def check(self, schema: Schema) -> None:
        """Keep the schema whose classes are given.

        Raises:
            DataError: The target is no boxes.
        """
        target = schema.target
        if target.kind != "boxes":
            fix = "choose a data set with boxes, such as voc or coco"
            raise DataError(f"detection needs boxes, but '{target.name}' is a {target.kind}", fix=fix)
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of `(n, classes + 4, h, w)`."""
        self.check(data.schema)
        return SupervisedLearner(model, self.row_loss, optimization, minibatches=Flipped(model, self.flips))

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Find the boxes of every image; what is explained of an image is its box with the highest score."""
        assert isinstance(source, Split)
        schema = self._known()
        pixels = source.batch(slice(0, 1)).inputs[0].numel() if len(source) else 1
        output = self._checked(forward_all(model, source, max(1, _AT_ONCE_PIXELS // max(pixels, 1))))
        corners, kinds, scores, places = read_boxes(output, MOST)
        height, width = (int(side or 0) for side in schema.shape[-2:])
        texts = [
            self._text(*row, schema.target.classes, height, width)
            for row in zip(corners.numpy(), kinds.numpy(), scores.numpy(), strict=True)
        ]
        columns: dict[str, Any] = {"row": source.rows, "y_pred": np.array(texts, dtype=object)}
        if source.target is not None:
            columns["y_true"] = boxes_as_text(source.target, schema.target.classes)
        beside = {"frequency": source.frequency, "weight": source.weights, "cluster": source.clusters}
        frame = pd.DataFrame({**columns, **{name: values for name, values in beside.items() if values is not None}})
        if source.groups is not None:
            frame = pd.concat([frame, source.groups.reset_index(drop=True).add_prefix("group.")], axis=1)
        return Predictions(frame=frame, source=source, target_index=places[:, 0])

    def calibrate(self, model: nn.Module, data: Data) -> Mapping[str, Any] | None:
        """Return the score from which boxes are counted, chosen on the validation images; None where it is set.

        Raises:
            DataError: There are no validation images to choose it on.
        """
        if self.chosen is not None:
            return None
        if not isinstance(data.validation, Split) or not len(data.validation):
            fix = "set images aside for validation, or name a threshold"
            raise DataError("no validation images tell from which score boxes are to be counted", where="task.threshold", fix=fix)
        frame = self.predict(model, data.validation).frame
        truths = np.array([len(decoded_boxes(str(text))) for text in frame["y_true"]])
        return {"threshold": counting_threshold([decoded_boxes(str(text)).scores for text in frame["y_pred"]], truths)}

    def use_calibration(self, facts: Mapping[str, Any]) -> None:
        """Count boxes from the score that `calibrate` chose."""
        self._count_from(float(facts["threshold"]))

    def _count_from(self, score: float) -> None:
        self.threshold, self.kind = score, Boxes(threshold=score)

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the loss of each picture `(n,)`."""
        return center_losses(self._checked(output), batch.target, self.size_weight)

    @property
    def attribution_output_name(self) -> str:  # type: ignore[override]
        """What an explanation explains."""
        return "the log-odds of the box with the highest score"

    def attribution_output(self, output: Any) -> Tensor:
        """Return the log-odds of a middle of each class at each place `(n, classes, h, w)`."""
        return self._checked(output)[:, :-4]

    def _text(
        self, corners: np.ndarray, kinds: np.ndarray, scores: np.ndarray, classes: tuple[str, ...], height: int, width: int
    ) -> str:
        """Return the boxes of one picture as text, highest score first, cut at its edges, without those that are the same."""
        corners = corners.clip(0, [width, height, width, height])
        whole = (scores >= FAINTEST) & (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
        corners, kinds, scores = corners[whole], kinds[whole], scores[whole]
        alike = (overlaps(corners, corners) >= self.same) & (kinds[:, None] == kinds)
        kept: list[int] = []
        for place in range(len(scores)):
            if not alike[place, kept].any():
                kept.append(place)
        return encoded_boxes([classes[int(kind)] for kind in kinds[kept]], corners[kept], scores[kept])

    def _checked(self, output: Any) -> Tensor:
        """Return outputs `(n, classes + 4, h, w)` as they are.

        Raises:
            FitError: They are of another shape.
        """
        wanted = len(self._known().target.classes) + 4
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] == wanted:
            return output
        got = f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        problem = f"the task asks the model for {wanted} numbers per place: one for each class, two sides and two offsets"
        raise FitError(problem, got=got, fix="choose the model 'centernet'")

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema
