"""Attributions of rows: the method run in chunks, checked for completeness, replaced where it is unsound."""

from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.activations import hidden_activations
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.attribution.method import Method, Request
from glassbench_audits.attribution.methods import METHODS, chunk_rows, seeded

EXACT = 0.01
"""Completeness error above which DeepLift, whose rule is exact on the networks it fits, is taken to be unsound."""

COMPLETE = 0.05
"""Completeness error up to which attributions count as complete."""

SMALL = 1_000_000
"""Weights up to which a network is asked at sixteen times the points of an integral, where four times are not enough."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Explainer:
    """Everything that turns rows into attributions.

    Args:
        explained: The model.
        method: How.
        baseline: Against what.
        feature_groups: On what a person reads them.
        steps: Points of the integral of integrated gradients.
        samples: Draws of the sampling methods.
        seed: Seed of the sampling methods; each chunk starts from it.
    """

    explained: Explained
    method: Method
    baseline: Baseline
    feature_groups: FeatureGroups
    steps: int
    samples: int
    seed: int

    def raw(self, rows: Rows) -> Tensor:
        """Return Captum's attributions `(n, ...)`: of the input, or of the layer named, summed over the width of an embedding."""
        size = chunk_rows(self.method, self.explained, self.steps, self.samples)
        each = [torch.cat([self._chunk(one, chunk) for chunk in one.chunks(size)]) for one in self.baseline.apart(rows)]
        attributions = torch.stack(each).mean(dim=0)
        wide = attributions.ndim == rows.inputs.ndim + 1 and self.explained.embeds(rows.inputs)
        return attributions.sum(dim=-1) if wide else attributions

    def per_feature_group(self, rows: Rows) -> np.ndarray:
        """Return attributions per feature group, float64 `(n, groups)`."""
        attributions = self.raw(rows)
        return self.feature_groups.shared(attributions) if self.method.grouped else self.feature_groups.summed(attributions)

    def reference(self, rows: Rows) -> Tensor:
        """Return the explained output `(n,)` that attributions are measured from: at the baseline."""
        if self.method.name == "gradient-shap" and len(self.baseline.values) > 1:
            return self._mean_reference(rows)
        return torch.stack([self._reference(one, self._baselines(one)) for one in self.baseline.apart(rows)]).mean(dim=0)

    def baseline_of(self, rows: Rows) -> Tensor:
        """Return what each row is compared with `(n, ...)`: of a sample that is averaged over, its mean."""
        if self.method.name == "gradient-shap" and len(self.baseline.values) > 1:
            return self.baseline.values.mean(dim=0, keepdim=True).expand_as(rows.inputs)
        each = [self._baselines(one) for one in self.baseline.apart(rows)]
        return each[0] if len(each) == 1 else torch.stack(each).mean(dim=0)

    def _reference(self, rows: Rows, baselines: Tensor) -> Tensor:
        if self.explained.layer is None or self.method.name == "deep-lift":
            return self.explained.outputs(rows.at(baselines))
        return self.explained.outputs_with_layer_of(rows, baselines)

    def _baselines(self, rows: Rows) -> Tensor:
        if self.method.name == "input-x-gradient":
            return torch.zeros_like(rows.inputs)
        return self.baseline.matched(rows)

    def _mean_reference(self, rows: Rows) -> Tensor:
        each = [self.explained.outputs(rows.at(b.expand_as(rows.inputs))) for b in self.baseline.values]
        return torch.stack(each).mean(dim=0)

    def _chunk(self, rows: Rows, chunk: slice) -> Tensor:
        matched = self.baseline.matched(rows)[chunk]
        request = Request(
            explained=self.explained,
            rows=rows.take(chunk),
            baselines=self.baseline.values if self.method.name == "gradient-shap" else matched,
            mask=self.feature_groups.mask,
            steps=self.steps,
            samples=self.samples,
        )
        with seeded(self.seed) if self.method.random else nullcontext():
            return self.method.call(request)


def completeness_errors(attributions: np.ndarray, outputs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return how far each row's attributions miss what they should sum to, in units of the typical change `(n,)`.

    The typical change is the mean of |output - reference| over the rows, so that rows which hardly move from the
    baseline do not blow the figure up. All zeros where nothing moves and nothing is attributed.

    Args:
        attributions: Per feature group `(n, groups)`.
        outputs: The explained output at the rows `(n,)`.
        references: The explained output at the baseline `(n,)`.
    """
    change = outputs - references
    scale = np.abs(change).mean() if len(change) else 0.0
    missed: np.ndarray = np.abs(attributions.sum(axis=1) - change)
    if scale < 1e-12:
        return np.where(missed < 1e-9, 0.0, np.inf)
    return missed / scale


def completeness_error(explainer: Explainer, rows: Rows, attributions: np.ndarray) -> float:
    """Return the 95th percentile of the rows' completeness errors; infinite where attributions are not finite."""
    if not np.isfinite(attributions).all():
        return float("inf")
    outputs = explainer.explained.outputs(rows).double().numpy()
    references = explainer.reference(rows).double().numpy()
    errors = completeness_errors(attributions, outputs, references)
    return float(np.quantile(errors, 0.95)) if np.isfinite(errors).all() else float("inf")


def sound(explainer: Explainer, rows: Rows) -> tuple[Explainer, str | None]:
    """Return an explainer fit for the model, and why it is not the one given.

    DeepLift is silently wrong where a network reuses an activation module or calls it as a function (captum #1082). Where
    such activations are seen, or its attributions do not sum to the change they explain, integrated gradients take its
    place. Integrated gradients that miss by more than the limit get four times the steps; of a small network sixteen times, where
    four are not enough: a normalisation right behind an embedding bends the path sharply.

    Args:
        explainer: What was asked for.
        rows: A few rows to try it on.
    """
    if explainer.method.name == "deep-lift":
        problem = _deep_lift_problem(explainer, rows)
        if problem is None:
            return explainer, None
        fallback, _ = sound(replace(explainer, method=METHODS["integrated-gradients"]), rows)
        return fallback, f"DeepLift {problem}, so integrated gradients took its place"
    if explainer.method.name == "integrated-gradients":
        for allowed in (EXACT, COMPLETE) if _small(explainer.explained) else (EXACT,):
            if completeness_error(explainer, rows, explainer.per_feature_group(rows)) <= allowed:
                break
            explainer = replace(explainer, steps=4 * explainer.steps)
    return explainer, None


def _small(explained: Explained) -> bool:
    return sum(weight.numel() for weight in explained.model.parameters()) <= SMALL


def _deep_lift_problem(explainer: Explainer, rows: Rows) -> str | None:
    if hidden := hidden_activations(explainer.explained, rows):
        return hidden
    try:
        attributions = explainer.per_feature_group(rows)
    except (RuntimeError, AssertionError) as refused:
        return f"cannot be computed on this network ({str(refused).splitlines()[0][:120]})"
    error = completeness_error(explainer, rows, attributions)
    if error <= EXACT:
        return None
    return f"misses the change it should sum to by {in_percent(error)}"
