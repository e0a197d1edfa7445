"""The self-test that asks whether the model has learnt anything that an explanation could be of."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.evidence import Measure
from glassbench.contracts.predictions.outputs import Losses
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.intervals import bootstrap
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.explain.checks.examined import Examined, undefined
from glassbench_audits.explain.checks.permutation_test import permutation_p_value
from glassbench_audits.explain.checks.reliability import Check, Outcome
from glassbench_audits.explain.checks.skill import forest_skill, untrained_skills

LEARNT, UNLEARNT = 0.01, 0.05
"""P-values up to which a model has learnt something, and from which it has not."""

SHARE = 0.5
"""Share of the skill of a random forest that a model must reach on the same rows."""

RARE = 0.05
"""Share of untrained networks that do as well as the model, from which it has learnt nothing; to pass, none may."""

_SIGNAL = "has the model learnt something, as held-out truth shows?"
_NAMES = ("explain.signal_p_value", "explain.skill", "explain.skill_share", "explain.untrained_share")


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What held-out rows say about a model.

    Args:
        n: Rows whose truth is known.
        p: P-value of chance, or None.
        skill: Share of the guess's loss that the model saves with the ends of its interval, or None where there is none.
        forest: Skill of a random forest on the same rows, or None.
        untrained: Share of untrained networks that do as well, or None.
    """

    n: int
    p: float
    skill: tuple[float, float, float] | None
    forest: float | None
    untrained: float | None

    @property
    def share(self) -> float | None:
        """The skill in units of the forest's, or None where the forest has none or there is no skill to compare."""
        return None if self.skill is None or self.forest is None or self.forest <= 0 else self.skill[0] / self.forest

    @property
    def outcome(self) -> Outcome:
        """Failed where chance or an untrained network does as well; passed where the model is surely ahead of everything."""
        if self.p >= UNLEARNT or (self.untrained is not None and self.untrained > RARE):
            return "failed"
        ahead = self.skill is None or self.skill[1] > 0
        enough = self.share is None or self.share >= SHARE
        return "passed" if self.p <= LEARNT and ahead and enough and not self.untrained else "weak"

    @property
    def margin(self) -> float:
        """How far the least of skill and share lies on the passing side, in units of what it needs."""
        shares = [] if self.share is None else [(self.share - SHARE) / SHARE]
        return min([*shares, *([] if self.skill is None else [self.skill[1]])], default=math.inf)

    @property
    def words(self) -> str:
        """The figures beside what they are held to."""
        parts = [f"p {p_words(self.p)} of chance alone (at most {LEARNT})"]
        if self.skill is not None:
            value, low, high = self.skill
            parts.append(f"{value:.2f} [{low:.2f}, {high:.2f}] of a guess's loss saved (above 0)")
        if self.forest is not None and self.skill is not None:
            parts.append(f"a random forest saves {self.forest:.2f} of it (at least {in_percent(SHARE)} of that)")
        if self.untrained is not None:
            parts.append(f"{in_percent(self.untrained)} of untrained networks do as well (none)")
        return f"{self.n} held-out rows: {'; '.join(parts)}"


def signal_check(examined: Examined) -> Check:
    """Test that the model has learnt something about the truth; where that cannot be tested the outcome is weak, not skipped.

    What is explained is what the model has learnt, so an explanation is worth nothing where it has learnt nothing, and nobody
    knows what it is worth where that has not been established: without a truth, or on rows that the model may have learnt from.
    """
    subject = examined.subject
    found = _unestablished(subject) or _signal(examined)
    if isinstance(found, str):
        measures = [undefined(name, found, higher_is_better=name in _NAMES[1:3]) for name in _NAMES]
        return Check(
            name="signal",
            outcome="weak",
            result=f"not established: {found}",
            meaning=_SIGNAL,
            measure=measures[0],
            more=tuple(measures[1:]),
        )
    return Check(
        name="signal",
        outcome=found.outcome,
        result=found.words,
        meaning=_SIGNAL,
        measure=_p_value(found),
        margin=found.margin,
        more=_further(found, examined.level),
    )


