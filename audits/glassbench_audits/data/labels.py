"""Labels that a model which has not seen them finds hard to believe."""

import warnings

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.data.doubtful_labels import OVERLAP, Contradictions, Questioned, Suspects
from glassbench_audits.data.near_duplicates import texts_of
from glassbench_audits.data.section import Section, beyond, percent, share

FOLDS, FEWEST = 5, 60
"""Folds of the cross-validation, and rows below which none is made."""

SHOWN, WIDEST = 15, 2000

NARROW = 100
"""Inputs beyond which principal components take their place, and blanks that a text has on average at least."""

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
    splits = by_cross_validation(subject, rows)
    if not splits:
        return Section()
    overall = Contradictions.of(list(splits.values()))
    sections = [_examined(name, one, overall, tolerance, subject.schema.target.classes) for name, one in splits.items()]
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


def by_cross_validation(subject: Subject, rows: int) -> dict[str, Questioned]:
    """Return the rows of each split with probabilities from models that learnt on other rows; nothing where that cannot be."""
    found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = {}
    for name, split in (("training", subject.train), ("held-out", subject.predictions.source)):
        if split is None or split.target is None or split.target.ndim != 1 or split.target.is_floating_point() or not len(split):
            continue
        part = np.sort(subject.generator(f"data.labels.{name}").permutation(len(split))[:rows])
        inputs = numbers_of(split.take(part))
        if inputs is not None:
            clusters = split.rows[part].astype(str) if split.clusters is None else split.clusters[part]
            found[name] = inputs, split.target.cpu().numpy()[part], split.rows[part], np.asarray(clusters, dtype=object)
    if not found or len({inputs.shape[1] for inputs, *_ in found.values()}) > 1:
        return {}
    inputs, labels, names, clusters = (np.concatenate(parts) for parts in zip(*found.values(), strict=True))
    which = np.repeat(list(found), [len(one[1]) for one in found.values()])
    counts = np.bincount(labels)
    kept = counts[labels] >= 2 * FOLDS
    if kept.sum() < FEWEST or (counts >= 2 * FOLDS).sum() < 2:
        return {}
    seed = int(subject.generator("data.labels.models").integers(2**31))
    stated = cross_validated(narrowed(inputs[kept]), labels[kept], len(subject.schema.target.classes), seed, clusters[kept])
    return {
        name: Questioned(rows=names[kept][mine], labels=labels[kept][mine], stated=stated[mine])
        for name in found
        if (mine := which[kept] == name).any()
    }


def numbers_of(split: Split) -> np.ndarray | None:
    """Return what models can learn from, `(n, k)`: numbers as they are, texts as hashed words; else None."""
    first = split.inputs[0] if isinstance(split.inputs, tuple) and len(split.inputs) == 1 else None
    if first is not None and first.is_floating_point() and first.numel():
        flat = first.detach().cpu().flatten(1).double()
        return np.asarray(np.nan_to_num(flat[:, :: -(-flat.shape[1] // WIDEST)].numpy()))
    longest = texts_of(split)
    if longest is None:
        return None
    return np.asarray(HashingVectorizer(n_features=WIDEST).transform(longest).toarray())


def narrowed(inputs: np.ndarray) -> np.ndarray:
    """Return inputs by their first principal components where they are wide; no label takes part."""
    if inputs.shape[1] <= NARROW:
        return inputs
    return np.asarray(TruncatedSVD(NARROW // 2, random_state=0).fit_transform(inputs - inputs.mean(axis=0)))


def table_of(split: Split) -> Tensor | None:
    """Return the inputs `(n, columns)` where they are one table of numbers in memory, not too wide for quick models."""
    inputs = split.inputs
    if not isinstance(inputs, tuple) or len(inputs) != 1 or not inputs[0].is_floating_point():
        return None
    return inputs[0] if inputs[0].ndim == 2 and 0 < inputs[0].shape[1] <= WIDEST else None


def cross_validated(inputs: np.ndarray, labels: np.ndarray, classes: int, seed: int, clusters: np.ndarray) -> np.ndarray:
    """Return probabilities `(n, classes)`, the mean of a logistic regression and boosted trees that learnt on other folds.

    Rows of one cluster `(n,)` are in one fold.
    """
    stated = np.zeros((len(labels), classes))
    models = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        HistGradientBoostingClassifier(max_iter=50, random_state=seed, early_stopping=False),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        alone = len(np.unique(clusters)) == len(clusters)
        folds = (StratifiedKFold if alone else StratifiedGroupKFold)(FOLDS, shuffle=True, random_state=seed)
        for learn, judge in folds.split(inputs, labels, None if alone else clusters):
            for model in models:
                model.fit(inputs[learn], labels[learn])
                stated[np.ix_(judge, model.classes_)] += model.predict_proba(inputs[judge]) / len(models)
    return stated


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
        "Whether labels are wrong can't be told yet"
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
        return f" {count} doubtful labels are listed; at most {in_percent(high)} of these are expected to be wrong, maybe none."
    return (
        f" {count} doubtful labels are listed; {in_percent(value)} [{in_percent(low)}, {in_percent(high)}] of these "
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
