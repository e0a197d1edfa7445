"""Where a model's attention pooling looks, beside the attribution: it is none itself."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from glassbench.contracts.exhibits import Chart
from glassbench_audits.attribution.directions import rank_correlation
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.token_words import Word

MOST_WORDS = 16


def attention_of(explained: Explained, rows: Rows) -> np.ndarray | None:
    """Return the weights of the model's pooling `(n, l)`, or None where it names no such `attention_layer`."""
    name = getattr(explained.model, "attention_layer", None)
    if name is None:
        return None
    layer: nn.Module = explained.model.get_submodule(name)
    parts = []
    for chunk in rows.chunks(explained.pass_rows):
        seen: list[torch.Tensor] = []
        with torch.no_grad(), layer.register_forward_hook(lambda module, args, output, seen=seen: seen.append(output)):
            explained.outputs(rows.take(chunk))
        parts.append(seen[0])
    weights = torch.cat(parts)
    return weights.double().numpy() if weights.shape == rows.inputs.shape else None


def attention_chart(words: Sequence[Word], attributions: np.ndarray, attention: np.ndarray) -> Chart:
    """Return a strip of the strongest words in reading order: the share of the contribution, and of the attention.

    Args:
        words: The words of one text.
        attributions: Per token `(l,)`.
        attention: Weights of the pooling `(l,)`.
    """
    read = [word for word in words if word.positions]
    held = np.array([[abs(word.summed(attributions) or 0.0), word.summed(attention) or 0.0] for word in read])
    shares = held / np.maximum(held.sum(axis=0), 1e-12)
    kept = np.sort(np.argsort(-shares.sum(axis=1), kind="stable")[:MOST_WORDS])
    rows = tuple(
        {"x": f"{i + 1} {read[i].text.strip()[:18]}", "y": name, "color": float(shares[i, k])}
        for k, name in enumerate(("contribution", "attention"))
        for i in kept
    )
    few = f" Of {len(read)} words the {len(kept)} strongest." if len(kept) < len(read) else ""
    return Chart(
        kind="heat",
        title="Contribution and attention",
        message=(
            "Attention says where the model's last step looks, not what moved the decision: it is no attribution. "
            f"Shares of the absolute contributions and of the attention.{few}"
        ),
        rows=rows,
        x_title="words in reading order",
        y_title="share of",
    )


def agreement(attributions: np.ndarray, attention: np.ndarray) -> float:
    """Return the mean rank correlation between attention and absolute attribution within rows `(n, l)`; NaN where undefined."""
    values = rank_correlation(np.abs(attributions), attention, axis=1)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
