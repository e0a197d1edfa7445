"""The findings of the audit of generated rows, in sentences."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench.stats.verdict import judge
from glassbench_audits.samples.effect import Effect
from glassbench_audits.samples.exhibits import GRID, MAPS, VARIETY
from glassbench_audits.samples.variety import Variety

_MORE = "Train for longer, or push harder towards the class (`model.guidance`)."
_VARIED = "Look at which kinds of this class the training rows hold, add those that lack, and generate again."


def findings(
    subject: Subject,
    seen: Estimate,
    found: Effect,
    varied: Sequence[Variety],
    *,
    recognised: float,
    tolerance: float,
    alarm: float,
) -> Iterator[Finding]:
    """Yield what is seen in generated rows, which classes lack variety, and what the class changes."""
    yield _recognised(subject, seen, recognised)
    poor = [one for one in varied if one.p <= alarm and (one.gap.value or 0.0) > tolerance]
    yield from (_poor(subject, one) for one in sorted(poor, key=lambda one: -(one.gap.value or 0.0)))
    if not poor and varied:
        yield _even(subject, varied, alarm)
    yield _effect(found)


def _recognised(subject: Subject, seen: Estimate, least: float) -> Finding:
    unit, grade = subject.schema.unit, judge(seen, least, "at_least").grade
    words = {"ok": "This is above", "concern": "This is below", "unclear": "This may be above or below"}
    said = (
        f"An independent classifier sees the wanted {subject.schema.target.name} in {in_percent(seen.value)} of {seen.n} generated "
        f"{unit}s ({in_percent(seen.level)} interval {in_percent(seen.low)} to {in_percent(seen.high)}). "
        f"{words.get(grade, 'Nothing is known of')} the {in_percent(least)} asked for."
    )
    step = "" if grade == "ok" else _MORE
    return Finding(sentence=said, grade=grade, measures=("samples.recognised",), weight=0.7, chart=GRID, next_step=step)


def _poor(subject: Subject, one: Variety) -> Finding:
    unit = subject.schema.unit
    said = (
        f"Generated {unit}s of “{one.name}” lack variety: they cover {in_percent(one.covered.value)} of the {one.covered.n} held-out "
        f"{unit}s of that {subject.schema.target.name}, where as many training {unit}s cover {in_percent(one.training.value)} "
        f"(p {p_words(one.p)}, corrected)."
    )
    names = tuple(f"samples.{what}[{one.name}]" for what in ("coverage", "training_coverage", "coverage_gap"))
    return Finding(sentence=said, grade="concern", measures=names, weight=0.8, chart=VARIETY, next_step=_VARIED)


def _even(subject: Subject, varied: Sequence[Variety], alarm: float) -> Finding:
    unit, low = subject.schema.unit, min(varied, key=lambda one: one.covered.value if one.covered.value is not None else 2.0)
    said = (
        f"No {subject.schema.target.name} is shown to lack variety (corrected p above {alarm:.2f}, or within the tolerance): generated {unit}s "
        f"cover least of “{low.name}”, {in_percent(low.covered.value)} of {low.covered.n} held-out {unit}s, where training {unit}s "
        f"cover {in_percent(low.training.value)}."
    )
    return Finding(sentence=said, grade="ok", measures=(f"samples.coverage[{low.name}]",), weight=0.4, chart=VARIETY)


def _effect(found: Effect) -> Finding:
    shares = f"{in_percent(found.by_class.value)} of what varies in generated rows is decided by the class alone and {in_percent(found.by_noise.value)} by the noise alone"
    known = [one.value for one in found.agreement if one.value is not None]
    alike = (
        f"; what a class changes agrees with what sets it apart among held-out rows (correlation {min(known):.2f} at least)"
        if known and min(known) > 0.5
        else ""
    )
    weak = bool(known) and min(known) <= 0.5
    off = (
        f"; for one class it does not agree with what sets it apart among held-out rows (correlation {min(known):.2f})"
        if weak
        else ""
    )
    names = ("samples.class_share", "samples.noise_share", *(() if not known else ("samples.class_agreement",)))
    return Finding(
        sentence=f"{shares}{alike}{off}.",
        grade="concern" if weak else "ok",
        measures=names,
        weight=0.5,
        chart=MAPS,
        next_step=_MORE if weak else "",
    )
