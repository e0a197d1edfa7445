"""Labels of one class that are wrong in one group: found by models that learnt from all other groups."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.stats.clusters import design_effect
from glassbench.stats.intervals import wilson
from glassbench.stats.p_values import holm
from glassbench.stats.percent import in_percent
from glassbench_audits.data.capped_curve import Excess, Scored, excess, limits
from glassbench_audits.data.doubtful_labels import LIKELY
from glassbench_audits.data.label_models import FOLDS, cross_validated, learnt_elsewhere
from glassbench_audits.data.labelled_rows import LabelledRows
from glassbench_audits.data.section import Section

FEWEST = 20
"""Rows of a class, and of the others, that a group and the rest must have."""

MOST_VALUES, SEARCHED, MOST_CLASSES = 12, 16, 6
"""The most values of a column, groups of sensitive features, as many groups of other columns, and classes that are searched."""

TOP, LEAST_TOP = 0.1, 40
"""Share of a group's rows that its own models are most certain of, and how many these are at least."""

ALPHA = 0.05
"""Chance of a false alarm, one half for sensitive features and one for other columns."""

CLOSEST = 0.002
"""Probabilities are taken to be so far from 0 and 1 at least."""

SHOWN = 15

NAME = "group_label_errors"

_STEP = "Have a person check the doubtful labels, the likeliest of which are listed, and ask how labels of this group are made."


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupLabels:
    """Labels of a class that look wrong in a group.

    Args:
        column, value: The group.
        klass: The class that rows ought to have.
        found: What the group misses.
        limits: The interval of that share, corrected for what was searched.
        rows: The rows behind it.
        p: Corrected p-value.
    """

    column: str
    value: str
    klass: int
    found: Excess
    limits: tuple[float, float]
    rows: int
    p: float

    @property
    def suspects(self) -> np.ndarray:
        """Positions of the rows whose label may rather be wrong than right, the likeliest first `(k,)`."""
        order = np.argsort(-self.found.wrong, kind="stable")
        return order[self.found.wrong[order] >= LIKELY]


def group_label_errors(rows: LabelledRows, tolerance: float) -> tuple[list[GroupLabels], int]:
    """Return groups in which a class surely goes unlabelled more often than is let pass, and how many groups were searched.

    Of groups that share most of their doubtful rows, the surest stands.

    Args:
        rows: The rows of both splits.
        tolerance: Share of the rows of a class that is let pass.
    """
    found: list[GroupLabels] = []
    searched = 0
    for family in (rows.groups, rows.columns.drop(columns=list(rows.groups), errors="ignore")):
        groups = list(_groups(family))[:SEARCHED]
        searched += len(groups)
        found += _surely(rows, groups, tolerance)
    kept: list[GroupLabels] = []
    for one in sorted(found, key=lambda one: one.p):
        if not any(np.isin(one.suspects, other.suspects).mean() > 0.5 for other in kept):
            kept.append(one)
    return kept, searched


