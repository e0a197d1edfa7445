"""The task of generating pictures of a wanted class."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.generated import MADE, PICTURE, REAL, RECOGNISED, Generated
from glassbench.contracts.predictions.picture_text import encoded_pictures
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import DataError, FitError, GlassbenchError
from glassbench.stats.settings_types import Count
from glassbench_plugins.generation.columns import manifold_columns
from glassbench_plugins.generation.conditional import Generator, conditional_learner, picture_size
from glassbench_plugins.generation.judge import Judge, trained_judge
from glassbench_plugins.generation.metrics import generation_metrics
from glassbench_plugins.generation.reference_mixture import ReferenceMixture
from glassbench_plugins.supervised.rows import class_truth

_SEED, _AT_ONCE_PIXELS = 2026, 2**19


class PictureGeneration(Task):
    """Generates pictures of a wanted class.

    A model turns noise and a class into a picture. For each held-out picture one of the same class is generated, and both sets
    are held against each other in the features of a small classifier, which is trained on real training pictures after the model
    and which the model never sees. What is explained is how much better the model finds a held-out picture to fit its class than
    the others.

    Args:
        pictures: The most held-out pictures for which one is generated each; a random part where there are more.
    """

    kind = Generated()
    attribution_output_name = "the log-odds of the picture's class against all others, by what the model gets wrong under each"

    def __init__(self, *, pictures: Count = 1000) -> None:
        self.pictures = pictures
        self._schema: Schema | None = None
        self._judge: Judge | None = None
        self._mixture: ReferenceMixture | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The Fréchet distance first."""
        return generation_metrics()

    def check(self, schema: Schema) -> None:
        """Keep the schema whose classes are generated.

        Raises:
            DataError: The rows are no pictures, or have no class.
        """
        if schema.modality != "image" or schema.target.kind != "class":
            got = f"{schema.modality} rows with a target of kind '{schema.target.kind}'"
            fix = "choose a data set of images with classes: digits, idx, npz or image-folder"
            raise DataError("generation needs images of classes", got=got, fix=fix)
        self._schema = schema

    def check_data(self, data: Data) -> None:
        """Refuse classes that nothing can be learnt of.

        Raises:
            DataError: A class has no training picture.
        """
        assert isinstance(data.train, Split)
        assert data.train.target is not None
        counts = torch.bincount(data.train.target, minlength=len(data.schema.target.classes))
        if not counts.all():
            absent = [name for name, n in zip(data.schema.target.classes, counts.tolist(), strict=True) if not n]
            raise DataError("a class has no training image", got=", ".join(absent), fix="leave the class out of the data set")

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Let a network minimise its own objective."""
        return conditional_learner(model, optimization)

    def calibrate(self, model: nn.Module, data: Data) -> Mapping[str, Any]:
        """Train the classifier that judges, and draw from the mixture that is compared with."""
        assert isinstance(data.train, Split)
        judge = trained_judge(picture_size(data.schema, "generation"), data.train)
        mixture = ReferenceMixture.of(data.schema, data.train, judge)
        return {"judge": judge.to_json(), "mixture": None if mixture is None else mixture.to_json()}

    def use_calibration(self, facts: Mapping[str, Any]) -> None:
        """Take the classifier and the mixture's pictures."""
        judge = Judge(picture_size(self._known(), "generation")).eval().requires_grad_(False)
        judge.read_json(facts["judge"])
        self._judge = judge
        self._mixture = None if facts["mixture"] is None else ReferenceMixture.from_json(facts["mixture"])

    def predict(self, model: Any, source: Any) -> Predictions:
        """Generate a picture for each held-out one, and judge it."""
        assert isinstance(source, Split)
        schema, chosen = self._known(), _chosen(source, self.pictures)
        wanted = _known_classes(chosen)
        made = self.generated_rows(model, torch.as_tensor(wanted), self.noise(model, len(chosen), _SEED))
        pictures = encoded_pictures(_light(made.numpy(), schema))
        made_features, seen = self.judged_rows(made)
        real_features, recognised = self.judged_rows(_pictures(chosen))
        names = np.array(schema.target.classes, dtype=object)
        columns: dict[str, Any] = {
            "row": chosen.rows,
            "y_true": class_truth(chosen, schema.target.classes),
            "y_pred": names[seen.numpy()],
            PICTURE: pictures,
            RECOGNISED: (recognised.numpy() == wanted).astype(float),
            **_numbered(REAL, real_features.numpy()),
            **_made_columns(real_features.numpy(), made_features.numpy(), wanted),
        }
        beside = {"weight": chosen.weights, "cluster": chosen.clusters}
        frame = pd.DataFrame({**columns, **{name: values for name, values in beside.items() if values is not None}})
        if chosen.groups is not None:
            frame = pd.concat([frame, chosen.groups.reset_index(drop=True).add_prefix("group.")], axis=1)
        return Predictions(frame=frame, source=chosen, target_index=torch.as_tensor(wanted))

    def predict_rows(self, model: Any, source: Split) -> Predictions | None:
        """Return None: what is generated does not depend on the pixels of a held-out picture."""
        return None

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return the same rows with pictures of a Gaussian mixture per class; None where a class has too few to fit one."""
        if self._mixture is None:
            return None
        frame, classes = predictions.frame, self._known().target.classes
        wanted = pd.Index(classes).get_indexer(pd.Index(frame["y_true"].astype(str)))
        features, seen = self._mixture.drawn(wanted)
        real = frame[[name for name in frame.columns if str(name).startswith(REAL)]].to_numpy()
        changed = {"y_pred": np.array(classes, dtype=object)[seen], PICTURE: "", **_made_columns(real, features, wanted)}
        return frame.assign(**changed)[list(frame.columns)], "drawing from a Gaussian mixture per class"

    def attribution_output(self, output: Any) -> Tensor:
        """Return how well each picture fits each class `(n, classes)`."""
        if isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == len(self._known().target.classes):
            return output
        got = f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise FitError("the task asks the model for one score per class", got=got, available=["(images, classes)"])

    def noise(self, model: Any, rows: int, seed: int) -> Tensor:
        """Return standard normal noise for so many pictures."""
        return torch.randn((rows, *_generator(model).noise_shape), generator=torch.Generator().manual_seed(seed))

    def generated_rows(self, model: Any, classes: Tensor, noise: Tensor) -> Tensor:
        """Return the pictures that a model makes of noise, float32 `(n, C, H, W)`."""
        known = _generator(model)
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        size = max(1, _AT_ONCE_PIXELS // picture_size(self._known(), "generation").pixels)
        pairs = zip(torch.split(classes, size), torch.split(noise, size), strict=True)
        with torch.inference_mode():
            return torch.cat([known.sample(some.to(device), each.to(device)).cpu() for some, each in pairs]).clone()

    def judged_rows(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return features `(n, 32)` and classes `(n,)` that the independent classifier sees in pictures."""
        if self._judge is None:
            raise GlassbenchError("the task has no classifier to judge by yet", fix="call calibrate and use_calibration first")
        return self._judge.judged(rows)

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _generator(model: Any) -> Generator:
    if isinstance(model, Generator):
        return model
    available = ["diffusion", "flow-matching", "conditional-vae", "class-mixture"]
    raise FitError("this model generates no pictures", got=type(model).__name__, available=available, fix="choose one of these")


def _chosen(source: Split, most: int) -> Split:
    if len(source) <= most:
        return source
    return source.take(np.sort(np.random.default_rng(_SEED).choice(len(source), most, replace=False)))


def _known_classes(source: Split) -> np.ndarray:
    if source.target is None or bool((source.target < 0).any()):
        raise DataError("an image is generated for each held-out image of a known class", got="images without a class")
    return source.target.numpy()


def _pictures(source: Split) -> Tensor:
    return source.batch(slice(None)).inputs[0]


def _light(made: np.ndarray, schema: Schema) -> np.ndarray:
    facts = schema.facts_of(ImageFacts)
    if facts is None:
        return made
    mean, std = (np.asarray(ends)[:, None, None] for ends in (facts.mean, facts.std))
    return np.asarray(made * std + mean)


def _numbered(start: str, features: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{start}{k}": features[:, k] for k in range(features.shape[1])}


def _made_columns(real: np.ndarray, made: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    return {**_numbered(MADE, made), **manifold_columns(real, made, wanted)}
