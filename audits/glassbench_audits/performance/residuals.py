"""How far predicted values lie from the truth."""

import numpy as np

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject

POINTS, BINS = 500, 30


def residual_charts(subject: Subject) -> tuple[Chart, ...]:
    """Return predictions over truths (at most 500 rows, drawn at random) and the histogram of the errors of all rows."""
    frame, target = subject.predictions.frame, subject.schema.target
    truth, decision = _values(subject)
    unit = f" ({target.unit})" if target.unit else ""
    words = f" {target.unit}" if target.unit else ""
    shown = subject.sample(POINTS, "performance.residuals")
    points = tuple({"x": float(truth[i]), "y": float(decision[i])} for i in shown)
    errors = decision - truth
    heights, edges = np.histogram(errors, bins=_edges(errors))
    bars = tuple(
        {"low": float(low), "high": float(high), "y": int(n)} for low, high, n in zip(edges[:-1], edges[1:], heights, strict=True)
    )
    part = "" if len(shown) == len(frame) else f" ({len(shown)} of {len(frame)} rows)"
    return (
        Chart(
            kind="points",
            title=f"Predicted over true {target.name}{part}",
            message=f"On the diagonal predictions are right; correlation with the truth: {_correlation(truth, decision)}.",
            rows=points,
            x_title=f"true {target.name}{unit}",
            y_title=f"predicted {target.name}{unit}",
            reference=("diagonal", "predicted as it is true"),
            section="Errors",
        ),
        Chart(
            kind="histogram",
            title="Errors (prediction minus truth)",
            message=f"Errors average {errors.mean():.3g}{words}; half of them lie between {_half(errors)}.",
            rows=bars,
            x_title=f"prediction minus truth{unit}",
            y_title=f"{subject.schema.unit}s",
            section="Errors",
        ),
    )


def residual_table(subject: Subject) -> Table:
    """Return quantiles of the errors, over all rows and for low, middle and high truths."""
    truth, decision = _values(subject)
    errors = decision - truth
    low, high = np.quantile(truth, [1 / 3, 2 / 3])
    parts = {
        "all rows": np.ones(len(truth), dtype=bool),
        f"truth at most {low:.4g}": truth <= low,
        f"truth up to {high:.4g}": (truth > low) & (truth <= high),
        f"truth above {high:.4g}": truth > high,
    }
    rows = tuple(
        (name, int(part.sum()), float(errors[part].mean()), *np.quantile(errors[part], [0.05, 0.25, 0.5, 0.75, 0.95]).tolist())
        for name, part in parts.items()
        if part.any()
    )
    return Table(
        title="Errors (prediction minus truth)",
        columns=("rows", "n", "mean", "5 %", "25 %", "median", "75 %", "95 %"),
        rows=rows,
        note="A mean above 0 where the truth is low and below 0 where it is high says that predictions shrink to the middle.",
    )


def _edges(errors: np.ndarray) -> np.ndarray:
    """Return the edges of equal bins; errors that differ by rounding alone share one."""
    low, high = float(errors.min()), float(errors.max())
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        return np.array([low - 0.5, high + 0.5])
    return np.linspace(low, high, min(BINS, max(1, len(errors) // 4)) + 1)


def _values(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    frame = subject.predictions.frame
    return frame["y_true"].to_numpy(dtype=float), frame["y_pred"].to_numpy(dtype=float)


def _correlation(truth: np.ndarray, decision: np.ndarray) -> str:
    if truth.std() == 0 or decision.std() == 0:
        return "undefined"
    return f"{np.corrcoef(truth, decision)[0, 1]:.2f}"


def _half(errors: np.ndarray) -> str:
    low, high = np.quantile(errors, [0.25, 0.75])
    return f"{low:.3g} and {high:.3g}"
