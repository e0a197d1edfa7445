"""What all looks so far come to: what has changed, whether the model holds, and what its performance is estimated at."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from glassbench.monitoring.reference import Reference
from glassbench.monitoring.sequences import ALPHA
from glassbench.stats.intervals import rate_interval

Verdict = Literal["holds", "changed", "too few rows"]
_TOLD = ("look", "time", "file", "rows", "counted", "truths", "results")
EXIT_CODES: Mapping[Verdict, int] = {"holds": 0, "changed": 1, "too few rows": 3}


@dataclass(frozen=True, kw_only=True)
class MonitorState:
    """How a run's model stands after the last look.

    Args:
        run: The run's id.
        verdict: `holds`, `changed` or `too few rows`.
        reason: The verdict in one sentence.
        alpha: The chance that anything is ever called changed where nothing has.
        tolerance: The change of the headline that still counts as holding.
        reference_rows: Rows or clusters of the run that are compared with.
        rows: Rows or clusters counted so far.
        truths: Rows whose truth is known.
        results: Every sequence as it stands.
        estimated: What performance is estimated at where no truth is known, or None.
        notes: What is not compared, and why.
        history: Each look: when, which file, how many rows, and how each sequence stood.
    """

    run: str
    verdict: Verdict
    reason: str
    alpha: float
    tolerance: float
    reference_rows: int
    rows: int
    truths: int
    results: tuple[dict[str, Any], ...]
    estimated: dict[str, Any] | None
    notes: tuple[str, ...]
    history: tuple[dict[str, Any], ...]

    @property
    def exit_code(self) -> int:
        """0 holds, 1 a change is certain, 3 too few rows."""
        return EXIT_CODES[self.verdict]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The sequences whose change is certain, the first found first."""
        return sorted((one for one in self.results if one["since"] is not None), key=lambda one: one["since"])

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {**asdict(self), "exit_code": self.exit_code}


def standing(run: str, reference: Reference, looks: Sequence[Mapping[str, Any]], tolerance: float) -> MonitorState:
    """Return what all looks come to.

    Args:
        run: The run's id.
        reference: The run's rows.
        looks: Every look, oldest first.
        tolerance: The change of the headline that still counts as holding.
    """
    results, truths = looks[-1]["results"], sum(look["truths"] for look in looks)
    rows = sum(look["counted"] for look in looks)
    verdict, reason = _verdict(results, tolerance, reference.rows, rows)
    left = sum(look["rows left aside"] for look in looks)
    notes = [*reference.notes]
    if left:
        notes.append(f"{left:,} rows belong to clusters that an earlier look counted; they are left aside.")
    unknown = sum(look["rows"] for look in looks) - left - truths
    if truths and unknown > 0:
        notes.append(
            f"The truth of {unknown:,} rows is not known; they count for inputs, scores and groups alone. Where outcomes are "
            "known of a selected part only, performance speaks of that part."
        )
    for feature in reference.groups:
        if not any(f"groups|{feature}={name}" in look["means"] for look in looks for name in reference.groups[feature]):
            notes.append(f"New rows have no column {feature}; its groups are not compared.")
    return MonitorState(
        run=run, verdict=verdict, reason=reason, alpha=ALPHA, tolerance=tolerance, reference_rows=reference.rows, rows=rows,
        truths=truths, results=tuple(results), estimated=None if truths else _estimated(reference, results), notes=tuple(notes),
        history=tuple({key: look[key] for key in _TOLD} for look in looks),
    )  # fmt: skip


def _verdict(results: Sequence[Mapping[str, Any]], tolerance: float, known: int, rows: int) -> tuple[Verdict, str]:
    changed = [one for one in results if one["since"] is not None]
    if changed:
        first = min(changed, key=lambda one: one["since"])
        more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
        return "changed", f"A change of {first['title']} ({first['family']}) is certain since look {first['since']}{more}."
    headline = _headline(results)
    points = f"{100 * tolerance:g} points"
    if headline is None:
        return "holds", "No change is certain."
    low, high = headline["low"], headline["high"]
    bounded = high <= tolerance and (headline["family"] == "performance" or low >= -tolerance)
    if bounded:
        return "holds", f"No change is certain, and {headline['title']} has changed by less than {points}."
    short = "of the run" if known < rows else "so far"
    return "too few rows", (
        f"No change is certain, but a change of {headline['title']} by {points} is not excluded: there are too few rows {short} "
        f"({rows:,} new, {known:,} of the run)."
    )


def _headline(results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the sequence that holding is judged by: the error where truths came, else the decisions."""
    measured = [one for one in results if one["family"] == "performance" and one["kind"] == "mean" and one["rows"]]
    decided = [one for one in results if one["family"] == "scores" and one["kind"] == "mean"]
    return next(iter([*measured, *decided]), None)


def _estimated(reference: Reference, results: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the accuracy that the stated probabilities of new rows amount to, shifted by how far they were off in the run.

    The mean of the highest stated probability estimates accuracy where probabilities are calibrated (average confidence, Guillory
    et al. 2021); the difference of confidences corrects for a constant miscalibration.
    """
    error, sure = reference.means.get("performance|error rate"), next((r for r in results if r["key"] == _SURE), None)
    if error is None or error.mean is None or sure is None or sure["change"] is None:
        return None
    known = 1 - error.mean
    low, high = (float(end) for end in rate_interval(np.array(known * error.n), np.array(error.n)))
    moved = known + sure["change"], low + sure["low"], high + sure["high"]
    ends = [min(1.0, max(0.0, end)) for end in moved]
    return {
        "measure": "accuracy", "run": known, "value": ends[0], "low": ends[1], "high": ends[2],
        "assumption": "estimated from the stated probabilities, not measured: it holds where these are as well calibrated on the "
        "new rows as on the run's, and says nothing where the outcome depends on the inputs in a new way",
    }  # fmt: skip


_SURE = "scores|mean of the highest score"
