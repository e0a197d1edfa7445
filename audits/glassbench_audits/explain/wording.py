"""The explanation's findings, in sentences."""

import numpy as np

from glassbench.evidence import Finding, VerdictWord
from glassbench.subject import Subject
from glassbench_audits.explain.importance import Importance
from glassbench_audits.explain.stamp import Check, Stamp
from glassbench_audits.explain.values import spoken_class

CLEAR = 0.3
"""Rank correlation from which a direction is worth a sentence."""

_OUTPUTS = {
    "class": "the score of the decided class",
    "flag": "the score",
    "cluster": "the assignment to its cluster",
    "action": "the preference for the action taken",
    "token": "the score of the chosen token",
    "sequence": "the score of the emitted tokens",
}

_VERDICTS: dict[Stamp, VerdictWord] = {
    "reliable": "pass",
    "use with care": "insufficient evidence",
    "do not rely": "fail",
}


def output_words(subject: Subject) -> str:
    """Return what is explained, in words."""
    target = subject.schema.target
    if said := getattr(subject.task, "explains", None):
        return str(said)
    if subject.task.decision == "value":
        return f"the predicted {target.name}" + (f" ({target.unit})" if target.unit else "")
    return _OUTPUTS[subject.task.decision]


def direction_words(subject: Subject, picture: Importance, unit: int) -> str | None:
    """Return which values push which way, in words, or None where that is not clear."""
    direction, leading = float(picture.direction[unit]), picture.leading[unit]
    name = spoken_class(subject)
    if leading is not None:
        value, up = leading
        if name is None:
            return f"'{value}' {'raises' if up else 'lowers'} it most"
        return f"'{value}' pushes most, {'towards' if up else 'away from'} '{name}'"
    if not abs(direction) >= CLEAR:
        return None
    if name is None:
        return "higher values raise it" if direction > 0 else "higher values lower it"
    return f"higher values push {'towards' if direction > 0 else 'away from'} '{name}'"


def driver_findings(subject: Subject, names: tuple[str, ...], picture: Importance) -> tuple[Finding, ...]:
    """Return what drives the decisions most, and what hardly matters."""
    if not names or picture.mean.sum() == 0:
        return ()
    first, *_ = picture.order
    size = f"{picture.mean[first]:.3g} [{picture.low[first]:.3g}, {picture.high[first]:.3g}]"
    text = (
        f"{names[first]} drives the decisions most: on average it moves {output_words(subject)} by {size}, "
        f"{picture.share[first]:.0%} of all influence"
    )
    if pushes := direction_words(subject, picture, int(first)):
        text += f"; {pushes}"
    finding = Finding(sentence=text + ".", verdict="pass", measures=("explain.largest_share",), weight=0.6)
    return (finding, *_followers(names, picture))


def _followers(names: tuple[str, ...], picture: Importance) -> tuple[Finding, ...]:
    shares = picture.share[picture.order]
    needed = int(np.searchsorted(np.cumsum(shares), 0.8)) + 1
    if needed < 2 or len(names) < 4:
        return ()
    listed = ", ".join(f"{names[u]} ({picture.share[u]:.0%})" for u in picture.order[: min(needed, 5)])
    text = f"{needed} of {len(names)} inputs carry four fifths of the influence, first {listed}."
    return (Finding(sentence=text, verdict="pass", weight=0.3),)


def silence_finding(picture: Importance) -> tuple[Finding, ...]:
    """Return a finding when nothing drives the decisions at all."""
    if picture.mean.sum() > 0:
        return ()
    text = "The model's output does not depend on any input: there is nothing to explain."
    return (Finding(sentence=text, verdict="fail", weight=0.9),)


def stamp_finding(word: Stamp, checks: tuple[Check, ...]) -> Finding:
    """Return how far the explanation can be trusted, and which tests say so."""
    made = [check for check in checks if check.outcome != "not applicable"]
    passed = sum(check.outcome == "passed" for check in made)
    missed = [f"{check.name}: {check.result}" for check in made if check.outcome != "passed"]
    text = f"The explanation is stamped '{word}': {passed} of {len(made)} self-tests passed"
    text += f" ({'; '.join(missed)})." if missed else "."
    names = tuple(check.measure.name for check in made)
    return Finding(
        sentence=text,
        verdict=_VERDICTS[word],
        measures=("explain.reliable", *names),
        weight=0.5 if not missed else 0.85,
    )


def replacement_finding(reason: str | None) -> tuple[Finding, ...]:
    """Return that another method took the place of the one asked for, and why."""
    return () if reason is None else (Finding(sentence=f"{reason}.", verdict="pass", weight=0.7),)
