"""Labels that a model which has not seen them finds hard to believe."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from glassbench.data import Split
from glassbench.evidence import Finding, Measure, Table
from glassbench.subject import Subject
from glassbench_audits.data.section import Section, beyond, percent, share

FOLDS, FEWEST = 5, 60
"""Folds of the cross-validation, and rows below which none is made."""

CERTAIN = 0.2
"""The share of rows, those decided with most certainty, whose labels are questioned."""

GOOD = 0.2
"""A model that contradicts more of these labels than that, or doubts its own decisions on them more than that, is not good
enough to question any."""

LEVEL = 0.5
"""Contradictions where the model is certain must be this share of those overall: those by hard rows thin out there."""

SHOWN, WIDEST = 15, 2000


@dataclass(frozen=True, eq=False, kw_only=True)
class Questioned:
    """Labels beside out-of-sample probabilities.

    Args:
        rows: Row ids `(n,)`.
        labels: Class of each `(n,)`.
        stated: Probabilities by a model that did not learn from the row `(n, classes)`.
    """

    rows: np.ndarray
    labels: np.ndarray
    stated: np.ndarray

    @property
    def certain(self) -> np.ndarray:
        """Positions of the rows decided with most certainty."""
        order = np.argsort(-self.stated.max(axis=1), kind="stable")
        return order[: max(1, round(CERTAIN * len(order)))]

    @property
    def contradicted(self) -> np.ndarray:
        """Whether each row was decided to be of another class than its label, bool `(n,)`."""
        return np.asarray(self.stated.argmax(axis=1) != self.labels)

    @property
    def unable(self) -> str | None:
        """Why the model is not good enough to question any label, or None where it is: it is wrong, or doubts itself, too often
        even where it is most certain."""
        contradicted = float(self.contradicted[self.certain].mean())
        doubt = float((1 - self.stated[self.certain].max(axis=1)).mean())
        if contradicted > GOOD:
            return f"the model contradicts {contradicted:.0%} even of the labels it is most certain of: it can question none"
        if doubt > GOOD:
            return (
                f"even where the model is most certain it gives its decision a probability of {1 - doubt:.2f} on average: it can "
                "question no label"
            )
        return None

    @property
    def suspects(self) -> np.ndarray:
        """Positions of the rows that confident learning doubts (Northcutt et al. 2021), the least believable label first.

        A row is doubted when it is decided to be of another class with at least the certainty that rows of that class have on
        average.
        """
        present = np.unique(self.labels)
        usual = np.full(self.stated.shape[1], np.inf)
        usual[present] = [self.stated[self.labels == k, k].mean() for k in present]
        decided = self.stated.argmax(axis=1)
        doubted = self.contradicted & (self.stated[np.arange(len(decided)), decided] >= usual[decided])
        own = self.stated[np.arange(len(decided)), self.labels]
        return np.flatnonzero(doubted)[np.argsort(own[doubted], kind="stable")]


def examine_labels(subject: Subject, tolerance: float, rows: int) -> Section:
    """Question the labels of held-out rows by the model's own scores, those of training rows by cross-validation.

    Args:
        subject: What is examined.
        tolerance: Share of wrong labels that is let pass.
        rows: The most training rows.
    """
    if subject.schema.target.kind != "class":
        return Section()
    parts = {
        ("label_errors_held_out", "held-out"): by_the_model(subject),
        ("label_errors", "training"): by_cross_validation(subject, rows),
    }
    measures: list[Measure] = []
    findings: list[Finding] = []
    tables: list[Table] = []
    for (name, split), questioned in parts.items():
        if questioned is None:
            continue
        chosen = questioned.certain
        found = share(name, int(questioned.contradicted[chosen].sum()), len(chosen), higher_is_better=False)
        reason = questioned.unable
        if reason is None:
            measures.append(found)
            findings.append(_finding(found, split, questioned, tolerance))
        else:
            measures.append(Measure(name=f"data.{name}", value=None, n=len(chosen), undefined=reason))
        tables += [_table(questioned, split, subject.schema.target.classes)] if len(questioned.suspects) else []
    return Section(findings=tuple(findings), measures=tuple(measures), tables=tuple(tables))


def by_the_model(subject: Subject) -> Questioned | None:
    """Return the held-out rows with the model's scores, or None where it states no probabilities."""
    scores, frame, classes = subject.predictions.scores, subject.predictions.frame, subject.schema.target.classes
    if set(scores.columns) != set(classes) or "truth" not in frame or not len(frame):
        return None
    labels = np.array([classes.index(name) for name in frame["truth"].astype(str)])
    return Questioned(rows=frame["row"].to_numpy(), labels=labels, stated=scores[list(classes)].to_numpy(dtype=float))


