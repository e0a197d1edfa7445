"""An image and what moved the decision on it: maps over it, for several classes, by several methods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.exhibits import Part, Picture
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.methods import METHODS, unavailable
from glassbench_audits.attribution.rollout import attention_rollout
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.checks.image_agreement import agreement_tables
from glassbench_audits.explain.views.image_pictures import image_png, map_png, shade_png
from glassbench_audits.explain.views.wording import output_words

_PARTS = 5
_TITLES = {
    "integrated-gradients": "Integrated gradients",
    "deep-lift": "DeepLift",
    "gradient-shap": "Gradient SHAP",
    "grad-cam": "Grad-CAM",
    "guided-grad-cam": "Guided Grad-CAM",
    "input-x-gradient": "Input times gradient",
}


def image_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the image; its map for what was decided and for the class that came nearest; the same by Grad-CAM where there is
    a convolution; occlusion; and attention rollout where there is attention."""
    if explained_row.row.inputs.ndim != 4 or explained_row.elements.ndim != 3:
        return {}
    image, schema = explained_row.row.inputs[0], subject.schema
    size = f"{image.shape[1]} x {image.shape[2]} pixels."
    shown = Picture(title="The image", message="What the decision was made on.", png=image_png(schema, image), legend=size)
    maps = [_map(subject, explainer, view) for view in _views(subject, explainer, position, explained_row)]
    return {
        "pictures": (shown, *_rollout(subject, explainer, explained_row), *maps),
        "parts": strongest_patches(explainer, explained_row),
    }


def image_overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return where the influence lies over all images explained, and how far methods agree."""
    if explainer.feature_groups.mask.ndim != 3 or picture.mean.sum() == 0:
        return {}
    where = where_influence_lies(explainer, picture, output_words(subject))
    return {"pictures": (where,), "tables": agreement_tables(explainer, sampled)}


def where_influence_lies(explainer: Explainer, picture: Importance, what: str) -> Picture:
    """Return the map of the influence on `what` over all images explained, patch by patch."""
    return Picture(
        title="Where the influence lies",
        message=f"Mean influence on {what}, patch by patch; most at {explainer.feature_groups.names[int(picture.order[0])]}.",
        png=shade_png(picture.mean[explainer.feature_groups.mask[0].numpy()]),
        legend=f"A stronger colour for more: the bar runs from {picture.mean.min():.2g} to {picture.mean.max():.2g}.",
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _View:
    """An image explained once more.

    Args:
        method: By which method.
        row: The image, alone, with the output that is explained.
        name: Its class, or None where there are none.
        held: The map, summed over channels `(H, W)`.
    """

    method: str
    row: Rows
    name: str | None
    held: np.ndarray


def _views(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> Iterator[_View]:
    """Yield occlusion first, which stands beside the image, then each method with its classes beside each other."""
    rows = _rows_by_class(subject, explainer, position, explained_row)
    first, *others = rows
    yield from _by_other(explainer, "occlusion", {first: rows[first]})
    yield _View(method=explainer.method.name, row=rows[first], name=first, held=explained_row.elements.sum(axis=0))
    yield from (_explained(explainer, rows[name], name) for name in others)
    yield from _by_other(explainer, "grad-cam", rows)


def _by_other(explainer: Explainer, method: str, rows: Mapping[str | None, Rows]) -> Iterator[_View]:
    """Yield rows explained by another method, where it fits the model and is not the one that explains anyway."""
    if method != explainer.method.name and _fits(explainer, method, next(iter(rows.values()))):
        for name, row in rows.items():
            yield _explained(replace(explainer, method=METHODS[method]), row, name)


def _fits(explainer: Explainer, method: str, row: Rows) -> bool:
    explained, units = explainer.explained, len(explainer.feature_groups)
    gradients = differentiable(explained.model)
    return unavailable(METHODS[method], explained, row.inputs, units, differentiable=gradients) is None


def _explained(explainer: Explainer, row: Rows, name: str | None) -> _View:
    held = explainer.raw(row)[0].double().sum(dim=0).numpy()
    return _View(method=explainer.method.name, row=row, name=name, held=held)


def _rows_by_class(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str | None, Rows]:
    """Return the image with each class it is explained for: the decided one, and the true one or the one that came next."""
    classes, chosen = subject.schema.target.classes, explained_row.row.target_index
    if len(subject.class_outputs) != 1 or not subject.kind.softmax or chosen is None or chosen.ndim != 1 or len(classes) < 2:
        return {None: explained_row.row}
    decided = int(chosen[0])
    with torch.no_grad():
        output = explainer.explained(explained_row.row.inputs, *explained_row.row.others)[0]
    order = [k for k in output.argsort(descending=True).tolist() if k != decided]
    truth = str(subject.predictions.frame["y_true"].iloc[position]) if "y_true" in subject.predictions.frame else None
    wrong = truth in classes and truth != classes[decided]
    second = classes.index(str(truth)) if wrong else order[0]
    return {classes[k]: replace(explained_row.row, target_index=torch.tensor([k])) for k in (decided, second)}


def _map(subject: Subject, explainer: Explainer, view: _View) -> Picture:
    title = _title(view.method)
    what = output_words(subject) if view.name is None else f"the log-odds of '{view.name}' against all others"
    signed = bool((view.held < 0).any())
    return Picture(
        title=title if view.name is None else f"{title}: {view.name}",
        message=f"What moved {what}; most at {strongest_patch(explainer, view.held)}.",
        png=map_png(subject.schema, view.row.inputs[0], view.held),
        legend="Blue for it, orange against it." if signed else "Blue for more.",
    )


def _rollout(subject: Subject, explainer: Explainer, explained_row: ExplainedRow) -> tuple[Picture, ...]:
    rolled = attention_rollout(explainer.explained, explained_row.row)
    if rolled is None:
        return ()
    size = explained_row.row.inputs.shape[2:]
    held = functional.interpolate(rolled[:, None], size=size, mode="nearest")[0, 0].double().numpy()
    return (
        Picture(
            title="Attention rollout",
            message=f"Where attention leads, most at {strongest_patch(explainer, held)}. This is no attribution.",
            png=shade_png(held),
            legend="A stronger colour for more.",
        ),
    )


def _title(method: str) -> str:
    return _TITLES.get(method, method.replace("-", " ").capitalize())


def strongest_patch(explainer: Explainer, held: np.ndarray) -> str:
    """Return the patch that a map `(H, W)` weighs most, in words."""
    patches = explainer.feature_groups.mask[0].numpy()
    sums = np.bincount(patches.ravel(), weights=np.abs(held).ravel(), minlength=len(explainer.feature_groups))
    return explainer.feature_groups.names[int(sums.argmax())]


def strongest_patches(explainer: Explainer, explained_row: ExplainedRow) -> tuple[Part, ...]:
    """Return the patches that moved the decision most; all of them are in the pictures."""
    order = np.argsort(-np.abs(explained_row.attributions), kind="stable")[:_PARTS]
    names = explainer.feature_groups.names
    return tuple(Part(name=names[unit], value="", contribution=float(explained_row.attributions[unit])) for unit in order)