def _unestablished(subject: Subject) -> str | None:
    """Return why held-out rows with a known truth are missing, or None."""
    frame = subject.predictions.frame
    if "y_true" not in frame or frame["y_true"].isna().all():
        return "no truth is known"
    if subject.held_out is None:
        return "it is not known whether the model was trained on these rows (held_out)"
    return None if subject.held_out else "the model was trained on these rows"


def _signal(examined: Examined) -> Signal | str:
    subject = examined.subject
    positions = np.flatnonzero(subject.predictions.frame["y_true"].notna().to_numpy())
    known = _taken(subject.predictions, positions)
    generator = subject.generator("explain.signal")
    p = permutation_p_value(_independent(known, generator), subject.kind, subject.schema, generator)
    if p is None:
        if known.frame["y_true"].nunique() < 2:
            return "the truth is the same in every row"
        return "the test needs a measure of how well predictions agree with the truth, and this kind of prediction gives none"
    saved = subject.kind.losses(known.frame, subject.schema)
    weights = None if subject.model is None or not differentiable(subject.model) or saved is None else subject.model
    untrained = untrained_skills(subject, positions, generator) if weights is not None else None
    return Signal(
        n=len(positions),
        p=p,
        skill=None if saved is None else _interval(examined, saved, known),
        forest=None if saved is None else forest_skill(subject, positions, generator),
        untrained=None if untrained is None else float((untrained[1] >= untrained[0]).mean()),
    )


def _interval(examined: Examined, saved: Losses, known: Predictions) -> tuple[float, float, float]:
    def value(weights: np.ndarray) -> np.ndarray:
        below = weights @ saved.guessed
        result: np.ndarray = 1 - np.divide(weights @ saved.predicted, below, out=np.full_like(below, np.nan), where=below > 0)
        return result

    generator = examined.subject.generator("explain.skill")
    low, high = bootstrap(
        value, len(saved.predicted), generator, replicates=examined.replicates, level=examined.level, clusters=known.clusters
    )
    return saved.skill, float(low), float(high)


def _taken(predictions: Predictions, positions: np.ndarray) -> Predictions:
    target_index = predictions.target_index
    return replace(
        predictions,
        frame=predictions.frame.iloc[positions].reset_index(drop=True),
        source=None,
        target_index=None if target_index is None else target_index[torch.as_tensor(positions)],
    )


def _independent(predictions: Predictions, generator: np.random.Generator) -> Predictions:
    """Return one row of each independent unit, where rows hang together."""
    if predictions.clusters is None:
        return predictions
    order = generator.permutation(len(predictions.clusters))
    _, first = np.unique(predictions.clusters[order], return_index=True)
    return _taken(predictions, np.sort(order[first]))


def _p_value(found: Signal) -> Measure:
    return Measure(name=_NAMES[0], value=found.p, n=found.n, higher_is_better=False)


def _further(found: Signal, level: float) -> tuple[Measure, ...]:
    if found.skill is None:
        saved = undefined(_NAMES[1], "such answers are not right or wrong by degrees", higher_is_better=True)
    else:
        value, low, high = found.skill
        saved = Measure(name=_NAMES[1], value=value, low=low, high=high, level=level, n=found.n, higher_is_better=True)
    no_forest = (
        "no random forest has any skill on these rows, they are no table of numbers, or what is predicted is neither a class, "
        "a number nor labels"
    )
    share = (
        undefined(_NAMES[2], no_forest, higher_is_better=True)
        if found.share is None
        else Measure(name=_NAMES[2], value=found.share, n=found.n, higher_is_better=True)
    )
    untrained = (
        undefined(_NAMES[3], "the model has no weights that could be drawn anew", higher_is_better=False)
        if found.untrained is None
        else Measure(name=_NAMES[3], value=found.untrained, n=found.n, higher_is_better=False)
    )
    return (saved, share, untrained)
