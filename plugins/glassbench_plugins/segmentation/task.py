"""The task of giving every pixel of a picture a class."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.mask_counts import mask_columns
from glassbench.contracts.predictions.masks import CERTAINTY, Masks
from glassbench.contracts.predictions.run_lengths import UNKNOWN
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import DataError, FitError, GlassbenchError
from glassbench.stats.settings_types import Count, Name, Share
from glassbench_plugins.segmentation.crops import Crops, Flips
from glassbench_plugins.segmentation.loss import mask_losses
from glassbench_plugins.segmentation.metrics import mask_metrics

_AT_ONCE_PIXELS = 2**19


class Segmentation(Task):
    """Gives every pixel of an image a class (semantic segmentation).

    A network gives one logit per class and pixel; it learns by cross-entropy and the soft Dice loss, on random crops and mirrored
    copies of the training images. What is explained is the share of an image that is predicted as a class: the sum of its
    pixels' probabilities over their number.

    Args:
        background: The class that is no object; means over classes and errors leave it out. A data set without that class
            counts all of them.
        dice_weight: What the soft Dice loss counts; cross-entropy counts the rest.
        crop: Height and width of the crops that are learnt from; None takes whole images.
        flips: Mirrored copies: `none`, `horizontal`, or `all` directions for images without an upper side.
    """

    def __init__(
        self,
        *,
        background: Name | None = "background",
        dice_weight: Share = 0.5,
        crop: Count | None = None,
        flips: Flips = "horizontal",
    ) -> None:
        self.background = None if background is None else str(background)
        self.kind = Masks(left_out=self.background)
        self.dice_weight = dice_weight
        self.crop = crop
        self.flips = flips
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Dice first, pooled over pictures and averaged over the classes but the background."""
        classes = () if self._schema is None else self._schema.target.classes
        return mask_metrics(tuple(name for name in classes if name != self.background) or classes, classes)

    @property
    def attribution_output_name(self) -> str:  # type: ignore[override]
        """What an explanation explains."""
        return "the share of the image that is predicted as one class"

    def check(self, schema: Schema) -> None:
        """Keep the schema whose classes are given.

        Raises:
            DataError: The target is no mask.
        """
        target = schema.target
        if target.kind != "mask":
            fix = "choose a data set with masks, such as mask-folder"
            raise DataError(f"segmentation needs masks, but '{target.name}' is a {target.kind}", fix=fix)
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, classes, H, W)`."""
        self.check(data.schema)
        return SupervisedLearner(model, self.row_loss, optimization, minibatches=Crops(model, self.crop, self.flips))

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Give every pixel its likeliest class; what is explained of an image is its largest class but the background."""
        assert isinstance(source, Split)
        schema = self._known()
        masks, certainty = _predicted(model, source, len(schema.target.classes))
        truth = None if source.target is None else source.target.numpy()
        columns: dict[str, Any] = {"row": source.rows, **mask_columns(masks, truth, schema.target.classes), CERTAINTY: certainty}
        beside = {"frequency": source.frequency, "weight": source.weights, "cluster": source.clusters}
        frame = pd.DataFrame({**columns, **{name: values for name, values in beside.items() if values is not None}})
        if source.groups is not None:
            frame = pd.concat([frame, source.groups.reset_index(drop=True).add_prefix("group.")], axis=1)
        return Predictions(frame=frame, source=source, target_index=self._largest(masks, schema))

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the loss of each picture `(n,)`."""
        return mask_losses(_checked(output, len(self._known().target.classes)), batch.target, self.dice_weight)

    def attribution_output(self, output: Any) -> Tensor:
        """Return the share of each picture that is predicted as each class `(n, classes)`: the mean of its probabilities."""
        return torch.softmax(_checked(output, len(self._known().target.classes)), dim=1).mean(dim=(2, 3))

    def _largest(self, masks: np.ndarray, schema: Schema) -> Tensor:
        names = schema.target.classes
        sizes = np.stack([(masks == k).sum(axis=(1, 2)) for k in range(len(names))], axis=1)
        if self.background in names:
            sizes[:, names.index(self.background)] = UNKNOWN
        return torch.as_tensor(sizes.argmax(axis=1))

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _predicted(model: nn.Module, source: Split, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of every pixel, int16 `(n, H, W)`, and the mean probability of those classes `(n,)`."""
    was_training, device = model.training, next((p.device for p in model.parameters()), torch.device("cpu"))
    model.eval()
    masks, certainty = [], []
    with torch.inference_mode():
        for start in range(0, len(source), size := _rows_at_once(source)):
            batch = source.batch(slice(start, start + size))
            logits = _checked(model(*(t.to(device) for t in batch.inputs)), classes)
            best = torch.softmax(logits, dim=1).max(dim=1)
            masks.append(best.indices.to(torch.int16).cpu().numpy())
            certainty.append(best.values.double().mean(dim=(1, 2)).cpu().numpy())
    model.train(was_training)
    return np.concatenate(masks), np.concatenate(certainty)


def _rows_at_once(source: Split) -> int:
    pixels = source.batch(slice(0, 1)).inputs[0].numel() if len(source) else 1
    return max(1, _AT_ONCE_PIXELS // max(pixels, 1))


def _checked(output: Any, classes: int) -> Tensor:
    """Return logits `(n, classes, H, W)` as they are.

    Raises:
        FitError: They are of another shape.
    """
    if isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] == classes:
        return output
    got = f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
    problem = f"the task asks the model for {classes} numbers per pixel, one for each class"
    raise FitError(problem, got=got, available=["(images, classes, height, width)"], fix="choose the model 'unet'")
