"""Robustness as sentences, measures, tables and charts."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.estimate import Estimate
from glassbench.stats.grade import Grade
from glassbench.stats.intervals import Limits, around
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.robustness.fragile import ALPHA, SMALL, PerturbedFeature
from glassbench_audits.robustness.quality import Quality, amount
from glassbench_audits.robustness.trials import Trial


def measures(
    tried: Sequence[Trial], perturbed: Sequence[PerturbedFeature], before: Quality, tolerance: float, level: float
) -> Iterator[Measure]:
    """Yield quality and drop of every trial, `robustness.drop[noise 0.1]`; the plain `worst_drop` is the largest judged one."""
    n = len(before.rows)
    for trial in tried:
        if trial.strength:
            words = trial.perturbation.words(trial.strength)
            better = True if before.shares else None
            yield _measure(f"quality[{words}]", _shown(trial.mean, before), n, level, better)
            yield _measure(f"drop[{words}]", trial.drop, n, level, False)
    judged = [trial for trial in tried if _is_judged(trial) and not trial.perturbation.attack]
    if judged:
        worst = max(judged, key=lambda trial: float(trial.drop[0]))
        yield _measure("worst_drop", worst.drop, n, level, False)
    if perturbed:
        count = float(len(fragile(perturbed, before, tolerance)))
        yield Measure(name="robustness.fragile_features", value=count, n=n, higher_is_better=False)


def findings(
    tried: Sequence[Trial], perturbed: Sequence[PerturbedFeature], before: Quality, tolerance: float
) -> Iterator[Finding]:
    """Yield what each perturbation does at the strength that it is judged by, then each fragile feature.

    Args:
        tried: The trials.
        perturbed: Noise in single features.
        before: Decisions on the rows as they are.
        tolerance: The fall that is let pass: of shares in points, of values in standard deviations of the decisions.
    """
    for trial in tried:
        if _is_judged(trial) and trial.perturbation.attack in (None, "best"):
            grade = _grade(trial.drop, before, tolerance)
            name = f"robustness.drop[{trial.perturbation.words(trial.strength)}]"
            weight = {"concern": 0.5, "unclear": 0.3}.get(grade, 0.15)
            step = "Train on rows changed in this way, or check inputs before use." if grade == "concern" else ""
            yield Finding(sentence=_sentence(trial, before), grade=grade, measures=(name,), weight=weight, next_step=step)
    for one in fragile(perturbed, before, tolerance):
        many = f"turns {in_percent(float(one.changed[0]))} of them round and " if before.shares else ""
        said = (
            f"Decisions hang on the exact value of {one.feature}: noise of {SMALL:g} standard deviations in it alone {many}"
            f"worsens the {before.words} by {_figure(one.drop, before)} (corrected p {p_words(one.p)})."
        )
        step = f"Find out how exactly {one.feature} is measured in use; train with noise in it."
        yield Finding(sentence=said, grade="concern", measures=("robustness.fragile_features",), weight=0.6, next_step=step)


def fragile(perturbed: Sequence[PerturbedFeature], before: Quality, tolerance: float) -> list[PerturbedFeature]:
    """Return the features of which noise surely costs half of what is let pass, or turns more decisions round than that."""
    costly = [one for one in perturbed if one.p <= ALPHA and float(one.drop[1]) > 0.5 * tolerance * before.usual]
    turning = [one for one in perturbed if before.shares and float(one.changed[1]) > tolerance]
    return [one for one in perturbed if one in costly or one in turning]


def tables(tried: Sequence[Trial], perturbed: Sequence[PerturbedFeature], before: Quality) -> Iterator[Table]:
    """Yield every trial, every group at the strength that is judged, and every feature."""
    rows = tuple(
        (t.perturbation.name, t.strength, t.perturbation.unit, *_shown(t.mean, before), *t.drop) for t in tried if t.strength
    )
    columns: tuple[str, ...] = ("change", "strength", "unit", before.words, "low", "high", "fell by", "low", "high")
    yield Table(title="Decisions on changed rows", columns=columns, rows=_plain(rows))
    groups = tuple(
        (t.perturbation.words(t.strength), feature, group, n, *_shown(t.groups[(feature, group)][0], before))
        for t in tried
        if _is_judged(t)
        for (feature, group), (_, n) in t.groups.items()
    )
    if groups:
        columns = ("change", "feature", "group", "rows", before.words, "low", "high")
        yield Table(title="Groups under changes", columns=columns, rows=_plain(groups))
    if perturbed:
        each = tuple((one.feature, one.changed[0], *one.drop, one.p) for one in perturbed)
        columns = ("feature", "decisions changed", "fell by", "low", "high", "corrected p")
        yield Table(title=f"Noise of {SMALL:g} standard deviations in one feature", columns=columns, rows=_plain(each))


def charts(tried: Sequence[Trial], before: Quality) -> Iterator[Chart]:
    """Yield quality over strength: of all attacks in one chart, then of the best attack and each corruption, by group too."""
    against = [trial for trial in tried if trial.perturbation.attack not in (None, "best")]
    if against:
        best = [trial for trial in tried if trial.perturbation.attack == "best"]
        strongest = best[-1]
        left, whole = (_shown(trial.mean, before)[0] for trial in (strongest, best[0]))
        yield Chart(
            kind="lines",
            title=f"{before.words.capitalize()} under attacks",
            message=f"The best attack of {strongest.strength:.3g} {strongest.perturbation.unit} leaves {left:.3g} "
            f"of {whole:.3g}.",
            rows=tuple(_point(t.strength, t.mean, t.perturbation.name, before) for t in [*against, *best]),
            x_title=f"strength ({strongest.perturbation.unit})",
            y_title=before.words,
            section="Attacks",
        )
    for name in dict.fromkeys(trial.perturbation.name for trial in tried if trial.perturbation.attack in (None, "best")):
        mine = [trial for trial in tried if trial.perturbation.name == name]
        rows = [_point(trial.strength, trial.mean, "all rows", before) for trial in mine]
        for feature, group in mine[0].groups:
            color = f"{feature}: {group}"
            rows += [_point(t.strength, t.groups[(feature, group)][0], color, before) for t in mine]
        first, last = (_shown(trial.mean, before)[0] for trial in (mine[0], mine[-1]))
        yield Chart(
            kind="lines",
            title=f"{before.words.capitalize()} under {name}",
            message=f"From {first:.3g} without to {last:.3g} at {mine[-1].strength:.3g} {mine[0].perturbation.unit}.",
            rows=tuple(rows),
            x_title=f"strength ({mine[0].perturbation.unit})",
            y_title=before.words,
            section="Attacks" if mine[0].perturbation.attack else "Corruptions",
        )


def _is_judged(trial: Trial) -> bool:
    return trial.strength == trial.perturbation.strengths[trial.perturbation.judged]


def _grade(drop: Limits, before: Quality, tolerance: float) -> Grade:
    limit = tolerance * before.usual
    if float(drop[1]) > limit:
        return "concern"
    return "ok" if float(drop[2]) <= limit else "unclear"


def _sentence(trial: Trial, before: Quality) -> str:
    unchanged, shown = (_level(value, before) for value in (float(trial.mean[0]) + float(trial.drop[0]), float(trial.mean[0])))
    what = f"{trial.perturbation.name[0].upper()}{trial.perturbation.name[1:]} of {trial.strength:.3g} {trial.perturbation.unit}"
    if float(trial.drop[0]) <= 0:
        most = _figure(trial.drop, before, end=2)
        return f"{what} does not worsen the {before.words}, {unchanged} without and {shown} with it; the fall is at most {most}."
    return f"{what} worsens the {before.words} from {unchanged} to {shown}, by {_figure(trial.drop, before)}."


def _level(mean: float, before: Quality) -> str:
    """Return a mean quality in words, as a reader knows it."""
    value = mean if before.shares else -mean
    return in_percent(value, 1) if before.shares else f"{value:.3g}"


def _figure(drop: Limits, before: Quality, *, end: int | None = None) -> str:
    """Return a fall with its interval in words, or one of its three numbers."""
    shown = [amount(e, before.shares) for e in drop]
    unit = " points" if before.shares else ""
    return f"{shown[0]}{unit} [{shown[1]}, {shown[2]}]" if end is None else f"{shown[end]}{unit}"


def _shown(mean: Limits, before: Quality) -> tuple[float, float, float]:
    """Return the mean and its interval as a reader knows it: an error is positive."""
    value, low, high = (float(end) for end in mean)
    return (value, low, high) if before.shares else (-value, -high, -low)


def _point(strength: float, mean: Limits, color: str, before: Quality) -> dict[str, float | str]:
    value, low, high = _shown(mean, before)
    return {"x": float(strength), "y": value, "low": low, "high": high, "color": color}


def _measure(name: str, limits: Sequence[float] | Limits, n: int, level: float, better: bool | None) -> Measure:
    value, low, high = map(np.asarray, limits)
    estimate = Estimate.of(float(value), *map(float, around(value, low, high)), level=level, n=n)
    return Measure.of(f"robustness.{name}", estimate, higher_is_better=better)


def _plain(rows: Sequence[Sequence[object]]) -> tuple[tuple[str | float | int, ...], ...]:
    return tuple(tuple(float(v) if isinstance(v, np.ndarray | np.floating) else v for v in row) for row in rows)  # type: ignore[misc]
