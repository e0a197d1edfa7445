"""What becomes of a decision when a text names somebody else: counterfactual swaps of identity terms."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import TextReader
from glassbench.stats.intervals import bootstrap, wilson
from glassbench_audits.fairness.terms import Swap, Terms, mentions, swapped


@dataclass(frozen=True, eq=False, kw_only=True)
class Swapped:
    """Decisions on texts before and after a swap.

    Args:
        swap: What was exchanged.
        positions: Rows whose text changed, positions among the predictions `(n,)`.
        before, after: Their texts.
        flipped: Whether the decision changed `(n,)`; empty for a language model.
        shift: How far the score moved `(n,)`: of the positive class, of the class predicted before where there are more than two,
            or the log-likelihood per token.
    """

    swap: Swap
    positions: np.ndarray
    before: list[str]
    after: list[str]
    flipped: np.ndarray
    shift: np.ndarray

    def flips(self, level: float) -> tuple[float, float, float]:
        """Return the share of decisions that changed, with its interval."""
        low, high = wilson(np.array(self.flipped.sum()), np.array(len(self.flipped)), level)
        return float(self.flipped.mean()), float(low), float(high)

    def mean_shift(self, generator: np.random.Generator, *, replicates: int, level: float) -> tuple[float, float, float]:
        """Return the mean shift with its interval, from resampling the rows."""
        n = len(self.shift)
        ends = bootstrap(lambda weights: weights @ self.shift / n, n, generator, replicates=replicates, level=level)
        return float(self.shift.mean()), float(ends[0]), float(ends[1])


def texts_of(subject: Subject) -> list[str] | None:
    """Return the raw texts of the predictions' rows, or None where the subject cannot be asked about other texts."""
    source, reader = subject.predictions.source, subject.encoder
    if subject.model is None or not isinstance(reader, TextReader) or not isinstance(source, Split) or source.raw is None:
        return None
    return [str(text) for text in source.raw[reader.text]] if reader.text in source.raw.columns else None


def each_swap(subject: Subject, texts: list[str], terms: Terms, most: int) -> Iterator[Swapped]:
    """Yield the outcome of every swap that changes a text, of at most `most` rows each, drawn at random."""
    for family, groups in terms.items():
        for written, put in permutations(groups, 2):
            swap = Swap(family=family, written=written, put=put)
            found = np.flatnonzero(mentions(texts, groups[written]))
            if len(found) > most:
                generator = subject.generator(f"identity.swap.{family}.{swap.words}")
                found = np.sort(generator.choice(found, most, replace=False))
            before = [texts[i] for i in found]
            after = [swapped(text, groups[written], groups[put]) for text in before]
            changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
            if changed:
                kept = [before[i] for i in changed], [after[i] for i in changed]
                yield _asked(subject, swap, found[changed], *kept)


def _asked(subject: Subject, swap: Swap, positions: np.ndarray, before: list[str], after: list[str]) -> Swapped:
    old, new = (_decided(subject, texts) for texts in (before, after))
    known: dict[str, Any] = {"swap": swap, "positions": positions, "before": before, "after": after}
    if not subject.class_outputs:
        each = np.eye(len(old))
        losses = [subject.task.metrics[0].compute(frame, each) for frame in (old, new)]
        return Swapped(**known, flipped=np.empty(0, dtype=bool), shift=losses[0] - losses[1])
    flipped = (old["y_pred"].astype(str) != new["y_pred"].astype(str)).to_numpy()
    return Swapped(**known, flipped=flipped, shift=_scored(subject, old, old) * -1 + _scored(subject, new, old))


def _decided(subject: Subject, texts: list[str]) -> pd.DataFrame:
    assert subject.encoder is not None
    assert isinstance(subject.encoder, TextReader)
    rows = subject.encoder.encode(pd.DataFrame({subject.encoder.text: texts}))
    return subject.task.predict(subject.model, rows).frame


def _scored(subject: Subject, frame: pd.DataFrame, decided: pd.DataFrame) -> np.ndarray:
    """Return the score of the positive class `(n,)`, or with more classes that of the class decided in `decided`."""
    classes, positive = subject.schema.target.classes, subject.schema.target.positive
    names = [f"score.{name}" for name in classes]
    scores = frame[names].to_numpy(dtype=np.float64)
    if len(classes) == 2:
        return np.asarray(scores[:, classes.index(positive or classes[1])])
    index = pd.Index(classes).get_indexer(pd.Index(decided["y_pred"].astype(str)))
    return np.asarray(scores[np.arange(len(frame)), index])
