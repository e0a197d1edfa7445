"""The measures, tables, the chart and the pictures of the audit of generated rows."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Picture, Table
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.png import png
from glassbench.contracts.predictions.outputs import GeneratedOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.percent import in_percent
from glassbench_audits.drawing.raster import enlarged, signed_map, tiled
from glassbench_audits.samples.effect import Effect
from glassbench_audits.samples.unlearnt import NEIGHBOURS, Unlearnt
from glassbench_audits.samples.variety import Reached, Variety

GRID, MAPS, VARIETY = "Generated and held-out images", "What each class changes", "How much of each class's variety is reached"
_ACROSS, _REAL, _SIDE = 10, 3, 640


def measures(
    subject: Subject, seen: Estimate, found: Effect, varied: Sequence[Variety], lacks: Sequence[Unlearnt]
) -> Iterator[Measure]:
    """Yield the numbers gates can hold."""
    yield Measure.of("samples.recognised", seen, higher_is_better=True)
    yield Measure.of("samples.class_share", found.by_class)
    yield Measure.of("samples.noise_share", found.by_noise)
    for name, one in zip(subject.schema.target.classes, found.agreement, strict=True):
        yield Measure.of(f"samples.class_agreement[{name}]", one, higher_is_better=True)
    for each in varied:
        yield Measure.of(f"samples.recognised[{each.name}]", each.recognised, higher_is_better=True)
        for reached in (each.coverage, each.recall):
            yield from _reached(reached, each.name)
    for lack in lacks:
        yield from _lacked(lack)


def _lacked(one: Unlearnt) -> Iterator[Measure]:
    few = None if np.isfinite(one.p) else "too few held-out rows"
    for name, value, higher in (("training_lack", one.lack, False), ("training_lack_p_value", one.p, True)):
        known = None if few else value
        yield Measure(name=f"samples.{name}[{one.name}]", value=known, undefined=few, n=one.n, higher_is_better=higher)


def _reached(one: Reached, name: str) -> Iterator[Measure]:
    what, known = f"samples.{one.measured}", bool(np.isfinite(one.p))
    yield Measure.of(f"{what}[{name}]", one.model, higher_is_better=True)
    yield Measure.of(f"{what}_training[{name}]", one.training)
    few = None if one.gap is not None else "there is no held-out row"
    yield Measure(name=f"{what}_gap[{name}]", value=one.gap, undefined=few, n=one.model.n, higher_is_better=False)
    yield Measure(
        name=f"{what}_p_value[{name}]",
        value=one.p if known else None,
        undefined=None if known else "too few held-out rows",
        n=one.model.n,
        higher_is_better=True,
    )


def variety_table(varied: Sequence[Variety], level: float) -> Table:
    """Return what is seen in generated rows and how much of the variety they reach, class by class."""
    beside = ("low", "high", "by training rows", "p")
    columns = ("class", "rows", "recognised", "coverage", *beside, "recall", *beside)
    return Table(
        title="Generated rows by class",
        columns=columns,
        rows=tuple(
            (one.name, one.coverage.model.n, one.recognised.value, *_cells(one.coverage), *_cells(one.recall)) for one in varied
        ),
        note="Recognised: generated rows in which the classifier sees it. Coverage: held-out rows to which a generated row "
        "of the class is nearer than the fifth nearest held-out row. Recall: held-out rows no further from a generated row than "
        f"its third nearest generated row. Low and high: {in_percent(level)} interval; p: draws of training rows that reach as "
        "little, corrected.",
    )


def unlearnt_table(lacks: Sequence[Unlearnt]) -> Table:
    """Return whether training rows have the variety of held-out ones, class by class."""
    known = [one for one in lacks if np.isfinite(one.p)]
    return Table(
        title="Training rows beside held-out rows",
        columns=("class", "held-out rows", "held-out neighbours", "expected", "p"),
        rows=tuple((one.name, one.n, one.found, one.expected, one.p) for one in known),
        note=f"Of the {NEIGHBOURS} nearest neighbours of each held-out row, among held-out and training rows of its class, the "
        "share that are held-out rows; far above what is expected, training rows lack what these have. p: shuffles of both that "
        "reach as much, corrected.",
    )


def _cells(one: Reached) -> tuple[float | None, ...]:
    p = one.p if np.isfinite(one.p) else None
    return one.model.value, one.model.low, one.model.high, one.training.value, p


def effect_table(subject: Subject, found: Effect, level: float) -> Table:
    """Return what class and noise decide, and how far each class's effect agrees with held-out rows."""
    percent = in_percent(level)
    lines = [("variance decided by the class alone", found.by_class), ("variance decided by the noise alone", found.by_noise)]
    lines += [
        (f"“{name}”: correlation of what it changes with held-out rows", one)
        for name, one in zip(subject.schema.target.classes, found.agreement, strict=True)
    ]
    return Table(
        title="What the class changes",
        columns=("what", "value", f"{percent} low", f"{percent} high"),
        rows=tuple((what, one.value, one.low, one.high) for what, one in lines),
        note="The rest of the variance is what a class does differently from noise to noise.",
    )