def by_cross_validation(subject: Subject, rows: int) -> Questioned | None:
    """Return training rows with probabilities from models that learnt on other rows; None where the inputs are no table."""
    train = subject.train
    table = None if train is None else table_of(train)
    if train is None or train.target is None or table is None:
        return None
    part = np.sort(subject.generator("data.labels").permutation(len(train))[:rows])
    inputs, labels = table.cpu().numpy()[part], train.target.cpu().numpy()[part]
    counts = np.bincount(labels)
    kept = counts[labels] >= 2 * FOLDS
    if kept.sum() < FEWEST or (counts >= 2 * FOLDS).sum() < 2:
        return None
    seed = int(subject.generator("data.labels.models").integers(2**31))
    stated = cross_validated(inputs[kept], labels[kept], len(subject.schema.target.classes), seed)
    return Questioned(rows=train.rows[part][kept], labels=labels[kept], stated=stated)


def table_of(split: Split) -> Tensor | None:
    """Return the inputs `(n, slots)` where they are one table of numbers in memory, not too wide for quick models."""
    inputs = split.inputs
    if not isinstance(inputs, tuple) or len(inputs) != 1 or not inputs[0].is_floating_point():
        return None
    return inputs[0] if inputs[0].ndim == 2 and 0 < inputs[0].shape[1] <= WIDEST else None


def cross_validated(inputs: np.ndarray, labels: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """Return probabilities `(n, classes)`, the mean of a logistic regression and boosted trees that learnt on other folds."""
    stated = np.zeros((len(labels), classes))
    models = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        HistGradientBoostingClassifier(max_iter=50, random_state=seed, early_stopping=False),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for learn, judge in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(inputs, labels):
            for model in models:
                model.fit(inputs[learn], labels[learn])
                stated[np.ix_(judge, model.classes_)] += model.predict_proba(inputs[judge]) / len(models)
    return stated


def _finding(found: Measure, split: str, questioned: Questioned, tolerance: float) -> Finding:
    """Wrong labels contradict a model as often where it is certain as elsewhere; hard rows do so where it is not."""
    verdict, names = beyond(found, tolerance), (found.name,)
    said = f"where a model that has not learnt from them is most certain, {percent(found)} of the {split} labels contradict it"
    everywhere = float(questioned.contradicted.mean())
    if verdict == "fail" and (found.value or 0) < LEVEL * everywhere:
        words = f"{said[0].upper()}{said[1:]}, {everywhere:.0%} overall: wrong labels can't be told from hard rows."
        return Finding(sentence=words, verdict="insufficient evidence", measures=names, weight=0.25)
    if verdict == "fail":
        words = f"Labels look wrong: {said}, {everywhere:.0%} overall; {len(questioned.suspects)} doubtful rows are listed."
        return Finding(sentence=words, verdict="fail", measures=names, weight=0.6)
    words = f"{said[0].upper()}{said[1:]}; {tolerance:.0%} are let pass."
    return Finding(sentence=words, verdict=verdict, measures=names, weight=0.2)


def _table(questioned: Questioned, split: str, classes: tuple[str, ...]) -> Table:
    decided, stated = questioned.stated.argmax(axis=1), questioned.stated
    rows = tuple(
        (
            str(questioned.rows[i]),
            classes[int(questioned.labels[i])],
            float(stated[i, questioned.labels[i]]),
            classes[int(decided[i])],
            float(stated[i, decided[i]]),
        )
        for i in questioned.suspects[:SHOWN]
    )
    return Table(
        title=f"The least believable of {len(questioned.suspects)} doubtful labels of {split} rows",
        columns=("row", "label", "its probability", "would be", "with probability"),
        rows=rows,
        note="Hard rows are among them; a person must look.",
    )
