"""Memorisation of training rows by a model that generates rows: the audit, where a task generates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Picture, Table
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.png import png
from glassbench.contracts.predictions.outputs import GeneratedOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench.stats.verdict import judge
from glassbench_audits.drawing.raster import enlarged, tiled
from glassbench_audits.memorisation.copies import CLOSE, SHUFFLES, Copies, Nearest, copies, distance_ratio, nearest

_SHOWN = 12
_BINS = 24
_TITLE = "Generated rows and their nearest training rows"
_STEP = "Train for fewer epochs or with more dropout, remove repeated rows from the training data, and do not publish samples."


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """Generated rows held against training and held-out rows.

    Args:
        found: What it comes to.
        ratio: Of each generated row, `distance_ratio`; NaN where its condition has no rows on one side `(m,)`.
        held_out: The same of each held-out row.
        source: The position of the nearest training row of each generated row, -1 where there is none `(m,)`.
    """

    found: Copies
    ratio: np.ndarray
    held_out: np.ndarray
    source: np.ndarray


def audit_generated(subject: Subject, made: GeneratedOutput, *, tolerance: float, alarm: float, level: float) -> AuditResult:
    """Compare generated rows with the training rows and with held-out rows of the same class.

    Args:
        subject: A model that generates rows, with its training rows.
        made: The generated rows.
        tolerance: How far above 0 the excess of training rows among nearest rows may lie.
        alarm: The p-value from which training and held-out rows are not told apart.
        level: Confidence level.
    """
    train, source = subject.train, subject.predictions.source
    if train is None or source is None or train.target is None:
        return AuditResult(
            method=Method(summary="Generated rows against training rows."), not_applicable="the classes of the rows are not known"
        )
    compared = _compared(subject, made, train, source, level)
    return AuditResult(
        measures=tuple(_measures(compared.found)),
        findings=(_nearer(subject, compared.found, tolerance, alarm), _copied(subject, compared.found, tolerance)),
        tables=(_table(compared.found, level),),
        charts=(_chart(compared),),
        pictures=tuple(_pictures(subject, made, train, compared)),
        method=_method(
            {"training_rows": len(train), "held_out_rows": len(source), "tolerance": tolerance, "alarm": alarm, "level": level}
        ),
    )


def _compared(subject: Subject, made: GeneratedOutput, train: Split, source: Split, level: float) -> Compared:
    assert train.target is not None
    learnt = train.target.numpy()
    wanted = pd.Index(subject.schema.target.classes).get_indexer(pd.Index(made.wanted))
    ratio, held_ratio, origin = np.full(len(wanted), np.nan), np.full(len(wanted), np.nan), np.full(len(wanted), -1)
    parts: list[Nearest] = []
    for number in np.unique(wanted):
        ours, theirs, others = (np.flatnonzero(codes == number) for codes in (wanted, learnt, wanted))
        if not len(theirs) or not len(others):
            continue
        training, apart = _flat(train, theirs), _flat(source, others)
        one = nearest(_vectors(made.rows[ours]), training, apart)
        parts.append(one)
        ratio[ours], origin[ours] = one.ratio, theirs[one.source]
        held_ratio[others] = distance_ratio(apart, training)
    found = copies(parts, held_ratio[np.isfinite(held_ratio)], level, subject.generator("memorisation.shuffles"))
    return Compared(found=found, ratio=ratio, held_out=held_ratio, source=origin)


def _flat(split: Split, rows: np.ndarray) -> np.ndarray:
    return _vectors(split.take(rows).batch(slice(None)).inputs[0].numpy())


def _vectors(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)


def _measures(found: Copies) -> Iterator[Measure]:
    yield Measure.of("memorisation.nearest_is_training", found.nearer, higher_is_better=False)
    yield Measure.of("memorisation.nearest_excess", found.excess, higher_is_better=False)
    yield Measure(name="memorisation.nearest_p_value", value=found.p, n=found.nearer.n, higher_is_better=True)
    yield Measure.of("memorisation.copied", found.copied, higher_is_better=False)
    yield Measure.of("memorisation.copied_held_out", found.held_out)


def _nearer(subject: Subject, found: Copies, tolerance: float, alarm: float) -> Finding:
    """Return whether the model favours its training rows: for sure (p), and by more than is tolerated."""
    unit, names = (
        subject.schema.unit,
        ("memorisation.nearest_is_training", "memorisation.nearest_excess", "memorisation.nearest_p_value"),
    )
    shares = f"{in_percent(found.nearer.value)} have one as their nearest {unit}, {in_percent(found.expected)} would by chance"
    figures = f"of {found.nearer.n} generated, excess {_with_ends(found.excess)}, p {p_words(found.p)}."
    grade = judge(found.excess, tolerance, "at_most").grade
    if grade == "concern" and found.p <= alarm:
        said = f"The model repeats training {unit}s ({shares}): {figures}"
        return Finding(sentence=said, grade="concern", measures=names, weight=0.9, chart=_TITLE, next_step=_STEP)
    if grade == "ok":
        said = f"Generated {unit}s keep no closer to training {unit}s than to others ({shares}): {figures}"
        return Finding(sentence=said, grade="ok", measures=names)
    doubt = f"Not enough {unit}s to rule out memorisation at a tolerance of {tolerance:.2f}"
    said = f"{doubt} ({shares}): {figures}"
    return Finding(sentence=said, grade="unclear", measures=names, weight=0.5)


def _copied(subject: Subject, found: Copies, tolerance: float) -> Finding:
    unit, names = subject.schema.unit, ("memorisation.copied", "memorisation.copied_held_out")
    said = (
        f"{in_percent(found.copied.value, 1)} of generated {unit}s are near copies of one training {unit}; so are "
        f"{in_percent(found.held_out.value, 1)} of held-out {unit}s."
    )
    limit = (found.held_out.high or 0.0) + tolerance
    grade = "concern" if found.copied.low is not None and found.copied.low > limit else "ok"
    step = _STEP if grade == "concern" else ""
    return Finding(sentence=said, grade=grade, measures=names, weight=0.9 if step else 0.4, chart=_TITLE, next_step=step)  # type: ignore[arg-type]


def _table(found: Copies, level: float) -> Table:
    lines: tuple[tuple[str, Estimate], ...] = (
        ("generated rows whose nearest row is a training row", found.nearer),
        ("excess over chance: 0 is none, 1 is all", found.excess),
        ("generated rows that are near copies of a training row", found.copied),
        ("held-out rows that are near copies of a training row", found.held_out),
    )
    return Table(
        title="Generated rows against training rows",
        columns=("what", "value", f"{in_percent(level)} low", f"{in_percent(level)} high", "rows"),
        rows=tuple((what, one.value, one.low, one.high, one.n) for what, one in lines),
        note=f"By chance {found.expected:.3f} of the nearest rows would be training rows; p {p_words(found.p)}. A near copy lies "
        "three times nearer to one training row than to the next.",
    )


def _chart(compared: Compared) -> Chart:
    edges = np.linspace(0, 1, _BINS + 1)
    rows = []
    for name, ratios in (("generated", compared.ratio), ("held-out", compared.held_out)):
        known = ratios[np.isfinite(ratios)]
        shares = np.histogram(known, edges)[0] / max(len(known), 1)
        rows += [{"x": float(x), "y": float(y), "color": name} for x, y in zip((edges[1:] + edges[:-1]) / 2, shares, strict=True)]
    return Chart(
        kind="lines",
        title="How far the nearest training row stands out",
        message="Where generated rows have many low values and held-out rows have not, training rows are repeated.",
        rows=tuple(rows),
        x_title="distance to the nearest training row / distance to the next",
        y_title="share of rows",
    )


def _pictures(subject: Subject, made: GeneratedOutput, train: Split, compared: Compared) -> Iterator[Picture]:
    """Yield the generated pictures that lie closest to one training picture, above that picture."""
    if subject.schema.facts_of(ImageFacts) is None:
        return
    known = np.flatnonzero(np.isfinite(compared.ratio))
    chosen = known[np.argsort(compared.ratio[known], kind="stable")][:_SHOWN]
    above, below = made.rows[chosen], train.take(compared.source[chosen]).batch(slice(None)).inputs[0].numpy()
    ratios = ", ".join(f"{compared.ratio[k]:.2f}" for k in chosen)
    yield Picture(
        title=_TITLE,
        message="Above generated images, below the training image nearest to each; those that stand out most come first.",
        png=png(enlarged(tiled([above, below], subject.schema.facts_of(ImageFacts)), 480)),
        legend=f"Distance to that training image over the distance to the next: {ratios}. Below {CLOSE:.2f} is a near copy.",
    )


def _method(parameters: dict[str, float]) -> Method:
    return Method(
        summary="For each generated row the nearest row among all training and held-out rows of its class is sought (Euclidean "
        "distance of encoded rows). A model that has learnt the distribution, and no single row, favours neither side. Rows with "
        "the same nearest row are one cluster; for the p-value the names of both sides were shuffled.",
        parameters={**parameters, "shuffles": SHUFFLES},
        references=(
            "Meehan, Chaudhuri and Dasgupta (2020), A non-parametric test to detect data-copying in generative models",
            "Yoon et al. (2023), Diffusion probabilistic models generalize when they fail to memorize",
            "Carlini et al. (2023), Extracting training data from diffusion models",
        ),
        cautions=(
            "Where rows were divided by time or by groups, training and held-out rows differ anyway, and the p-value means less.",
            "Copies that are shifted, mirrored or recoloured are far away in this distance and are not found.",
        ),
    )


def _with_ends(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not known"
    return f"{estimate.value:.2f}, {in_percent(estimate.level)} interval {estimate.low:.2f} to {estimate.high:.2f}"