def _groups(columns: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield values of columns that have few, with the rows that have them `(n,)`: columns of the fewest values first."""
    few = {str(name): column for name, column in columns.items() if 2 <= column.nunique() <= MOST_VALUES}
    for name in sorted(few, key=lambda name: int(few[name].nunique())):
        for value in few[name].value_counts().index:
            words = f"{value:g}" if isinstance(value, float) else str(value)
            yield name, words, (few[name] == value).to_numpy()


def _surely(rows: LabelledRows, groups: list[tuple[str, str, np.ndarray]], tolerance: float) -> Iterator[GroupLabels]:
    tested = [(name, value, *one) for name, value, mine in groups for one in _tested(rows, mine, tolerance)]
    corrected = holm(np.array([found.p for *_, found in tested]))
    for (name, value, klass, scored, found), p in zip(tested, corrected, strict=True):
        if p < ALPHA / 2:
            ends = limits(found, scored, ALPHA / 2 / len(tested))
            low, high = _missing_at_the_top(rows, scored.group, klass)
            if low <= tolerance or high < ends[0]:
                continue
            size = int(scored.group.sum())
            yield GroupLabels(column=name, value=value, klass=klass, found=found, limits=ends, rows=size, p=float(p))


def _tested(rows: LabelledRows, mine: np.ndarray, tolerance: float) -> Iterator[tuple[int, Scored, Excess]]:
    """Yield what the group misses of each class, with the rows behind it."""
    inside, outside = (np.bincount(rows.labels[part], minlength=rows.classes) for part in (mine, ~mine))
    enough = np.minimum(inside, inside.sum() - inside) >= FEWEST
    enough &= np.minimum(outside, outside.sum() - outside) >= FEWEST
    if not enough.any() or rows.classes > MOST_CLASSES:
        return
    stated = rows.stated.copy()
    stated[mine] = learnt_elsewhere(rows.inputs[~mine], rows.labels[~mine], rows.inputs[mine], rows.classes, rows.seed)
    chance = np.clip(stated, CLOSEST, 1 - CLOSEST)
    score = np.log(chance / (1 - chance))
    for klass in np.flatnonzero(enough).tolist():
        scored = Scored(score=score[:, klass], labelled=rows.labels == klass, group=mine, clusters=rows.clusters)
        yield klass, scored, excess(scored, tolerance)


def _missing_at_the_top(rows: LabelledRows, mine: np.ndarray, klass: int) -> tuple[float, float]:
    """Return the ends of the interval of how many rows lack the label where models of the group's own are most certain of it.

    Models of other groups may be no good for this one. If labels are missing, its own models find no rows that have them all.
    """
    own = rows.labels[mine]
    many = np.bincount(own, minlength=rows.classes)[own] >= FOLDS
    stated = cross_validated(rows.inputs[mine][many], own[many], rows.classes, rows.seed, rows.clusters[mine][many])
    top = np.argsort(-stated[:, klass], kind="stable")[: max(LEAST_TOP, int(TOP * many.sum()))]
    lacking = own[many][top] != klass
    effect = design_effect(lacking, rows.clusters[mine][many][top])
    low, high = wilson(np.array(lacking.sum() / effect), np.array(len(top) / effect))
    return float(low), float(high)


def examine_group_labels(rows: LabelledRows, tolerance: float, classes: tuple[str, ...]) -> Section:
    """Say in which groups labels of a class look wrong; nothing where none do.

    Args:
        rows: The rows of both splits.
        tolerance: Share of the rows of a class that is let pass.
        classes: Names of the classes.
    """
    found, searched = group_label_errors(rows, tolerance)
    if not searched:
        return Section()
    count = Measure(name=f"data.{NAME}", value=float(len(found)), n=len(rows.labels), higher_is_better=False)
    by_group: dict[tuple[str, str], list[GroupLabels]] = {}
    for one in found:  # the surest first
        by_group.setdefault((one.column, one.value), []).append(one)
    return Section(
        findings=tuple(_finding(several, searched, classes) for several in by_group.values()),
        measures=(count, *(_measure(several[0]) for several in by_group.values())),
        tables=tuple(_table(one, rows, classes) for one in found),
    )


def _measure(one: GroupLabels) -> Measure:
    return Measure(
        name=f"data.{NAME}",
        value=one.found.share,
        low=one.limits[0],
        high=one.limits[1],
        n=one.rows,
        by=(one.column,),
        group={one.column: one.value},
        higher_is_better=False,
    )


def _finding(several: list[GroupLabels], searched: int, classes: tuple[str, ...]) -> Finding:
    """Return what is said of a group, of each class that goes unlabelled in it, the surest first."""
    first = several[0]
    shares = "; of those that ought to be ".join(
        f"“{classes[one.klass]}”, {in_percent(one.found.share)} [{in_percent(one.limits[0])}, {in_percent(one.limits[1])}]"
        for one in several
    )
    sentence = (
        f"Labels of {first.column} “{first.value}” look wrong, or hang on what no column holds: of its rows that ought to be "
        f"{shares} more than elsewhere are labelled otherwise, even where a model that learnt from the other rows is most "
        f"certain. {_listed(several)} Found among {searched} groups, corrected for the search."
    )
    return Finding(
        sentence=sentence,
        grade="concern",
        measures=(f"data.{NAME}",),
        weight=0.65,
        by=(first.column,),
        group={first.column: first.value},
        next_step=_STEP,
    )


def _listed(several: list[GroupLabels]) -> str:
    wrong = np.concatenate([one.found.wrong[one.suspects] for one in several])
    if not len(wrong):
        return "No single label of these may rather be wrong than right."
    return f"{len(wrong):,} labels are doubtful; {in_percent(float(wrong.mean()))} of these are expected to be wrong."


def _table(one: GroupLabels, rows: LabelledRows, classes: tuple[str, ...]) -> Table:
    lines = tuple(
        (str(rows.rows[i]), str(rows.split[i]), classes[int(rows.labels[i])], classes[one.klass], float(one.found.wrong[i]))
        for i in one.suspects[:SHOWN]
    )
    return Table(
        title=f"Labels of {one.column} “{one.value}” that may be “{classes[one.klass]}”",
        columns=("row", "split", "label", "may be", "chance that it is wrong"),
        rows=lines,
        note=f"{_listed([one])} A person must look.",
    )
