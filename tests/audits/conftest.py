"""Small subjects for the tests of audits, each with a task of two lines; modules beside the tests are found."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.answers import Answers
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions

sys.path.append(str(Path(__file__).parent))
DATA = Path(__file__).parents[2].parent / "shared" / "data"


def _right(frame, weights):
    return weights @ (frame["y_true"] == frame["y_pred"]).to_numpy(dtype=float) / weights.sum(axis=1)


def _off(frame, weights):
    return weights @ (frame["y_true"] - frame["y_pred"]).abs().to_numpy() / weights.sum(axis=1)


class Deciding:
    kind = Classes()
    metrics = (Metric(name="accuracy", compute=_right, rate=True),)


class Measuring:
    kind = Values()
    metrics = (Metric(name="mean_absolute_error", compute=_off, higher_is_better=False),)


class Sequencing:
    kind = Answers()
    metrics = (Metric(name="exact_match", compute=_right, rate=True),)


def _classification(truth, decision, groups, classes=("0", "1"), scores=None, task=None, favourable=None, **more):
    frame = pd.DataFrame({"row": np.arange(len(truth)), "y_true": truth, "y_pred": decision})
    frame[["y_true", "y_pred"]] = frame[["y_true", "y_pred"]].astype(str)
    positive = classes[-1] if len(classes) == 2 else None
    target = Target(name="outcome", kind="class", classes=classes, positive=positive, favourable=favourable)
    if scores is not None:
        frame[f"score.{classes[0]}"], frame[f"score.{classes[1]}"] = 1 - scores, scores
    return _subject(frame, groups, target, task or Deciding(), **more)


def _regression(truth, decision, groups, unit="mm", **more):
    frame = pd.DataFrame({"row": np.arange(len(truth)), "y_true": truth, "y_pred": decision, "score": decision})
    return _subject(frame, groups, Target(name="size", kind="value", unit=unit), Measuring(), **more)


def _sequences(truth, decision, groups, **more):
    frame = pd.DataFrame({"row": np.arange(len(truth)), "y_true": truth, "y_pred": decision})
    return _subject(frame, groups, Target(name="text", kind="token"), Sequencing(), **more)


def _subject(frame, groups, target, task, **more):
    groups = pd.DataFrame(groups)
    for name in groups.columns:
        frame[f"group.{name}"] = groups[name].array
    schema = Schema(modality="table", shape=(1,), target=target, sensitive=tuple(groups.columns))
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=task, **more)


@pytest.fixture(scope="session")
def classification():
    return _classification


@pytest.fixture(scope="session")
def regression():
    return _regression


@pytest.fixture(scope="session")
def sequences():
    return _sequences


@pytest.fixture(scope="session")
def shared_data():
    return DATA
