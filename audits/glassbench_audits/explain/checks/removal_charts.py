"""How the output moves while inputs are taken out or put in, drawn."""

import numpy as np

from glassbench.contracts.exhibits import Chart
from glassbench_audits.explain.checks.examined import SECTION, Examined


def deletion_chart(examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray]) -> Chart:
    """Return the outputs while inputs are taken out.

    Args:
        examined: Says how intervals are computed.
        share: Share of the inputs taken out at each cut, without the ends.
        lines: Outputs of each order `(n, cuts + 2)`, the ends among them.
    """
    return _chart(
        examined,
        share,
        lines,
        title="Deletion: the output while inputs are taken out",
        message="The faster it falls, the better the explanation knows what matters; 1 is the typical change, 0 the baseline.",
        x_title="share of the inputs taken out",
    )


def insertion_chart(examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray]) -> Chart:
    """Return the outputs while inputs are put in; arguments as for `deletion_chart`."""
    return _chart(
        examined,
        share,
        lines,
        title="Insertion: the output while inputs are put in",
        message="The faster it rises, the better the explanation knows what matters; 1 is the typical change, 0 the baseline.",
        x_title="share of the inputs put in",
    )


def _chart(
    examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray], *, title: str, message: str, x_title: str
) -> Chart:
    rows = []
    for color, values in lines.items():
        for place, x in enumerate([0, *share, 1]):
            low, high = examined.interval("explain.curves", values[:, place])
            rows.append({"x": float(x), "y": float(values[:, place].mean()), "low": low, "high": high, "color": color})
    y_title = "output, in typical changes"
    return Chart(kind="lines", title=title, message=message, rows=tuple(rows), x_title=x_title, y_title=y_title, section=SECTION)
