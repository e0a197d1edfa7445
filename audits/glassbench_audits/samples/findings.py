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
from glassbench_audits.samples.unlearnt import NEIGHBOURS, Unlearnt
from glassbench_audits.samples.variety import Variety

_AGREES = 0.5
_VERBS = {"coverage": "are covered by", "recall": "lie among"}
_MORE = "Train for longer, or push generated rows harder towards their class (guidance)."
_VARIED = "Train for longer, push less hard towards the class (guidance), or add training rows of the kinds that lack."


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
    poor = [one for one in varied if one.worst.p <= alarm and (one.worst.gap or 0.0) > tolerance]
    yield from (_poor(subject, one) for one in sorted(poor, key=lambda one: -(one.worst.gap or 0.0)))
    if not poor and varied:
        yield _even(subject, varied)
    yield _effect(subject, found)


def unlearnt_findings(subject: Subject, lacks: Sequence[Unlearnt], tolerance: float, alarm: float) -> Iterator[Finding]:
    """Yield the classes whose training rows lack a variety that held-out rows have."""
    for one in lacks:
        if one.p <= alarm and one.lack > tolerance:
            yield _unlearnt(subject, one)


def _unlearnt(subject: Subject, one: Unlearnt) -> Finding:
    unit, what = subject.schema.unit, subject.schema.target.name
    said = (
        f"Training {unit}s of {what} “{one.name}” lack a variety that held-out ones have, so no model can learn it from them: of "
        f"the {NEIGHBOURS} nearest neighbours of its {one.n} held-out {unit}s among both, {in_percent(one.found)} are held-out "
        f"{unit}s, against {in_percent(one.expected)} were both drawn alike (p {p_words(one.p)}, corrected)."
    )
    names = tuple(f"samples.{name}[{one.name}]" for name in ("training_lack", "training_lack_p_value"))
    step = f"Add training {unit}s of the kinds that lack, and look at how the rows were divided."
    return Finding(sentence=said, grade="concern", measures=names, weight=0.8, next_step=step)


def _recognised(subject: Subject, seen: Estimate, least: float) -> Finding:
    unit, what, grade = subject.schema.unit, subject.schema.target.name, judge(seen, least, "at_least").grade
    words = {"ok": "This is above", "concern": "This is below", "unclear": "This may be above or below"}
    said = (
        f"An independent classifier sees the wanted {what} in {in_percent(seen.value)} of {seen.n} generated {unit}s "
        f"({in_percent(seen.level)} interval {in_percent(seen.low)} to {in_percent(seen.high)}). "
        f"{words.get(grade, 'Nothing is known of')} the {in_percent(least)} asked for."
    )
    step = "" if grade == "ok" else _MORE
    return Finding(
        sentence=said, grade=grade, measures=("samples.recognised",), weight=0.7, chart=GRID, next_step=step, answers="quality"
    )


def _poor(subject: Subject, one: Variety) -> Finding:
    unit, what, found = subject.schema.unit, subject.schema.target.name, one.worst
    said = (
        f"Generated {unit}s of {what} “{one.name}” lack variety: {in_percent(found.model.value)} of its {found.model.n} held-out "
        f"{unit}s {_VERBS[found.measured]} generated ones, against {in_percent(found.training.value)} with as many training "
        f"{unit}s in their place (p {p_words(found.p)}, corrected)."
    )
    names = tuple(f"samples.{found.measured}{beside}[{one.name}]" for beside in ("", "_training", "_gap"))
    return Finding(
        sentence=said, grade="concern", measures=names, weight=0.8, chart=VARIETY, next_step=_VARIED, answers="quality"
    )


def _even(subject: Subject, varied: Sequence[Variety]) -> Finding:
    unit, what = subject.schema.unit, subject.schema.target.name
    low = min(varied, key=lambda one: 2.0 if one.recall.model.value is None else one.recall.model.value)
    found = low.recall
    said = (
        f"No {what} is shown to lack variety; the least recall is that of “{low.name}”: {in_percent(found.model.value)} of its "
        f"{found.model.n} held-out {unit}s lie among generated ones, against {in_percent(found.training.value)} with as many "
        f"training {unit}s in their place."
    )
    return Finding(
        sentence=said, grade="ok", measures=(f"samples.recall[{low.name}]",), weight=0.4, chart=VARIETY, answers="quality"
    )


def _effect(subject: Subject, found: Effect) -> Finding:
    unit, what = subject.schema.unit, subject.schema.target.name
    said = (
        f"The {what} alone decides {in_percent(found.by_class.value)} of what varies in generated {unit}s, the noise alone "
        f"{in_percent(found.by_noise.value)}"
    )
    known = [
        (one.value, name)
        for name, one in zip(subject.schema.target.classes, found.agreement, strict=True)
        if one.value is not None
    ]
    names = ("samples.class_share", "samples.noise_share", *(f"samples.class_agreement[{name}]" for _, name in known))
    if not known:
        return Finding(sentence=f"{said}.", grade="ok", measures=names, weight=0.4, chart=MAPS)
    least, name = min(known)
    if least < _AGREES:
        more = f"; what “{name}” changes is not what sets it apart among held-out {unit}s (correlation {least:.2f})."
        return Finding(sentence=said + more, grade="concern", measures=names, weight=0.6, chart=MAPS, next_step=_MORE)
    more = f"; what each changes is what sets it apart among held-out {unit}s (correlation {least:.2f} or more)."
    return Finding(sentence=said + more, grade="ok", measures=names, weight=0.4, chart=MAPS)
