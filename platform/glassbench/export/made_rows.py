"""Rows made from what an encoder measured, to try an export on: missing cells, unseen categories and values out of range too."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.export.networks import sample_inputs

_MISSING, _BEYOND = 0.06, 0.04
"""Shares of cells that are missing, and that the training rows did not have."""

UNSEEN = "a category that no training row has"


def made_rows(table: Mapping[str, Any], rows: int, seed: int = 0) -> pd.DataFrame:
    """Return raw rows of a table.

    Args:
        table: A preprocessing of the kind `table`.
        rows: How many.
        seed: Seed of what is drawn.
    """
    rng = np.random.default_rng(seed)
    made = {column["name"]: _cells(column, rows, rng) for column in table["columns"]}
    others = [group for group in table.get("groups", ()) if group["column"] not in made]
    return pd.DataFrame({**made, **{group["column"]: _cells(_as_column(group), rows, rng) for group in others}})


def _as_column(group: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the column that a group is read off as a column of inputs is told."""
    if group["bins"] is None:
        return {"kind": "category", "categories": group["names"] or [UNSEEN]}
    return {"kind": "number", "low": group["bins"][0] - 1, "high": group["bins"][-1] + 1}


def _cells(column: Mapping[str, Any], rows: int, rng: np.random.Generator) -> pd.Series:
    """Return one column: float64, or text."""
    missing = rng.random(rows) < _MISSING
    if column["kind"] == "number":
        low, high = column["low"], column["high"]
        width = (high - low) or 1.0
        values = rng.uniform(low, high, rows)
        beyond = rng.random(rows) < _BEYOND
        values[beyond] += rng.choice([-2.0, 2.0], int(beyond.sum())) * width
        return pd.Series(np.where(missing, np.nan, values))
    cells = rng.choice(np.array(column["categories"], dtype=object), rows)
    cells[rng.random(rows) < _BEYOND] = UNSEEN
    cells[missing] = None
    return pd.Series(cells, dtype=object)


def made_inputs(spec: Mapping[str, Any], rows: int, seed: int = 0) -> Tensor:
    """Return raw inputs of another kind, as a preprocessing names them: tokens, bytes, or numbers about the mean of training."""
    generator = torch.Generator().manual_seed(seed)
    empty = sample_inputs(spec, rows)
    if spec["kind"] == "tokens":
        return torch.randint(0, int(spec["vocabulary"]), empty.shape, generator=generator)
    if empty.dtype == torch.uint8:
        return torch.randint(0, 256, empty.shape, generator=generator, dtype=torch.uint8)
    drawn = torch.randn(empty.shape, generator=generator, dtype=torch.float64)
    if spec["kind"] == "scaled":
        mean, std = (_along(spec[name], spec["axis"], len(spec["shape"])) for name in ("mean", "std"))
        drawn = (drawn * std + mean) * spec["divide"]
    return drawn.to(empty.dtype)


def _along(values: list[float], axis: int, axes: int) -> Tensor:
    """Return a value per channel, shaped to stand along an axis of a row `(1, ...)`."""
    shape = [1] * (axes + 1)
    shape[axis + 1] = len(values)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)
