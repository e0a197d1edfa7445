"""How far decisions on held-out rows are ahead of guessing, and of what a simple model and an untrained network reach."""

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from torch import nn

from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Explained, rows_of
from glassbench_audits.explain.checks.reinitialisation import learnt_layers, untrained

_FOREST_ROWS, _FOREST_INPUTS, _FEWEST_ROWS = 2000, 2000, 30
_TREES, _LEAF = 100, 3

_LIGHT, _HEAVY, _DEAR = (39, 500), (19, 64), (19, 32)
"""Untrained networks, and rows that each decides."""


def forest_skill(subject: Subject, positions: np.ndarray, generator: np.random.Generator) -> float | None:
    """Return the skill of a random forest on the same held-out rows, each decided by trees that did not see it (out of bag).

    None where inputs are no table of numbers, there are fewer than 30 rows, or more than 2,000 inputs, or where what is predicted
    is neither a class, labels, nor a number whose true values are outcomes.

    Args:
        subject: The subject.
        positions: Rows whose truth is known `(n,)`.
        generator: Draws at most 2,000 rows and the forest.
    """
    chosen = np.sort(generator.permutation(positions)[:_FOREST_ROWS])
    source = subject.predictions.source
    outputs = subject.class_outputs
    value = subject.value_output
    learnable = value.actual is not None if value is not None else subject.kind.softmax or len(outputs) > 1
    if source is None or len(chosen) < _FEWEST_ROWS or not learnable:
        return None
    inputs = source.batch(torch.as_tensor(chosen)).inputs[0]
    if inputs.ndim != 2 or not inputs.is_floating_point() or inputs.shape[1] > _FOREST_INPUTS:
        return None
    frame = subject.predictions.frame.iloc[chosen]
    rows, seed = inputs.double().numpy(), int(generator.integers(2**31))
    settings = {"n_estimators": _TREES, "min_samples_leaf": _LEAF, "oob_score": True, "random_state": seed}
    if value is not None:
        forest = RandomForestRegressor(**settings).fit(rows, frame["y_true"].to_numpy(dtype=float))
        predicted = frame.assign(y_pred=forest.oob_prediction_)
    elif len(outputs) > 1:
        true = [output.actual == output.spoken for output in outputs if output.actual is not None]
        forest = RandomForestRegressor(**settings).fit(rows, np.stack(true, axis=1)[chosen].astype(float))
        changed = subject.kind.from_expected(frame, subject.schema, forest.oob_prediction_)
        if changed is None:
            return None
        predicted = changed
    else:
        forest = RandomForestClassifier(**settings).fit(rows, frame["y_true"].astype(str))
        columns = {f"score.{name}": forest.oob_decision_function_[:, i] for i, name in enumerate(forest.classes_)}
        kept = frame.drop(columns=[c for c in frame if str(c) == "score" or str(c).startswith("score.")])
        predicted = kept.assign(**columns)
    found = subject.kind.losses(predicted, subject.schema)
    return None if found is None else found.skill


def untrained_skills(subject: Subject, positions: np.ndarray, generator: np.random.Generator) -> tuple[float, np.ndarray] | None:
    """Return a network's skill on some held-out rows and those of the same network drawn anew, untrained `(networks,)`.

    None where the network has no layers to draw, or its task yields no skill.

    Args:
        subject: The subject, its model differentiable.
        positions: Rows whose truth is known `(n,)`.
        generator: Draws rows and networks.
    """
    assert subject.model is not None
    explained = Explained(subject.model, subject.task)
    networks, most = explained.affords(_LIGHT, _HEAVY, _DEAR)
    chosen = np.sort(generator.permutation(positions)[:most])
    names = learnt_layers(explained, rows_of(subject, chosen), generator)
    own = _skill_of(subject, explained.model, chosen) if names else None
    if own is None:
        return None
    drawn = (_skill_of(subject, untrained(explained.model, names, generator), chosen) for _ in range(networks))
    return own, np.array([value for value in drawn if value is not None])


def _skill_of(subject: Subject, model: nn.Module, chosen: np.ndarray) -> float | None:
    assert subject.predictions.source is not None
    predicted = subject.task.predict(model, subject.predictions.source.take(chosen))
    truth = subject.predictions.frame["y_true"].to_numpy()[chosen]
    found = subject.kind.losses(predicted.frame.assign(y_true=truth), subject.schema)
    return None if found is None or not np.isfinite(found.skill) else found.skill
