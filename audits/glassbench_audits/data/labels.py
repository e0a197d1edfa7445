"""Labels that a model which has not seen them finds hard to believe."""

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.data.doubtful_labels import OVERLAP, Contradictions, Questioned, Suspects
from glassbench_audits.data.group_labels import examine_group_labels
from glassbench_audits.data.labelled_rows import labelled_rows
from glassbench_audits.data.section import Section, beyond, percent, share

SHOWN = 15

NAMES = {"training": "label_errors", "held-out": "label_errors_held_out"}
"""The measure of each split."""

SUSPECTED = {"training": "suspected_labels", "held-out": "suspected_labels_held_out"}
"""The measure of each split's list: the share of it that is expected to be wrong."""

_STEP = "Have a person check the labels that are least believable."


def examine_labels(subject: Subject, tolerance: float, rows: int) -> Section:
    """Question the labels of training and held-out rows by models that did not learn from them.

    The models are the audit's own and learn by cross-validation over both splits, so the same labels are questioned whichever
    model was trained.

    Args:
        subject: What is examined.
        tolerance: Share of wrong labels that is let pass.
        rows: The most rows of either split.
    """
    if not subject.schema.target.classes:
        return Section()
    found = labelled_rows(subject, rows)
    if found is None:
        return Section()
    classes, splits = subject.schema.target.classes, found.questioned()
    overall = Contradictions.of(list(splits.values()))
    sections = [_examined(name, one, overall, tolerance, classes) for name, one in splits.items()]
    sections.append(examine_group_labels(found, tolerance, classes))
    return Section(
        findings=tuple(f for section in sections for f in section.findings),
        measures=tuple(m for section in sections for m in section.measures),
        tables=tuple(t for section in sections for t in section.tables),
    )


def _examined(split: str, questioned: Questioned, overall: Contradictions, tolerance: float, classes: tuple[str, ...]) -> Section:
    """Question the labels of one split; a model that can question none lists none."""
    name, chosen, reason = NAMES[split], questioned.certain, questioned.unable
    if reason is not None:
        return Section(measures=(Measure(name=f"data.{name}", value=None, n=len(chosen), undefined=reason),))
    found = share(name, int(questioned.contradicted[chosen].sum()), len(chosen), higher_is_better=False)
    suspects = overall.suspects(questioned)
    measures = [found]
    if suspects.share is not None:
        value, low, high = suspects.share
        expected = Measure(
            name=f"data.{SUSPECTED[split]}", value=value, low=low, high=high, level=found.level, n=len(suspects.positions)
        )
        measures.append(expected)
    return Section(
        findings=(_finding(found, split, questioned, overall, suspects, tolerance),),
        measures=tuple(measures),
        tables=(_table(questioned, suspects, overall, split, classes),) if len(suspects.positions) else (),
    )


def _finding(
    found: Measure, split: str, questioned: Questioned, overall: Contradictions, suspects: Suspects, tolerance: float
) -> Finding:
    """Wrong labels contradict a model where it is certain as well; whether others do so too hangs on how far classes overlap."""
    grade, names = beyond(found, tolerance), (found.name,)
    said = f"{percent(found)} of the {split} labels contradict a second model, where that model is most certain"
    everywhere = float(questioned.contradicted.mean())
    if grade == "concern" and overall.overlap > OVERLAP:
        words = (
            f"Wrong labels can't be told from hard rows: {said}; {in_percent(everywhere)} do overall, and "
            f"{in_percent(overall.blind)} are not of the commonest class.{_listed(suspects, overall)}"
        )
        return Finding(sentence=words, grade="unclear", measures=names, weight=0.25)
    if grade == "concern":
        words = (
            f"Labels look wrong, or the answer hangs on what no column holds: {said}, {in_percent(everywhere)} overall."
            f"{_listed(suspects, overall)}"
        )
        return Finding(sentence=words, grade="concern", measures=names, weight=0.6, next_step=_STEP)
    opening = (
        f"Some {split} labels may be wrong; too few could be checked to tell"
        if grade == "unclear"
        else f"No more {split} labels look wrong than are let pass"
    )
    words = f"{opening}: {said}; {in_percent(tolerance)} are let pass. The second model has not learnt from these labels."
    return Finding(sentence=words, grade=grade, measures=names, weight=0.2, next_step=_STEP if grade == "unclear" else "")


def _listed(suspects: Suspects, overall: Contradictions) -> str:
    """Say how many doubtful labels are listed, and how many of these are expected to be wrong."""
    count = len(suspects.positions)
    if suspects.share is None:
        return ""
    value, low, high = suspects.share
    if overall.overlap > OVERLAP:
        return f" {count} labels are doubtful; at most {in_percent(high)} of these are expected to be wrong, maybe none."
    return (
        f" {count} labels are doubtful; {in_percent(value)} [{in_percent(low)}, {in_percent(high)}] of these "
        "are expected to be wrong."
    )


def _table(questioned: Questioned, suspects: Suspects, overall: Contradictions, split: str, classes: tuple[str, ...]) -> Table:
    decided, stated = questioned.stated.argmax(axis=1), questioned.stated
    rows = tuple(
        (
            str(questioned.rows[i]),
            classes[int(questioned.labels[i])],
            float(stated[i, questioned.labels[i]]),
            classes[int(decided[i])],
            float(stated[i, decided[i]]),
        )
        for i in suspects.positions[:SHOWN]
    )
    return Table(
        title=f"The least believable labels of {split} rows",
        columns=("row", "label", "its probability", "would be", "with probability"),
        rows=rows,
        note=f"{_listed(suspects, overall).strip()} A person must look.",
    )
