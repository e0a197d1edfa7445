"""The errors audit: where does the model do worst?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.contracts.subject import Subject
from glassbench.printable import plural
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber, Share
from glassbench_audits.errors.allowed import Allowed
from glassbench_audits.errors.exhibits import findings, slice_chart, slice_table
from glassbench_audits.errors.features import features_of
from glassbench_audits.errors.mean_error import mean_of
from glassbench_audits.errors.slices import FEWEST, Slice, slices

ALPHA = 0.025
"""The family-wise chance of naming a slice where errors do not depend on the features: half of the twentieth that is promised."""

SHARE, POWER = 0.05, 0.9
"""The slice, as a share of the rows, and the chance of seeing it that the detectable ratio speaks of."""


def audit(
    subject: Subject,
    *,
    depth: Count = 3,
    smallest: Share = 0.02,
    tolerance: NonNegativeNumber = 1.5,
    gap: NonNegativeNumber = 0.1,
    candidates: Count = 10,
    level: Level = 0.95,
    rows: Count = 20_000,
) -> AuditResult:
    """Search for slices, of one to three features, where the model does worst, and test each on rows it was not found on.

    Args:
        subject: What is examined.
        depth: The most features of a slice, 1 to 3.
        smallest: The smallest slice, as a share of the rows.
        tolerance: How many times the errors of other rows a slice may have before it is a concern.
        gap: How far its errors may lie above those of other rows before it is a concern: a difference of shares, of values in
            standard deviations of the true ones.
        candidates: Slices that each half of the rows proposes for the test on the other.
        level: Confidence level of the intervals.
        rows: The most rows to search; with more, a random part is searched.
    """
    errors = subject.row_errors
    if errors is None:
        return _unable("its predictions are neither right nor wrong, or truths are not known")
    part, clusters = subject.sample(rows, "errors.rows"), subject.predictions.clusters
    features = features_of(subject, part)
    if features.empty:
        return _unable("the rows have no features that a person knows")
    if (n := len(errors.size)) < 4 * FEWEST:
        return _unable(f"{n} rows are too few to search one half and test on the other; {4 * FEWEST} are needed")
    chosen = replace(errors, size=errors.size[part])
    tested, conditions = slices(
        features,
        chosen,
        subject.generator("errors.halves"),
        depth=max(1, min(3, depth)),
        smallest=smallest,
        candidates=candidates,
        level=level,
        clusters=None if clusters is None else np.unique(clusters[part], return_inverse=True)[1],
        decimals={feature.name: feature.decimals for feature in subject.schema.features},
    )
    found = [one for one in tested if one.p <= ALPHA]
    detectable = detectable_ratio(chosen.size, 2 * candidates)
    allowed = Allowed(times=tolerance, gap=gap * subject.kind.spread(subject.predictions.frame, subject.schema))
    return AuditResult(
        findings=tuple(findings(found, chosen, allowed, detectable, len(tested), plural(subject.schema.unit))),
        measures=tuple(_measures(found, chosen, mean_of(errors, Sampling.of(subject.predictions.frame)), detectable, level)),
        tables=(slice_table(tested, chosen),),
        charts=tuple(slice_chart(tested, len(found), chosen)),
        method=_method(subject, len(features.columns), conditions, len(part), allowed, smallest, depth, candidates, level),
    )


def detectable_ratio(errors: np.ndarray, tests: int) -> float | None:
    """Return how many times the errors a slice of 5 % of the rows must have to be seen in the test with a chance of 90 %.

    By the normal approximation, over half of the rows, with the strictest of the corrected levels.
    """
    mean, size = float(errors.mean()), SHARE * len(errors) / 2
    if mean <= 0 or size < 1:
        return None
    standard = float(errors.std()) / np.sqrt(size)
    return float(1 + (ndtri(1 - ALPHA / tests) + ndtri(POWER)) * standard / mean)


def _unable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Not run."), not_applicable=reason)


def _measures(
    found: Sequence[Slice], errors: RowErrors, average: Inference, detectable: float | None, level: float
) -> Iterator[Measure]:
    n, nothing = len(errors.size), "no slice was shown to be worse"
    yield Measure(name="errors.slices", value=float(len(found)), n=n, higher_is_better=False)
    yield Measure.of(f"errors.{errors.measure}", average.estimate(level), unit=errors.unit, higher_is_better=False)
    ratios = [one for one in found if np.isfinite(one.ratio[0])]
    if ratios:
        value, low, high = (float(end) for end in max(ratios, key=lambda one: float(one.ratio[0])).ratio)
        ends: dict[str, Any] = {"low": low, "high": high} if np.isfinite(high) else {}
        yield Measure(name="errors.worst_ratio", value=value, level=level, n=n, higher_is_better=False, **ends)
    else:
        yield Measure(name="errors.worst_ratio", value=None, undefined=nothing, n=n, higher_is_better=False)
    reason = None if detectable is not None else "the model makes no errors"
    yield Measure(name="errors.detectable_ratio", value=detectable, undefined=reason, n=n, higher_is_better=False)


def _method(
    subject: Subject,
    features: int,
    conditions: int,
    searched: int,
    allowed: Allowed,
    smallest: float,
    depth: int,
    candidates: int,
    level: float,
) -> Method:
    return Method(
        summary=(
            "Numbers were cut at quantiles, and every run of neighbouring bins, every category and every absence became a "
            "condition. On one random half of the held-out rows single conditions and pairs were searched exhaustively, triples "
            "from the best pairs; the slices that stood out most were tested on the other half, and the other way round. Wrong "
            "decisions are tested by Fisher's exact test, sizes of errors by permutation, both corrected for all tests (Holm). "
            "Errors and intervals shown are those of the half that a slice was not found on."
        ),
        parameters={
            "features": features,
            "conditions": conditions,
            "depth": depth,
            "smallest": smallest,
            "candidates": candidates,
            "tolerance": allowed.times,
            "gap_allowed": allowed.gap,
            "level": level,
            "rows": searched,
            "seed": subject.seed,
        },
        references=(
            "Chung, Kraska, Polyzotis, Tae, Whang (2019): Slice Finder, automated data slicing for model validation",
            "Sagadeeva, Boehm (2021): SliceLine, fast, linear-algebra-based slice finding for ML model debugging",
            "Fisher (1935): The design of experiments",
            "Holm (1979): A simple sequentially rejective multiple test procedure",
        ),
        cautions=(
            "A slice says where errors are, not why.",
            "A slice that no single feature or pair of features hints at, or a very small one, can be missed.",
        ),
    )
