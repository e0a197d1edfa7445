"""What is known of the rows: their inputs as numbers, what the model leans on in them, and whom they belong to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Unexplainable, rows_of
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.attribution.feature_groups_by_modality import feature_groups_for
from glassbench_audits.attribution.preparation import Settings, prepare
from glassbench_audits.attribution.values import sides

WIDEST = 4096
"""Numbers per row beyond which inputs are not compared."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """Numbers about rows, and the groups the rows belong to.

    Args:
        values: Numbers about each row `(n, d)`: encoded inputs, or attributions per unit.
        members: One column per sensitive feature, a row per row of `values`.
        names: Names of the inputs; empty where they have none.
    """

    values: np.ndarray
    members: pd.DataFrame
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Inputs(Known):
    """Encoded inputs.

    Args:
        feature_groups: Which elements of a row belong to which input.
    """

    feature_groups: FeatureGroups


def inputs_of(subject: Subject, limit: int) -> Inputs:
    """Return the inputs of at most `limit` rows; training rows count too, since what inputs tell does not hang on the model.

    Raises:
        Unexplainable: The inputs are no numbers that could be compared, or not known.
    """
    source, members = subject.predictions.source, subject.predictions.groups.astype(str)
    if source is None:
        raise Unexplainable("the inputs of the predictions are not known")
    held = independent(subject)
    tensors, frames = [source.batch(torch.as_tensor(held)).inputs[0]], [members.iloc[held]]
    train = subject.train
    if train is not None and train.groups is not None and subject.predictions.clusters is None:
        some = np.sort(subject.generator("proxies.training").permutation(len(train))[:limit])
        tensors.append(train.batch(torch.as_tensor(some)).inputs[0])
        frames.append(train.groups.iloc[some][list(members.columns)].astype(str))
    inputs, known = torch.cat(tensors), pd.concat(frames, ignore_index=True)
    if not inputs.is_floating_point() or inputs[0].numel() > WIDEST:
        raise Unexplainable("the inputs are no numbers that could be compared between rows")
    chosen = np.sort(subject.generator("proxies.inputs").permutation(len(inputs))[:limit])
    feature_groups = feature_groups_for(subject.schema, tuple(inputs.shape[1:]))
    values = inputs[torch.as_tensor(chosen)].flatten(1).double().numpy()
    return Inputs(
        values=values,
        members=known.iloc[chosen].reset_index(drop=True),
        names=feature_groups.names,
        feature_groups=feature_groups,
    )


def attributions_of(subject: Subject, limit: int) -> Known:
    """Return the attributions of at most `limit` held-out rows, as the explanation audit computes them.

    Of two classes, all rows are read on the same side, so that the decision itself does not tell the sign.

    Raises:
        Unexplainable: There is no model, or it cannot be explained.
    """
    if reason := subject.missing(("model", "predictions")):
        raise Unexplainable(reason)
    settings = Settings(method="auto", rows=limit, steps=50, samples=None, baseline="auto", cases=0, replicates=1, level=0.95)
    explainer = prepare(subject, settings).explainer
    held = independent(subject)
    chosen = np.sort(held[subject.generator("proxies.attributions").permutation(len(held))[:limit]])
    attributions = explainer.per_feature_group(rows_of(subject, chosen))
    side = sides(subject, chosen)
    signed = attributions if side is None else attributions * side[:, None]
    members = subject.predictions.groups.astype(str).iloc[chosen].reset_index(drop=True)
    return Known(values=signed, members=members, names=explainer.feature_groups.names)


def independent(subject: Subject) -> np.ndarray:
    """Return positions of held-out rows that do not hang together: all, or the first of each cluster."""
    clusters = subject.predictions.clusters
    if clusters is None:
        return np.arange(len(subject.predictions.frame))
    return np.sort(np.unique(clusters, return_index=True)[1])
