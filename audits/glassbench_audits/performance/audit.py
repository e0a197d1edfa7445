"""The performance audit: how good the predictions are on rows the model has not seen."""

import math

from glassbench.evidence import AuditResult, Finding, Measure, Method, Table
from glassbench.subject import Subject
from glassbench_audits.performance.baseline import Baseline, baseline
from glassbench_audits.performance.scores import Estimate, Score, score


def audit(
    subject: Subject, *, level: float = 0.95, replicates: int = 1000, rows: int = 10_000
) -> AuditResult:
    """Measure every metric of the task on held-out rows and compare it with the simplest baseline.

    Args:
        subject: What is examined.
        level: Confidence level of the intervals.
        replicates: Resamples behind intervals that have no closed form.
        rows: The most rows to resample; with more, a random part is resampled and the interval narrowed to fit.
    """
    simplest = baseline(subject)
    scores = score(
        subject.predictions.frame,
        None if simplest is None else simplest.frame,
        subject.task.metrics,
        subject.generator("performance.bootstrap"),
        level=level,
        replicates=replicates,
        rows=rows,
    )
    measures = tuple(m for s in scores for m in _measures(s, level))
    findings = () if simplest is None else tuple(_finding(s, simplest) for s in scores[:1])
    return AuditResult(
        findings=findings,
        measures=measures,
        tables=(_table(scores, level),),
        method=Method(summary="Every metric of the task was computed on the held-out rows."),
    )


def _measures(s: Score, level: float) -> list[Measure]:
    name, better = f"performance.{s.metric.name}", s.metric.higher_is_better
    parts = [(name, s.model, better), (f"{name}_baseline", s.baseline, better), (f"{name}_gain", s.gain, True)]
    return [
        _measure(label, estimate, s, level, direction)
        for label, estimate, direction in parts
        if estimate is not None
    ]


def _measure(name: str, e: Estimate, s: Score, level: float, better: bool) -> Measure:
    defined = math.isfinite(e.value)
    return Measure(
        name=name,
        value=e.value if defined else None,
        low=_finite(e.low) if defined else None,
        high=_finite(e.high) if defined else None,
        level=level,
        n=s.n,
        unit=s.metric.unit,
        higher_is_better=better,
        undefined=None if defined else "the held-out rows do not define it",
    )


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _finding(s: Score, simplest: Baseline) -> Finding:
    assert s.baseline is not None and s.gain is not None
    name = s.metric.name.replace("_", " ")
    figures = f"{name} {s.model.value:.3g} [{s.model.low:.3g}, {s.model.high:.3g}] against {s.baseline.value:.3g}"
    names = tuple(f"performance.{s.metric.name}{suffix}" for suffix in ("", "_baseline", "_gain"))
    if s.gain.low > 0:
        return Finding(sentence=f"Better than {simplest.words}: {figures}.", verdict="pass", measures=names)
    if s.gain.high <= 0:
        return Finding(sentence=f"No better than {simplest.words}: {figures}.", verdict="fail", measures=names, weight=1)
    sentence = f"Not shown to be better than {simplest.words}: {figures}."
    return Finding(sentence=sentence, verdict="insufficient evidence", measures=names, weight=0.8)


def _table(scores: tuple[Score, ...], level: float) -> Table:
    rows = tuple(
        (s.metric.name, s.model.value, s.model.low, s.model.high, s.baseline.value if s.baseline else None, s.n)
        for s in scores
    )
    return Table(
        title="Metrics on held-out rows", columns=("metric", "value", "low", "high", "baseline", "n"), rows=rows
    )