def variety_chart(varied: Sequence[Variety]) -> Chart:
    """Return recall by class with intervals."""
    rows = [
        {"y": one.name, "x": found.value, "low": found.low, "high": found.high, "size": in_percent(found.value)}
        for one in varied
        if (found := one.recall.model).value is not None and found.low is not None
    ]
    return Chart(
        kind="intervals",
        title=VARIETY,
        message="A class far to the left lacks variety: many of its held-out rows look like nothing that is generated.",
        rows=tuple(rows),
        x_title="recall: share of held-out rows that lie among generated ones",
        y_title="class",
    )


def pictures(subject: Subject, made: GeneratedOutput, found: Effect) -> Iterator[Picture]:
    """Yield generated beside held-out pictures of each class, and what each class changes."""
    facts, source = subject.schema.facts_of(ImageFacts), subject.predictions.source
    if facts is None or source is None:
        return
    real, codes, names = (
        source.batch(slice(0, 2000)).inputs[0].numpy(),
        made.wanted.to_numpy()[:2000],
        subject.schema.target.classes,
    )
    white = np.broadcast_to(((1 - np.asarray(facts.mean)) / np.asarray(facts.std))[:, None, None], made.rows.shape[1:])
    lines = []
    for name in names:
        ours, theirs = made.rows[(made.wanted == name).to_numpy()][:_ACROSS], real[codes == name][:_REAL]
        blank = white[None].repeat(_ACROSS + _REAL + 1, axis=0).astype(np.float32)
        blank[: len(ours)] = ours
        blank[_ACROSS + 1 : _ACROSS + 1 + len(theirs)] = theirs
        lines.append(blank)
    yield Picture(
        title=GRID,
        message=f"A line for each class, from the top {', '.join(names)}: {_ACROSS} generated images, not chosen, then {_REAL} "
        "held-out images.",
        png=png(enlarged(tiled(lines, facts), _SIDE)),
        legend="Generated at the left, held-out at the right of the gap.",
    )
    yield _same_noise(found, facts, names)
    yield _maps(found, names)


def _same_noise(found: Effect, facts: ImageFacts, names: Sequence[str]) -> Picture:
    return Picture(
        title="The same noise under every class",
        message=f"Each line is one noise; from left to right the classes {', '.join(names)}. What stays along a line is the "
        "noise's.",
        png=png(enlarged(tiled(list(found.rows[:6]), facts), _SIDE)),
    )


def _maps(found: Effect, names: Sequence[str]) -> Picture:
    lines = [np.concatenate([_edged(one) for one in maps], axis=1) for maps in (found.maps, np.nan_to_num(found.real))]
    return Picture(
        title=MAPS,
        message=f"Above what each class ({', '.join(names)}) makes lighter or darker than the mean of all classes, below the "
        "same of held-out images.",
        png=png(enlarged(np.concatenate(lines, axis=0), _SIDE)),
        legend="Blue: lighter under this class. Orange: darker.",
    )


def _edged(values: np.ndarray) -> np.ndarray:
    """Return one map `(C, H, W)` in two colours with a clear edge."""
    drawn = signed_map(values.mean(axis=0))
    return np.pad(drawn, ((0, 1), (0, 1), (0, 0)))
