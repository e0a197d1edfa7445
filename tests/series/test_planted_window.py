"""A class decided by one planted window: the explanation finds it."""

import numpy as np
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.testing.fixtures import ToyTask, descend
from glassbench_audits.attribution.explained import rows_of
from glassbench_audits.attribution.preparation import Settings, prepare
from glassbench_plugins.series.cnn import SeriesCnn

LENGTH, CHANNELS, WINDOW = 64, 3, 8
HOW = Settings(method="auto", rows=32, steps=50, samples=None, baseline="auto", cases=0, replicates=10, level=0.95)


def planted(seed):
    """Noise, with a square wave in one window of one channel in every second row; return it and which elements hold the wave."""
    generator = np.random.default_rng(seed)
    values = 0.3 * generator.normal(size=(240, LENGTH, CHANNELS))
    start, channel = int(generator.integers(0, LENGTH - WINDOW)), int(generator.integers(CHANNELS))
    truth = np.arange(240) % 2
    values[truth == 1, start : start + WINDOW, channel] += 1.5 * np.array([1, 1, -1, -1, 1, 1, -1, -1])
    held = np.zeros((LENGTH, CHANNELS), dtype=bool)
    held[start : start + WINDOW, channel] = True
    schema = Schema(
        modality="series",
        shape=(LENGTH, CHANNELS),
        target=Target(name="wave", kind="class", classes=("without", "with"), positive="with"),
        features=tuple(Feature(name=f"channel {k}", columns=(k,)) for k in range(CHANNELS)),
    )
    inputs = torch.as_tensor(values, dtype=torch.float32)
    return schema, Split(inputs=(inputs,), rows=np.arange(240), target=torch.as_tensor(truth)), held


@pytest.mark.parametrize("seed", range(5))
def test_the_window_has_nine_tenths_of_the_top_attribution(seed):
    schema, split, held = planted(seed)
    task = ToyTask()
    task.check(schema)
    torch.manual_seed(seed)
    model = SeriesCnn(schema, widths=(16, 16), kernels=(5, 5))
    descend(model, task, split, 60, learning_rate=0.01)
    predictions = task.predict(model.eval(), split)
    assert (predictions.frame["y_true"] == predictions.frame["y_pred"]).mean() > 0.98
    subject = Subject(schema=schema, predictions=predictions, task=task, model=model, train=split, seed=seed)
    explainer = prepare(subject, HOW).explainer
    rows = rows_of(subject, np.flatnonzero(predictions.frame["y_pred"] == "with")[:32])
    size = explainer.raw(rows).abs().numpy()
    top = size >= np.sort(size.reshape(len(size), -1), axis=1)[:, -held.sum(), None, None]  # as many as the window holds
    assert (size * top * held).sum() / (size * top).sum() >= 0.9
