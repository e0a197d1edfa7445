"""Where attention leads from patches to what is decided on, beside the attribution: it is none itself."""

import torch
from torch import Tensor

from glassbench_audits.attribution.explained import Explained, Rows


def attention_rollout(explained: Explained, rows: Rows) -> Tensor | None:
    """Return how much of each patch attention carries to the class token, `(n, down, across)`; None where a model has none.

    A model names the modules that give the attention of each block `(n, heads, t, t)`, the class token first
    (`attention_layers`), and how its patches lie (`patch_grid`). The mean over heads, with half of each token staying where it
    is, multiplied through the blocks: Abnar and Zuidema (2020), Quantifying attention flow in transformers.
    """
    names = getattr(explained.model, "attention_layers", None)
    grid = getattr(explained.model, "patch_grid", None)
    if not names or grid is None:
        return None
    parts = [_rolled(attention_of(explained, rows.take(chunk), names)) for chunk in rows.chunks(explained.pass_rows)]
    return torch.cat(parts)[:, 0, 1:].reshape(len(rows), *grid)


def attention_of(explained: Explained, rows: Rows, names: tuple[str, ...]) -> list[Tensor]:
    """Return the attention that each named module gives for rows, first block first."""
    seen: list[Tensor] = []
    hooks = [
        explained.model.get_submodule(name).register_forward_hook(lambda module, args, output: seen.append(output))
        for name in names
    ]
    try:
        with torch.no_grad():
            explained(rows.inputs, *rows.others)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _rolled(attention: list[Tensor]) -> Tensor:
    """From each block's attention `(n, heads, t, t)` to its product through the blocks `(n, t, t)`."""
    tokens = attention[0].shape[-1]
    rolled = torch.eye(tokens).expand(len(attention[0]), tokens, tokens)
    for block in attention:
        rolled = (0.5 * block.mean(dim=1) + 0.5 * torch.eye(tokens)) @ rolled
    return rolled
