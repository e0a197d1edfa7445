"""Explained texts as tables and charts."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.exhibits import Chart, Table
from glassbench_audits.generated_text.prompts import ExplainedText

WIDEST = 24
"""Words of a prompt that a chart shows: those with the largest contributions, in reading order."""


def written_table(texts: Sequence[ExplainedText]) -> Table:
    """Return what was written after each prompt, and the words that made it likelier or less likely."""
    rows = []
    for one in texts:
        summed = one.contributions.sum(axis=0)
        order = np.argsort(-summed, kind="stable")
        raised = [f"{one.words[k].shown} ({summed[k]:+.2f})" for k in order[:3] if summed[k] > 0]
        lowered = [f"{one.words[k].shown} ({summed[k]:+.2f})" for k in order[::-1][:2] if summed[k] < 0]
        prompt = "".join(word.text for word in one.words).strip()
        rows.append((one.row, prompt, " ".join(one.names), ", ".join(raised) or "none", ", ".join(lowered) or "none"))
    return Table(
        title="What the model wrote, and which words made it likely",
        columns=("row", "prompt", "written", "words that raise it most", "words that lower it most"),
        rows=tuple(rows),
        note="In brackets: how much the word adds to the log-probability of all tokens that were written.",
    )


def _short(value: float) -> str:
    """Return a number with one digit after the point, and no sign before 0.0."""
    return f"{round(value, 1) + 0.0:.1f}"


def written_chart(text: ExplainedText) -> Chart:
    """Return how much each word of a prompt adds to each token that was written."""
    largest = np.argsort(-np.abs(text.contributions).sum(axis=0), kind="stable")[:WIDEST]
    shown = sorted(largest.tolist())
    rows = tuple(
        {
            "x": f"{place + 1} {text.words[place].shown}",
            "y": f"{row + 1} {name}",
            "color": float(value),
            "size": _short(float(value)),
        }
        for row, name in enumerate(text.names)
        for place, value in zip(shown, text.contributions[row, shown], strict=True)
    )
    left = len(text.words) - len(shown)
    more = f" {left} words with smaller contributions are left out." if left else ""
    return Chart(
        kind="heat",
        title=f"Words behind what was written after row {text.row}",
        message="How much each word of the prompt (along) adds to the log-probability of each token that was written (down)."
        + more,
        rows=rows,
        x_title="word of the prompt",
        y_title="written token",
    )
