"""Metrics beside the baseline's, as measures, a table, a chart and a finding."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words
from glassbench.stats.estimate import Estimate
from glassbench.stats.percent import in_percent
from glassbench_audits.performance.baseline import Baseline
from glassbench_audits.performance.scores import Score

PICTURE = "Metrics on held-out rows"
"""Title of the chart of the metrics beside their baselines."""


def score_measures(s: Score) -> Iterator[Measure]:
    """Yield the metric, the baseline's, and the gain of the one over the other."""
    name, better, unit = f"performance.{s.metric.name}", s.metric.higher_is_better, s.metric.unit
    yield Measure.of(name, s.model, unit=unit, higher_is_better=better)
    if s.baseline is not None and s.gain is not None:
        yield Measure.of(f"{name}_baseline", s.baseline, unit=unit, higher_is_better=better)
        yield Measure.of(f"{name}_gain", s.gain, unit=unit, higher_is_better=True)


def baseline_finding(s: Score, reference: Baseline) -> Finding | None:
    """Return whether the model is better than the baseline by the task's first metric, or None where it is undefined."""
    if s.baseline is None or s.gain is None or s.gain.value is None or s.baseline.value is None:
        return None
    unit = f" {s.metric.unit}" if s.metric.unit else ""
    figures = f"{_words(s)} {figure(s.model)}{unit} against {s.baseline.value:.3g} (n {s.n:,})"
    names = tuple(f"performance.{s.metric.name}{suffix}" for suffix in ("", "_baseline", "_gain"))
    low, high = s.gain.low, s.gain.high
    if low is not None and low > 0:
        said = f"Better than {reference.words}, by {figures}."
        return Finding(sentence=said, grade="ok", measures=names, weight=0.6, chart=PICTURE, answers="quality")
    if high is not None and high < 0:
        return _useless(f"Worse than {reference.words}, by {figures}.", names)
    if high is not None and high <= 0:
        return _useless(f"No better than {reference.words}, by {figures}.", names)
    sentence = f"Not shown to be better than {reference.words}, by {figures}; the gain is {figure(s.gain)}{unit}."
    step = "Hold out more rows, or improve the model, before it is used."
    return Finding(
        sentence=sentence, grade="unclear", measures=names, weight=0.8, chart=PICTURE, next_step=step, answers="quality"
    )


def _useless(sentence: str, names: tuple[str, ...]) -> Finding:
    step = "Do not use the model: look for better inputs or another model first."
    return Finding(
        sentence=sentence, grade="concern", measures=names, weight=1.0, chart=PICTURE, next_step=step, answers="quality"
    )


def score_table(scores: Sequence[Score], reference: Baseline | None, level: float) -> Table:
    """Return every metric with its interval, the baseline's value, and the gain."""
    rows = tuple(
        (
            _words(s),
            s.metric.unit,
            *_cells(s.model),
            None if s.baseline is None else s.baseline.value,
            *((None, None, None) if s.gain is None else _cells(s.gain)),
            s.n,
            "higher" if s.metric.higher_is_better else "lower",
        )
        for s in scores
    )
    beside = "no baseline" if reference is None else f"the baseline is {reference.words}, {_learnt(reference)}"
    return Table(
        title=PICTURE,
        columns=("metric", "unit", "value", "low", "high", "baseline", "gain", "low", "high", "n", "better is"),
        rows=rows,
        note=f"Low and high are the ends of the {in_percent(level)} interval; {beside}; a positive gain is "
        f"better.{_bare(scores)}",
    )


def _bare(scores: Sequence[Score]) -> str:
    """Say which metrics carry no interval because of too few events."""
    reasons: dict[str, list[str]] = {}
    for s in scores:
        if s.model.unsupported:
            reasons.setdefault(s.model.unsupported, []).append(_words(s))
    return "".join(f" No interval for {', '.join(names)}: {reason}." for reason, names in reasons.items())


def share_chart(scores: Sequence[Score]) -> Chart | None:
    """Return the metrics that lie between 0 and 1 with their intervals, or None where there is none."""
    rows = tuple(
        {"y": _words(s), "x": s.model.value, "low": s.model.low, "high": s.model.high, "size": f"n {s.n:,}"}
        for s in scores
        if s.metric.unit is None and s.metric.higher_is_better and _within_1(s.model)
    )
    if not rows:
        return None
    said = ", ".join(f"{row['y']} {row['x']:.2f}" for row in rows)
    return Chart(
        kind="intervals",
        title=PICTURE,
        message=f"Higher is better: {said}.",
        rows=rows,
        x_title="value (1 is perfect)",
        y_title="metric",
        section="Metrics",
    )


def _words(s: Score) -> str:
    return measure_words(s.metric.name)


def figure(e: Estimate) -> str:
    """Write an estimate with its interval, or without one why there is none."""
    if e.value is None:
        return f"undefined ({e.undefined})"
    if e.low is None or e.high is None:
        return f"{e.value:.3g} (no interval{f': {e.unsupported}' if e.unsupported else ''})"
    return f"{e.value:.3g} [{e.low:.3g}, {e.high:.3g}]"


def _cells(e: Estimate) -> tuple[float | None, float | None, float | None]:
    return e.value, e.low, e.high


def _within_1(e: Estimate) -> bool:
    return e.low is not None and e.high is not None and 0 <= e.low <= e.high <= 1


def _learnt(reference: Baseline) -> str:
    return f"learnt from the {reference.source}" if reference.source != "nothing" else "with nothing learnt"
